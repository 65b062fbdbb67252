"""A tool's manifest (`tool.toml`): what it is, what it takes, and what it asks for.

Guarantees: unknown keys and grants that nothing enforces yet are refused by name, never ignored; a
manifest can request and narrow, but gives nothing by itself. Does not: read files, or the `tests`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Literal

from capbox.authority.grant import (
    EnvSelector,
    Grant,
    PathSelector,
    SecretSelector,
    StoreSelector,
)
from capbox.authority.limits import COUNT_MAX, SECONDS_MAX, Limits
from capbox.authority.parse import GrantError, parse_grant
from capbox.authority.paths import WORKSPACE, GrantPath
from capbox.authority.values.kinds import Kind
from capbox.authority.web.addresses import Address
from capbox.authority.web.older import OlderError, fetch_grants
from capbox.authority.web.places import FetchAccess, FetchSelector
from capbox.gate.command.template import Command, parse_command
from capbox.gate.protocol import Envelope, Reply, parse_reply, parse_text, request_bytes
from capbox.gate.schema import Schema
from capbox.messages import Json, JsonObject
from capbox.toml import read_toml

ToolAccessKind = Literal["none", "read", "write", "execute"]
RequestKind = Literal["read", "write", "fetch", "secret", "env", "invoke", "store"]
_TEXT_KEYS = ("name", "version", "description", "license", "abi", "module", "access")
_OLDER = ("allowed_outbound_hosts", "block_networks", "block_url")
_TABLES = ("input_schema", "output_schema", "paths", "requests", "limits", "tests")
_KEYS = frozenset({*_TEXT_KEYS, *_OLDER, *_TABLES, "argv", "stdin", "export"})
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_MODULE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\.wasm")
_EXPORT = re.compile(r"[a-z0-9][a-z0-9:/-]{0,200}(\.[a-z0-9-]{1,100})?")
_LEVELS: tuple[ToolAccessKind, ...] = ("none", "read", "write", "execute")


@dataclass(frozen=True, slots=True)
class ManifestError:
    """Why a manifest was refused; `where` is the file that holds it."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Request:
    """A kind of right that the tool asks for. Without path, name, web: all that the run holds."""

    kind: RequestKind
    path: GrantPath | None = None
    name: str | None = None
    web: Grant | None = None

    def selects(self, access: FetchAccess) -> bool:
        """Say whether this asks for a request like `access`."""
        if self.web is None:
            return self.kind == "fetch"
        return self.web.selects(access) and not self.web.leaves_out(access)

    def reaches(self, addresses: Iterable[Address]) -> bool:
        """Say whether this leaves out none of the addresses."""
        return self.web is None or not any(map(self.web.network_left_out, addresses))


_WHOLE_KINDS = {
    "read:*": Request("read"),
    "write:*": Request("write"),
    "env:*": Request("env"),
    "fetch:*": Request("fetch"),
    "secret:*": Request("secret"),
    "invoke:*": Request("invoke"),
    "store:*": Request("store"),
}


