"""A place in a registry is parsed whole, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from capbox.tools.packages.names import PackageName
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.remote.reference import (
    Reference,
    Registry,
    reference,
    repository_for,
    source,
)

DIGEST = "sha256:" + "0" * 64
LOCAL = Registry("localhost", 5000)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("oci://ghcr.io/alice/hello", Reference(Registry("ghcr.io"), "alice/hello")),
        ("oci://localhost:5000/alice/hello:1.0", Reference(LOCAL, "alice/hello", "1.0")),
        (f"oci://[::1]:1/a/b@{DIGEST}", Reference(Registry("[::1]", 1), "a/b", None, DIGEST)),
        (f"oci://a.b/x/y/a/b:1@{DIGEST}", Reference(Registry("a.b"), "x/y/a/b", "1", DIGEST)),
    ],
)
def test_a_reference_is_read_as_it_is_written(text: str, found: Reference) -> None:
    assert reference(text) == source(text) == found
    if not (found.tag and found.digest):
        assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        *("oci://", "oci://ghcr.io", "oci://ghcr.io/", "oci://ghcr.io/hello", "oci:///alice/hello"),
        *("https://ghcr.io/alice/hello", "oci://GHCR.io/alice/hello", "file:///etc/passwd"),
        *("oci://user@ghcr.io/alice/hello", "oci://ghcr.io:0/a/b", "oci://ghcr.io:99999/a/b"),
        *("oci://ghcr.io/alice/hello:latest", "oci://ghcr.io/alice/hello@sha256:12"),
        *("oci://ghcr.io/../hello", "oci://ghcr.io/alice//hello", "oci://ghcr.io/alice/hello/"),
        *("oci://ghcr.io/alice/hello?x=1", "oci://ghcr.io/alice/hello#x", "oci://a..b/alice/hello"),
        *("oci://ghcr.io\\@evil.example/alice/hello", "oci://ghcr.io/alice/hello\n"),
        *("oci://ghcr.iо/alice/hello", f"oci://a.b/{'x' * 201}/hello", "oci://-a/alice/hello"),
        *("oci://ghcr.io/alice%2fevil/hello", "oci://ghcr.io/alice/hello:1.0:2.0"),
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(PackageError):
        source(text)


@given(some.text(alphabet="abo0:/@.-_#?%\\[]\n ciо", max_size=24))
def test_whatever_is_taken_names_one_host_and_path(rest: str) -> None:
    try:
        found = reference(f"oci://{rest}")
    except PackageError:
        return
    assert rest.startswith(f"{found.registry}/{found.repository}")
    assert not set("#?%\\\n ") & set(found.registry.url + found.repository)


def test_what_has_no_scheme_is_a_folder() -> None:
    assert source("./hello-0.1.0.oci") == Path("hello-0.1.0.oci")


def test_a_package_lies_below_the_place_that_was_named() -> None:
    name = PackageName("alice", "hello")
    for text, path in (
        ("oci://localhost:5000", "alice/hello"),
        ("oci://localhost:5000/", "alice/hello"),
        ("oci://localhost:5000/team/x", "team/x/alice/hello"),
        ("oci://localhost:5000/alice/hello", "alice/hello"),
        ("oci://localhost:5000/team/alice/hello", "team/alice/hello"),
    ):
        found = repository_for(text, name)
        assert (found, found.name) == (Reference(LOCAL, path), name)
    for bad in ("localhost:5000", "http://localhost:5000", "oci://a b", "oci://a/x?y"):
        with pytest.raises(PackageError, match="is expected"):
            repository_for(bad, name)
