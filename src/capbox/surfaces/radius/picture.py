"""The flows as a picture (SVG): what is known on the left, the run, where it can go on the right.

Guarantees: an open flow is a whole line in the colour of its level, a cut one dashed; each carries
the caveat that cuts it, or would. Bounded: what is more than fits is counted below. Does not: hold
a script, a style sheet or an address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from capbox.engine.radius.ends import Sink, Source
from capbox.engine.radius.flows import Flow
from capbox.engine.radius.radius import Radius
from capbox.surfaces.radius.markup import element, safe
from capbox.surfaces.sink import one_line

BOXES_MAX = 8
FLOWS_MAX = 32
_WIDTH, _BOX, _EDGE = 1_080, 280, 8
_RUN, _RUN_WIDTH = 400, 130
_RIGHT = _WIDTH - _BOX - _EDGE
_STEP, _HEAD, _FOOT, _GAP, _LINE = 24, 28, 7, 18, 16
_LETTERS, _LETTERS_SMALL = 36, 40


@dataclass(frozen=True, slots=True)
class _Box:
    """A box on one side: where it is, its words, and how many flows meet it."""

    name: str
    detail: tuple[str, ...]
    kind: str
    x: float
    y: float
    flows: int

    @property
    def height(self) -> float:
        """Return how high it is."""
        return self._head + _STEP * self.flows + _FOOT

    def port(self, number: int) -> float:
        """Return where the line of this number meets the box."""
        return self.y + self._head + _STEP * (number + 0.5)

    @property
    def _head(self) -> float:
        return _HEAD + _LINE * len(self.detail)


def picture(found: Radius) -> str:
    """Return the picture as one SVG element."""
    flows = found.flows[:FLOWS_MAX]
    sources = _sources(found, flows)[:BOXES_MAX]
    sinks = _sinks(found, flows)[:BOXES_MAX]
    flows = tuple(f for f in flows if f.source in sources and f.sink in sinks)
    left = _column(
        [(s.name, s.detail, "secret" if s.secret else s.kind, _count(s, flows)) for s in sources],
        _EDGE,
    )
    right = _column([(s.name, s.detail, s.kind, _count(s, flows)) for s in sinks], _RIGHT)
    bottom = max([box.y + box.height for box in (*left, *right)], default=80)
    parts = [
        _lines(flows, dict(zip(sources, left, strict=True)), dict(zip(sinks, right, strict=True)))
    ]
    parts += [_run(bottom), *map(_boxed, (*left, *right))]
    if not right:
        parts.append(_words(_RIGHT, bottom / 2 + 30, "nowhere: no grant leads out", "detail"))
    left_out = len(found.flows) - len(flows)
    if left_out:
        bottom += _LINE
        parts.append(_words(_EDGE, bottom + 8, f"{left_out} more flows are in the table", "detail"))
    height = bottom + _GAP
    label = "What a run can know, and where it can go"
    return element(
        "svg",
        f"<title>{safe(label)}</title>{''.join(parts)}",
        viewBox=f"0 0 {_WIDTH} {height:g}",
        role="img",
        xmlns="http://www.w3.org/2000/svg",
    )


def _sources(found: Radius, flows: Sequence[Flow]) -> list[Source]:
    return list(dict.fromkeys([*(f.source for f in flows), *found.known]))


def _sinks(found: Radius, flows: Sequence[Flow]) -> list[Sink]:
    return list(dict.fromkeys([*(f.sink for f in flows), *found.places]))


def _count(end: Source | Sink, flows: Sequence[Flow]) -> int:
    return sum(end in (flow.source, flow.sink) for flow in flows)


def _column(rows: Sequence[tuple[str, str, str, int]], x: float) -> list[_Box]:
    boxes: list[_Box] = []
    y = float(_EDGE + 22)
    for name, detail, kind, flows in rows:
        lines = wrap(one_line(detail, 2 * _LETTERS_SMALL), _LETTERS_SMALL)
        boxes.append(_Box(name, tuple(lines[:2]), kind, x, y, flows))
        y += boxes[-1].height + _GAP
    return boxes


def _lines(
    flows: Sequence[Flow], left: dict[Source, _Box], right: dict[Sink, _Box]
) -> str:  # fmt: skip
    out: dict[Source, int] = {}
    into: dict[Sink, int] = {}
    parts: list[str] = []
    for flow in flows:
        start, end = left[flow.source], right[flow.sink]
        y = start.port(out.setdefault(flow.source, 0))
        to = end.port(into.setdefault(flow.sink, 0))
        out[flow.source] += 1
        into[flow.sink] += 1
        parts.append(_line(flow, start.x + _BOX, y, end.x, to))
    return "".join(parts)


def _line(flow: Flow, x: float, y: float, to_x: float, to_y: float) -> str:
    middle = _RUN + _RUN_WIDTH / 2
    bend = _RUN + _RUN_WIDTH + 20
    way = (
        f"M{x:g} {y:g} C{middle:g} {y:g} {_RUN:g} {to_y:g} {bend:g} {to_y:g} L{to_x - 7:g} {to_y:g}"
    )
    kind = "cut" if flow.cut_by else flow.level
    head = f"M{to_x:g} {to_y:g} l-9 -4.5 v9 z"
    return f'<path class="flow {kind}" d="{way}"/><path class="head {kind}" d="{head}"/>' + _words(
        to_x - 14, to_y - 4, _caveat(flow), f"caveat {kind}"
    )


def _caveat(flow: Flow) -> str:
    if flow.cut_by:
        return f"cut by {', '.join(flow.cut_by)}"
    would = next((cut.caveat for cut in flow.cuts if cut.caveat is not None), None)
    if would is not None:
        return f"{flow.level}, {would} cuts it"
    return f"{flow.level}, no caveat cuts it"


def _run(bottom: float) -> str:
    height = bottom - _EDGE - 22
    box = (
        f'<rect class="run" x="{_RUN}" y="{_EDGE + 22}" width="{_RUN_WIDTH}" '
        f'height="{height:g}" rx="10"/>'
    )
    return box + _words(_RUN + _RUN_WIDTH / 2, _EDGE + 46, "the run", "name middle")


def _boxed(box: _Box) -> str:
    rect = (
        f'<rect class="box {safe(box.kind)}" x="{box.x:g}" y="{box.y:g}" width="{_BOX}" '
        f'height="{box.height:g}" rx="8"/>'
    )
    words = _words(box.x + 12, box.y + 20, box.name, "name")
    for number, line in enumerate(box.detail):
        words += _words(box.x + 12, box.y + 37 + _LINE * number, line, "detail")
    return f"<g>{rect}{words}</g>"


def _words(x: float, y: float, text: str, kind: str) -> str:
    room = _LETTERS if kind.startswith("name") else _LETTERS_SMALL
    shown = f"{safe(text, room)}<title>{safe(text)}</title>"
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{shown}</text>'
