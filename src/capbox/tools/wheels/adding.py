"""Adding and removing wheels: got by pip, pinned by digest, packed into the tool, compiled.

Guarantees: what is in force stays so until the new module is compiled and whole; a wheel that was
pinned keeps its version and its bytes until it is removed or another version is asked for. Does
not: run anything of a wheel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath
from capbox.sandbox.cache import CompileCache, CompileError
from capbox.sandbox.engine import EngineKey
from capbox.sandbox.image.packing import packed
from capbox.sandbox.image.sections import PackingError
from capbox.tools.registry import RegistryError, load_module
from capbox.tools.sdk.building.toolchain import Workshop
from capbox.tools.sdk.project import BuildError, names_file
from capbox.tools.sdk.python.dependencies import resolving
from capbox.tools.sdk.python.resolving import plain, resolved
from capbox.tools.wheels.contents import lay_out
from capbox.tools.wheels.place import Packages, Place, wheel_of

PACKAGES = "/packages"  # guests/python/site/_capbox/start.py looks there
_REQUIREMENT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(==[A-Za-z0-9.+!_]+)?")
_WHERE = "capbox python add"


@dataclass(frozen=True, slots=True)
class Bench:
    """What adding needs: where wheels are, how they are got, the interpreter, the caches."""

    place: Place
    workshop: Workshop
    guests: Path
    cache: Path


def add(bench: Bench, requirements: Iterable[str]) -> Packages:
    """Add packages, `NAME` or `NAME==VERSION`; none: pack anew what is there.

    Raises BuildError, CacheError and OSError; what was in force is so then.
    """
    wanted = list(requirements)
    for one in wanted:
        # Attack: "x @ https://a.example/x.tar.gz", of which pip runs the setup.py; or an option.
        if names_file(one) or _REQUIREMENT.fullmatch(one) is None:
            raise BuildError(one, "is no package", "a name, perhaps a version: tabulate==0.9.0")
    with bench.place.changing() as scratch:
        before = bench.place.read() or Packages()
        if not wanted and not before.asked:
            raise BuildError(_WHERE, "no packages were added", f"name one: {_WHERE} tabulate")
        asked = _joined(before.asked, wanted)
        wheels = _got(bench, asked, before, wanted, scratch)
        return _put(bench, replace(before, asked=asked), wheels, scratch)


def remove(bench: Bench, names: Iterable[str]) -> Packages:
    """Remove packages, and what only they needed. Raises as `add`."""
    gone = {plain(name): name for name in names}
    with bench.place.changing() as scratch:
        before = bench.place.read() or Packages()
        asked = tuple(one for one in before.asked if _name(one) not in gone)
        there = {_name(one) for one in before.asked}
        missing = next((name for key, name in gone.items() if key not in there), None)
        if missing is not None:
            needed = plain(missing) in {one.package for one in before.wheels}
            reason = "is there because another package needs it" if needed else "was not added"
            raise BuildError(missing, reason, "see: capbox python list")
        if not asked:
            bench.place.clear()
            return Packages()
        wheels = _got(bench, asked, before, (), scratch)
        return _put(bench, replace(before, asked=asked), wheels, scratch)


def clear(place: Place) -> None:
    """Remove all packages, also damaged ones. Raises BuildError and OSError."""
    with place.changing():
        place.clear()


def _name(requirement: str) -> str:
    return plain(requirement.partition("==")[0])


def _joined(before: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """Return what was asked for, and what is now: a version takes the place of another one."""
    asked = {_name(one): one for one in before}
    for one in wanted:
        if "==" in one or _name(one) not in asked:
            asked[_name(one)] = one
    return tuple(asked[name] for name in sorted(asked))


def _got(
    bench: Bench, asked: tuple[str, ...], before: Packages, wanted: Iterable[str], scratch: Path
) -> list[Path]:
    """Get what is asked for and what that needs; of what is there, `wanted` alone gives way."""
    kept, there = bench.place.intact(before), {one.package for one in before.wheels}
    if kept and asked == before.asked and not wanted:
        return kept
    new = [one for one in wanted if "==" in one or _name(one) not in there]
    if new:
        bench.workshop.say(f"getting {', '.join(new)} from PyPI")
    # Attack: a version that was looked at is exchanged for another wheel of it, with a build tag or
    # a local version. pip is not asked for what is there.
    how = resolving(scratch / "wheels", bench.workshop, _WHERE)
    return resolved(asked, how, kept, map(_name, new))


def _put(bench: Bench, packages: Packages, wheels: list[Path], scratch: Path) -> Packages:
    """Pack, compile, and put in force."""
    wheels = sorted(wheels, key=lambda path: path.name)
    pins = tuple(wheel_of(path) for path in wheels)
    lay_out(wheels, scratch, scratch / "packages")
    module = scratch / "python.wasm"
    digest = anyio.run(_packed, bench, scratch / "packages", module)
    shipped = load_module(bench.guests / "python.wasm", shipped=True)
    if isinstance(shipped, RegistryError):
        raise BuildError(shipped.where, shipped.message)
    done = replace(packages, wheels=pins, shipped=shipped.digest, module=digest)
    bench.place.put(done, wheels, module)
    return done


async def _packed(bench: Bench, folder: Path, target: Path) -> str:
    """Make the module and compile it, so that no call waits for that; return its digest."""
    bench.workshop.say("packing them into the tool python")
    base = bench.guests / "cpython.wasm"
    try:
        await packed(base, {PACKAGES: folder}, target, bench.cache / "interpreters")
    except PackingError as error:
        raise BuildError(_WHERE, f"they could not be packed: {error}") from error
    module = load_module(target, shipped=True)
    if isinstance(module, RegistryError):
        raise BuildError(module.where, module.message)
    cache = CompileCache(HostPath(str(bench.cache / "compiled")), bench.workshop.say)
    key = EngineKey(fuel=False, stack_bytes=Limits().stack_bytes).clamped()
    try:
        await cache.compiled(module, key)
    except CompileError as error:
        raise BuildError(_WHERE, str(error)) from error
    return module.digest
