"""Programs for the tool javascript, and what Node prints for each, read from TOML.

    python -m tests.guests.javascript.case         # writes into the cases what Node prints

Guarantees: a table with an unknown key, or without what it must have, is refused by name. Where
the tool prints something else, `differs` says why and `stdout` is the tool's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CASES = Path(__file__).with_name("cases")
KEYS = ("name", "module", "files", "code", "differs", "stdout")
NODE_AT_LEAST = 20


@dataclass(frozen=True, slots=True)
class Case:
    """One program: `module` says that Node must be told that it is one."""

    theme: str
    name: str
    code: str
    stdout: str = ""
    module: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    differs: str | None = None

    def __str__(self) -> str:
        """Name the case as pytest shows it."""
        return f"{self.theme}: {self.name}"


def load_all() -> tuple[Case, ...]:
    """Read every case, in order of themes. Raises ValueError for a table that is not whole."""
    found = []
    for path in sorted(CASES.glob("*.toml")):
        for raw in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            unknown = sorted(set(raw) - set(KEYS))
            if unknown or not raw.get("name") or not raw.get("code"):
                raise ValueError(f"{path.name}: {raw.get('name')}: {unknown or 'not whole'}")
            found.append(Case(theme=path.stem, **raw))
    return tuple(found)


def furnish(place: Path, case: Case) -> None:
    """Put the files of a case into an empty directory."""
    for name, text in case.files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")


def cannot_ask() -> str:
    """Say why the Node of this machine cannot answer, nothing if it can."""
    if shutil.which("node") is None:
        return "no node on this machine"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    major = int(version.stdout.lstrip("v").split(".")[0] or 0)
    return "" if major >= NODE_AT_LEAST else f"node is older than {NODE_AT_LEAST}"


def node_prints(case: Case) -> str:
    """Return what Node writes to standard output for a case, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="capbox-node-") as folder:
        place = Path(folder, "place")
        place.mkdir()
        furnish(place, case)
        # What a case lists must not hold the program itself, unless it imports from there.
        name = "place/program.mjs" if case.module else "program.cjs"
        Path(folder, name).write_text(case.code, encoding="utf-8")
        done = subprocess.run(
            ["node", str(Path(folder, name))],
            cwd=place,
            env={"PATH": os.environ["PATH"], "TZ": "UTC", "LANG": "C.UTF-8"},
            capture_output=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise ValueError(f"{case}: {done.stderr.decode()}")
        return done.stdout.decode("utf-8", "replace")


def main() -> int:
    """Record every case that has no `differs`."""
    for path in sorted(CASES.glob("*.toml")):
        tables = []
        for case in (one for one in load_all() if one.theme == path.stem):
            stdout = case.stdout if case.differs else node_prints(case)
            tables.append(_table(case, stdout))
        path.write_text("\n".join(tables), encoding="utf-8")
    return 0


def _table(case: Case, stdout: str) -> str:
    lines = ["[[case]]", f"name = {_text(case.name)}"]
    lines += ["module = true"] if case.module else []
    if case.files:
        inner = ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in case.files.items())
        lines.append(f"files = {{ {inner} }}")
    lines.append(f"code = {_text(case.code)}")
    lines += [f"differs = {_text(case.differs)}"] if case.differs else []
    return "\n".join([*lines, f"stdout = {_text(stdout)}", ""])


def _text(text: str) -> str:
    plain = all(c >= " " or c in "\n\t" for c in text) and "\x7f" not in text
    if plain and "\n" in text and "'''" not in text and not text.endswith("'"):
        return f"'''\n{text}'''"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


if __name__ == "__main__":
    sys.exit(main())
