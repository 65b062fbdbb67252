"""A manifest parses to typed values, or is refused with the name of what is wrong in it."""

from dataclasses import replace
from ipaddress import ip_address
from typing import Literal, get_args

import pytest

from capbox.authority.grant import Grant
from capbox.authority.limits import Limits
from capbox.authority.parse import parse_grant
from capbox.authority.paths import GrantPath
from capbox.authority.web.places import FetchAccess, Origin
from capbox.gate.manifest import (
    DeclaredPath,
    DeclaredSink,
    Manifest,
    ManifestError,
    Request,
    RequestKind,
    parse_manifest,
)
from capbox.gate.protocol import Envelope, Reply

GOOD = """
name = "read"
version = "1"
description = "reads"
license = "MIT"
abi = "json"
module = "toolbox.wasm"
access = "read"
[input_schema]
type = "object"
[input_schema.properties.path]
type = "string"
[input_schema.properties.count]
type = "integer"
[paths]
path = "read"
[requests]
required = ["read:*", "write:{workspace}/out"]
optional = ["env:*", "env:HOME", "read:/etc/hosts"]
[limits]
wall_seconds = 2.5
memory_bytes = 0
"""
TABLES = GOOD[GOOD.index("[input_schema]") :]
SCHEMA = TABLES[: TABLES.index("[paths]")]
PROPERTIES = SCHEMA.partition('"object"\n')[2]
PROPERTY = '[input_schema.properties.path]\ntype = "string"'
REQUESTS = GOOD[GOOD.index("[requests]") : GOOD.index("[limits]")]
WEB = "fetch:https://api.example.com"


def web(text: str) -> Request:
    """A request for what this grant names."""
    grant = parse_grant(text)
    assert isinstance(grant, Grant), grant
    return Request("fetch", web=grant)


def test_a_manifest_parses_to_typed_values() -> None:
    parsed = parse_manifest(GOOD, "read.toml")
    assert isinstance(parsed, Manifest)
    assert (parsed.name, parsed.access, parsed.module) == ("read", "read", "toolbox.wasm")
    assert (parsed.version, parsed.description, parsed.license) == ("1", "reads", "MIT")
    assert (parsed.is_function, replace(parsed, module="").is_function) == (False, True)
    assert replace(parsed, sinks=(DeclaredSink("to", "email"),)).kinds == {"to": "email"}
    assert parsed.requests == (*parsed.required, *parsed.optional)
    assert parsed.paths == (DeclaredPath("path", "read"),)
    assert parsed.required == (Request("read"), Request("write", GrantPath("/workspace/out")))
    assert parsed.optional == (
        Request("env"),
        Request("env", name="HOME"),
        Request("read", GrantPath("/etc/hosts")),
    )
    assert Limits().narrowed(parsed.limits) == Limits(wall_seconds=2.5, memory_bytes=0)


@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_declared_path_is_one_to_read_or_to_write(kind: Literal["read", "write"]) -> None:
    parsed = parse_manifest(GOOD.replace('path = "read"\n', f'path = "{kind}"\n'), "read.toml")
    assert isinstance(parsed, Manifest)
    assert parsed.paths == (DeclaredPath("path", kind),)


@pytest.mark.parametrize("access", ["none", "read", "write", "execute"])
def test_how_much_a_tool_may_change_is_one_of_four_words(access: str) -> None:
    text = GOOD.replace('access = "read"', f'access = "{access}"').replace("[paths]\npath", "#")
    parsed = parse_manifest(text, "read.toml")
    assert isinstance(parsed, Manifest)
    assert (parsed.access, parsed.paths) == (access, ())


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        *((f"{kind}:*", Request(kind)) for kind in get_args(RequestKind)),
        ("read:/etc", Request("read", GrantPath("/etc"))),
        ("write:/etc", Request("write", GrantPath("/etc"))),
        ("env:HOME", Request("env", name="HOME")),
        ("secret:TOKEN@https://a.example", Request("secret", name="TOKEN@https://a.example")),
        ("invoke:send", Request("invoke", name="send")),
        (WEB, web(WEB)),
    ],
)
def test_every_kind_of_right_can_be_requested(text: str, request_: Request) -> None:
    parsed = parse_manifest(GOOD.replace("read:/etc/hosts", text), "read.toml")
    assert isinstance(parsed, Manifest), parsed
    assert parsed.optional == (Request("env"), Request("env", name="HOME"), request_)


