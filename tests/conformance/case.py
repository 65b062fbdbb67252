"""Cases for the shell: what a script prints and returns, read from TOML.

Guarantees: a file that is not a list of whole cases is refused with the place and the word at
fault, so that no case can be left out or misread. Does not: run anything (see `play.py`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
SCRIPTS = HERE / "scripts"


class MalformedCase(ValueError):
    """A case file that cannot be used; the message names the file, the case and the fault."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What running a script came to: its standard output, its status, and files it left.

    `tree` maps each path below the working directory to mode and digest; None where a case does
    not look at files.
    """

    stdout: str
    status: int
    tree: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One script with its input and what it must come to.

    `expected` is capbox's outcome and real bash's too, unless `differs` says why real bash gives
    `real` instead. `stderr` is a pattern found in what is said on standard error (by capbox alone
    where it differs), `needs` are the programs without which real bash cannot be asked.
    """

    theme: str
    name: str
    script: str
    expected: Outcome
    stdin: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    stderr: str | None = None
    differs: str | None = None
    real: Outcome | None = None
    needs: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Name the case as pytest shows it."""
        return f"{self.theme}: {self.name}"


# Key, its type, whether a case must have it.
KEYS: Mapping[str, tuple[type, bool]] = {
    "name": (str, True),
    "script": (str, False),
    "path": (str, False),
    "stdin": (str, False),
    "files": (dict, False),
    "stdout": (str, True),
    "stderr": (str, False),
    "status": (int, True),
    "tree": (dict, False),
    "differs": (str, False),
    "real": (dict, False),
    "needs": (list, False),
}


def load(path: Path) -> tuple[Case, ...]:
    """Read the cases of one file. Raises MalformedCase."""
    theme = path.stem
    cases = tuple(parsed(theme, i, raw) for i, raw in enumerate(tables(path)))
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise MalformedCase(f"{theme}: two cases are named {name!r}")
    return cases


def load_all(folder: Path = CASES) -> tuple[Case, ...]:
    """Read every case of a folder, in order of themes."""
    return tuple(case for path in sorted(folder.glob("*.toml")) for case in load(path))


def tables(path: Path) -> list[dict[str, object]]:
    """Read the tables of one file, not yet judged. Raises MalformedCase."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise MalformedCase(f"{path.stem}: {error}") from None
    found = document.pop("case", None)
    if document or not isinstance(found, list) or not found:
        raise MalformedCase(f"{path.stem}: must be a list of [[case]] and nothing else")
    return found


def parsed(theme: str, index: int, raw: Mapping[str, object]) -> Case:
    """Turn one table into a case. Raises MalformedCase."""
    where = f"{theme}: case {index + 1} ({raw.get('name', 'without a name')})"
    fault = fault_of(raw)
    if fault:
        raise MalformedCase(f"{where}: {fault}")
    values = dict(raw)
    expected = outcome(values)
    path = values.get("path")
    script = values.get("script") or (SCRIPTS / str(path)).read_text(encoding="utf-8")
    real = values.get("real")
    return Case(
        theme=theme,
        name=str(values["name"]),
        script=str(script),
        expected=expected,
        stdin=str(values.get("stdin", "")),
        files=values.get("files", {}),  # type: ignore[arg-type]
        stderr=values.get("stderr"),  # type: ignore[arg-type]
        differs=values.get("differs"),  # type: ignore[arg-type]
        real=outcome({**values, **real}) if isinstance(real, dict) else None,
        needs=tuple(values.get("needs", ())),  # type: ignore[arg-type]
    )


def outcome(values: Mapping[str, object]) -> Outcome:
    """Read the outcome that a table describes."""
    return Outcome(str(values["stdout"]), values["status"], values.get("tree"))  # type: ignore[arg-type]


def fault_of(raw: Mapping[str, object]) -> str:
    """Say what is wrong with one table, nothing if it is whole."""
    for key, value in raw.items():
        if key not in KEYS:
            return f"unknown key {key!r}"
        if type(value) is not KEYS[key][0]:
            return f"{key} must be {KEYS[key][0].__name__}"
    for key, (_, must) in KEYS.items():
        if must and key not in raw:
            return f"{key} is missing"
    if ("script" in raw) == ("path" in raw):
        return "exactly one of script and path"
    if "path" in raw and not (SCRIPTS / str(raw["path"])).is_file():
        return f"no script {raw['path']!r}"
    if ("differs" in raw) != ("real" in raw):
        return "differs (why) and real (what real bash gives) go together"
    return fault_of_values(raw)


def fault_of_values(raw: Mapping[str, object]) -> str:
    """Say which value of a table with the right keys makes no sense."""
    real = raw.get("real", {"stdout": ""})
    assert isinstance(real, dict)
    if not real or set(real) - {"stdout", "status", "tree"}:
        return "real holds stdout, status or tree, whatever differs"
    if not raw["name"] or raw.get("script") == "" or raw.get("differs") == "":
        return "name, script and differs are not empty"
    try:
        re.compile(str(raw.get("stderr", "")))
    except re.error as error:
        return f"stderr is no pattern: {error}"
    for key in ("files", "tree"):
        inner = raw.get(key, {})
        assert isinstance(inner, dict)
        if not all(isinstance(value, str) for value in inner.values()):
            return f"{key} maps paths to texts"
    return ""
