import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import wasmtime


def load() -> ModuleType:
    path = Path(__file__).parents[2] / "guests" / "segments.py"
    spec = importlib.util.spec_from_file_location("segments", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Frozen dataclasses look their module up by name while they are made.
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


segments = load()
MEMORY = '(module (memory (export "m") 2) {})'


def memory_of(module: bytes) -> bytes:
    store = wasmtime.Store()
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, module), []).exports(store)
    memory = exports["m"]
    assert isinstance(memory, wasmtime.Memory)
    return bytes(memory.read(store, 0, memory.data_len(store)))


@pytest.mark.parametrize(
    "data",
    [
        "",
        '(data (i32.const 8) "abc")',
        '(data (i32.const 100) "z") (data (i32.const 8) "abc") (data (i32.const 11) "def")',
        '(data (i32.const 70000) "far") (data (i32.const 0) "\\00\\01") (data "passive")',
        '(data (i32.const 130000) "end") (data (i32.const 129990) "near")',
    ],
)
def test_joining_keeps_what_memory_starts_with(data: str) -> None:
    module = bytes(wasmtime.wat2wasm(MEMORY.format(data)))
    assert memory_of(segments.joined(module)) == memory_of(module)


def test_neighbours_become_one_and_passive_segments_go() -> None:
    data = "".join(f'(data (i32.const {at}) "x") (data "p")' for at in range(0, 1000, 50))
    small = segments.joined(bytes(wasmtime.wat2wasm(MEMORY.format(data))))
    assert segments.joined(small) == small
    assert len(small) < 1100


def test_code_that_names_a_segment_is_refused() -> None:
    module = wasmtime.wat2wasm(
        '(module (memory 1) (data $d "x") (func (data.drop $d)))',
    )
    with pytest.raises(segments.Unsupported, match="name data segments"):
        segments.joined(bytes(module))


@pytest.mark.parametrize("value", [0, 63, 64, 8191, 8192, 2**31 - 1, 2**31, 2**32 - 1])
def test_addresses_survive_their_encoding(value: int) -> None:
    number, after = segments.signed(segments.as_signed(value), 0)
    assert number & 0xFFFFFFFF == value
    assert after == len(segments.as_signed(value))