def test_every_bound_can_be_set() -> None:
    bounds = Limits(*range(1, 12))
    text = "".join(f"{name} = {getattr(bounds, name)}\n" for name in Limits.__slots__)
    parsed = parse_manifest(f"{GOOD.partition('[limits]')[0]}[limits]\n{text}", "read.toml")
    assert isinstance(parsed, Manifest)
    assert parsed.limits == bounds


@pytest.mark.parametrize(
    ("request_", "selects", "reaches"),
    [
        (Request("read"), False, True),
        (Request("secret", name="A"), False, True),
        (Request("fetch"), True, True),
        (web(WEB), True, True),
        (web("fetch:https://b.example"), False, True),
        (web(f"{WEB} except={WEB[6:]}/v1/*"), False, True),
        (web(f"{WEB} except=10.0.0.0/8"), True, False),
    ],
)
def test_a_request_selects_what_it_names_but_not_what_it_leaves_out(
    request_: Request, selects: bool, reaches: bool
) -> None:
    access = FetchAccess("GET", Origin("https", "api.example.com", 443), "/v1/me")
    assert request_.selects(access) is selects
    addresses = [ip_address("203.0.113.1"), ip_address("10.0.0.1")]
    assert request_.reaches(addresses) is reaches
    assert request_.reaches(addresses[:1])


