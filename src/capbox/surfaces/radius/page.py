"""The blast radius as one page: the picture of the flows, and tables below it.

Guarantees: one file without scripts and without anything from elsewhere (its own policy forbids
both); everything that others named is escaped. Readable in light and dark, and on paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from capbox.engine.radius.cuts import told
from capbox.engine.radius.flows import Flow
from capbox.engine.radius.lints import Lint
from capbox.engine.radius.never.verdicts import Verdict
from capbox.surfaces.radius.markup import safe
from capbox.surfaces.radius.picture import picture
from capbox.surfaces.radius.report import Report
from capbox.surfaces.radius.text import table

FLOWS_MAX = 500
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5c6675; --paper: #fbfbfa;
  --line: #d5d9e0; --box: #ffffff; --run: #e8edf6; --high: #b3261e; --medium: #8f5a00;
  --low: #667080; --cut: #1e7a45; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa4b2; --paper: #14181f;
  --line: #333b47; --box: #1c222b; --run: #263042; --high: #ff8a80; --medium: #e8b45a;
  --low: #97a1af; --cut: #6fcf97; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 72rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0 1rem; color: var(--soft); }
.picture { overflow-x: auto; margin-top: 1.25rem; }
svg { display: block; min-width: 48rem; width: 100%; height: auto; }
code, .name { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font-size: .85em; overflow-wrap: anywhere; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg text.name { font: 600 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
svg text.middle { text-anchor: middle; }
svg text.detail { fill: var(--soft); }
svg text.caveat { text-anchor: end; font-size: 11px; }
svg text.high { fill: var(--high); } svg text.medium { fill: var(--medium); }
svg text.low { fill: var(--low); } svg text.cut { fill: var(--cut); }
.box { fill: var(--box); stroke: var(--line); stroke-width: 1.5; }
.box.secret { stroke: var(--high); }
.run { fill: var(--run); stroke: var(--line); fill-opacity: .82; }
.flow { fill: none; stroke-width: 2; }
.flow.high { stroke: var(--high); stroke-width: 2.5; } .flow.medium { stroke: var(--medium); }
.flow.low { stroke: var(--low); } .flow.cut { stroke: var(--cut); stroke-dasharray: 6 5; }
.head { stroke: none; } .head.high { fill: var(--high); } .head.medium { fill: var(--medium); }
.head.low { fill: var(--low); } .head.cut { fill: var(--cut); }
.scroll { overflow-x: auto; } .scroll table { min-width: 42rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0;
  border-top: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
td.level { font-weight: 600; white-space: nowrap; }
.high { color: var(--high); } .medium { color: var(--medium); } .low { color: var(--low); }
.cut { color: var(--cut); }
ul { margin: 0; padding-left: 1.1rem; }
@media (max-width: 44rem) { .scroll table { min-width: 0; } tr, td, th { display: block; }
  thead { display: none; }
  tr { border-top: 1px solid var(--line); padding: .4rem 0; }
  th, td { border: 0; padding: .1rem 0; } }
"""


def page(report: Report) -> str:
    """Return the whole page."""
    found = report.radius
    folder = safe(found.subject.layout.workspace)
    body = [
        f"<h1>What a run could do at worst</h1><p>in <code>{folder}</code></p>",
        _rules(report.verdicts),
        f'<div class="picture">{picture(found)}</div>',
        _flows(found.flows),
        _lints(found.lints),
        _section("What it reaches", _facts(table(report))),
        _section("What it holds", _grants(told(m.grant) for m in found.subject.live)),
        "".join(f"<p>{safe(note)}</p>" for note in report.notes),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Blast radius of {folder}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _section(title: str, content: str) -> str:
    return f'<h2>{title}</h2>\n<div class="scroll">{content}</div>'


def _facts(rows: Iterable[tuple[str, str]]) -> str:
    return _table((), [[f"<th>{safe(label)}</th>", _cell(text)] for label, text in rows])


def _grants(grants: Iterable[str]) -> str:
    listed = "".join(f"<li><code>{safe(grant)}</code></li>" for grant in grants)
    return f"<ul>{listed or '<li>nothing</li>'}</ul>"


def _rules(verdicts: Sequence[Verdict] | None) -> str:
    if verdicts is None:
        return ""
    rows = [
        [
            _level("high", "broken") if verdict.by else _level("cut", "kept"),
            f"<td><code>{safe(verdict.rule)}</code></td>",
            _cell(verdict.by),
        ]
        for verdict in verdicts
    ]
    return _section("Never", _table(("", "rule", "broken by"), rows))


def _flows(flows: Sequence[Flow]) -> str:
    if not flows:
        return _section("Flows", "<p>Nothing that it can know can go anywhere.</p>")
    rows = [
        [
            _level("cut", "cut") if flow.cut_by else _level(flow.level, flow.level),
            _source(flow),
            f"<td><code>{safe(told(flow.sink.grant))}</code><br>{safe(flow.sink.detail)}</td>",
            f"<td>{_cuts(flow)}</td>",
        ]
        for flow in flows[:FLOWS_MAX]
    ]
    more = len(flows) - len(rows)
    after = f"<p>and {more} more</p>" if more else ""
    return _section("Flows", _table(("", "from", "to", "what cuts it"), rows) + after)


def _source(flow: Flow) -> str:
    name = f"{'words in ' if flow.steers else ''}{flow.source.name}"
    return f'<td>{safe(name)}<br><span class="low">{safe(flow.source.detail)}</span></td>'


def _cuts(flow: Flow) -> str:
    if flow.cut_by:
        return f"cut by <code>{safe(', '.join(flow.cut_by))}</code>"
    listed: list[str] = []
    for cut in flow.cuts:
        caveat = "" if cut.caveat is None else f"<code>{safe(cut.caveat)}</code>: "
        flag = f"<br><code>{safe(cut.flag)}</code>" if cut.flag else ""
        listed.append(f"<li>{caveat}{safe(cut.why)}{flag}</li>")
    return f"<ul>{''.join(listed)}</ul>"


def _lints(found: Sequence[Lint]) -> str:
    if not found:
        return ""
    rows = [
        [
            _level(lint.level, lint.code),
            _cell(lint.says, lint.grant),
            f"<td><code>{safe(lint.flag)}</code></td>",
        ]
        for lint in found
    ]
    return _section("Warnings", _table(("", "what", "narrower, such as"), rows))


def _level(kind: str, text: str) -> str:
    return f'<td class="level {kind}">{safe(text)}</td>'


def _cell(text: str, below: str = "") -> str:
    more = f"<br><code>{safe(below)}</code>" if below else ""
    return f"<td>{safe(text)}{more}</td>"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{safe(one)}</th>" for one in headings)
    body = "".join(f"<tr>{''.join(row)}</tr>\n" for row in rows)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}\n{body}</table>"
