"""A manifest parses to typed values, or is refused with the name of what is wrong in it."""

import pytest

from capbox.authority.limits import Limits
from capbox.authority.paths import GrantPath
from capbox.gate.manifest import DeclaredPath, Manifest, ManifestError, Request, parse_manifest

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


def test_a_manifest_parses_to_typed_values() -> None:
    parsed = parse_manifest(GOOD, "read.toml")
    assert isinstance(parsed, Manifest)
    assert (parsed.name, parsed.access, parsed.module) == ("read", "read", "toolbox.wasm")
    assert parsed.paths == (DeclaredPath("path", "read"),)
    assert parsed.required == (Request("read"), Request("write", GrantPath("/workspace/out")))
    assert parsed.optional == (
        Request("env"),
        Request("env", name="HOME"),
        Request("read", GrantPath("/etc/hosts")),
    )
    assert Limits().narrowed(parsed.limits) == Limits(wall_seconds=2.5, memory_bytes=0)


def test_a_manifest_without_limits_narrows_nothing() -> None:
    parsed = parse_manifest(GOOD.partition("[limits]")[0], "read.toml")
    assert isinstance(parsed, Manifest)
    ours = Limits(fuel=5)
    assert (ours.narrowed(parsed.limits), ours.within(parsed.limits)) == (ours, True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('abi = "json"', 'abi = "json"\npermissions = []', "unknown key permissions"),
        ("[requests]", "[requests]\nallow = []", "unknown key requests.allow"),
        ("[limits]", "[limits]\nspeed = 1", "unknown key limits.speed"),
        ('name = "read"', 'name = "../read"', "name: '../read' is not a tool name"),
        ('name = "read"', "", "name: a text is expected"),
        ('"toolbox.wasm"', '"../toolbox.wasm"', "module: a file name that ends in .wasm"),
        ('"toolbox.wasm"', '"/toolbox.wasm"', "module: a file name that ends in .wasm"),
        ('abi = "json"', 'abi = "text"', "abi: 'text' is not supported yet"),
        ('access = "read"', 'access = "all"', "access: one of none, read, write, execute"),
        ('path = "read"\n', 'path = "delete"\n', 'paths.path: "read" or "write" is expected'),
        ('path = "read"\n', 'file = "read"\n', "paths.file: input_schema has no such property"),
        ('path = "read"\n', 'count = "read"\n', "paths.count: input_schema has no such property"),
        ('"read:*"', '"spawn:*"', "requests.required: 'spawn:*'"),
        ('"read:*"', '"exec:git"', "requests.required: 'exec:git' is not supported yet"),
        ('"read:*"', '"env:A=1"', "requests.required: 'env:A=1' is not supported yet"),
        ('"read:*"', '"everything"', "requests.required: 'everything'"),
        ('"read:*"', '"read:/x uses=1"', "a request has no caveats"),
        ('"read:*"', "3", "requests.required: a list of grants is expected"),
        ("wall_seconds = 2.5", "wall_seconds = -1", "wall_seconds is not a bound"),
        ("wall_seconds = 2.5", "wall_seconds = inf", "wall_seconds is not a bound"),
        ("wall_seconds = 2.5", "wall_seconds = nan", "wall_seconds is not a bound"),
        ("memory_bytes = 0", "memory_bytes = 1.5", "limits.memory_bytes: a number is expected"),
        ("memory_bytes = 0", "memory_bytes = true", "limits.memory_bytes: a number is expected"),
        ('type = "object"', "type = 2026-01-01", "is not JSON"),
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


OLDER = """
allowed_outbound_hosts = ["https://api.example.com", "https://*.example.org"]
block_networks = ["private"]
block_url = ["https://api.example.com/admin"]
"""


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
    ],
)
def test_one_bad_entry_refuses_the_manifest_at_its_line(old: str, new: str, message: str) -> None:
    error = parse_manifest(OLDER.replace(old, new) + GOOD, "test")
    assert isinstance(error, ManifestError)
    assert error.message.startswith(message)
