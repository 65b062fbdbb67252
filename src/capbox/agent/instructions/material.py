"""Text of other people as a part of a prompt: bounded, made visible, and framed as material.

Guarantees: no control, bidi or invisible character is left in it (each is spelt out), it is no
longer than asked for, and no line of it can end its frame. Does not: judge what it says, or make it
safe to believe; a model can be talked into anything, and holds no more for it.
"""

from __future__ import annotations

import re

# Attack: text that a person reading the file does not see and the model does, such as tag
# characters (U+E0000) or bidi controls (CVE-2021-42574); or an escape that acts on a terminal.
# They are the categories Cc, Cf, Cs, Zl and Zp without the signs of Arabic and Kaithi, what Unicode
# calls ignorable (Default_Ignorable_Code_Point, 17.0), and the blank of Braille.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb"
    r"\ufe00-\ufe0e\ud800-\udfff\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]"
    # The selector that colours a picture, where no picture is before it.
    r"|(?<![\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf"
    r"\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff])\ufe0f"
)
# Attack: a file that holds the line with which its own frame ends, and then speaks as the person;
# or one that looks like it to a model, with any sign before the name.
_FRAME = re.compile(r"<(?=[^\w<>\]]*material\b)", re.IGNORECASE)


def visible(text: str) -> str:
    """Return `text` with its line ends as \\n and every hidden character spelt as `[U+202E]`."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return _HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", plain)


def one_line(text: str, most: int) -> str:
    """Return `text` as one visible line of at most `most` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else line[: most - 3] + "..."


def bounded(text: str, most: int) -> str:
    """Return at most `most` characters of `text`, and say so where something is left out."""
    if len(text) <= most:
        return text
    return f"{text[:most]}\n[... {len(text) - most} characters more are left out here]"


def framed(text: str, origin: str) -> str:
    """Return `text` as material that comes from `origin`, between two lines that it cannot hold."""
    held = _FRAME.sub("[<]", visible(text)).strip("\n")
    named = one_line(origin, 500).replace('"', "'")
    return f'<material from="{_FRAME.sub("[<]", named)}">\n{held}\n</material>'
