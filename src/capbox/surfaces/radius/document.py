"""The blast radius as one JSON object.

Guarantees: the keys are always there; `flows_left_out` says how many flows are too many to list;
of what is hidden the first names are there. Does not: hold the value of a variable or a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from capbox.authority.web.places import FetchSelector
from capbox.engine.radius.bounds import Most
from capbox.engine.radius.cuts import told
from capbox.engine.radius.flows import Flow
from capbox.engine.radius.lints import Lint
from capbox.engine.radius.never.verdicts import Verdict
from capbox.engine.radius.radius import Radius
from capbox.engine.radius.reach import Count, Reach
from capbox.messages import Json
from capbox.surfaces.radius.report import Report

FLOWS_MAX = 500


def document(report: Report) -> dict[str, Json]:
    """Return the object that `--json` prints."""
    found = report.radius
    subject = found.subject
    return {
        "workspace": subject.layout.workspace,
        "from": report.origin,
        "grants": [told(minted.grant) for minted in subject.live],
        "files": _files(found.reach),
        "web": _web(found),
        "secrets": [asdict(secret) for secret in found.secrets],
        "sources": [
            {"kind": s.kind, "name": s.name, "detail": s.detail, "grant": s.grant}
            for s in found.known
        ],
        "functions": [told(minted.grant) for minted in subject.functions],
        "tools": list(subject.offered),
        "models": list(subject.models),
        "children": subject.children,
        "most": None if found.bounds is None else _most(found),
        "lasting": list(found.lasting),
        "flows": [_flow(flow) for flow in found.flows[:FLOWS_MAX]],
        "flows_left_out": max(0, len(found.flows) - FLOWS_MAX),
        "lint": [_lint(lint) for lint in found.lints],
        "assert": _asserted(report.verdicts),
        "used": None if report.used is None else asdict(report.used),
        "notes": list(report.notes),
    }


def _files(reach: Reach) -> dict[str, Json]:
    return {
        "readable": _count(reach.readable),
        "writable": _count(reach.writable),
        "hidden": _count(reach.hidden),
        "protected": _count(reach.protected),
        "kept": list(reach.kept),
        "links": reach.links,
        "links_out": list(reach.links_out),
        "hard_links": reach.hard_links,
        "closed_folders": reach.closed,
        "whole": reach.whole,
    }


def _count(count: Count) -> dict[str, Json]:
    return {"files": count.files, "bytes": count.bytes}


def _web(found: Radius) -> list[Json]:
    rows: list[Json] = []
    for minted in found.web:
        selector = minted.grant.selector
        if isinstance(selector, FetchSelector):
            rows.append(
                {
                    "grant": str(minted.grant),
                    "methods": list(selector.methods) or ["*"],
                    "scheme": selector.scheme,
                    "host": selector.host,
                    "ports": list(selector.ports),
                    "path": None if selector.path is None else selector.path,
                    "below": selector.path is None or selector.below,
                }
            )
    return rows


def _most(found: Radius) -> dict[str, Json]:
    bounds = found.bounds
    if bounds is None:
        return {}
    return {
        "call": _amounts(bounds.call),
        "run": {
            **_amounts(bounds.run),
            "calls": bounds.calls,
            "turns": bounds.turns,
            "tokens": bounds.tokens,
            "usd": bounds.usd,
        },
    }


def _amounts(most: Most) -> dict[str, Json]:
    return {
        "seconds": most.seconds,
        "requests": most.requests,
        "sent_bytes": most.sent_bytes,
        "files_created": most.files_created,
        "written_bytes": most.written_bytes,
        "invocations": most.invocations,
    }


def _flow(flow: Flow) -> dict[str, Json]:
    return {
        "level": flow.level,
        "source": {"kind": flow.source.kind, "name": flow.source.name, "grant": flow.source.grant},
        "sink": {"kind": flow.sink.kind, "name": flow.sink.name, "grant": told(flow.sink.grant)},
        "cut_by": list(flow.cut_by),
        "cuts": [
            {"caveat": cut.caveat, "why": cut.why, "grant": cut.grant, "flag": cut.flag or None}
            for cut in flow.cuts
        ],
    }


def _lint(lint: Lint) -> dict[str, Json]:
    return {
        "code": lint.code,
        "level": lint.level,
        "says": lint.says,
        "grant": lint.grant or None,
        "mend": lint.mend or None,
        "flag": lint.flag or None,
    }


def _asserted(verdicts: Sequence[Verdict] | None) -> list[Json] | None:
    if verdicts is None:
        return None
    return [{"rule": v.rule, "broken": bool(v.by), "by": v.by or None} for v in verdicts]
