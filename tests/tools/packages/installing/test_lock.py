"""capbox.lock pins packages by digest; what it says is compared, and gives nothing."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.tools.packages.making import manifest, module, packed

from capbox.tools.packages.installing.lock import Locked, locked, read, written
from capbox.tools.packages.installing.place import Installed
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.remote.reference import reference

ONE = Locked(
    "alice/hello", "0.1.0", "sha256:" + "1" * 64, "oci://a.b/alice/hello:0.1.0", "SHA256:x"
)
TWO = Locked("alice/other", "1.0", "sha256:" + "2" * 64, '/a b/"c"\\d\u202e', "")


def test_a_lock_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "capbox.lock"
    file.write_text(written([TWO, ONE]), encoding="utf-8")
    assert read(file) == (ONE, TWO)
    assert written([ONE, TWO]) == written(read(file)) and "\u202e" not in file.read_text()


@given(some.text(max_size=40), some.text(max_size=40))
def test_any_text_comes_back(where: str, key: str) -> None:
    where, key = (text.encode(errors="replace").decode() for text in (where, key))
    one = replace(ONE, source=where, key=key)
    listed = tomllib.loads(written([one]))["package"]
    assert listed == [{k: getattr(one, k) for k in ("name", "version", "digest", "source", "key")}]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("version = 1\n", ""), "is not of version 1, or has an unknown key"),
        (("version = 1\n", "version = 2\n"), "is not of version 1"),
        (("version = 1\n", "version = 1\ngrants = []\n"), "has an unknown key"),
        (('key = "SHA256:x"', 'grant = "read:*"'), "and nothing else"),
        (('key = "SHA256:x"', "key = 1"), "texts are expected"),
        (("sha256:1", "sha256:../"), "texts are expected, and a digest"),
        (('"alice/hello"', '"../hello"'), "is no name of a package"),
        (("[[package]]", "[["), "cannot be read"),
    ],
)
def test_a_lock_file_that_is_not_one_is_refused(
    change: tuple[str, str], said: str, tmp_path: Path
) -> None:
    file = tmp_path / "capbox.lock"
    text = written([ONE]).replace(*change)
    assert text != written([ONE])
    file.write_text(text)
    with pytest.raises(PackageError, match=said):
        read(file)


def test_no_lock_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="is not there: capbox pkg lock"):
        read(tmp_path / "capbox.lock")


def test_a_package_is_the_pinned_one_or_refused(tmp_path: Path) -> None:
    _, package = packed(tmp_path, manifest())
    assert package.signature is not None
    pinned = Locked("alice/hello", "0.1.0", package.digest, "here", package.signature.fingerprint)
    pinned.expect(package)
    _, evil = packed(tmp_path, manifest(), module("evil"))
    for wrong, word in (
        (pinned, "digest"),
        (replace(pinned, digest=evil.digest, key="SHA256:x"), "key"),
        (replace(pinned, digest=evil.digest, name="alice/other"), "name"),
        (replace(pinned, digest=evil.digest, version="0.0.1"), "version"),
    ):
        with pytest.raises(PackageError, match=f"capbox.lock pins the {word}"):
            wrong.expect(evil)


def test_a_registry_is_asked_for_the_digest_itself() -> None:
    here = Path("/project")
    assert ONE.place(here) == replace(reference(ONE.source), tag=None, digest=ONE.digest)
    assert TWO.place(here) == Path(TWO.source)


def test_what_lies_below_a_lock_file_goes_along_with_it() -> None:
    one = Installed(
        "alice/hello", "0.1.0", ONE.digest, "t", "/project/vendor/hello.oci", "", (), "f", 1
    )
    inside = locked(one, Path("/project"))
    assert inside.source == "vendor/hello.oci"
    assert inside.place(Path("/elsewhere")) == Path("/elsewhere/vendor/hello.oci")
    assert locked(one, Path("/proj")).source == "/project/vendor/hello.oci"
    assert locked(replace(one, source=ONE.source), Path("/project")).source == ONE.source
