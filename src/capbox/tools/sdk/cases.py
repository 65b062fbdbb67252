"""The cases of a manifest (`[[tests]]`): a call, what it is granted, and what has to come of it.

    [[tests]]
    name = "counts words"
    arguments = { path = "a.txt" }
    grants = ["read:/workspace"]
    files = { "a.txt" = "one two" }
    expect = { ok = true, content = "2" }

Guarantees: a case grants nothing outside of its own folder by itself; one that would is named with
what a person has to say for it. Does not: run anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from capbox.authority.grant import EnvSelector, Grant, PathSelector
from capbox.authority.parse import GrantError, parse_grant
from capbox.authority.paths import WORKSPACE, under
from capbox.gate.approver import neutral
from capbox.gate.schema import Schema
from capbox.messages import Json, JsonObject, ToolResult
from capbox.toml import read_toml
from capbox.tools.sdk.project import BuildError

_KEYS = frozenset({"name", "arguments", "grants", "files", "expect"})
_EXPECTED = frozenset({"ok", "content", "content_matches", "data", "error"})
_SHOWN_MAX = 500


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to come of a call; None is not looked at. `pattern` is searched in the content."""

    ok: bool | None = None
    content: str | None = None
    pattern: str | None = None
    data: JsonObject | None = None
    error: str | None = None

    def complaints(self, result: ToolResult) -> tuple[str, ...]:
        """Return what is otherwise, one sentence each; nothing if the case passes."""
        found: list[str] = []
        error = None if result.error is None else result.error.code
        said = "" if result.error is None else f": {result.error.message}"
        if self.ok is not None and result.ok is not self.ok:
            came = "it succeeded" if result.ok else f"it failed with {error}{said}"
            found.append(f"{came}, and ok = {str(self.ok).lower()} was expected")
        if self.error is not None and error != self.error:
            found.append(f"the error is {error}{said}, and {self.error} was expected")
        if self.content is not None and result.content != self.content:
            found.append(f"the content is {_shown(result.content)}, and not {_shown(self.content)}")
        if self.pattern is not None and not _matches(self.pattern, result.content):
            found.append(f"the content is {_shown(result.content)}, and does not match")
        if self.data is not None and result.data != self.data:
            found.append(f"the data are {_shown(result.data)}, and not {_shown(self.data)}")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `files` are put into its workspace first, by their path in it."""

    name: str
    arguments: JsonObject
    expected: Expected
    grants: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def beyond(self) -> tuple[str, ...]:
        """Return the grants that reach outside of its own folder.

        Attack: a stranger's case that grants itself the home directory of whoever tries it.
        """
        return tuple(text for text in self.grants if not _is_own(text))


def cases_of(text: str, where: str) -> tuple[Case, ...]:
    """Return the cases of a manifest's text. Raises BuildError."""
    try:
        found = read_toml(text).get("tests", [])
    except ValueError as error:
        raise BuildError(where, str(error)) from error
    if not isinstance(found, list):
        raise BuildError(where, "tests: [[tests]] tables are expected")
    return tuple(_case(one, f"tests[{n}]", where) for n, one in enumerate(found))


def _case(given: object, place: str, where: str) -> Case:
    def wrong(what: str) -> BuildError:
        return BuildError(where, f"{place}{what}")

    if not isinstance(given, dict):
        raise wrong(": a table is expected")
    if unknown := sorted(set(given) - _KEYS):
        raise wrong(f": unknown key {unknown[0]}; there are: {', '.join(sorted(_KEYS))}")
    name, arguments = given.get("name"), given.get("arguments", {})
    grants, files = given.get("grants", []), given.get("files", {})
    if not isinstance(name, str) or not name:
        raise wrong(".name: a text is expected")
    if neutral(name) != name:
        raise wrong(f".name: has characters that are no text: {neutral(name)[:_SHOWN_MAX]}")
    if not isinstance(arguments, dict):
        raise wrong(".arguments: a table is expected")
    if not isinstance(grants, list) or not all(isinstance(one, str) for one in grants):
        raise wrong(".grants: a list of grants is expected")
    for grant in grants:
        parsed = parse_grant(grant)
        if isinstance(parsed, GrantError):
            raise wrong(f".grants: {grant!r}: {parsed.message}")
    if not isinstance(files, dict) or not all(isinstance(one, str) for one in files.values()):
        raise wrong(".files: a table of texts is expected, by path")
    bad = next((path for path in files if not _is_inside(path)), None)
    if bad is not None:
        raise wrong(f".files: {bad!r} is no path inside of the case's folder")
    paths = {PurePosixPath(path) for path in files}
    folder = next((up for path in paths for up in path.parents if up in paths), None)
    if folder is not None or len(paths) < len(files):
        raise wrong(
            f".files: {str(folder or sorted(files)[0])!r} is a file, and something else too"
        )
    expected = _expected(given.get("expect"), wrong_at=f"{place}.expect", where=where)
    return Case(name, arguments, expected, tuple(grants), files)


def _expected(given: object, *, wrong_at: str, where: str) -> Expected:
    def wrong(what: str) -> BuildError:
        return BuildError(where, f"{wrong_at}{what}")

    if not isinstance(given, dict) or not given:
        raise wrong(': a table is expected, as { ok = true, content = "..." }')
    if unknown := sorted(set(given) - _EXPECTED):
        raise wrong(f": unknown key {unknown[0]}; there are: {', '.join(sorted(_EXPECTED))}")
    for key, kind in (("ok", bool), ("content", str), ("error", str), ("data", dict)):
        if key in given and not isinstance(given[key], kind):
            raise wrong(f".{key}: a {'table' if kind is dict else kind.__name__} is expected")
    pattern = given.get("content_matches")
    if pattern is not None:
        try:
            _pattern(pattern)
        except ValueError as error:
            raise wrong(f".content_matches: {error}") from error
    return Expected(
        given.get("ok"), given.get("content"), pattern, given.get("data"), given.get("error")
    )


def _pattern(pattern: Json) -> Schema:
    # The engine of the schemas matches in linear time: a stranger's pattern cannot hang a reader.
    return Schema({"properties": {"content": {"type": "string", "pattern": pattern}}})


def _matches(pattern: str, content: str) -> bool:
    return not _pattern(pattern).complaints({"content": content}, characters=len(content))


def _is_own(text: str) -> bool:
    grant = parse_grant(text)
    if not isinstance(grant, Grant):
        return False
    if isinstance(grant.selector, PathSelector):
        return under(grant.selector.path, WORKSPACE)
    # Without a value it would be the variable of whoever runs the case.
    return isinstance(grant.selector, EnvSelector) and grant.selector.value is not None


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and "\0" not in path


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
