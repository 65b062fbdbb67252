"""The signing key is made once, or refused; heads are replaced whole."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from capbox.journal.errors import JournalError
from capbox.journal.head import GENESIS, Head, Heads, Signer, statement


def test_the_key_is_made_once_with_mode_0600(tmp_path: Path) -> None:
    first = Signer.load(tmp_path / "key")
    second = Signer.load(tmp_path / "key")
    assert first.seal("1") == second.seal("1")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["key"]


def test_starts_at_the_same_moment_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: Signer.load(tmp_path / "key").seal("1"), range(16)))
    assert len(keys) == 1


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Signer.load(tmp_path / "key")
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(JournalError, match="open to others: chmod 600"):
        Signer.load(tmp_path / "key")


def test_a_link_in_place_of_the_key_is_refused(tmp_path: Path) -> None:
    Signer.load(tmp_path / "other")
    (tmp_path / "key").symlink_to(tmp_path / "other")
    with pytest.raises(JournalError):
        Signer.load(tmp_path / "key")


def test_a_dangling_link_in_place_of_the_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "nowhere")
    with pytest.raises(JournalError):
        Signer.load(tmp_path / "key")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_user_is_refused(tmp_path: Path) -> None:
    Signer.load(tmp_path / "key")
    os.chown(tmp_path / "key", 12345, 12345)
    with pytest.raises(JournalError, match="belongs to another user"):
        Signer.load(tmp_path / "key")


@pytest.mark.parametrize("content", [b"", b"k" * 31, b"k" * 33])
def test_a_key_of_the_wrong_length_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(JournalError, match="not 32 bytes long"):
        Signer.load(tmp_path / "key")


def test_a_fifo_in_place_of_the_key_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key", 0o600)
    with pytest.raises(JournalError, match="not a regular file"):
        Signer.load(tmp_path / "key")


def test_a_head_covers_run_place_and_hash(signer: Signer) -> None:
    head = signer.head("r1", 4, GENESIS)
    assert signer.made(head)
    assert not signer.made(Head("r2", 4, GENESIS, head.mac))
    assert not signer.made(Head("r1", 5, GENESIS, head.mac))
    assert not signer.made(Head("r1", 4, "1" * 64, head.mac))
    assert not signer.made(Head("r1", 4, GENESIS, "z\udc00"))
    assert not Signer(b"o" * 32).made(head)


def test_a_seal_is_no_head(signer: Signer) -> None:
    """The attack: a MAC that the database holds, taken for one of the head."""
    text = statement("r1", 4, GENESIS).decode()
    assert not signer.made(Head("r1", 4, GENESIS, signer.seal(text)))


def test_a_signature_is_checked_with_the_public_key_alone(signer: Signer) -> None:
    signature, key = signer.signed(signer.head("r1", 4, GENESIS))
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
    public.verify(bytes.fromhex(signature), statement("r1", 4, GENESIS))
    with pytest.raises(InvalidSignature):
        public.verify(bytes.fromhex(signature), statement("r1", 5, GENESIS))


def test_a_seal_differs_by_key_and_by_entry(signer: Signer) -> None:
    assert len({signer.seal("1"), signer.seal("2"), Signer(b"o" * 32).seal("1")}) == 3


def test_a_run_id_is_claimed_once(tmp_path: Path, signer: Signer) -> None:
    ours, theirs = Heads(tmp_path), Heads(tmp_path)
    assert ours.claim(signer.head("r1", -1, GENESIS))
    assert not theirs.claim(signer.head("r1", -1, GENESIS))
    assert theirs.runs() == ("r1",)


def test_a_head_moves_in_place(tmp_path: Path, signer: Signer) -> None:
    heads = Heads(tmp_path)
    heads.claim(signer.head("r1", -1, "f" * 64))
    for seq in (9, 10):
        heads.write(signer.head("r1", seq, GENESIS))
    heads.release("r1")
    assert heads.read("r1", signer) == signer.head("r1", 10, GENESIS)
    assert [(p.name, p.stat().st_size) for p in tmp_path.iterdir()] == [("r1.json", 512)]


def test_a_head_of_another_key_or_run_reads_as_none(tmp_path: Path, signer: Signer) -> None:
    heads = Heads(tmp_path)
    heads.claim(signer.head("r1", -1, GENESIS))
    assert heads.read("r1", Signer(b"o" * 32)) is None
    (tmp_path / "r2.json").write_bytes((tmp_path / "r1.json").read_bytes())
    assert heads.read("r2", signer) is None
    assert heads.read("r3", signer) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"run":"r1","seq":true,"hash":"","mac":""}',
        '{"run":"r1","seq":1,"hash":2,"mac":""}',
        '{"run":"r1","seq":1,"hash":"","mac":"","more":1}',
    ],
)
def test_what_is_not_a_head_reads_as_none(tmp_path: Path, signer: Signer, text: str) -> None:
    (tmp_path / "r1.json").write_text(text)
    assert Heads(tmp_path).read("r1", signer) is None
