"""What may be asked of a process over its control socket, and what it answers.

    {"do": "runs"}                        the runs under way here
    {"do": "revoke_run", "run": RUN}      end a run
    {"do": "revoke", "name": ID}          end an authority, a lease or one grant
    {"do": "questions"}                   what is asked for here
    {"do": "answer", "question": ID, "effect": FINGERPRINT, "answer": TEXT}

Guarantees: an unknown request, or one with a field too many, does nothing and is answered with an
error; texts are neutralised. Does not: give authority. Does not: check who asks (see `server`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from capbox.authority.authority import Authority
from capbox.authority.decision import AuthorityId, Standing
from capbox.engine.control.register import Register, Revoked, RunUnderWay
from capbox.gate.approver import neutral
from capbox.messages import Json, JsonObject

if TYPE_CHECKING:
    from capbox.engine.approvers.queue import Question, QueueApprover

_WHAT_CHARACTERS_MAX = 200
_QUESTIONS_BYTES_MAX = 3 << 20  # a reply has at most four
_BY = "from another process"


class Requests:
    """Answers requests about the runs of `register`."""

    def __init__(self, register: Register) -> None:
        """Answer for these runs."""
        self._register = register
        self._known: Mapping[str, tuple[frozenset[str], Callable[[JsonObject], JsonObject]]] = {
            "runs": (frozenset(), self._runs),
            "revoke_run": (frozenset({"run"}), self._revoke_run),
            "revoke": (frozenset({"name"}), self._revoke),
            "questions": (frozenset(), self._questions),
            "answer": (frozenset({"question", "effect", "answer"}), self._answer),
        }

    def answer(self, request: JsonObject) -> JsonObject:
        """Do what is asked, and return the reply."""
        do = request.get("do")
        known = self._known.get(do) if isinstance(do, str) else None
        if known is None:
            return {"error": f"unknown request; there are: {', '.join(self._known)}"}
        fields, answered = known
        given = {key: value for key, value in request.items() if key != "do"}
        if set(given) != fields or not all(isinstance(value, str) for value in given.values()):
            return {"error": f"{do} takes the texts {', '.join(sorted(fields)) or 'none'}"}
        return answered(given)

    def _runs(self, request: JsonObject) -> JsonObject:
        standing = self._register.standing()
        runs: list[Json] = [_described(entry, standing) for entry in self._register]
        return {"pid": os.getpid(), "runs": runs}

    def _revoke_run(self, request: JsonObject) -> JsonObject:
        return _revoked(self._register.revoke_run(str(request["run"]), _BY))

    def _revoke(self, request: JsonObject) -> JsonObject:
        return _revoked(self._register.revoke(AuthorityId(str(request["name"])), _BY))

    def _questions(self, request: JsonObject) -> JsonObject:
        boards = dict.fromkeys(entry.board for entry in self._register if entry.board is not None)
        pending = [question for board in boards for question in board.pending()]
        shown: list[Json] = []
        room = _QUESTIONS_BYTES_MAX
        for one in map(_asked, pending):
            # One with a megabyte of headers would make the reply too long, and hide all others.
            size = len(json.dumps(one))
            if size <= room:
                room -= size
                shown.append(one)
        return {"pid": os.getpid(), "questions": shown, "left_out": len(pending) - len(shown)}

    def _answer(self, request: JsonObject) -> JsonObject:
        from capbox.engine.approvers.answers import read_answer

        answer = read_answer(str(request["answer"]))
        if isinstance(answer, str):
            return {"error": answer}
        name, effect = str(request["question"]), str(request["effect"])
        for entry in self._register:
            board = entry.board
            if board is not None and any(one.id == name for one in board.pending()):
                problem = board.answer(name, effect, answer)
                return {"answered": name} if problem is None else {"error": problem}
        return {"error": "the question does not wait for an answer any more"}


def _asked(question: Question) -> Json:
    """Return a question as the gate neutralised it; the caller's screen does it once more."""
    request = question.request
    return {
        "question": question.id,
        "effect": question.fingerprint,
        "asked": question.asked,
        "run": request.run,
        "tool": request.tool,
        "access": neutral(str(request.access)),
        "wants": request.effect,
        "grant": request.grant,
        "arguments": request.arguments,
        "details": list(request.details),
    }


def _revoked(found: Revoked | None) -> JsonObject:
    if found is None or not found.runs:
        return {"error": "nothing of that name is under way here"}
    return {"runs": list(found.runs), "calls": list(found.calls)}


def _described(entry: RunUnderWay, standing: Standing) -> JsonObject:
    seat = entry.seat
    what = neutral(" ".join(entry.what.split()))
    return {
        "run": seat.run,
        "what": what[:_WHAT_CHARACTERS_MAX],
        "workspace": neutral(seat.layout.workspace),
        "since": entry.started,
        "turns": entry.turns,
        "calls": entry.calls,
        "calling": list(entry.calling.values()),
        "asks": seat.asks,
        "pending": 0 if entry.board is None else _pending(entry.board, seat.run),
        "budget": {word: [*pair] for word, pair in seat.purse.own().items()},
        "authorities": [_authority(one, standing) for one in (seat.authority, *seat.leases)],
    }


def _authority(authority: Authority, standing: Standing) -> Json:
    """Return its grants; `lapsed` is why one counts no more: revoked, expired, or used up."""
    whole = "" if standing.revoked.isdisjoint(authority.lineage) else "revoked"
    grants: list[Json] = []
    for minted in authority.grants:
        text = str(minted.grant)
        _, why = minted.lapsed(standing) or (0, "")
        lapsed = whole or why.removesuffix(f": {text}")
        grants.append({"id": minted.id, "grant": neutral(text), "lapsed": lapsed or None})
    return {"id": authority.id, "grants": grants}


def _pending(board: QueueApprover, run: str) -> int:
    return sum(question.request.run == run for question in board.pending())