def test_a_manifest_without_limits_narrows_nothing() -> None:
    parsed = parse_manifest(GOOD.partition("[limits]")[0], "read.toml")
    assert isinstance(parsed, Manifest)
    ours = Limits(fuel=5)
    assert parsed.limits == Limits(1e8, None, *[1 << 53] * 9)
    assert (ours.narrowed(parsed.limits), ours.within(parsed.limits)) == (ours, True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('abi = "json"', 'abi = "json"\npermissions = []', "unknown key permissions"),
        ("[requests]", "[requests]\nallow = []", "unknown key requests.allow"),
        ("[limits]", "[limits]\nspeed = 1", "unknown key limits.speed"),
        ('name = "read"', 'name = "../read"', "name: '../read' is not a tool name"),
        ('name = "read"', "", "name: a text is expected"),
        *(
            (f'{key} = "', f'{key} = ""  # "', f"{key}: a text is expected")
            for key in ("version", "description", "license", "abi", "module", "access")
        ),
        ('name = "read"', "name = 3", "name: a text is expected"),
        ('"toolbox.wasm"', '"../toolbox.wasm"', "module: a file name that ends in .wasm"),
        ('"toolbox.wasm"', '"/toolbox.wasm"', "module: a file name that ends in .wasm"),
        ('abi = "json"', 'abi = "perl"', "abi: one of json, text, component is expected"),
        ('abi = "json"', 'abi = "text"', "argv: a list of words is expected"),
        ('abi = "json"', 'abi = "json"\nargv = []', 'argv and stdin are for abi = "text"'),
        ('abi = "json"', 'abi = "json"\nstdin = "path"', 'argv and stdin are for abi = "text"'),
        ('abi = "json"', 'abi = "text"\nargv = ["{path}"]', "could be an option"),
        ('abi = "json"', 'abi = "component"', "export: a function is expected"),
        ('abi = "json"', 'abi = "component"\nexport = "a b"', "export: a function is expected"),
        ('abi = "json"', 'abi = "json"\nexport = "add"', 'export is for abi = "component"'),
        ("[limits]", "[output_schema]\ntype = 3\n[limits]", "3"),
        (
            "[limits]",
            '[output_schema]\n"$ref" = "x:y"\n[limits]',
            "output_schema: $ref 'x:y' leads outside the document",
        ),
        ('access = "read"', 'access = "all"', "access: one of none, read, write, execute"),
        ('path = "read"\n', 'path = "delete"\n', 'paths.path: "read" or "write" is expected'),
        ('path = "read"\n', 'file = "read"\n', "paths.file: input_schema has no such property"),
        ('path = "read"\n', 'count = "read"\n', "paths.count: input_schema has no such property"),
        ('path = "read"\n', "path = 3\n", 'paths.path: "read" or "write" is expected'),
        (PROPERTY, "path = true", "paths.path: input_schema has no such property"),
        (PROPERTIES, "", "paths.path: input_schema has no such property"),
        (SCHEMA, "", "input_schema: a table is expected"),
        (SCHEMA, "input_schema = 3\n", "input_schema: a table is expected"),
        (TABLES, f"requests = 3\n{SCHEMA}", "requests: a table is expected"),
        (REQUESTS, '[requests]\noptional = "read:*"\n', "requests.optional: a list of grants is"),
        (REQUESTS, "[requests]\nrequired = {}\n", "requests.required: a list of grants is"),
        ('"read:*"', '"spawn:*"', "requests.required: 'spawn:*'"),
        ('"read:*"', '"exec:git"', "requests.required: 'exec:git' is not supported yet"),
        ('"read:*"', '"env:A=1"', "requests.required: 'env:A=1' is not supported yet"),
        ('"read:*"', '"everything"', "requests.required: 'everything'"),
        ('"read:*"', '"read:/x uses=1"', "a request has no caveats"),
        ('"read:*"', "3", "requests.required: a list of grants is expected"),
        ("wall_seconds = 2.5", "wall_seconds = -1", "wall_seconds is not a bound"),
        ("wall_seconds = 2.5", "wall_seconds = inf", "wall_seconds is not a bound"),
        ("wall_seconds = 2.5", "wall_seconds = nan", "wall_seconds is not a bound"),
        ("wall_seconds = 2.5", 'wall_seconds = "2"', "limits.wall_seconds: a number is expected"),
        ("memory_bytes = 0", "memory_bytes = 1.5", "limits.memory_bytes: a number is expected"),
        ("memory_bytes = 0", "memory_bytes = true", "limits.memory_bytes: a number is expected"),
        ('type = "object"', "type = 2026-01-01", "is not JSON"),
        ('type = "object"', "enum = [[2026-01-01]]", "is not JSON"),
        ('type = "object"', 'type = "thing"', "thing"),
        ('type = "object"', '"$ref" = "http://127.0.0.1:9/x"', "leads outside the document"),
        ('type = "object"', '"$ref" = "file:///etc/passwd"', "leads outside the document"),
        ("[limits]", "[limits", "at line"),
    ],
)
def test_what_is_wrong_is_refused_by_name(old: str, new: str, message: str) -> None:
    assert GOOD.count(old) >= 1
    parsed = parse_manifest(GOOD.replace(old, new, 1), "read.toml")
    assert isinstance(parsed, ManifestError)
    assert parsed.where == "read.toml" and message in parsed.message


def changed(old: str, new: str) -> Manifest:
    """The manifest after a change that it may have."""
    parsed = parse_manifest(GOOD.replace(old, new, 1), "read.toml")
    assert isinstance(parsed, Manifest), parsed
    return parsed


def test_a_foreign_command_gets_words_and_its_text_is_the_result() -> None:
    text = changed('abi = "json"', 'abi = "text"\nargv = ["-n", "--", "{path}"]\nstdin = "path"')
    envelope = Envelope("c1", {}, None, 1.5, 99)
    assert text.start({"path": "-rf"}, envelope) == (b"-rf", ("-n", "--", "-rf"))
    assert text.reply(b'{"ok": true', 99) == Reply(True, '{"ok": true', None, None, "", "", False)
    assert text.reply(b"a\xffbc", 5) == Reply(True, "a\ufffdb", None, None, "", "", True)
    assert text.complaints({"path": "a\0"}, characters=3) == (
        "path: holds NUL or half of a surrogate pair: no command can read it",
    )
    assert text.complaints({"path": 3}, characters=3) == ('path: 3 is not of type "string"',)
    json = changed("name", "name")
    request, argv = json.start({"path": "-rf"}, envelope)
    assert (request[:14], argv) == (b'{"tool":"read"', ())
    assert json.complaints({"path": "a\0"}, characters=3) == ()
    assert json.reply(b'{"ok": true', 99) == "its output is not one JSON object"


