"""What a run knows without having called a tool: what its prompt holds.

Guarantees: it is on record before the model is told. Does not: find out what that is.
"""

from __future__ import annotations

from capbox.authority.values.label import Sources, bounded
from capbox.gate.rights.labels import SOURCES_MAX
from capbox.gate.seat import Seat
from capbox.journal.event import Decided


def has_read(seat: Seat, sources: Sources) -> None:
    """Note that the run at `seat` knows what comes from `sources`. Raises JournalError.

    Attack: the file is deleted, and the session goes on with what was made of it, as if unread. So
    it is on record, which a session that is gone on with takes its sources from.
    """
    for source in sorted(map(str, sources - seat.context.sources)):
        seat.journal.append(Decided("known", source, "in the prompt"))
    seat.context.sources = bounded(seat.context.sources | sources, SOURCES_MAX)
