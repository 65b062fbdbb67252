"""The picture stays a picture: within its bounds, well-formed, each line where its box is."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from capbox import app
from capbox.authority.decision import Standing
from capbox.engine.home import Home
from capbox.engine.radius.radius import Radius, radius
from capbox.engine.radius.subject import Subject
from capbox.engine.settings import Settings
from capbox.surfaces.radius.markup import element, safe
from capbox.surfaces.radius.picture import BOXES_MAX, FLOWS_MAX, picture

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def found(tmp_path: Path, home: Home) -> Callable[..., Radius]:
    """Return the radius of these grants on a small folder."""

    def make(*grants: str) -> Radius:
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        (folder / "a.txt").write_text("a")
        (folder / ".env").write_text("b")
        settings = Settings(workspace=folder, grants=grants)
        layout, mint = app.granting(home, settings)
        held = mint(())
        return radius(Subject((held,), layout, Standing(time.time()), lambda _: True))

    return make


def test_nothing_held_is_a_run_from_which_nothing_leads(found: Callable[..., Radius]) -> None:
    shown = picture(found())
    assert "nowhere: no grant leads out" in shown
    assert "<path" not in shown


def test_more_than_fits_is_counted(found: Callable[..., Radius]) -> None:
    many = (f"fetch:https://h{n}.example.com" for n in range(30))
    one = found("read:/workspace", "read:/workspace/.env", *many)
    drawn = ElementTree.fromstring(picture(one))
    boxes = [r for r in drawn.iter(f"{SVG}rect") if "box" in (r.get("class") or "")]
    lines = [p for p in drawn.iter(f"{SVG}path") if "flow" in (p.get("class") or "")]
    assert len(boxes) <= 2 * BOXES_MAX
    assert 0 < len(lines) <= FLOWS_MAX
    texts = [t.text for t in drawn.iter(f"{SVG}text")]
    assert f"{len(one.flows) - len(lines)} more flows are in the table" in texts


def test_every_line_ends_at_the_edge_of_a_box(found: Callable[..., Radius]) -> None:
    one = found("read:/workspace", "read:/workspace/.env", "fetch:https://a.example.com", "tool:f")
    drawn = ElementTree.fromstring(picture(one))
    boxes = [
        tuple(float(r.get(key) or 0) for key in ("x", "y", "width", "height"))
        for r in drawn.iter(f"{SVG}rect")
        if "box" in (r.get("class") or "")
    ]
    ways = [p.get("d") or "" for p in drawn.iter(f"{SVG}path") if "flow" in (p.get("class") or "")]
    assert len(ways) == len(one.flows) > 3
    for way in ways:
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", way)]
        (x, y), (to_x, to_y) = numbers[:2], numbers[-2:]
        assert any(bx + w == x and by <= y <= by + h for bx, by, w, h in boxes), way
        assert any(bx == to_x + 7 and by <= to_y <= by + h for bx, by, w, h in boxes), way


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<a href='x'>", "&lt;a href=&#x27;x&#x27;&gt;"),
        ('"&', "&quot;&amp;"),
        ("a\nb\x1b\u202e", "a b\\x1b\\u202e"),
        ("\udcff", "\\udcff"),
    ],
)
def test_text_of_others_is_no_markup(text: str, shown: str) -> None:
    assert safe(text) == shown
    assert element("b", safe(text), title=text) == f'<b title="{shown}">{shown}</b>'
