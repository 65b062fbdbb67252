"""Tools of the loop that other parts of the engine bring: `recall` and `skill`.

Guarantees: each is a function of capbox's own that reaches nothing outside by itself; what it reads
for the run labels the run. Does not: decide which are offered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

from capbox.authority.values.label import Source, Sources
from capbox.tools.loop.told import Told, sources_of

if TYPE_CHECKING:
    from capbox.engine.instructions.reader import Reader
    from capbox.engine.sessions.recall import Known
    from capbox.engine.skills.shelf import Shelf
    from capbox.gate.manifest import Manifest
    from capbox.gate.seat import Seat
    from capbox.tools.functions.function import Function

    Look = Callable[[Seat], tuple[Shelf, Reader]]


def further(
    runs: Path, workspace: str, known: Known, look: Look, seat: Callable[[], Seat]
) -> Mapping[str, Function]:
    """Return them by name, for a run in `workspace`; `runs` is the store of all that was said, and
    `known` returns what was in the prompts of runs.

    `seat` returns where the run sits, `look` the skills there are and what it may read; both only
    while a tool is called.
    """
    from capbox.tools.loop.offer import loop_tool

    tools = map(loop_tool, (_skill(look, seat), _recall(runs, workspace, known)))
    return {tool.manifest.name: tool for tool in tools}


def loop_manifests() -> Mapping[str, Manifest]:
    """Return the manifests of the tools of a run's loop, for who runs nothing."""
    from capbox.tools.loop.asking import Asking
    from capbox.tools.loop.offer import LoopTools
    from capbox.tools.loop.person import Person
    from capbox.tools.loop.planning import Planning
    from capbox.tools.loop.waiting import Waiting

    def nowhere(*_: object) -> tuple[Shelf, Reader]:
        raise AssertionError("nothing is run")

    loop = LoopTools(
        Asking(Person(None, nullcontext), lambda text: frozenset()),
        Planning(False, False),
        Waiting(0.0, lambda: 0.0),
        further=further(Path(), "", nowhere, nowhere, nowhere),  # type: ignore[arg-type]
    )
    return {name: tool.manifest for name, tool in loop.tools().items()}


def _skill(look: Look, seat: Callable[[], Seat]) -> Callable[..., object]:
    from capbox.engine.instructions.known import has_read
    from capbox.engine.skills.using import skill_function

    def made(note: Callable[[Sources], None]) -> Callable[..., Awaitable[str]]:
        return skill_function(lambda: look(seat()), note)

    @wraps(made(lambda sources: None))
    async def skill(*given: str, **named: str) -> Told:
        heard: list[Source] = []

        def note(sources: Sources) -> None:
            has_read(seat(), sources)
            heard.extend(sources)

        text = await made(note)(*given, **named)
        return Told(text, sources=frozenset(heard))

    return skill


def _recall(runs: Path, workspace: str, known: Known) -> Callable[..., object]:
    from capbox.engine.sessions.recall import recalling

    search = recalling(runs, workspace, known)

    async def recall(query: str, limit: int = 5) -> Told:
        """Find what was said in earlier sessions of this workspace.

        `query` is words, each of which must be there; `limit` is how many excerpts, 20 at most.
        """
        found = await search(query, limit)
        told = [f"[{one.session}, message {one.seq}] {one.title}\n{one.excerpt}" for one in found]
        labels = sources_of(source for one in found for source in one.sources)
        return Told("\n\n".join(told) or "nothing was found", sources=labels)

    return recall
