"""Rows as JSON, as a table for a terminal, and as docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.bars import BARS
from bench.peers.install import Peer
from bench.row import SPAWN, Row, Rows
from bench.rows.work import Reasons

NONE = "\N{EN DASH}"
PAGE = Path(__file__).with_name("page.md")


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that one run found out, and how it was asked."""

    command: str
    load: float
    rows: Rows
    peers: Sequence[Peer] = ()
    reasons: Reasons = field(default_factory=dict)


def as_json(found: Found) -> str:
    """Return one JSON object of the `quick` suite, a row by its name."""
    return json.dumps({name: _brief(row) for name, row in found.rows.items()})


def as_full_json(found: Found) -> str:
    """Return one JSON object of the `full` suite, with bars and peers."""
    return json.dumps({name: _whole(name, row) for name, row in found.rows.items()})


def as_text(found: Found) -> str:
    """Return an aligned table."""
    width = max(map(len, found.rows))
    return "\n".join(
        f"{name:<{width}}  {row.value:>9.2f} {row.unit:<2}  {_ratio(row):>9}  "
        f"{_verdict(name, row):<22}  {row.what}"
        for name, row in found.rows.items()
    )


def as_page(found: Found) -> str:
    """Return the page for people."""
    there = [peer.name for peer in found.peers if peer.open is not None]
    heads = ("row", "median", "ratio", "to", *there, "what")
    rows = (_line(name, row, there) for name, row in found.rows.items())
    bars = (_barred(name, row) for name, row in found.rows.items() if name in BARS)
    return PAGE.read_text(encoding="utf-8").format(
        command=found.command,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        machine=_machine(),
        load=found.load,
        bars=_table(("row", "measured", "bar", "aim", "", "what"), bars),
        rows=_table(heads, rows),
        peers=_table(("peer", "version", "what"), map(_peer, found.peers)),
        gaps=_gaps(found.reasons),
    )


def _brief(row: Row) -> dict[str, float]:
    found = {row.unit.lower(): round(row.value, 3)}
    return found if row.ratio is None else {"ratio": round(row.ratio, 3), **found}


def _whole(name: str, row: Row) -> dict[str, object]:
    bar = BARS.get(name)
    return {
        "value": round(row.value, 3),
        "unit": row.unit,
        "ratio": None if row.ratio is None else round(row.ratio, 3),
        "against": None if row.ratio is None else row.against,
        "bar": None if bar is None else bar.bar,
        "aim": None if bar is None else bar.aim,
        "met": None if bar is None else bar.met(row),
        "peers": {peer: round(value, 3) for peer, value in row.peers.items()},
    }


def _ratio(row: Row) -> str:
    return "" if row.ratio is None else f"{row.ratio:.2f} x"


def _verdict(name: str, row: Row) -> str:
    bar = BARS.get(name)
    if bar is None:
        return ""
    if not bar.met(row):
        return f"NOT MET, bar {bar.bar:g}"
    return "met, and the aim" if bar.aimed(row) else f"met, aim {bar.aim:g}"


def _barred(name: str, row: Row) -> tuple[str, ...]:
    bar = BARS[name]
    sign, unit = ("≥", "≤")[not bar.at_least], " x" if bar.of == "ratio" else f" {row.unit}"
    verdict = "**not met**" if not bar.met(row) else "met, aim too" if bar.aimed(row) else "met"
    found = bar.measured(row)
    measured = NONE if found is None else f"{_number(found)}{unit}"
    marks = (f"{sign} {mark:g}{unit}" for mark in (bar.bar, bar.aim))
    return (f"`{name}`", measured, *marks, verdict, row.what)


def _line(name: str, row: Row, peers: Iterable[str]) -> tuple[str, ...]:
    missing = NONE if row.peers else ""
    others = (_number(row.peers[p]) if p in row.peers else missing for p in peers)
    against = f"`{SPAWN}`" if row.against == SPAWN else row.against
    to = "" if row.ratio is None else against
    return (f"`{name}`", f"{_number(row.value)} {row.unit}", _ratio(row), to, *others, row.what)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _peer(peer: Peer) -> tuple[str, ...]:
    return peer.name, peer.version or f"{NONE} ({peer.reason})", peer.what


def _gaps(reasons: Reasons) -> str:
    lines = (
        f"- {peer}, {', '.join(f'`{row}`' for row in rows)}: {reason}"
        for (peer, reason), rows in reasons.items()
    )
    return "\n".join(lines) or "- none"


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = (heads, ["---"] * len(heads), *lines)
    return "\n".join(f"| {' | '.join(_cell(c) for c in row)} |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _machine() -> str:
    processors = os.cpu_count()
    kernel, python = platform.release().split("-")[0], platform.python_version()
    return f"{processors} x {platform.machine()}, {platform.system()} {kernel}, Python {python}"
