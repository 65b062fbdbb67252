"""Blobs are whole, verified on reading, and named by their hash alone."""

from hashlib import sha256
from pathlib import Path

from capbox.journal.blobs import Blobs


def test_a_blob_reads_back_under_its_hash(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put(b"content")
    blobs.sync()
    assert digest == sha256(b"content").hexdigest()
    assert blobs.get(digest) == b"content"
    assert [p.name for p in (tmp_path / digest[:2]).iterdir()] == [digest]


def test_a_changed_blob_reads_as_missing(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put(b"content")
    (tmp_path / digest[:2] / digest).write_bytes(b"Content")
    assert blobs.get(digest) is None


def test_putting_again_mends_a_changed_blob(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put(b"content")
    (tmp_path / digest[:2] / digest).write_bytes(b"Content")
    blobs.put(b"content")
    assert blobs.get(digest) == b"content"


def test_a_name_that_is_not_a_hash_reads_as_missing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    assert Blobs(tmp_path / "b").get("../secret") is None
