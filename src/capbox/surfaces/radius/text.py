"""The blast radius in lines for a terminal: the worst first, one screen for a usual case.

Guarantees: every line is one row of words; what other people named reaches a terminal only through
the screen, which neutralises it. Does not: write anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from capbox.engine.radius.bounds import Most
from capbox.engine.radius.cuts import told
from capbox.engine.radius.ends import amount, sized
from capbox.engine.radius.flows import Flow, Level
from capbox.engine.radius.lints import Lint
from capbox.engine.radius.never.verdicts import Verdict
from capbox.engine.radius.radius import Radius
from capbox.engine.radius.reach import Reach
from capbox.engine.radius.record import Used
from capbox.surfaces.radius.report import Report
from capbox.surfaces.sink import one_line

FLOWS_SHOWN = 5
_NAMES_SHOWN = 4
_WIDTH = 9
_CELL_MAX = 300
_STYLES: dict[Level, str] = {"high": "bold red", "medium": "yellow", "low": "dim"}


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its style, and how far what does not fit is indented."""

    text: str
    style: str = ""
    hang: int = _WIDTH


def lines(report: Report) -> Iterator[Line]:
    """Yield the report, the worst first."""
    found = report.radius
    yield from _verdicts(report.verdicts or ())
    yield from _flows(found.flows)
    yield from facts(report)
    yield from _lints(found.lints)
    for note in report.notes:
        yield Line(f"{'note':<{_WIDTH}}{_cell(note)}", "dim")


def facts(report: Report) -> Iterator[Line]:
    """Yield what can be reached, what it may take and what lasts."""
    for label, text in table(report):
        yield Line(f"{label:<{_WIDTH}}{text}")


