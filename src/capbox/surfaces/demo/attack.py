"""What an attack is, what is left after it, and what was found: plain values.

Guarantees: the same predicate (`bites`) judges both targets, the naive fixture and capbox, so an
attack cannot be contained by looking for something else. Does not: run anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from capbox.authority.limits import MB, MIB, Limits
from capbox.messages import Json, JsonObject
from capbox.surfaces.demo.naive.habits import Habit
from capbox.surfaces.demo.scene import Scene


@dataclass(frozen=True, slots=True)
class Use:
    """One tool call as the model writes it; arguments that are a string are sent as they are."""

    tool: str
    arguments: JsonObject | str

    def arguments_in(self, scene: Scene) -> str:
        """Return the JSON text of the arguments, aimed at the places of `scene`."""
        if isinstance(self.arguments, str):
            return scene.fill(self.arguments)
        return json.dumps(_filled(self.arguments, scene))


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What can be seen after the calls of one attack; `returned`: the last call came back.

    `processes` are those that were started and are still there, `sent` is what arrived at the
    stand-in for the network, `died` says that the attack killed the program that made the call.
    """

    scene: Scene
    text: str
    returned: bool = True
    content_bytes: int = 0
    memory_bytes: int = 0
    processes: int = 0
    sent: bytes = b""
    died: str | None = None


Bite = Callable[[Aftermath], str | None]


@dataclass(frozen=True, slots=True)
class Holds:
    """What a hostile run was granted; every bound of its calls is tight, so that the demo is."""

    name: str
    grants: tuple[str, ...]
    wall_seconds: float = 10.0

    @property
    def limits(self) -> Limits:
        """Return the bounds of each call."""
        return Limits(
            wall_seconds=self.wall_seconds,
            memory_bytes=64 * MIB,
            output_bytes=200_000,
            written_bytes=8 * MB,
            files_created=200,
            open_files=64,
            tmp_bytes=8 * MB,
        )


READER = Holds("reader", ("read:/workspace", "write:/workspace/out"))
EDITOR = Holds("editor", ("write:/workspace",))
HURRIED = Holds("hurried", ("write:/workspace",), wall_seconds=0.8)
NOTHING = Holds("nothing", ())


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack; `habit` is how the naive tool that it is shown on was written.

    `lacks` names what does not exist here, for an attack that is not refused but finds nothing.
    """

    id: str
    title: str
    uses: tuple[Use, ...]
    bites: Bite
    habit: Habit
    holds: Holds = READER
    lacks: str = ""
    naive_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one attack did to the naive fixture, and what stopped it here.

    `bite` is how it was seen to work on the naive fixture (None: it did not), `breach` how it got
    through here (None: it did not).
    """

    attack: Attack
    bite: str | None
    stopped_by: str
    evidence: str
    breach: str | None

    @property
    def contained(self) -> bool:
        """Say whether it bites elsewhere and was stopped here."""
        return self.bite is not None and self.breach is None

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {
            "id": self.attack.id,
            "bites_on_naive": self.bite is not None,
            "stopped_by": self.stopped_by if self.breach is None else None,
            "evidence": self.evidence if self.breach is None else self.breach,
        }


def _filled(value: Json, scene: Scene) -> Json:
    if isinstance(value, str):
        return scene.fill(value)
    if isinstance(value, Mapping):
        return {key: _filled(inner, scene) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(inner, scene) for inner in value]
    return value
