"""A key is trusted for its namespace from the first use on; the file of keys is never lost."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.tools.packages.making import ALICE, MALLORY

from capbox.tools.packages.names import PackageName, Version
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.signatures.publishers import (
    First,
    Known,
    Publisher,
    Publishers,
    Unsigned,
    judge,
)
from capbox.tools.packages.signatures.signature import (
    KEY_FILE,
    PublisherKey,
    Statement,
    fingerprint,
    signature,
)

HELLO = PackageName("alice", "hello")
STATEMENT = Statement(HELLO, Version("1.0"), "sha256:" + "0" * 64)
SIGNED, FORGED = ALICE.sign(STATEMENT), MALLORY.sign(STATEMENT)
KNOWN = {"alice": Publisher(SIGNED.key, 1, "here")}


def test_a_signature_is_read_as_it_was_made() -> None:
    assert signature(SIGNED.to_bytes(), STATEMENT) == SIGNED
    assert SIGNED.fingerprint == fingerprint(SIGNED.key) != FORGED.fingerprint
    assert SIGNED.fingerprint.startswith("SHA256:") and len(SIGNED.fingerprint) == 50


def test_trust_begins_with_the_first_use_and_stays() -> None:
    """Each yes beside its no, in one table: what is known, what came, what was typed."""
    mine, other = SIGNED.fingerprint, FORGED.fingerprint
    assert judge(HELLO, SIGNED, {}) == First(mine)
    assert judge(HELLO, SIGNED, {}, key=mine) == First(mine)
    assert judge(HELLO, SIGNED, KNOWN) == judge(HELLO, SIGNED, KNOWN, key=mine) == Known(mine)
    assert judge(HELLO, FORGED, KNOWN, key=other) == First(other, mine)
    assert judge(HELLO, None, {}, unsigned=True) == Unsigned()
    assert judge(HELLO, FORGED, {"bob": KNOWN["alice"]}) == First(other)
    for refused in (
        lambda: judge(HELLO, SIGNED, {}, key=other),
        lambda: judge(HELLO, SIGNED, KNOWN, key=other),
        lambda: judge(HELLO, FORGED, KNOWN),
        lambda: judge(HELLO, FORGED, KNOWN, unsigned=True),
        lambda: judge(HELLO, FORGED, KNOWN, key=mine),
        lambda: judge(HELLO, None, {}),
        lambda: judge(HELLO, None, {}, key=mine, unsigned=True),
        lambda: judge(HELLO, None, KNOWN, unsigned=True),
    ):
        with pytest.raises(PackageError) as caught:
            refused()
        assert caught.value.kind == "refused"


def test_the_file_keeps_what_is_pinned(tmp_path: Path) -> None:
    publishers = Publishers(tmp_path)
    assert publishers.known() == {}
    publishers.pin("alice", KNOWN["alice"])
    publishers.pin("bob", Publisher(FORGED.key, 2, "oci://x/bob/y"))
    assert Publishers(tmp_path).known() == {
        **KNOWN,
        "bob": Publisher(FORGED.key, 2, "oci://x/bob/y"),
    }
    assert stat.S_IMODE((tmp_path / "publishers.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": 2, "publishers": {}}',
        '{"version": 1}',
        '{"version": 1, "publishers": []}',
        '{"version": 1, "publishers": {"alice": {"key": "00", "since": 1, "from": ""}}}',
        '{"version": 1, "publishers": {"alice": "x"}}',
        "[" * 100_000,
    ],
)
def test_a_file_that_cannot_be_read_is_kept_and_reported(text: str, tmp_path: Path) -> None:
    """Attack: a damaged file that counts as an empty one, so that any key is a first one."""
    file = tmp_path / "publishers.json"
    file.write_text(text)
    file.chmod(0o600)
    for attempt in (
        lambda: Publishers(tmp_path).known(),
        lambda: Publishers(tmp_path).pin("alice", KNOWN["alice"]),
    ):
        with pytest.raises(PackageError, match="is damaged, or not of this version; it is kept"):
            attempt()
    assert file.read_text() == text


def test_a_file_that_others_may_write_is_not_believed(tmp_path: Path) -> None:
    Publishers(tmp_path).pin("alice", KNOWN["alice"])
    (tmp_path / "publishers.json").chmod(0o666)
    with pytest.raises(PackageError):
        Publishers(tmp_path).known()


def test_a_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    first = PublisherKey.load(tmp_path).sign(STATEMENT)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert PublisherKey.load(tmp_path).sign(STATEMENT) == first
    assert signature(first.to_bytes(), STATEMENT) == first
    assert first.key.hex() not in (tmp_path / KEY_FILE).read_bytes().hex()
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(PackageError, match="is open to others: chmod 600"):
        PublisherKey.load(tmp_path)


@pytest.mark.parametrize("word", ["name", "version", "digest", "key", "signature", "more"])
def test_a_signature_with_another_word_is_refused(word: str) -> None:
    document = json.loads(SIGNED.to_bytes())
    document[word] = "zz" if word in ("key", "signature") else "other/x"
    with pytest.raises(PackageError, match="the signature of alice/hello"):
        signature(json.dumps(document).encode(), STATEMENT)
