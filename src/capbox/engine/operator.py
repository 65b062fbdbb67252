"""The operator's configuration, `config.toml`: rules, and what the network and the tools use.

    never = ["read ~/.ssh"]
    trusted = ["~/work/specs"]
    grounded = ["alice@example.com"]
    style = "concise"
    [network]
    ca_files = ["/etc/ssl/company.pem"]
    [undo]
    run_bytes = 1073741824
    total_bytes = 4294967296
    days = 30
    [replay]
    keep = true
    run_bytes = 268435456
    total_bytes = 1073741824
    days = 30
    [search]
    url = "https://search.example/search?q={query}&count={count}&format=json"
    results = "results"
    [policy]
    deny = ["read:/workspace/private"]
    [budget]
    usd = 2
    [budget.day]
    usd = 20
    [log]
    file = "/home/me/capbox.log"
    bytes = 10485760
    keep = 5
    [otel]
    endpoint = "http://127.0.0.1:4318/v1/traces"
    content = false

and `[providers.NAME]` and `[models."PROVIDER/NAME"]` (see `models.catalog.configured`),
`[[hooks]]` (see `hooks.configured`), `ceiling = [GRANT, ...]`: what an answer to a question may
lend at most, and `plans_alone = true`: where nobody is there, a plan needs nobody's yes.

Guarantees: anything unknown stops everything: going on without a rule would widen authority, and
a file that cannot be read is kept as it is. Does not: read anything inside a workspace.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from capbox.authority.paths import GrantPath, HostPath, PathRefusal
from capbox.authority.policy import NeverRule, parse_never
from capbox.engine.budgets.texts import read_table
from capbox.engine.replay.kept import BOUNDS as TAPES
from capbox.engine.settings import SettingsError
from capbox.messages import JsonObject
from capbox.models.catalog.catalog import BUILT_IN, Catalog
from capbox.sandbox.undo.keeper import Bounds

if TYPE_CHECKING:
    from capbox.engine.approvers.policy import Policy
    from capbox.engine.hooks.hook import Hook
    from capbox.engine.telemetry.file import LogPlace
    from capbox.engine.telemetry.tracing import Tracing

_KEYS = (
    *("budget", "never", "trusted", "grounded", "ceiling", "hooks", "log", "models", "network"),
    *("otel", "plans_alone", "policy", "providers", "replay", "search", "style", "undo"),
)
_SEARCH_TEXTS = ("url", "method", "body", "results", "title", "link", "text")
_TRUSTED = 'trusted = ["~/work/specs"]'
_CA = 'ca_files = ["/etc/ssl/company.pem"]'
_SEARCH_NEEDED = ("url", "results")
_PLACEHOLDERS = ("query", "count")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Operator:
    """`never` are lines of rules, `ca_files` further authorities for TLS, `search` the endpoint.

    What lies at or below a `trusted` path (`~/` is the home directory) is no stranger's text;
    `grounded` are texts whose values count as supplied by a principal in every run.
    `ceiling` are texts of grants; none: the workspace, tools, and requests to public hosts.
    `keeps` bounds what is kept for undo, `tapes` what is kept for a replay (None: nothing is).
    `catalog` are the providers, and what is known of models.
    `budget` is the most that a run may spend, `day` all runs of one day together; `style` is how
    a run's model writes if nobody says otherwise.
    `plans_alone`: where nobody is there to accept a plan, it needs nobody's yes. `log` is where
    runs are written for whoever watches them, `otel` where their spans go (None: nowhere).
    """

    never: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    grounded: tuple[str, ...] = ()
    ca_files: tuple[Path, ...] = ()
    search: JsonObject | None = None
    ceiling: tuple[str, ...] = ()
    policy: Policy | None = None
    keeps: Bounds = field(default_factory=Bounds)
    tapes: Bounds | None = TAPES
    catalog: Catalog = BUILT_IN
    budget: Mapping[str, float] = field(default_factory=dict)
    day: Mapping[str, float] = field(default_factory=dict)
    style: str | None = None
    plans_alone: bool = False
    hooks: tuple[Hook, ...] = ()
    log: LogPlace | None = None
    otel: Tracing | None = None

    def trusted_paths(self, user: Path) -> tuple[HostPath, ...]:
        """Return the `trusted` paths, links resolved: a file is known by where it really is.

        `user` is the home directory.
        """
        places = (user / text[2:] if text.startswith("~/") else text for text in self.trusted)
        return tuple(HostPath(os.path.realpath(place)) for place in places)


def read_operator(file: Path) -> Operator:
    """Read the configuration; a missing file is an empty one. Raises SettingsError."""
    try:
        text = file.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except FileNotFoundError:
        return Operator()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(str(file), f"cannot be read ({error}); it is kept as it is") from error
    _known(document, _KEYS, file)
    network, budget = _table(document, "network", file), _table(document, "budget", file)
    _known(network, ("ca_files",), file)
    return Operator(
        never=_texts(document, "never", file, 'never = ["read ~/.ssh"]'),
        trusted=tuple(_trusted(text, file) for text in _texts(document, "trusted", file, _TRUSTED)),
        grounded=_texts(document, "grounded", file, 'grounded = ["alice@example.com"]'),
        ca_files=tuple(_absolute(text, file) for text in _texts(network, "ca_files", file, _CA)),
        search=_search(_table(document, "search", file), file),
        ceiling=_texts(document, "ceiling", file, 'ceiling = ["write:/workspace"]'),
        policy=_policy(document, file, text),
        keeps=_bounds(_table(document, "undo", file), file, "undo", Bounds()),
        tapes=_tapes(_table(document, "replay", file), file),
        catalog=_catalog(document, file, text),
        budget=read_table({k: v for k, v in budget.items() if k != "day"}, f"{file}: [budget]"),
        day=read_table(_table(budget, "day", file), f"{file}: [budget.day]"),
        style=_style(document, file),
        plans_alone=_flag(document, "plans_alone", file),
        hooks=_hooks(document, file),
        log=_log(_table(document, "log", file), file),
        otel=None if "otel" not in document else _otel(_table(document, "otel", file), file),
    )


def read_rules(file: Path, user: Path) -> tuple[NeverRule, ...]:
    """Read the never rules of the configuration alone; `user` is the home directory.

    Raises SettingsError.
    """
    lines = read_operator(file).never
    return tuple(dict.fromkeys(rule for line in lines for rule in _rules(line, file, user)))


def _rules(line: str, file: Path, user: Path) -> tuple[NeverRule, NeverRule]:
    """Read one rule, as written and with links resolved, as the paths of grants are."""
    rule = parse_never(line, HostPath(str(user)))
    if isinstance(rule, PathRefusal):
        raise SettingsError(str(file), f"in never = [...]: {line!r}: {rule.reason}")
    # Attack: ~/vault is a link to /data/vault, and the grant names /data/vault.
    return rule, replace(rule, path=GrantPath(os.path.realpath(rule.path)))


def _trusted(text: str, file: Path) -> str:
    if not text.startswith(("/", "~/")):
        raise SettingsError(str(file), f"trusted: {text!r} is not absolute, nor does it start ~/")
    return text


def _style(document: Mapping[str, object], file: Path) -> str | None:
    found = document.get("style")
    if found is None or isinstance(found, str):
        return found
    raise SettingsError(str(file), 'style is the name of one: style = "concise"')


def _policy(document: Mapping[str, object], file: Path, text: str) -> Policy | None:
    if "policy" not in document:
        return None
    from capbox.engine.approvers.policy import policy_of

    return policy_of(document["policy"], file, text)


def _catalog(document: Mapping[str, object], file: Path, text: str) -> Catalog:
    if not document.keys() & {"providers", "models"}:
        return BUILT_IN
    from capbox.engine.approvers.policy import line_of
    from capbox.models.catalog.configured import ConfigError, read_catalog

    found = read_catalog(document.get("providers", {}), document.get("models", {}))
    if isinstance(found, ConfigError):
        raise SettingsError(str(file), f"{line_of(text, found.word)}{found.message}")
    return found


def _hooks(document: Mapping[str, object], file: Path) -> tuple[Hook, ...]:
    if "hooks" not in document:
        return ()
    from capbox.engine.hooks.configured import hooks_of

    return hooks_of(document["hooks"], file)


def _log(table: Mapping[str, object], file: Path) -> LogPlace | None:
    if not table:
        return None
    from capbox.engine.telemetry.file import LogPlace

    _known(table, ("file", "bytes", "keep"), file)
    path = table.get("file")
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise SettingsError(str(file), '[log] file is an absolute path: "/var/log/me/capbox.log"')
    numbers: list[int] = []
    for key, least, default in (("bytes", 1_000, 10 << 20), ("keep", 1, 5)):
        value = table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise SettingsError(str(file), f"[log] {key} is a whole number, {least} or more")
        numbers.append(value)
    return LogPlace(Path(path), *numbers)


def _otel(table: Mapping[str, object], file: Path) -> Tracing:
    from capbox.engine.telemetry.tracing import Tracing

    _known(table, ("endpoint", "headers", "content"), file)
    endpoint, headers = table.get("endpoint"), _table(table, "headers", file)
    if endpoint is not None and not str(endpoint).startswith(("http://", "https://")):
        where = "http://127.0.0.1:4318/v1/traces"
        raise SettingsError(str(file), f'[otel] endpoint is where traces go: "{where}"')
    if not all(isinstance(value, str) for value in headers.values()):
        raise SettingsError(str(file), "[otel.headers] holds texts")
    sent = {name: str(value) for name, value in headers.items()}
    content = _flag(table, "content", file)
    return Tracing(None if endpoint is None else str(endpoint), sent, content)


def _absolute(text: str, file: Path) -> Path:
    path = Path(text)
    if not path.is_absolute():
        raise SettingsError(str(file), f"[network] ca_files: {text!r} is not an absolute path")
    return path


def _search(table: Mapping[str, object], file: Path) -> JsonObject | None:
    if not table:
        return None
    _known(table, (*_SEARCH_TEXTS, "headers"), file)
    missing = [key for key in _SEARCH_NEEDED if key not in table]
    if missing:
        raise SettingsError(str(file), f"[search] needs {missing[0]}")
    texts: dict[str, str] = {}
    for key in _SEARCH_TEXTS:
        value = table.get(key)
        if value is not None and not isinstance(value, str):
            raise SettingsError(str(file), f"[search] {key} is a text")
        if value is not None:
            texts[key] = value
    _placeholders(texts, file)
    headers = _table(table, "headers", file)
    if not all(isinstance(value, str) for value in headers.values()):
        raise SettingsError(str(file), "[search.headers] holds texts")
    return {**texts, "headers": {name: str(value) for name, value in headers.items()}}


def _placeholders(texts: Mapping[str, str], file: Path) -> None:
    """Check what stands for the words that are searched. Raises SettingsError."""
    found = {key: _PLACEHOLDER.findall(texts.get(key, "")) for key in ("url", "body")}
    for key, names in found.items():
        unknown = [name for name in names if name not in _PLACEHOLDERS]
        if unknown:
            reason = f"[search] {key}: unknown {{{unknown[0]}}}; known are {{query}} and {{count}}"
            raise SettingsError(str(file), reason)
    if not any("query" in names for names in found.values()):
        raise SettingsError(str(file), "[search] needs {query} in url or body")


def _tapes(table: Mapping[str, object], file: Path) -> Bounds | None:
    keep = table.get("keep", True)
    if not isinstance(keep, bool):
        raise SettingsError(str(file), "[replay] keep is true or false")
    rest = {key: value for key, value in table.items() if key != "keep"}
    bounds = _bounds(rest, file, "replay", TAPES)
    return bounds if keep else None


def _bounds(table: Mapping[str, object], file: Path, name: str, default: Bounds) -> Bounds:
    keys = tuple(one.name for one in fields(Bounds))
    _known(table, keys, file)
    numbers: dict[str, int] = {}
    for key, value in table.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise SettingsError(str(file), f"[{name}] {key} is a whole number, 0 or more")
        numbers[key] = value
    return replace(default, **numbers)


def _known(table: Mapping[str, object], keys: tuple[str, ...], file: Path) -> None:
    unknown = sorted(set(table).difference(keys))
    if unknown:
        raise SettingsError(str(file), f"unknown key {unknown[0]!r}; known keys: {', '.join(keys)}")


def _table(document: Mapping[str, object], key: str, file: Path) -> Mapping[str, object]:
    found = document.get(key, {})
    if not isinstance(found, dict):
        raise SettingsError(str(file), f"[{key}] is a table")
    return found


def _flag(table: Mapping[str, object], key: str, file: Path) -> bool:
    found = table.get(key, False)
    if not isinstance(found, bool):
        raise SettingsError(str(file), f"{key} is true or false")
    return found


def _texts(table: Mapping[str, object], key: str, file: Path, example: str) -> tuple[str, ...]:
    lines = table.get(key, [])
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise SettingsError(str(file), f"{key} is a list of texts: {example}")
    return tuple(lines)