def table(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the rows of facts: a label and a sentence."""
    found = report.radius
    subject, reach = found.subject, found.reach
    yield "reads", sized(reach.readable) + _unseen(reach)
    yield "writes", _writes(found)
    if reach.hidden.files:
        kept = f": {_named(reach.kept)}" if reach.kept else ""
        yield "kept", f"{sized(reach.hidden)} hidden from it{kept}"
    if reach.links_out or reach.hard_links:
        yield "links", _links(reach)
    yield "web", _listed([told(m.grant) for m in found.web])
    for secret in found.secrets:
        way = "" if secret.by else ", but no grant lets a request go there"
        yield "secret", f"{secret.name}, added to requests to {secret.origin}{way}; never read"
    variables = [s.name for s in found.known if s.kind == "variable"]
    if variables:
        yield "env", _listed(variables)
    if subject.functions:
        yield "calls", _listed([told(m.grant) for m in subject.functions])
    yield "tools", _listed(subject.offered)
    if subject.models:
        # A scripted model is a file of this machine.
        away = any(not model.startswith("scripted") for model in subject.models)
        sent = "; what a tool returns is sent to its provider" if away else ""
        yield "model", f"{_listed(subject.models)}{sent}"
    yield from _bounds(found)
    yield "lasts", _listed(found.lasting, otherwise="nothing; its /tmp is wiped")
    if report.used is not None:
        yield "used", "; ".join(_used(report.used))


def _verdicts(verdicts: Sequence[Verdict]) -> Iterator[Line]:
    for verdict in verdicts:
        if verdict.by:
            broken = f"{'broken':<{_WIDTH}}never {_cell(verdict.rule)}: {_cell(verdict.by)}"
            yield Line(broken, "bold red")
    kept = sum(not verdict.by for verdict in verdicts)
    if verdicts:
        yield Line(f"{'rules':<{_WIDTH}}{kept} of {len(verdicts)} kept", "")


def _flows(flows: Sequence[Flow]) -> Iterator[Line]:
    advised: set[str] = set()
    for flow in flows[:FLOWS_SHOWN]:
        source = f"{flow.source.name} ({flow.source.detail})"
        if flow.steers:
            source = f"words in {flow.source.name}"
        text = f"{_cell(source)} -> {_cell(flow.sink.name)}"
        if flow.cut_by:
            cut = f"{text}, cut by {', '.join(flow.cut_by)}"
            yield Line(f"{'cut':<{_WIDTH}}{cut}", "green")
            continue
        yield Line(f"{flow.level:<{_WIDTH}}{text}", _STYLES[flow.level])
        # Advice once for each place: the same line five times over is read by nobody.
        if str(flow.sink.grant) not in advised:
            yield from _advice(flow)
        advised.add(str(flow.sink.grant))
    if len(flows) > FLOWS_SHOWN:
        more = len(flows) - FLOWS_SHOWN
        yield Line(f"{'':<{_WIDTH}}and {more} more flows: --json or --html shows all", "dim")
    if not flows:
        yield Line(f"{'none':<{_WIDTH}}nothing that it can know can go anywhere", "green")


def _advice(flow: Flow) -> Iterator[Line]:
    for cut in flow.cuts:
        what = f"{cut.caveat} cuts it ({cut.why})" if cut.caveat else _cell(cut.why)
        flag = f": {cut.flag}" if cut.flag else ""
        yield Line(f"{'':<{_WIDTH}}- {what}{flag}", "", _WIDTH + 2)


def _writes(found: Radius) -> str:
    places = [right for right in found.subject.rights if right.write]
    if not places:
        return "nothing"
    protected = found.reach.protected
    kept = f"; {sized(protected)} kept from writing" if protected.files else ""
    return f"{sized(found.reach.writable)}, and new ones{kept}"


def _unseen(reach: Reach) -> str:
    closed = f"; {_several(reach.closed, 'folder')} closed to this user" if reach.closed else ""
    past = "" if reach.whole else "; and more: there are too many to count"
    return closed + past


def _links(reach: Reach) -> str:
    parts: list[str] = []
    if reach.links_out:
        parts.append(f"leading out, and not followed: {_named(reach.links_out)}")
    if reach.hard_links:
        parts.append(f"{_several(reach.hard_links, 'file')} with other names, perhaps elsewhere")
    return "; ".join(parts)


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _bounds(found: Radius) -> Iterator[tuple[str, str]]:
    bounds = found.bounds
    if bounds is None:
        yield "at most", "its bounds are not on record"
        return
    yield "a call", _most(bounds.call)
    spent = f", {bounds.tokens:,} tokens, {bounds.usd:g} USD" if found.subject.models else ""
    children = (
        _several(found.subject.children, "child agent") if found.subject.children else "no children"
    )
    yield "the run", f"{bounds.calls:,} calls{spent}, {_most(bounds.run)}, {children}"


def _most(most: Most) -> str:
    parts = [f"{most.seconds:,g} s"]
    if most.requests:
        parts.append(f"{most.requests:,} requests with {amount(most.sent_bytes)} of bodies")
    if most.files_created:
        parts.append(f"{most.files_created:,} new files, {amount(most.written_bytes)} written")
    if most.invocations:
        parts.append(f"{_several(most.invocations, 'call')} of functions by scripts")
    return ", ".join(parts)


def _used(used: Used) -> Iterator[str]:
    yield ", ".join(f"{name} {count}x" for name, count in used.calls[:6]) or "no call"
    files = (used.read_files, used.written_files, used.deleted_files)
    yield "{} files read, {} written, {} deleted".format(*files)
    if used.origins:
        origins = ", ".join(f"{origin} {count}x" for origin, count in used.origins[:6])
        yield f"requests: {origins}, {amount(used.sent_bytes)} of bodies"
    if used.secrets:
        yield f"secrets sent: {', '.join(used.secrets)}"
    if used.refused:
        yield f"{used.refused} refused"
    if used.tokens:
        yield f"{used.tokens:,} tokens, {used.usd:.4f} USD"


def _lints(found: Sequence[Lint]) -> Iterator[Line]:
    for lint in found:
        if lint.code == "trifecta":
            yield Line(f"{'lint':<{_WIDTH}}{lint.code}: {_cell(lint.says)}", _STYLES[lint.level])
            continue
        about = f"{_cell(lint.grant)}: " if lint.grant else ""
        text = f"{'lint':<{_WIDTH}}{lint.code}: {about}{_cell(lint.says)}"
        yield Line(text, "" if lint.level == "low" else _STYLES[lint.level])
        if lint.flag:
            yield Line(f"{'':<{_WIDTH}}narrower, such as: {lint.flag}", "", _WIDTH + 2)


def _named(names: Sequence[str]) -> str:
    return _listed([_cell(name) for name in names], shown=_NAMES_SHOWN)


def _listed(names: Sequence[str], *, shown: int = 6, otherwise: str = "none") -> str:
    if not names:
        return otherwise
    shown += len(names) == shown + 1  # one more name is no longer than to say so
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(_cell(name) for name in names[:shown]) + more


def _cell(text: str) -> str:
    """Return a name that others may have chosen, on one line."""
    return one_line(text, _CELL_MAX)
