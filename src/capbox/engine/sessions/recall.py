"""`recall`: what was said in the person's own sessions of one workspace, for a model to look up.

Guarantees: nothing of another workspace is found; an excerpt carries the sources of everything that
its session had read by then, since a reply may repeat what a stranger wrote. Does not: belong to a
run yet. Whoever makes it a tool has its result labelled with those sources.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from capbox.messages import SummaryMessage, ToolMessage

if TYPE_CHECKING:
    from capbox.store.search import Found

    Recall = Callable[[str, int], Awaitable[tuple[Found, ...]]]

EXCERPTS_MAX = 20


def recalling(runs: Path, workspace: str) -> Recall:
    """Return `recall` for the sessions of `workspace` in the store at `runs`."""

    async def recall(query: str, limit: int = 5) -> tuple[Found, ...]:
        """Find what was said in earlier sessions of this workspace.

        `query` is words, each of which must be there; `limit` is how many excerpts, 20 at most.
        Returns the excerpts, the best first, each with where it was said and its sources.
        """
        from capbox.store.runs import open_runs

        async with open_runs(runs) as store:
            most = max(1, min(limit, EXCERPTS_MAX))
            found = await store.sessions.search(query, limit=most, workspace=workspace)
            read: dict[str, list[tuple[int, str]]] = {}
            for one in found:
                if one.session not in read:
                    said = await store.sessions.messages(one.session)
                    read[one.session] = [
                        (m.seq, source)
                        for m in said
                        if isinstance(m.message, ToolMessage | SummaryMessage)
                        for source in m.message.sources
                    ]
            return tuple(replace(one, sources=_until(read[one.session], one.seq)) for one in found)

    return recall


def _until(read: list[tuple[int, str]], seq: int) -> tuple[str, ...]:
    return tuple(sorted({source for place, source in read if place <= seq}))
