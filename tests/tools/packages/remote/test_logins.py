"""A secret for a registry is for the one that was typed, in whatever spelling."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.remote.logins import logins
from capbox.tools.packages.remote.reference import Registry, Source, repository_root, source

TYPED = source("oci://ghcr.io/alice/hello")


@pytest.mark.parametrize(
    ("given", "typed", "found"),
    [
        ((), TYPED, {}),
        (("S",), TYPED, {Registry("ghcr.io"): "S"}),
        (("S",), repository_root("oci://ghcr.io:443/team"), {Registry("ghcr.io"): "S"}),
        (("S",), repository_root("oci://localhost:80"), {Registry("localhost"): "S"}),
        (("S",), repository_root("oci://localhost:443"), {Registry("localhost", 443): "S"}),
        (("ghcr.io=S",), None, {Registry("ghcr.io"): "S"}),
        (("ghcr.io:443=S",), Path("a.oci"), {Registry("ghcr.io"): "S"}),
        (("[::1]:5000=S",), None, {Registry("[::1]", 5000): "S"}),
        (("a.io=S", "a.io:5000=T"), None, {Registry("a.io"): "S", Registry("a.io", 5000): "T"}),
        (("a.io=S", "T"), TYPED, {Registry("a.io"): "S", Registry("ghcr.io"): "T"}),
    ],
)
def test_a_secret_is_for_one_registry(
    given: tuple[str, ...], typed: Source | None, found: dict[Registry, str]
) -> None:
    assert logins(given, typed) == found


@pytest.mark.parametrize(
    ("given", "typed", "said"),
    [
        (("S",), None, "--login S: no registry is typed here, so say which one it is for"),
        (("S",), Path("a.oci"), "no registry is typed here"),
        (("a.io=S", "S"), None, "no registry is typed here"),
        (("S", "T"), TYPED, "there are two for ghcr.io"),
        (("S", "ghcr.io:443=T"), TYPED, "there are two for ghcr.io"),
        (("=S",), TYPED, "names no registry: --login HOST[:PORT]=SECRET"),
        (("oci://ghcr.io=S",), TYPED, "names no registry"),
        (("ghcr.io/alice=S",), TYPED, "names no registry"),
        (("GHCR.io=S",), TYPED, "names no registry"),
        (("a@ghcr.io=S",), TYPED, "names no registry"),
        (("ghcr.io=evil.io=S",), TYPED, "names no registry"),
        (("\x1b[2J=S",), TYPED, r"\u001b[2J=S"),
    ],
)
def test_one_that_says_not_which_is_refused(
    given: tuple[str, ...], typed: Source | None, said: str
) -> None:
    with pytest.raises(PackageError) as caught:
        logins(given, typed)
    assert said in str(caught.value) and caught.value.kind == "usage"
