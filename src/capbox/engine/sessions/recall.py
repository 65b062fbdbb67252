"""`recall`: what was said in the person's own sessions of one workspace, for a model to look up.

Guarantees: nothing of another workspace is found; an excerpt carries the sources of everything that
its session had read by then, since a reply may repeat what a stranger wrote. Does not: belong to a
run yet. Whoever makes it a tool has its result labelled with those sources.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from capbox.messages import SummaryMessage, ToolMessage

if TYPE_CHECKING:
    from capbox.store.search import Found
    from capbox.store.sessions import StoredMessage

    Recall = Callable[[str, int], Awaitable[tuple[Found, ...]]]

EXCERPTS_MAX = 20


Known = Callable[[Sequence[str]], Collection[str]]
"""From runs to what was in their prompts, by their records."""


def recalling(runs: Path, workspace: str, known: Known) -> Recall:
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
                    read[one.session] = await to_thread.run_sync(_read, said, known)
            return tuple(replace(one, sources=_until(read[one.session], one.seq)) for one in found)

    return recall


def _read(said: Sequence[StoredMessage], known: Known) -> list[tuple[int, str]]:
    """Return each source of a session, and from which message on it is known.

    Attack: what was in a prompt (AGENTS.md, a skill, standard input) is in no message.
    """
    labelled = ((m.seq, m.message) for m in said)
    found = [
        (seq, source)
        for seq, message in labelled
        if isinstance(message, ToolMessage | SummaryMessage)
        for source in message.sources
    ]
    began = {one.run: one.seq for one in reversed(said)}
    return found + [(seq, source) for run, seq in began.items() for source in known((run,))]


def _until(read: list[tuple[int, str]], seq: int) -> tuple[str, ...]:
    return tuple(sorted({source for place, source in read if place <= seq}))