@dataclass(frozen=True, slots=True)
class DeclaredPath:
    """An argument that names a path which the tool will read or write."""

    argument: str
    kind: Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class DeclaredSink:
    """An argument that says where an effect goes, or how much of it; one value, or a list.

    `default` is what a call that leaves it out means, in its canonical spelling.
    """

    argument: str
    kind: Kind
    default: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A parsed manifest. `limits` only ever narrow what the run has.

    `sinks` are those of a function of the embedding program; a file has none. `output` is what its
    data fit, `command` how a foreign one is started: that one writes text. `export` is the function
    of a component that is called with typed values.
    """

    name: str
    version: str
    description: str
    license: str
    module: str
    access: ToolAccessKind
    schema: Schema
    paths: tuple[DeclaredPath, ...]
    required: tuple[Request, ...]
    optional: tuple[Request, ...]
    limits: Limits
    sinks: tuple[DeclaredSink, ...] = ()
    output: Schema | None = None
    command: Command | None = None
    export: str = ""

    def complaints(self, arguments: JsonObject, *, characters: int) -> tuple[str, ...]:
        """Return what is wrong with the arguments of a call, whose JSON has so many characters."""
        found = self.schema.complaints(arguments, characters=characters)
        unfit = None if found or self.command is None else self.command.unfit(arguments)
        return found if unfit is None else (unfit,)

    def start(self, arguments: JsonObject, envelope: Envelope) -> tuple[bytes, tuple[str, ...]]:
        """Return the standard input and the words of one call. Raises what `request_bytes` does."""
        if self.command is not None:
            return self.command.input(arguments), self.command.argv(arguments)
        return request_bytes(self.name, arguments, envelope), ()

    def reply(self, stdout: bytes, output_bytes_max: int) -> Reply | str:
        """Read what the tool wrote; of a bad result what is wrong with it."""
        if self.command is not None:
            return parse_text(stdout, output_bytes_max)
        reply = parse_reply(stdout, output_bytes_max)
        if self.output is None or not isinstance(reply, Reply) or not reply.ok:
            return reply
        wrong = self.output.complaints(reply.data or {}, characters=len(stdout))
        return f"its data do not fit its output_schema: {wrong[0]}" if wrong else reply

    @property
    def kinds(self) -> dict[str, Kind]:
        """Return the kind of each sink, by its argument."""
        return {sink.argument: sink.kind for sink in self.sinks}

    @property
    def is_function(self) -> bool:
        """Say whether it is of a function of the embedding program: no module is behind it."""
        return not self.module

    @property
    def requests(self) -> tuple[Request, ...]:
        """Return every request, the required ones first."""
        return (*self.required, *self.optional)


def parse_manifest(text: str, where: str) -> Manifest | ManifestError:
    """Read a manifest; `where` is only for the message."""
    try:
        return _manifest(read_toml(text), text)
    except (ValueError, RecursionError) as error:
        return ManifestError(where, str(error))


def _manifest(document: Mapping[str, object], source: str) -> Manifest:
    _only(document, _KEYS, "")
    text = {key: _string(document, key) for key in _TEXT_KEYS}
    if _NAME.fullmatch(text["name"]) is None:
        raise ValueError(f"name: {text['name']!r} is not a tool name")
    if _MODULE.fullmatch(text["module"]) is None:
        raise ValueError("module: a file name that ends in .wasm is expected, without a directory")
    if text["abi"] not in ("json", "text", "component"):
        raise ValueError("abi: one of json, text, component is expected")
    access = next((level for level in _LEVELS if level == text["access"]), None)
    if access is None:
        raise ValueError(f"access: one of {', '.join(_LEVELS)} is expected")
    schema = _schema(document, "input_schema")
    requests = _table(document, "requests")
    _only(requests, {"required", "optional"}, "requests.")
    return Manifest(
        name=text["name"],
        version=text["version"],
        description=text["description"],
        license=text["license"],
        module=text["module"],
        access=access,
        schema=schema,
        paths=tuple(_declared(schema, *item) for item in _table(document, "paths").items()),
        required=_requests(requests, "required"),
        optional=(*_requests(requests, "optional"), *_older(document, source)),
        limits=_limits(_table(document, "limits")),
        output=_schema(document, "output_schema") if "output_schema" in document else None,
        command=_command(document, schema),
        export=_export(document),
    )


def _command(document: Mapping[str, object], schema: Schema) -> Command | None:
    words, stdin = (_json(document.get(key), key) for key in ("argv", "stdin"))
    if document["abi"] == "text":
        return parse_command(words, stdin, _table(schema.document, "properties"))
    if words is not None or stdin is not None:
        raise ValueError('argv and stdin are for abi = "text"')
    return None


def _export(document: Mapping[str, object]) -> str:
    name = document.get("export")
    if document["abi"] != "component":
        if name is not None:
            raise ValueError('export is for abi = "component"')
        return ""
    if not isinstance(name, str) or _EXPORT.fullmatch(name) is None:
        raise ValueError("export: a function is expected, as in docs:adder/add.add or add")
    return name


def _declared(schema: Schema, argument: str, kind: Json) -> DeclaredPath:
    properties = schema.document.get("properties")
    found = properties.get(argument) if isinstance(properties, dict) else None
    if not isinstance(found, dict) or found.get("type") != "string":
        raise ValueError(f"paths.{argument}: input_schema has no such property of type string")
    if kind != "read" and kind != "write":
        raise ValueError(f'paths.{argument}: "read" or "write" is expected')
    return DeclaredPath(argument, "read" if kind == "read" else "write")


def _requests(table: JsonObject, key: str) -> tuple[Request, ...]:
    texts = table.get(key, [])
    if not isinstance(texts, list):
        raise ValueError(f"requests.{key}: a list of grants is expected")
    return tuple(parse_request(text, f"requests.{key}") for text in texts)


def _older(document: Mapping[str, object], source: str) -> tuple[Request, ...]:
    """Return what the settings of other systems request; one bad entry refuses the manifest."""
    hosts, networks, urls = (_texts(document, key) for key in _OLDER)
    if (networks or urls) and not hosts:
        raise ValueError("block_networks and block_url narrow allowed_outbound_hosts, and need it")
    grants = fetch_grants(hosts, networks, urls)
    if isinstance(grants, OlderError):
        lines = source.splitlines()
        line = next((n for n, text in enumerate(lines, 1) if grants.entry in text), 1)
        raise ValueError(f"line {line}: {grants.entry!r}: {grants.message}")
    return tuple(Request("fetch", web=grant) for grant in grants)


def _texts(document: Mapping[str, object], key: str) -> tuple[str, ...]:
    texts = document.get(key, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{key}: a list of texts is expected")
    return tuple(texts)


def parse_request(text: Json, where: str) -> Request:
    """Read one request; `where` is for the message. Raises ValueError."""
    if not isinstance(text, str):
        raise ValueError(f"{where}: a list of grants is expected")
    if text in _WHOLE_KINDS:
        return _WHOLE_KINDS[text]
    grant = parse_grant(text.replace("{workspace}", WORKSPACE))
    if isinstance(grant, GrantError):
        raise ValueError(f"{where}: {text!r}: {grant.message}")
    if grant.caveats:
        raise ValueError(f"{where}: {text!r}: a request has no caveats")
    selector = grant.selector
    if isinstance(selector, PathSelector):
        return Request("write" if grant.action == "write" else "read", path=selector.path)
    if isinstance(selector, EnvSelector) and selector.value is None:
        return Request("env", name=selector.name)
    if isinstance(selector, FetchSelector):
        return Request("fetch", web=grant)
    if isinstance(selector, SecretSelector):
        return Request("secret", name=str(selector))
    if grant.action == "invoke":
        return Request("invoke", name=str(selector))
    if isinstance(selector, StoreSelector):
        return Request("store", name=selector.name)
    raise ValueError(f"{where}: {text!r} is not supported yet")


def _limits(table: JsonObject) -> Limits:
    _only(table, {field.name for field in fields(Limits)}, "limits.")
    for key, value in table.items():
        whole = isinstance(value, int) or key == "wall_seconds"
        if isinstance(value, bool) or not isinstance(value, int | float) or not whole:
            raise ValueError(f"limits.{key}: a number is expected")
    seconds, fuel = table.get("wall_seconds"), table.get("fuel")
    return Limits(
        # Where the manifest sets none, the run's own bound counts.
        wall_seconds=seconds if isinstance(seconds, int | float) else SECONDS_MAX,
        fuel=fuel if isinstance(fuel, int) else None,
        memory_bytes=_bound(table, "memory_bytes"),
        stack_bytes=_bound(table, "stack_bytes"),
        output_bytes=_bound(table, "output_bytes"),
        written_bytes=_bound(table, "written_bytes"),
        files_created=_bound(table, "files_created"),
        open_files=_bound(table, "open_files"),
        tmp_bytes=_bound(table, "tmp_bytes"),
        requests=_bound(table, "requests"),
        body_bytes=_bound(table, "body_bytes"),
    )


def _bound(table: JsonObject, key: str) -> int:
    value = table.get(key)
    return value if isinstance(value, int) else COUNT_MAX


def _only(table: Mapping[str, object], known: Collection[str], prefix: str) -> None:
    unknown = sorted(set(table).difference(known))
    if unknown:
        raise ValueError(f"unknown key {prefix}{unknown[0]}")


def _string(document: Mapping[str, object], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key}: a text is expected")
    return value


def _table(document: Mapping[str, object], key: str, *, required: bool = False) -> JsonObject:
    value = _json(document.get(key, None if required else {}), key)
    if not isinstance(value, dict):
        raise ValueError(f"{key}: a table is expected")
    return value


def _schema(document: Mapping[str, object], key: str) -> Schema:
    table = _table(document, key, required=True)
    try:
        return Schema(table)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def _json(value: object, where: str) -> Json:
    """Return TOML as JSON; dates have no place there."""
    if isinstance(value, dict):
        return {str(key): _json(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item, where) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"{where}: {value!r} is not JSON")
