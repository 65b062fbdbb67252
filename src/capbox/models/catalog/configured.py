"""The operator's tables of providers and models, read from a parsed `config.toml`.

    [providers.work]
    base_url = "https://llm.example.com/v1"
    dialect = "openai-chat"
    key = "WORK_API_KEY"

    [models."work/large"]
    context_tokens = 200000
    input_usd = 2.5
    output_usd = 10

A provider that capbox knows is changed key by key; any other needs a base URL.
Guarantees: anything unknown or of the wrong kind refuses all of it, with the word at fault, so that
whoever read the file can name its line. Does not: read files, or look anything up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from capbox.models.catalog.catalog import Catalog
from capbox.models.catalog.override import Override
from capbox.models.catalog.provider import DIALECTS, Provider
from capbox.models.catalog.table import PROVIDERS

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_PROVIDER_KEYS = ("base_url", "dialect", "key", "needs_key", "stall_seconds", "check")
_MODEL_KEYS = tuple(one.name for one in fields(Override))
_TOKENS_MAX = 1_000_000_000
_STALL_SECONDS_MAX = 3_600


@dataclass(frozen=True, slots=True)
class ConfigError:
    """Why the tables cannot be used; `word` is what to look for in the file."""

    word: str
    message: str


class _BadTableError(Exception):
    """Carries the word and the reason up from a nested value."""

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


def read_catalog(providers: object, models: object) -> Catalog | ConfigError:
    """Return the catalog with the tables `[providers]` and `[models]` of a document in it."""
    try:
        known = dict(PROVIDERS)
        for name, table in _tables(providers, "providers").items():
            known[name] = _provider(name, table)
        named = _tables(models, "models")
        return Catalog(known, {name: _model(name, table, known) for name, table in named.items()})
    except _BadTableError as bad:
        return ConfigError(bad.word, str(bad))


def _provider(name: str, table: Mapping[str, object]) -> Provider:
    where = f"[providers.{name}]"
    if _NAME.fullmatch(name) is None:
        raise _BadTableError(name, f"{where}: a name has small letters, digits, - and _")
    _only(table, _PROVIDER_KEYS, where)
    texts = {key: _text(table, key, where) for key in ("base_url", "dialect", "key", "check")}
    base_url, dialect = texts["base_url"], texts["dialect"]
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        raise _BadTableError("base_url", f"{where} base_url starts with http:// or https://")
    if base_url is not None and "@" in base_url:
        # It is shown in lists and errors.
        raise _BadTableError("base_url", f"{where} base_url holds no user or password")
    chosen = next((one for one in DIALECTS if one == dialect), None)
    if dialect is not None and chosen is None:
        raise _BadTableError(dialect, f"{where} dialect is one of {', '.join(DIALECTS)}")
    if texts["key"] is not None and _KEY.fullmatch(texts["key"]) is None:
        raise _BadTableError(texts["key"], f"{where} key is the name of a key, as in WORK_API_KEY")
    base = PROVIDERS.get(name)
    if base is None and base_url is None:
        raise _BadTableError(name, f'{where} needs base_url, as "https://llm.example.com/v1"')
    if base is None:
        base = Provider(name, "openai-chat", None, f"{name.upper().replace('-', '_')}_API_KEY")
    return replace(
        base,
        # At another address, the prices and the checks of the provider's own do not hold.
        base_url=base_url or base.base_url,
        prices=base.prices if base_url is None else None,
        check=texts["check"] or (base.check if base_url is None else None),
        dialect=chosen or base.dialect,
        key=texts["key"] or base.key,
        needs_key=_flag(table, "needs_key", base.needs_key, where),
        stall_seconds=_seconds(table, base.stall_seconds, where),
    )


def _model(name: str, table: Mapping[str, object], known: Mapping[str, Provider]) -> Override:
    where = f'[models."{name}"]'
    provider, slash, model = name.partition("/")
    if not slash or not model:
        raise _BadTableError(name, f'{where}: a model is [models."PROVIDER/NAME"]')
    if provider not in known:
        raise _BadTableError(name, f"{where}: there is no provider {provider!r}")
    _only(table, _MODEL_KEYS, where)
    override = Override(
        context_tokens=_tokens(table, "context_tokens", where),
        output_tokens=_tokens(table, "output_tokens", where),
        images=_given(table, "images", where),
        pdfs=_given(table, "pdfs", where),
        thinking=_given(table, "thinking", where),
        input_usd=_usd(table, "input_usd", where),
        output_usd=_usd(table, "output_usd", where),
        cache_read_usd=_usd(table, "cache_read_usd", where),
        cache_write_usd=_usd(table, "cache_write_usd", where),
    )
    priced = any(key.endswith("_usd") for key in table)
    if priced and (override.input_usd is None or override.output_usd is None):
        raise _BadTableError(name, f"{where}: prices need both input_usd and output_usd")
    return override


def _tables(value: object, name: str) -> Mapping[str, Mapping[str, object]]:
    if not isinstance(value, dict):
        raise _BadTableError(name, f"[{name}] is a table")
    for key, table in value.items():
        if not isinstance(table, dict):
            raise _BadTableError(key, f"[{name}.{key}] is a table")
    return value


def _only(table: Mapping[str, object], keys: tuple[str, ...], where: str) -> None:
    for key in sorted(set(table) - set(keys)):
        raise _BadTableError(key, f"{where} has no key {key!r}; there are: {', '.join(keys)}")


def _text(table: Mapping[str, object], key: str, where: str) -> str | None:
    value = table.get(key)
    if value is not None and (not isinstance(value, str) or not value):
        raise _BadTableError(key, f"{where} {key} is a text")
    return value


def _given(table: Mapping[str, object], key: str, where: str) -> bool | None:
    value = table.get(key)
    if value is not None and not isinstance(value, bool):
        raise _BadTableError(key, f"{where} {key} is true or false")
    return value


def _flag(table: Mapping[str, object], key: str, default: bool, where: str) -> bool:
    value = _given(table, key, where)
    return default if value is None else value


def _tokens(table: Mapping[str, object], key: str, where: str) -> int | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _TOKENS_MAX:
        raise _BadTableError(key, f"{where} {key} is a whole number above 0")
    return value


def _usd(table: Mapping[str, object], key: str, where: str) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    # Attack: a price below nothing, or that is no number, makes a budget that never ends.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise _BadTableError(key, f"{where} {key} is dollars for a million tokens, 0 or more")
    return float(value)


def _seconds(table: Mapping[str, object], default: float, where: str) -> float:
    value = table.get("stall_seconds", default)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 < value <= _STALL_SECONDS_MAX
    ):
        message = f"{where} stall_seconds is seconds, above 0 and at most {_STALL_SECONDS_MAX:,}"
        raise _BadTableError("stall_seconds", message)
    return float(value)
