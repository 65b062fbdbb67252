"""The journal against what the calls answered: nothing missing, nothing that nobody saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from bench.soaking.wrong import Wrong
from capbox.journal.event import RunId
from capbox.journal.head import Signer
from capbox.journal.verify import Broken, Closed, OpenPrefix, verify
from capbox.messages import Effect, Json, JsonObject, ToolResult
from capbox.store.journal import Record, read

CHANGES = frozenset(
    {"write", "create", "delete", "rename", "mkdir", "rmdir", "symlink", "chmod", "utime"}
)
BEFORE = frozenset({"unknown_tool", "invalid_arguments"})
"""Codes of calls that the gate refused, unless the tool gave them."""


def believed(state: Path, *, all_closed: bool) -> int:
    """Judge the whole journal; return how many runs it holds. Raises Wrong."""
    journal = state / "journal"
    if not journal.exists():
        return 0
    verdicts = verify(journal, Signer.load(state / "journal.key"))
    for verdict in verdicts:
        if isinstance(verdict, Broken):
            raise Wrong(
                "journal", f"run {verdict.run} is broken at {verdict.entry}: {verdict.reason}"
            )
        if all_closed and isinstance(verdict, OpenPrefix):
            raise Wrong("journal", f"run {verdict.run} was not closed")
    return len(verdicts)


def compare(state: Path, run: RunId, answers: Mapping[int, ToolResult | None]) -> set[str]:
    """Compare the run of a life with its answers, None for a call that was cut short.

    Returns the guest paths that any recorded effect made or changed. Raises Wrong.
    """
    verdict = verify(state / "journal", Signer.load(state / "journal.key"), run)[0]
    if not isinstance(verdict, Closed):
        raise Wrong("journal", f"the run of a closed box is {verdict}")
    records = read(state / "journal", run)
    intents = {r.seq: r.content for r in records if _kind(r) == "intent" and r.content}
    outcomes = {
        r.content["intent"]: r.content for r in records if _kind(r) == "outcome" and r.content
    }
    decided = {r.content["call"] for r in records if _kind(r) == "decision" and r.content}
    if set(intents) != set(outcomes):
        raise Wrong("journal", f"run {run}: intents {set(intents) ^ set(outcomes)} have no outcome")
    ended = {str(call["call"]): outcomes[seq] for seq, call in intents.items()}
    twice = [c for c, n in Counter(str(i["call"]) for i in intents.values()).items() if n > 1]
    if twice or not set(ended) <= {f"call-{n}" for n in answers}:
        raise Wrong("journal", f"run {run}: calls that nobody made: {twice or set(ended)}")
    for number, answer in answers.items():
        if answer is not None:
            _one(run, f"call-{number}", answer, ended, decided)
    return {
        str(effect["path"])
        for outcome in outcomes.values()
        for effect in _effects(outcome)
        if effect["action"] in CHANGES
    }


def _one(
    run: str, call: str, answer: ToolResult, ended: Mapping[str, JsonObject], decided: set[Json]
) -> None:
    outcome = ended.get(call)
    code = "" if answer.error is None else answer.error.code
    if outcome is None:
        if not answer.effects and code and (call in decided or code == "sandbox_failed"):
            return
        raise Wrong("journal", f"{call} of run {run} is not recorded ({code or 'ok'})")
    if outcome["detail"] != code:
        raise Wrong("journal", f"{call} of run {run}: {outcome['detail']!r} instead of {code!r}")
    recorded = [_tuple(effect) for effect in _effects(outcome)]
    if recorded != [_tuple(vars_of(effect)) for effect in answer.effects]:
        raise Wrong("journal", f"{call} of run {run}: other effects than in the answer")
    content = sha256(answer.content.encode(errors="replace")).hexdigest()
    if outcome["effects_whole"] and outcome["content"] != content:
        raise Wrong("journal", f"{call} of run {run}: another content than in the answer")


def vars_of(effect: Effect) -> JsonObject:
    """Return an effect as the journal writes it."""
    return {name: getattr(effect, name) for name in ("action", "path", "host_path", "bytes")}


def _tuple(effect: JsonObject) -> tuple[Json, ...]:
    return tuple(effect[name] for name in ("action", "path", "host_path", "bytes"))


def _effects(outcome: JsonObject) -> list[JsonObject]:
    effects = outcome["effects"]
    return [e for e in effects if isinstance(e, dict)] if isinstance(effects, list) else []


def _kind(record: Record) -> Json:
    if record.content is None:
        raise Wrong("journal", f"entry {record.seq} has lost its blob")
    return record.content["kind"]
