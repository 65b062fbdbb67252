"""What a call declares in its arguments: the tool and its values, where paths lead. Pure.

And what the record has of them: not more than a bound, whatever is passed.
"""

from __future__ import annotations

import json
from collections.abc import Set
from dataclasses import dataclass
from hashlib import sha256

from capbox.authority.access import Access, ReadAccess, ToolAccess, WriteAccess
from capbox.authority.paths import WORKSPACE, GrantPath, GuestPath, Inside, Layout, PathRefusal
from capbox.authority.values.arguments import Argument, Given
from capbox.authority.values.kinds import Unfit, Value, canonical
from capbox.gate.manifest import DeclaredSink, Manifest
from capbox.messages import Json, JsonObject

LISTED_MAX = 100
SINKS_CHARACTERS_MAX = 10_000
KEPT_CHARACTERS_MAX = 64_000


@dataclass(frozen=True, slots=True)
class Declared:
    """The accesses that a call names, and the arguments as the tool gets them.

    Every declared path in them is absolute and as the guest sees it, every sink spelt canonically:
    exactly what was decided on.
    """

    tool: ToolAccess
    accesses: tuple[Access, ...]
    arguments: JsonObject


def declared(
    manifest: Manifest,
    arguments: JsonObject,
    layout: Layout,
    grounds: Set[Value] = frozenset(),
    called: type[ToolAccess] = ToolAccess,
) -> Declared | PathRefusal | Unfit:
    """Read each sink and locate each declared path; `grounds` are the principal's own values.

    `called` is the access that such a call is.
    """
    given: dict[str, Json] = dict(arguments)
    sinks: list[Argument] = []
    room = SINKS_CHARACTERS_MAX
    for sink in manifest.sinks:
        found = _values(sink, given.get(sink.argument), grounds)
        if isinstance(found, Unfit):
            return found
        sinks.append(found)
        texts = [value.text for value in found.values]
        room -= sum(map(len, texts))
        if room < 0:
            # Whoever is asked has to read all of it.
            most = f"the values of one call are {SINKS_CHARACTERS_MAX} characters at most"
            return Unfit(sink.argument, most)
        if texts:
            listed = isinstance(given[sink.argument], list)
            given[sink.argument] = texts if listed else next(iter(texts))
    accesses = _located(manifest, given, layout)
    if isinstance(accesses, PathRefusal):
        return accesses
    return Declared(called(manifest.name, tuple(sinks)), accesses, given)


def on_record(arguments: JsonObject) -> JsonObject:
    """Return the arguments as the journal has them: the short ones, and a digest of all others.

    That stands under "", which is no name of an argument.
    """
    sizes = {name: len(json.dumps([name, value])) for name, value in arguments.items()}
    kept: dict[str, Json] = {}
    room = KEPT_CHARACTERS_MAX
    for name in sorted(sizes, key=sizes.__getitem__):
        room -= sizes[name]
        if room < 0:
            text = json.dumps({n: v for n, v in arguments.items() if n not in kept}, sort_keys=True)
            digest = sha256(text.encode()).hexdigest()
            return {**kept, "": f"{len(text)} characters, SHA-256 {digest}"}
        kept[name] = arguments[name]
    return arguments


def _values(sink: DeclaredSink, given: Json, grounds: Set[Value]) -> Argument | Unfit:
    """Return what one argument names; left out, null and an empty list are no values at all."""
    texts = given if isinstance(given, list) else [] if given is None else [given]
    if len(texts) > LISTED_MAX:
        return Unfit(sink.argument, f"a list of more than {LISTED_MAX} values")
    values: list[Given] = []
    for text in texts:
        value = canonical(sink.kind, text)
        if isinstance(value, Unfit):
            return Unfit(f"{sink.argument}: {value.text!r}", value.reason)
        values.append(Given(value.text, value in grounds))
    return Argument(sink.argument, sink.kind, tuple(values))


def _located(
    manifest: Manifest, given: dict[str, Json], layout: Layout
) -> tuple[Access, ...] | PathRefusal:
    """Locate each declared path in `given`; one left out means the workspace, to be read."""
    accesses: list[Access] = []
    for path in manifest.paths:
        text = given.get(path.argument)
        if not isinstance(text, str) and path.kind == "write":
            continue  # nowhere to write to
        if not isinstance(text, str):
            # Left out, it is the workspace: to find nothing there would hide that nothing is held.
            accesses.append(ReadAccess(GrantPath(WORKSPACE)))
            continue
        place = layout.locate(text, WORKSPACE)
        if isinstance(place, PathRefusal):
            return place
        seen: GuestPath | GrantPath = place.guest if isinstance(place, Inside) else place.grant
        given[path.argument] = seen
        if place.grant is not None:  # else it is scratch, which needs no grant
            access = ReadAccess if path.kind == "read" else WriteAccess
            accesses.append(access(place.grant))
    return tuple(accesses)
