"""One registered workspace, as the file `workspaces.toml` holds it.

Guarantees: what is read is whole and typed, or a ValueError that names the workspace and the key;
what is written reads back the same. Does not: open a file, or apply anything.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from capbox.authority.parse import GrantError, parse_grant
from capbox.engine.budgets.texts import read_table
from capbox.engine.settings import SettingsError
from capbox.engine.stored.binding import Bound

VERSION = 1
INSTRUCTIONS_CHARACTERS_MAX = 16_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_KEYS = ("name", "path", "device", "inode", "born", "grants", "model", "style", "instructions")
_HEAD = """\
# The workspaces of `capbox workspace`; it writes this file whole, without comments of yours.
# Each is bound to its folder by device and inode: another one in its place has none of this.
version = 1
"""


@dataclass(frozen=True, slots=True)
class Registered:
    """A folder with a name, and what a run in it has if no flag says otherwise.

    `grants` are texts, `budget` amounts by key.
    """

    name: str
    bound: Bound
    grants: tuple[str, ...] = ()
    model: str | None = None
    style: str | None = None
    instructions: str = ""
    budget: Mapping[str, float] = field(default_factory=dict)


def problem(one: Registered) -> str | None:
    """Say what is wrong with the settings of a workspace, if something is."""
    if _NAME.fullmatch(one.name) is None:
        return f"{one.name!r} is no name: lower-case letters, digits, `.`, `_` and `-`"
    for text in one.grants:
        grant = parse_grant(text)
        if isinstance(grant, GrantError):
            return f"{text!r} is no grant: at character {grant.place + 1}: {grant.message}"
    if len(one.instructions) > INSTRUCTIONS_CHARACTERS_MAX:
        return f"instructions have at most {INSTRUCTIONS_CHARACTERS_MAX} characters"
    return None


def written(ones: Iterable[Registered]) -> str:
    """Return the text of the file."""
    return _HEAD + "".join(_table(one) for one in sorted(ones, key=lambda one: one.name))


def read(text: str) -> tuple[Registered, ...]:
    """Read the text of the file. Raises ValueError."""
    document = tomllib.loads(text)
    version = document.pop("version", None)
    if version != VERSION:
        raise ValueError(f"it is of version {version!r}, not {VERSION}")
    tables = document.pop("workspace", [])
    if document or not isinstance(tables, list):
        raise ValueError(f"unknown key {next(iter(document), 'workspace')!r}")
    found = tuple(_read(table) for table in tables)
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice!r} stands twice")
    return found


def _table(one: Registered) -> str:
    lines = [
        f"name = {_text(one.name)}",
        f"path = {_text(one.bound.path)}",
        f"device = {one.bound.device}",
        f"inode = {one.bound.inode}",
    ]
    if one.bound.born is not None:
        lines.append(f"born = {one.bound.born}")
    if one.grants:
        lines.append(f"grants = [{', '.join(map(_text, one.grants))}]")
    texts = (("model", one.model), ("style", one.style), ("instructions", one.instructions))
    lines += [f"{key} = {_text(value)}" for key, value in texts if value]
    if one.budget:
        lines += ["", "[workspace.budget]"]
        lines += [f"{key} = {amount!r}" for key, amount in one.budget.items()]
    return "\n[[workspace]]\n" + "\n".join(lines) + "\n"


def _text(value: str) -> str:
    # A JSON string is a basic string of TOML, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read(table: object) -> Registered:
    if not isinstance(table, dict):
        raise ValueError("[[workspace]] is a table")
    name = str(table.get("name", ""))
    unknown = sorted(set(table).difference((*_KEYS, "budget")))
    if unknown:
        raise ValueError(f"{name!r}: unknown key {unknown[0]!r}; known: {', '.join(_KEYS)}, budget")
    grants, born = table.get("grants", []), table.get("born")
    if not isinstance(grants, list) or not all(isinstance(text, str) for text in grants):
        raise ValueError(f'{name!r}: grants is a list of texts: ["read:/workspace"]')
    path, device, inode = table.get("path"), table.get("device"), table.get("inode")
    if not (isinstance(path, str) and type(device) is int and type(inode) is int):
        raise ValueError(f"{name!r}: path is a text, device and inode are numbers")
    if not (born is None or type(born) is int):
        raise ValueError(f"{name!r}: born is a number")
    texts = {key: table.get(key) for key in ("model", "style", "instructions")}
    wrong = next((k for k, v in texts.items() if not (v is None or isinstance(v, str))), None)
    if wrong is not None:
        raise ValueError(f"{name!r}: {wrong} is a text")
    amounts = table.get("budget", {})
    if not isinstance(amounts, dict):
        raise ValueError(f"{name!r}: budget is a table")
    try:
        budget = read_table(amounts, f"{name!r}: budget")
    except SettingsError as error:
        raise ValueError(str(error)) from error
    found = Registered(
        name=name,
        bound=Bound(path, device, inode, born),
        grants=tuple(grants),
        model=texts["model"],
        style=texts["style"],
        instructions=texts["instructions"] or "",
        budget=budget,
    )
    reason = problem(found)
    if reason is not None:
        raise ValueError(f"{name!r}: {reason}")
    return found
