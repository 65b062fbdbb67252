"""A journal reads back, and exports to lines that hold everything a check elsewhere needs."""

import json
from base64 import b64decode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from capbox.journal.chain import link_of
from capbox.journal.event import CallEnded, CallIntended, RunId, RunOpened
from capbox.journal.head import GENESIS, Signer, statement
from capbox.journal.log import Journal
from capbox.messages import Spent
from capbox.store.journal import export, read, runs

R1 = RunId("r1")


def test_an_export_can_be_checked_with_the_public_key_alone(
    journal: Journal, signer: Signer
) -> None:
    run = journal.begin(R1, RunOpened("t", "/w", "a1", (), (), (), 1.0))
    seq = run.append(CallIntended("c", "write", "00", {"c": "x" * 9_000}, (), (), "00", 1))
    run.append(CallEnded(seq, "ok", "", (), True, (), Spent(), "00", ""))
    lines = [json.loads(line) for line in export(journal.directory, R1, signer)]
    entries = [line for line in lines if "seq" in line]
    blobs = {line["blob"]: b64decode(line["base64"]) for line in lines if "blob" in line}
    previous = GENESIS
    for number, entry in enumerate(entries):
        assert entry["hash"] == link_of("r1", number, previous, entry["body"])
        previous = entry["hash"]
    assert all(sha256(content).hexdigest() == digest for digest, content in blobs.items())
    assert len(blobs) == 1
    head = lines[-1]["head"]
    assert (head["run"], head["seq"], head["hash"]) == ("r1", 2, previous)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(lines[-1]["key"]))
    key.verify(bytes.fromhex(head["signature"]), statement("r1", 2, previous))


def test_a_record_whose_blob_is_gone_has_no_content(journal: Journal) -> None:
    run = journal.begin(R1, RunOpened("t" * 9_000, "/w", "a1", (), (), (), 1.0))
    next((journal.directory / "blobs").glob("??/*")).unlink()
    assert [(r.seq, r.content) for r in read(journal.directory, run.run)] == [(0, None)]


def test_a_journal_that_does_not_exist_has_no_runs(journal: Journal) -> None:
    assert runs(journal.directory / "none") == ()
