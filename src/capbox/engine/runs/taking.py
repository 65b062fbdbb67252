"""Takes back what a session would hold, between two of its runs.

Guarantees: it is on record, in a run of its own in which nothing else happens, before anybody is
told; so no later run of the session has it, whoever resumes it. Does not: touch a run under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capbox.authority.decision import GrantId, Standing
from capbox.authority.grant import Grant
from capbox.authority.holding import Holding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capbox.authority.authority import Authority
    from capbox.engine.local import LocalEngine
    from capbox.engine.session import Session
    from capbox.engine.sessions.conversation import Conversation
    from capbox.gate.seat import Seat
    from capbox.models.model import Model


def take_back(
    engine: LocalEngine, session: Session, talk: Conversation, model: Model, text: str
) -> None:
    """Revoke each grant that reads `text` in a run of `talk`, opened and closed for that.

    `session` is open, and holds what the next run would, of which `model` would be the model.
    Raises JournalError: then it is not taken back.
    """
    # Only a session mints what one of its runs holds; nothing is done with it here.
    minted = session._minted({}, (model,))
    opened = session._open(minted, "", "", talk=talk, own={})
    try:
        for name in named_as(opened.seat, text):
            engine.register.revoke(name, "by the principal")
    finally:
        opened.close("ended")


def named_as(seat: Seat, text: str) -> tuple[GrantId, ...]:
    """Return the names of the grants and leases at `seat` that read `text`."""
    return tuple(
        minted.id
        for one in (seat.authority, *seat.leases)
        for minted in one.grants
        if str(minted.grant) == text
    )


def held_now(seat: Seat, standing: Standing) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a run holds and can draw on, as texts: what it began with, and its leases.

    Without its model and the tools that it has without a condition, as a resume lists neither.
    """

    def texts(authorities: Sequence[Authority]) -> tuple[str, ...]:
        holding = Holding(tuple(authorities))
        found = (m for one in authorities for m in one.grants if holding.upholds(m, standing))
        return tuple(dict.fromkeys(str(one.grant) for one in found if not _implied(one.grant)))

    return texts((seat.authority,)), texts(seat.leases)


def _implied(grant: Grant) -> bool:
    return grant.action == "model" or (grant.action == "tool" and not grant.caveats)
