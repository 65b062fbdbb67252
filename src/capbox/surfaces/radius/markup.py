"""Text of others in HTML and SVG: neutralised, then escaped.

Guarantees: what comes out holds no markup and nothing that hides (see `surfaces.sink`), in an
element or between quotes.
"""

from __future__ import annotations

from html import escape

from capbox.surfaces.sink import one_line

_CELL_MAX = 2_000


def safe(text: str, characters_max: int = _CELL_MAX) -> str:
    """Return `text` on one line, fit for an element's content or a quoted attribute."""
    # Attack: a file called `<script>` or `"onload="`, or one that shows as another by bidi marks.
    return escape(one_line(text, characters_max), quote=True)


def element(name: str, content: str, **attributes: str | float) -> str:
    """Return an element around `content`, which is markup; a `_` in a name stands for `-`."""
    given = "".join(f' {key.strip("_").replace("_", "-")}="{safe(str(value))}"'
                    for key, value in attributes.items())  # fmt: skip
    return f"<{name}{given}>{content}</{name}>"
