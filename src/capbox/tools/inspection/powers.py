"""What the imports of a module mean: what it can ask its host for, in words; and what keeps it out.

Guarantees: an import that no group knows is named as such, and is a reason why it cannot run here.
Does not: say what it will be given; grants do, and the manifest's requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from capbox.authority.limits import Limits
from capbox.sandbox.wasi import abi
from capbox.tools.inspection.module import PAGE_BYTES, Core, Import, Memory, Signature

_LETTERS = {"i": "i32", "I": "i64"}
_SHOWN_MAX = 5
_OLDER = "wasi_unstable"


@dataclass(frozen=True, slots=True)
class Power:
    """A group of imports: what they are for, which of them it has, and what that comes to here."""

    name: str
    words: str
    imports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    words: str
    prefixes: tuple[str, ...]


_GROUPS = (
    _Group(
        "files",
        "may ask to open, list, read, write, move and delete paths: it gets what the run holds and "
        "its manifest requests, and has a private /tmp",
        ("path_", "fd_readdir", "capbox_fs."),
    ),
    _Group(
        "network",
        "may send HTTP requests, through capbox_http alone: each goes to the broker, and needs a "
        "fetch grant",
        ("capbox_http.",),
    ),
    _Group(
        "functions",
        "may call functions of the program that embeds capbox: each needs an invoke grant",
        ("capbox_invoke.",),
    ),
    _Group(
        "sockets",
        "names socket functions, which always fail here: preview 1 has no way to open a socket, "
        "and capbox gives none",
        ("sock_",),
    ),
    _Group(
        "clock",
        "reads the clock and may sleep, within the time limit of the call",
        ("clock_", "poll_"),
    ),
    _Group("randomness", "gets random bytes, another seed each call", ("random_",)),
    _Group(
        "arguments and environment",
        "reads its argv, and a fixed environment; the variables of a run come with the request",
        ("args_", "environ_"),
    ),
    _Group(
        "input and output",
        "reads its request and writes its result, both bounded, and uses what it has opened",
        ("fd_",),
    ),
    _Group("its own process", "ends itself", ("proc_", "sched_")),
)
# What a reviewer misses most: said also when it is not there.
_WORTH_SAYING = ("files", "network", "functions")
# Attack: a module that imports nothing but preview 1 sends a request, and a reviewer read that it
# has no network.
DEVICE = "device"
UNKNOWN = "unknown"
_DEVICE_WORDS = (
    "may open /dev/capbox, and so send requests and call functions of the program, without an "
    "import for that: each needs what its manifest requests, and a grant of the run"
)


def powers(core: Core) -> tuple[Power, ...]:
    """Return what it can ask for, group by group; what is unknown is one of them."""
    known = [short(one) for one in core.imports if short(one) in abi.SIGNATURES]
    left = list(dict.fromkeys(known))
    found: list[Power] = []
    for group in _GROUPS:
        of_it = tuple(name for name in left if name.startswith(group.prefixes))
        left = [name for name in left if name not in of_it]
        if of_it:
            found.append(Power(group.name, group.words, of_it))
    return (*found, *device(known, "path_open"), *_foreign(core))


def _foreign(core: Core) -> tuple[Power, ...]:
    names = [one for one in core.imports if short(one) not in abi.SIGNATURES]
    if not names:
        return ()
    counts = Counter(one.module for one in names)
    shown = ", ".join(f"{module} ({n})" for module, n in counts.most_common(_SHOWN_MAX))
    more = f" and {len(counts) - _SHOWN_MAX} more" if len(counts) > _SHOWN_MAX else ""
    words = (
        f"imports {len(names):,} things that capbox does not know, from {shown}{more}: "
        "what they lead to elsewhere cannot be told; here nothing gives them"
    )
    return (Power(UNKNOWN, words, tuple(f"{one.module}.{one.name}" for one in names)),)


def device(imports: Iterable[str], opening: str) -> tuple[Power, ...]:
    """Return the power over `/dev/capbox`, which who may open a file has; `opening` does that."""
    return (Power(DEVICE, _DEVICE_WORDS, (opening,)),) if opening in imports else ()


def reached(found: Iterable[Power]) -> frozenset[str]:
    """Return the names of the powers, and of those that the device leads to."""
    names = frozenset(power.name for power in found)
    return names | {"network", "functions"} if DEVICE in names else names


def absent(found: Iterable[Power]) -> tuple[str, ...]:
    """Return the powers worth a word that it cannot even ask for, where nothing is unknown."""
    names = reached(found)
    # Attack: "no network", of a module that imports another host's sockets.
    if UNKNOWN in names:
        return ()
    return tuple(name for name in _WORTH_SAYING if name not in names)


def obstacles(core: Core) -> tuple[str, ...]:
    """Return why capbox cannot run it, one sentence each; none if it can."""
    return (*unlinked(core), *_entry(core), *_memories(core))


def unlinked(core: Core) -> tuple[str, ...]:
    """Return those reasons that lie in its imports: nothing that a person could add helps."""
    return (*_unknown(core.imports), *_mistyped(core.imports))


def short(one: Import) -> str:
    """Return the name of an import as our host has it: preview 1 without its module."""
    return one.name if one.module == abi.MODULE else f"{one.module}.{one.name}"


def _unknown(imports: tuple[Import, ...]) -> list[str]:
    if any(one.module == _OLDER for one in imports):
        return [
            f"is made for WASI preview 0 ({_OLDER}), which is older than ours: build it again "
            "with a toolchain of after 2020"
        ]
    names = [
        f"{one.module}.{one.name}" + (f" (a {one.kind})" if one.kind != "function" else "")
        for one in imports
        if one.kind != "function" or short(one) not in abi.SIGNATURES
    ]
    if not names:
        return []
    more = f" and {len(names) - _SHOWN_MAX} more" if len(names) > _SHOWN_MAX else ""
    return [f"imports what capbox does not give: {', '.join(names[:_SHOWN_MAX])}{more}"]


def _mistyped(imports: Iterable[Import]) -> list[str]:
    found = []
    for one in imports:
        wanted = _SIGNATURES.get(short(one)) if one.kind == "function" else None
        if wanted is not None and one.signature not in (None, wanted):
            found.append(f"imports {short(one)} as {one.signature}, and it is {wanted}")
    return found[:_SHOWN_MAX]


def _entry(core: Core) -> list[str]:
    exports = {one.name: one for one in core.exports}
    found = []
    memory, entry = exports.get("memory"), exports.get("capbox_call", exports.get("_start"))
    if memory is None or memory.kind != "memory":
        found.append("exports no memory of that name")
    if entry is None or entry.kind != "function" or (entry.signature or _ENTRY).params:
        found.append("exports no function _start without parameters: it is a library, no command")
    return found


def _memories(core: Core) -> list[str]:
    found = []
    most = Limits().memory_bytes
    if any(memory.shared or memory.wide for memory in core.memories):
        found.append("has a memory that is shared or 64 bits wide: it needs threads or memory64")
    if len(core.memories) > 1:
        found.append(f"has {len(core.memories)} memories, and a guest gets one")
    if any(_least(memory) > most for memory in core.memories):
        least = max(map(_least, core.memories)) // 1_000_000
        found.append(f"begins with {least:,} MB of memory: give it more with --memory")
    return found


def _least(memory: Memory) -> int:
    return memory.pages_min * PAGE_BYTES


def _signature(name: str, letters: str) -> Signature:
    results = () if name == "proc_exit" else ("i32",)
    return Signature(tuple(_LETTERS[letter] for letter in letters), results)


_ENTRY = Signature((), ())
_SIGNATURES: Mapping[str, Signature] = {n: _signature(n, s) for n, s in abi.SIGNATURES.items()}
