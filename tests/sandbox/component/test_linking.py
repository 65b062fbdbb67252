"""How a component is put together: components in components, resources, and broken rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st
from tests.sandbox.component import text

from capbox.sandbox.component.binary import CORE_MAGIC, MAGIC, taken_apart
from capbox.sandbox.component.linking import Linked
from capbox.sandbox.component.plan import Plan
from capbox.sandbox.component.scope import read_plan
from capbox.sandbox.component.side import Misuse

Provided = Mapping[str, Callable[..., object]]


class Opened:
    """A component that was started, without a worker around it."""

    def __init__(self, wat: str, provided: Provided | None = None) -> None:
        modules: list[memoryview] = []
        self.plan = read_plan(taken_apart(bytes(wasmtime.wat2wasm(wat)), modules))
        engine = wasmtime.Engine()
        compiled = [wasmtime.Module(engine, bytes(module)) for module in modules]
        self.dropped: list[object] = []
        given = provided or {}
        self._linked = Linked(
            *(engine, compiled, self.plan),
            {f: given[f.name] for f in self.plan.imports},
            dropped=self.dropped.append,
            guard=lambda body: body,
        )
        self._linked.start(wasmtime.Store(engine))

    def call(self, name: str, *values: object) -> object:
        """Call a function of it; a trap inside of a host function is raised as what caused it."""
        try:
            return self._linked.call(self.plan.functions()[name], values)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise self._linked.failure() or error from error


INNER = f"""(component $Inner {text.MEMORY}
  (core module $M (import "m" "memory" (memory 1))
    (func (export "swap") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1))
      (i32.store8 (local.get 0) (i32.const 33)) (i32.const 16)))
  (core instance $i (instantiate $M (with "m" (instance $memory))))
  (func (export "swap") (param "s" string) (result string)
    (canon lift (core func $i "swap") (memory $mem) (realloc $realloc))))"""
COMPOSED = f"""(component {INNER} {text.MEMORY}
  (instance $inner (instantiate $Inner))
  (core func $swap (canon lower (func $inner "swap") (memory $mem) (realloc $realloc)))
  (core module $M (import "m" "memory" (memory 1))
    (import "i" "swap" (func $swap (param i32 i32 i32)))
    (func (export "run") (param i32 i32) (result i32)
      (call $swap (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16)))
  (core instance $i (instantiate $M (with "m" (instance $memory))
    (with "i" (instance (export "swap" (func $swap))))))
  (func (export "run") (param "s" string) (result string)
    (canon lift (core func $i "run") (memory $mem) (realloc $realloc))))"""


def test_a_component_in_a_component_has_a_memory_of_its_own() -> None:
    opened = Opened(COMPOSED)
    assert opened.call("run", "abc") == "!bc"
    assert opened.plan.memories == 2


COUNTER = """(component
  (core module $D (func (export "drop") (param i32)))
  (core instance $d (instantiate $D))
  (type $counter (resource (rep i32) (dtor (core func $d "drop"))))
  (core func $new (canon resource.new $counter))
  (core func $rep (canon resource.rep $counter))
  (core func $free (canon resource.drop $counter))
  (core module $M
    (import "h" "new" (func $new (param i32) (result i32)))
    (import "h" "rep" (func $rep (param i32) (result i32)))
    (import "h" "free" (func $free (param i32)))
    (func (export "twice") (param i32) (result i32) (local $h i32)
      (local.set $h (call $new (i32.mul (local.get 0) (i32.const 2))))
      (call $rep (local.get $h)) (call $free (local.get $h)))
    (func (export "twofold") (local $h i32)
      (local.set $h (call $new (i32.const 1)))
      (call $free (local.get $h)) (call $free (local.get $h)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "value") (param i32) (result i32) (local.get 0)))
  (core instance $m (instantiate $M (with "h" (instance
    (export "new" (func $new)) (export "rep" (func $rep)) (export "free" (func $free))))))
  (func (export "twice") (param "n" u32) (result u32) (canon lift (core func $m "twice")))
  (func (export "twofold") (canon lift (core func $m "twofold")))
  (func (export "make") (param "n" u32) (result (own $counter)) (canon lift (core func $m "make")))
  (func (export "value") (param "c" (borrow $counter)) (result u32)
    (canon lift (core func $m "value"))))"""


def test_a_resource_of_its_own_is_made_used_and_dropped_once() -> None:
    opened = Opened(COUNTER)
    assert opened.call("twice", 21) == 42
    with pytest.raises(wasmtime.WasmtimeError, match="no handle of that type"):
        opened.call("twofold")
    with pytest.raises(Misuse, match="already entered"):
        opened.call("twice", 1)  # after a trap it is never entered again
    fresh = Opened(COUNTER)
    assert fresh.call("make", 7) == 7
    assert fresh.call("value", 7) == 7


HOLDER = """(component
  (import "wasi:io/poll@0.2.1" (instance $poll (export "pollable" (type $p (sub resource)))))
  (alias export $poll "pollable" (type $p))
  (import "a:b/c@1.0.0" (instance $i
    (alias outer 1 $p (type $q)) (export "pollable" (type $e (eq $q)))
    (export "get" (func (result (own $e))))))
  (core func $get (canon lower (func $i "get")))
  (core func $drop (canon resource.drop $p))
  (core module $M
    (import "h" "get" (func $get (result i32))) (import "h" "drop" (func $drop (param i32)))
    (func (export "run") (call $drop (call $get))))
  (core instance $m (instantiate $M (with "h" (instance
    (export "get" (func $get)) (export "drop" (func $drop))))))
  (func (export "run") (canon lift (core func $m "run"))))"""


def test_the_host_hears_of_its_things_that_are_dropped() -> None:
    thing = object()
    opened = Opened(HOLDER, {"a:b/c.get": lambda: thing})
    opened.call("run")
    assert opened.dropped == [thing]


def lifting(signature: str, core: str, options: str = "") -> str:
    """A component that exports one function `f`, whose core function is `core`."""
    return f"""(component {text.MEMORY}
      (core module $M (import "m" "memory" (memory 1)) {core})
      (core instance $m (instantiate $M (with "m" (instance $memory))))
      (func (export "f") {signature} (canon lift (core func $m "f") {options})))"""


MEMORY = "(memory $mem) (realloc $realloc)"
BROKEN: dict[str, tuple[str, tuple[object, ...], str]] = {
    "a core function with more parameters": (
        lifting('(param "n" u32)', '(func (export "f") (param i32 i64))'),
        (1,),
        "does not have the type",
    ),
    "a core function with another result": (
        lifting("(result u64)", '(func (export "f") (result i32) (i32.const 1))'),
        (),
        "does not have the type",
    ),
    "a memory where a function should be": (
        lifting("", '(memory (export "g") 1) (global (export "f") i32 (i32.const 0))'),
        (),
        "something else stands",
    ),
    "a text without a realloc": (
        lifting('(param "s" string)', '(func (export "f") (param i32 i32))', "(memory $mem)"),
        ("x",),
        "no realloc",
    ),
    "a text without a memory": (
        lifting("(result string)", '(func (export "f") (result i32) (i32.const 16))'),
        (),
        "outside guest memory",
    ),
    "a result outside of the memory": (
        lifting("(result string)", '(func (export "f") (result i32) (i32.const -8))', MEMORY),
        (),
        "outside guest memory",
    ),
    "a long name of what is not there": (
        lifting("", "").replace('(core func $m "f")', f'(core func $m "{"f" * 100_000}")'),
        (),
        "^a core module in it does not export .{120}$",
    ),
    "a trap": (lifting("", '(func (export "f") unreachable)'), (), "unreachable"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_rules_ends_in_words(name: str) -> None:
    wat, values, message = BROKEN[name]
    opened = Opened(wat)
    with pytest.raises((Misuse, OSError, wasmtime.Trap, wasmtime.WasmtimeError), match=message):
        opened.call("f", *values)


CALLS_OUT = """(component
  (import "a:b/c" (instance $i (export "give" (func (result string)))))
  (core module $Fix (table (export "t") 1 funcref) (memory (export "memory") 1)
    (type $f (func (param i32)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (call_indirect (type $f) (i32.const 0) (i32.const 0)) (i32.const 0))
    (func (export "run") (call_indirect (type $f) (i32.const 0) (i32.const 0))))
  (core instance $fix (instantiate $Fix))
  (core func $give (canon lower (func $i "give") (memory (core memory $fix "memory"))
    (realloc (core func $fix "realloc"))))
  (core module $Fill (import "f" "t" (table 1 funcref)) (import "h" "give" (func $give (param i32)))
    (elem (i32.const 0) func $give))
  (core instance (instantiate $Fill (with "f" (instance $fix))
    (with "h" (instance (export "give" (func $give))))))
  (func (export "run") (canon lift (core func $fix "run"))))"""


def test_a_realloc_that_calls_the_function_that_called_it_ends() -> None:
    opened = Opened(CALLS_OUT, {"a:b/c.give": lambda: "text"})
    with pytest.raises(wasmtime.WasmtimeError, match="calls out while it makes room"):
        opened.call("run")


REENTERS = """(component
  (component $Child
    (import "f" (func $f))
    (core func $g (canon lower (func $f)))
    (core module $M (import "h" "g" (func $g)) (func (export "run") (call $g)))
    (core instance $m (instantiate $M (with "h" (instance (export "g" (func $g))))))
    (func (export "run") (canon lift (core func $m "run"))))
  (core module $Fix (table (export "t") 1 funcref) (type $f (func))
    (func (export "run") (call_indirect (type $f) (i32.const 0))))
  (core instance $fix (instantiate $Fix))
  (func $run (canon lift (core func $fix "run")))
  (instance $child (instantiate $Child (with "f" (func $run))))
  (core func $again (canon lower (func $child "run")))
  (core module $Fill (import "f" "t" (table 1 funcref)) (import "h" "again" (func $again))
    (elem (i32.const 0) func $again))
  (core instance (instantiate $Fill (with "f" (instance $fix))
    (with "h" (instance (export "again" (func $again))))))
  (export "run" (func $run)))"""


def test_a_component_is_not_entered_twice() -> None:
    with pytest.raises(wasmtime.WasmtimeError, match="already entered"):
        Opened(REENTERS).call("run")


FORGED = """(component
  (type $mine (resource (rep i32)))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (alias outer 1 $mine (type $m)) (export "pollable" (type $p (eq $m)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (core func $block (canon lower (func $poll "[method]pollable.block"))))"""


def test_a_resource_of_its_own_does_not_pass_for_one_of_the_host() -> None:
    plan = planned(FORGED)
    (imported,) = plan.imports
    kind = imported.signature.params[0][1]
    assert getattr(kind, "resource").name == ""  # noqa: B009 - whichever type it is


OWNERS = {
    "its own": ("(type $r (resource (rep i32)))", True),
    "the host's": (
        """(import "wasi:io/poll@0.2.0" (instance $i (export "pollable" (type $p (sub resource)))))
        (alias export $i "pollable" (type $r))""",
        False,
    ),
    "one that is imported by itself": ('(import "r" (type $r (sub resource)))', False),
    "another component's": (
        """(component $C (type $t (resource (rep i32))) (export "t" (type $t)))
        (instance $i (instantiate $C)) (alias export $i "t" (type $r))""",
        False,
    ),
}


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("operation", ["new", "rep", "drop"])
def test_handles_are_made_and_looked_into_by_who_owns_the_resource_alone(
    owner: str, operation: str
) -> None:
    resource, own = OWNERS[owner]
    wat = f"(component {resource} (core func (canon resource.{operation} $r)))"
    if own or operation == "drop":
        assert len(planned(wat).lowered) == 1
    else:
        with pytest.raises(Misuse, match="a resource that is not its own"):
            planned(wat)


def planned(wat: str) -> Plan:
    """Read a component."""
    return read_plan(taken_apart(bytes(wasmtime.wat2wasm(wat)), []))


REFUSED = {
    "core modules as imports": '(component (import "m" (core module)))',
    "components as imports": '(component (import "c" (component)))',
    "a start function": """(component (core module $M (func (export "f")))
      (core instance $m (instantiate $M)) (func $f (canon lift (core func $m "f"))) (start $f))""",
    "asynchronous functions": """(component (import "f" (func $f))
      (core func (canon lower (func $f) async)))""",
    "streams": "(component (type (stream u8)))",
    "a missing export": """(component (core module $M) (core instance $m (instantiate $M))
      (component $C (import "f" (func))) (instance (instantiate $C)))""",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_supported_is_refused_when_it_is_read(name: str) -> None:
    with pytest.raises(Misuse):
        planned(REFUSED[name])


def test_a_component_that_doubles_is_refused() -> None:
    wat = "(component $C0 (core module $M) (core instance (instantiate $M)))"
    for level in range(1, 12):
        inner = f"(instance (instantiate $C{level - 1}))" * 2
        wat = f"(component $C{level} {wat} {inner})"
    with pytest.raises(Misuse, match="too many parts: at most 50,000, and 200 core instances"):
        planned(wat)


def leb(number: int) -> bytes:
    """Return a number as a component has it."""
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + leb(high) if high else bytes([low])


def section(kind: int, *items: bytes) -> bytes:
    """Return one section, with its items."""
    body = leb(len(items)) + b"".join(items)
    return bytes([kind]) + leb(len(body)) + body


def nested(levels: int) -> bytes:
    """Return the type of an instance that declares one that declares one, and so on."""
    return b"\x42\x01\x01" + nested(levels - 1) if levels else b"\x7f"


def instances(inner: bytes, count: int) -> bytes:
    """Return a component with one in it, `count` times."""
    return b"\x04" + leb(len(MAGIC + inner)) + MAGIC + inner + section(5, *[b"\0\0\0"] * count)


FUNCTION = section(7, b"\x40\0\1\0") + section(10, b"\0\1x\1\0")


def named(text: str) -> bytes:
    """Return a name that is exported or imported."""
    return b"\0" + leb(len(text)) + text.encode()


def crossed(functions: int, names: int, interface: str = "i", function: str = "f") -> bytes:
    """Return one instance of many functions, exported under many names."""
    exports = (named(f"{function}{n}") + b"\1\0" for n in range(functions))
    shown = (named(f"{interface}{n}") + b"\5\0\0" for n in range(names))
    return FUNCTION + section(5, b"\1" + leb(functions) + b"".join(exports)) + section(11, *shown)


def lowered(times: int, fields: int) -> bytes:
    """Return a function that takes a record, and is made a core function again and again."""
    record = b"\x72" + leb(fields) + b"\1a\x7f" * fields
    taking = section(7, record, b"\x40\1\1p\0\1\0") + section(10, b"\0\1x\1\1")
    return taking + section(8, *[b"\1\0\0\0"] * times)


def core(*sections: bytes) -> bytes:
    """Return a core module in a component."""
    module = CORE_MAGIC + b"".join(sections)
    return b"\1" + leb(len(module)) + module


NAMED = section(7, b"\x7f") + section(5, b"\1" + leb(999) + b"\0\1x\3\0" * 999)
LONG = section(11, b"\0" + leb(100_000) + b"x" * 100_000 + b"\3\0\0")
OFFERED = b"\x42\x0b\1\x40\0\1\0" + b"".join(b"\4" + named(f"f{n}") + b"\1\0" for n in range(10))
WORK = {
    "sections": (section(6) * 100, section(6) * 60_000, "more than 50,000 sections"),
    "sections of an inner one": (
        instances(section(6) * 900, 30),
        instances(section(6) * 9_000, 30),
        "too many parts",
    ),
    "names of an inner one": (instances(NAMED, 9), instances(NAMED, 99), "too many parts"),
    "a long name in an inner one": (
        instances(section(7, b"\x7f") + LONG, 30),
        instances(section(7, b"\x7f") + LONG, 900),
        "too many parts",
    ),
    "parts of types": (
        section(7, *[b"\x6f" + leb(99) + b"\x7f" * 99] * 9),
        section(7, *[b"\x6f" + leb(99) + b"\x7f" * 99] * 999),
        "too many parts",
    ),
    "sections of a core module": (
        core(b"\1\0" * 100),
        core(b"\1\0" * 30_000) * 2,
        "more than 50,000 sections and imports",
    ),
    "imports of a core module": (
        core(section(2, *[b"\1a\0\0\0"] * 9_000)) * 2,
        core(section(2, *[b"\1a\0\0\0"] * 30_000)) * 2,
        "more than 50,000 sections and imports",
    ),
    "functions under many names": (crossed(200, 200), crossed(1_000, 1_000), "too many parts"),
    "functions under a long name": (
        crossed(10, 1, interface="i" * 10_000),
        crossed(500, 1, interface="i" * 10_000),
        "too many parts",
    ),
    "long names of functions": (
        crossed(1, 10, function="f" * 10_000),
        crossed(1, 500, function="f" * 10_000),
        "too many parts",
    ),
    "functions under a long name that is imported": (
        section(7, OFFERED) + section(10, named("i" * 10_000) + b"\5\0"),
        section(7, OFFERED) + section(10, *[named("i" * 10_000) + b"\5\0"] * 50),
        "too many parts",
    ),
    "core functions of ours": (lowered(2_000, 1), lowered(5_000, 1), "too many parts"),
    "words of core functions of ours": (lowered(20, 5_000), lowered(200, 5_000), "too many parts"),
    "scopes": (
        section(7, b"\x7f", b"\x42" + leb(1) + b"\2\3\2" + leb(1) + leb(0)),
        section(7, b"\x7f", b"\x42" + leb(1) + b"\2\3\2" + leb(0xFFFFFFFF) + leb(0)),
        "leads out of the component",
    ),
    "nested types": (section(7, nested(30)), section(7, nested(300)), "nested deeper than 32"),
}


@pytest.mark.parametrize("name", WORK)
def test_what_reading_a_component_takes_is_bounded(name: str) -> None:
    little, much, reason = WORK[name]
    read_plan(taken_apart(MAGIC + little, []))
    with pytest.raises(Misuse, match=reason):
        read_plan(taken_apart(MAGIC + much, []))


WASM = bytes(wasmtime.wat2wasm(COMPOSED))


@given(st.integers(0, len(WASM) - 1))
def test_a_component_that_is_cut_off_is_misuse(length: int) -> None:
    try:
        read_plan(taken_apart(WASM[:length], []))
    except Misuse:
        return
    # Between two sections it is a whole component of less.
    assert length >= 8


@given(st.integers(8, len(WASM) - 1), st.integers(0, 255))
def test_any_bytes_are_a_plan_or_misuse(at: int, byte: int) -> None:
    changed = WASM[:at] + bytes([byte]) + WASM[at + 1 :]
    try:
        read_plan(taken_apart(changed, []))
    except Misuse:
        return
