"""A model's text on its way to a terminal: links are written out wherever the stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.surfaces.prose import Prose

SHOWN = [
    ("See [the docs](https://a.test/x) now.\n", "See the docs (a.test: https://a.test/x) now.\n"),
    ("![x](https://a.test/?d=S)", "(image: x, a.test: https://a.test/?d=S)"),
    ("a [b\nc](https://a.test) d\n\ne", "a b\nc (a.test: https://a.test) d\n\ne"),
    ("a [b](\nhttps://a.test) d\n", "a b (a.test: https://a.test) d\n"),
    ("Wow![x](https://a.test)!", "Wow(image: x, a.test: https://a.test)!"),
    ("`[x](https://a.test)` [y](https://b.test)\n", "`[x](https://a.test)` y (b.test: https://b.test)\n"),
    ("\\[x](https://a.test) [y](https://b.test)", "\\[x](https://a.test) y (b.test: https://b.test)"),
    ("```py\na[0](b)\n```\n[x](https://a.test)\n", "```py\na[0](b)\n```\nx (a.test: https://a.test)\n"),
    ("> ~~~\n> [x](u)\n> ~~~\n> [x](https://a.test)", "> ~~~\n> [x](u)\n> ~~~\n> x (a.test: https://a.test)"),
    ("````\n```\n[x](u)\n````\n[x](https://a.test)", "````\n```\n[x](u)\n````\nx (a.test: https://a.test)"),
    ("``` `\n[x](https://a.test)", "``` `\nx (a.test: https://a.test)"),
    ("- [ ] one\n- [x] two\n", "- [ ] one\n- [x] two\n"),
    ("an open [ bracket\n\n[x](https://a.test)\n", "an open [ bracket\n\nx (a.test: https://a.test)\n"),
    ("\x1b[1m[x](https://a.test/\u202e)\n", "\\x1b[1mx (a.test: https://a.test/%5Cu202e)\n"),
    ("a\r\n[x](https://a.test)\r\n", "a\nx (a.test: https://a.test)\n"),
]  # fmt: skip


def played(pieces: list[str]) -> str:
    prose = Prose()
    return "".join(map(prose.feed, pieces)) + prose.finish()


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_links_are_written_out_wherever_the_stream_is_cut(text: str, shown: str) -> None:
    assert played([text]) == played(list(text)) == shown
    for cut in range(len(text)):
        assert played([text[:cut], text[cut:]]) == shown


@given(st.text("ab[]()!`\\<>~ \n\r:/.\x1b😀", max_size=60), st.data())
def test_no_cuts_make_a_difference(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert played(pieces) == played([text])


def test_ordinary_text_is_not_held_back() -> None:
    prose = Prose()
    for piece in ("It ", "is (really) ", "done.\n", "Next: ", "a < b\n"):
        assert prose.feed(piece) == piece
    assert prose.feed("see [the") == "see "
    assert prose.feed(" docs] for more") == ""
    assert prose.feed("\n") == "[the docs] for more\n"
    assert prose.feed("end!") == "end"
    assert prose.feed(" Yes") == "! Yes"


def test_what_is_held_back_is_bounded() -> None:
    prose = Prose()
    shown = sum(len(prose.feed("[a](" * 100)) for _ in range(100))
    assert shown > 100 * 400 - 10_000
    assert shown + len(prose.finish()) == 100 * 400
