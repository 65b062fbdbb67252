"""Print docs/shell.md: `make docs`, or `python docs/generate_shell.py > docs/shell.md`.

The commands and their flags are what the toolbox itself says, asked through the tool `bash`; the
limits are the defaults of the code; the differences are those that the cases of tests/conformance
carry, each of which is tested against capbox and against real bash. Only NOTES is written by hand.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.conformance.case import Case, Outcome, load_all  # noqa: E402
from tests.conformance.play import Boxes  # noqa: E402

from capbox import app  # noqa: E402
from capbox.authority.limits import Limits  # noqa: E402
from capbox.engine.home import Home  # noqa: E402

LANGUAGE = ROOT / "guests" / "toolbox" / "shell" / "testdata" / "differences.toml"
TABLE = ROOT / "guests" / "toolbox" / "commands" / "table.go"

HEAD = """# The shell

What the tool `bash` can do. This page is generated (`make docs`): commands and flags are what the
toolbox says of itself, differences are those that the cases in `tests/conformance` and the tests
of the language carry.

A script is read by an interpreter of bash (mvdan.cc/sh) inside the sandbox. Every command is a
function of the toolbox; no program is ever started, so nothing outside of this page can run. A flag
that exists elsewhere and is not served here is refused: `NAME: not supported: ...`, status 2.
"""

FEATURES = """## The language

Quoting, expansions, arithmetic, arrays and associative arrays, functions, `local`, `case`, loops,
`[[ ]]` with patterns and regular expressions, here-documents and here-strings, pipelines with
`pipefail`, redirections, process and command substitution, background jobs with `wait`, `trap`,
`getopts`, `set -eux`, `shopt`, `eval`, `source`, `bash -c`, and scripts with `#!`. Working folder,
variables and functions last from one call of the tool to the next; options and traps do not.
"""

# What no single case shows.
NOTES = (
    "Messages quote with `'` where GNU tools in a UTF-8 locale write curved ones.",
    "The locale is C.UTF-8 and cannot be changed: `LC_ALL` has no effect, order is by bytes.",
    "`TZ` is read by `date`; other commands show times in UTC.",
    "All files belong to the one user there is; permissions are those of the host's files.",
    "From archives symbolic links are made last, hard links become copies; devices, FIFOs and "
    "set-user-id bits are left out.",
    "awk has `gensub`, `asort` and `match` with an array of gawk, and refuses what else only gawk "
    "has (`FPAT`, `IGNORECASE`, `PROCINFO`, `switch`, arrays of arrays).",
    "`.env`, keys and other secrets that grants leave out are in no listing and match no pattern, "
    "and `[ -e .env ]` is false; a command that is given the name says `Permission denied`.",
    "curl and wget send what a grant allows, each step of a redirect on its own. Connections, "
    "certificates and proxies are the host's: options for them are refused. `-m` is the time to "
    "the response, then that of its body; a denial, and a bound that was met, is told even with "
    "`-s` or `-q`.",
    "Standard output beyond four times the bound of a call ends the call.",
    "In `/dev` are `null`, `zero`, `stdin`, `stdout`, `stderr`, `urandom`, `fd/0` to `fd/2` only.",
)


def main() -> None:
    """Print the page."""
    sys.stdout.write(page())


def page() -> str:
    """Return the whole page."""
    cases = load_all()
    parts = [HEAD, limits(), FEATURES, commands(), differences(cases), scripts(cases)]
    return "\n".join(parts)


def limits() -> str:
    """Return the bounds of one call, as the code has them."""
    usual = Limits()
    rows = (
        ("time", f"{usual.wall_seconds:g} s", "--timeout"),
        ("memory", f"{usual.memory_bytes >> 20} MiB", "--memory"),
        ("output", f"{usual.output_bytes:,} bytes, cut in the middle", "--output"),
        ("written bytes", f"{usual.written_bytes:,}", "--limit written_bytes=N"),
        ("new files", f"{usual.files_created:,}", "--limit files_created=N"),
        ("open files", f"{usual.open_files:,}", "--limit open_files=N"),
        ("bytes in /tmp", f"{usual.tmp_bytes:,}", "--limit tmp_bytes=N"),
    )
    lines = ["## Limits of one call", "", "| what | bound | flag |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {a} | {b} | `{c}` |" for a, b, c in rows), ""])


def commands() -> str:
    """Return every command with its usage and flags, as its --help tells them."""
    names = sorted(re.findall(r'"([^"]+)":\s', TABLE.read_text(encoding="utf-8")))
    lines = [
        "## Commands",
        "",
        f"{len(names)} commands, and the builtins of bash. Flags that are only",
    ]
    lines += ["known in order to be refused by name are listed too, but for curl and wget.", ""]
    for name, text in zip(names, helps(names), strict=True):
        lines.append(f"- **{name}**{described(name, text)}")
    return "\n".join([*lines, ""])


def helps(names: Sequence[str]) -> Iterator[str]:
    """Ask each command for help, in one box."""
    with tempfile.TemporaryDirectory() as place:
        home = Home(Path(place) / "config", Path(place) / "state", app.home_of(os.environ).cache)
        with Boxes(home, Path(place)) as boxes:
            for name in names:
                script = f"{name} --help 2>/dev/null | head -n 200"
                told, _ = boxes.play(Case("help", name, script, Outcome("", 0)))
                yield told.stdout


def described(name: str, text: str) -> str:
    """Turn a help text into what stands behind the command's name; nothing if it has none."""
    usage = re.search(rf"^[Uu]sage: {re.escape(name)} *(.*)$", text, re.MULTILINE)
    if usage is None:
        return ""
    flags = re.findall(r"^ +(-[^ ,\n]+(?: [A-Z]+)?(?:, --?[^ ,\n]+)*)", text, re.MULTILINE)
    shown = f" `{usage[1]}`" if usage[1] else ""
    return shown + (": " + " · ".join(f"`{flag}`" for flag in flags) if flags else "")


