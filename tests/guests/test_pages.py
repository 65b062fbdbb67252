import importlib.util
import struct
import sys
from pathlib import Path
from types import ModuleType

import pytest
import wasmtime


def load(name: str) -> ModuleType:
    path = Path(__file__).parents[2] / "guests" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


load("segments")
pages = load("pages")


def module(changed: str, room: int = 8, memory: int = 2) -> bytes:
    marks = "".join(f"\\{byte:02x}" for byte in pages.MARKS + pages.UNUSED * room)
    return bytes(
        wasmtime.wat2wasm(f'(module (memory {memory}) (data (i32.const 9000) "{marks}") {changed})')
    )


def listed(noted: bytes) -> list[int]:
    at = noted.find(pages.MARKS) + len(pages.MARKS)
    numbers = struct.unpack_from("<8I", noted, at)
    return [number for number in numbers if number != 0xFFFFFFFF]


def test_the_list_names_every_page_that_a_rehearsal_changed_and_no_other() -> None:
    start = module('(data (i32.const 4096) "same") (data (i32.const 20480) "old")')
    one = module('(data (i32.const 4096) "same") (data (i32.const 20480) "new")')
    two = module('(data (i32.const 4096) "same") (data (i32.const 45055) "over")')
    noted = pages.noted(start, [one, two])
    assert listed(noted) == [5, 10, 11]
    assert len(noted) == len(start)
    assert pages.noted(start, [start]) == start


def test_pages_behind_the_memory_that_a_guest_starts_with_are_left_out() -> None:
    both = '(data (i32.const 131071) "x") (data (i32.const 135000) "y")'
    assert listed(pages.noted(module(""), [module(both, memory=3)])) == [31]
    assert listed(pages.noted(module("", memory=3), [module(both, memory=3)])) == [31, 32]


@pytest.mark.parametrize("room", [0, 1])
def test_a_list_that_does_not_fit_with_its_end_is_refused(room: int) -> None:
    other = module('(data (i32.const 60000) "x")', room)
    with pytest.raises(pages.Unmarked, match="1 pages"):
        pages.noted(module("", room), [other])


def test_the_shipped_module_lists_its_pages() -> None:
    """Else every call pays their faults after its request."""
    toolbox = Path(__file__).parents[2] / "src" / "capbox" / "guests" / "toolbox.wasm"
    content = toolbox.read_bytes()
    if b"capbox_call" not in content:
        pytest.skip("a plain build, without wizer")
    at = content.find(pages.MARKS) + len(pages.MARKS)
    numbers = [n for (n,) in struct.iter_unpack("<I", content[at : at + 4 * 510])]
    used = numbers[: numbers.index(0xFFFFFFFF)]
    assert len(used) > 40
    assert used == sorted(set(used))
    assert used[-1] < pages.memory_bytes(content) // pages.PAGE_BYTES