def test_a_components_function_is_named() -> None:
    made = changed('abi = "json"', 'abi = "component"\nexport = "docs:adder/math.add"')
    assert (made.export, made.command) == ("docs:adder/math.add", None)
    envelope = Envelope("c1", {}, None, 1.5, 99)
    request, argv = made.start({"path": "x"}, envelope)
    assert (request[:14], argv) == (b'{"tool":"read"', ())
    assert changed("name", "name").export == ""


def test_data_that_do_not_fit_are_no_success() -> None:
    fits = '[output_schema]\nrequired = ["n"]\n[output_schema.properties.n]\ntype = "integer"\n'
    strict = changed("[limits]", f"{fits}[limits]")
    good, bad = b'{"ok": true, "content": "", "data": {"n": 1}}', b'{"ok": true, "content": ""}'
    failed = b'{"ok": false, "error": {"code": "x", "message": ""}}'
    assert isinstance(strict.reply(good, 99), Reply)
    assert isinstance(strict.reply(failed, 99), Reply)
    assert strict.reply(bad, 99) == (
        'its data do not fit its output_schema: "n" is a required property'
    )
    assert isinstance(changed("name", "name").reply(bad, 99), Reply)


def test_the_cases_of_a_manifest_are_not_the_gates_to_read() -> None:
    plain = changed("name", "name")
    tested = changed("[limits]", "[[tests]]\nanything = 3\n[limits]")
    assert replace(tested, schema=plain.schema) == plain


OLDER = """
allowed_outbound_hosts = ["https://api.example.com", "https://*.example.org"]
block_networks = ["private"]
block_url = ["https://api.example.com/admin"]
"""
HOSTS = OLDER.splitlines(keepends=True)[1]


def test_settings_of_other_systems_are_requests() -> None:
    manifest = parse_manifest(OLDER + GOOD, "test")
    assert isinstance(manifest, Manifest), manifest
    found = [str(request.web) for request in manifest.requests if request.kind == "fetch"]
    private = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,127.0.0.0/8,::1/128,fc00::/7"
    places = "https://api.example.com/admin/*?*"
    assert found == [
        f"fetch:https://api.example.com except={places},{private}",
        f"fetch:https://*.example.org except={places},{private}",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("*.example.org", "*.org", "line 2: 'https://*.org': *.org would cover"),
        ('"private"', '"private", "10.0.0.1/8"', "line 3: '10.0.0.1/8': block_networks takes"),
        ("https://api.example.com/admin", "api/admin", "line 4: 'api/admin': block_url takes"),
        ("allowed_outbound_hosts", "block_hosts", "unknown key block_hosts"),
        (HOSTS, "", "block_networks and block_url narrow allowed_outbound_hosts, and need it"),
        (OLDER, '\nblock_networks = ["private"]\n', "block_networks and block_url narrow"),
        (OLDER, '\nblock_url = ["https://a.example"]\n', "block_networks and block_url narrow"),
        (HOSTS, "allowed_outbound_hosts = 3\n", "allowed_outbound_hosts: a list of texts is"),
        (HOSTS, "allowed_outbound_hosts = {}\n", "allowed_outbound_hosts: a list of texts is"),
        (HOSTS, "allowed_outbound_hosts = [3]\n", "allowed_outbound_hosts: a list of texts is"),
        # Where the line cannot be told, it is the first.
        ("https://*.example.org", "https://\\u002a.org", "line 1: 'https://*.org'"),
    ],
)
def test_one_bad_entry_refuses_the_manifest_at_its_line(old: str, new: str, message: str) -> None:
    error = parse_manifest(OLDER.replace(old, new) + GOOD, "test")
    assert isinstance(error, ManifestError)
    assert error.message.startswith(message)