def differences(cases: Sequence[Case]) -> str:
    """Return each reason once, by theme, with the cases that show it."""
    lines = ["## Differences from bash and the GNU tools", ""]
    lines += [f"- {note}" for note in NOTES]
    lines += [
        "",
        "### the language",
        "",
        "| script | bash | here | because |",
        "| --- | --- | --- | --- |",
    ]
    for one in tomllib.loads(LANGUAGE.read_text(encoding="utf-8"))["difference"]:
        here = one["here"].strip().replace("\n", " / ")
        cells = (f"`{one['script']}`", one["bash"], f"`{here}`", one["why"])
        lines.append(
            "| " + " | ".join(c.replace("|", "\\|").replace("\n", "; ") for c in cells) + " |"
        )
    for theme in sorted({case.theme for case in cases if case.differs} - {"scripts"}):
        lines += ["", f"### {theme.replace('_', ', ')}", ""]
        reasons: dict[str, list[str]] = {}
        for case in cases:
            if case.theme == theme and case.differs:
                reasons.setdefault(case.differs, []).append(case.name)
        lines += [f"- {why} ({'; '.join(names)})" for why, names in reasons.items()]
    return "\n".join([*lines, ""])


def scripts(cases: Sequence[Case]) -> str:
    """Return how the scripts of tests/conformance/scripts fare."""
    all_of_them = [case for case in cases if case.theme == "scripts"]
    odd = [case for case in all_of_them if case.differs]
    lines = [
        "## Scripts",
        "",
        f"`tests/conformance/scripts` holds {len(all_of_them)} scripts of the kind found in build "
        "and test",
        f"folders. {len(all_of_them) - len(odd)} do in capbox what they do in real bash: same "
        "output, status and files.",
    ]
    if odd:
        lines += ["The others, and what they meet:", ""]
        lines += [f"- `{case.name}.sh`: {case.differs}" for case in odd]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
