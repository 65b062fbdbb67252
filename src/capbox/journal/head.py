"""The journal's key, and the head of each run, kept in a file apart from the database.

Guarantees: every entry is sealed when it is written, and `heads/<run>.json` names the last one, so
that cutting the end off a chain is seen. Seals and heads are HMACs under different keys: an older
head cannot be made from what the database holds. A key with the wrong owner or mode is refused.
An Ed25519 signature, which others can check, is made when a run is exported.
Does not: protect against the user who owns the key. Who can read it can sign another history, and
who kept a copy can put an older head back together with an older database; checkpoints exported
to a place that this user cannot write (`capbox audit export`) show that.
"""

from __future__ import annotations

import hmac
import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from capbox.journal.blobs import beside, sync_path
from capbox.journal.errors import JournalError
from capbox.journal.event import RunId

GENESIS = "0" * 64
_KEY_BYTES = 32
_RECORD_BYTES = 512
_READS_MAX = 5


def statement(run: str, seq: int, link: str) -> bytes:
    """Return the bytes that MAC and signature cover; the prefix keeps the keys from other uses."""
    return f"capbox journal head 1\n{run}\n{seq}\n{link}".encode()


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of a run; `seq` -1 is a run whose first entry is not written yet."""

    run: str
    seq: int
    hash: str
    mac: str


class Signer:
    """Seals entries, vouches for heads, signs exports. One secret for a state directory."""

    def __init__(self, secret: bytes) -> None:
        """Take the 32 secret bytes of an Ed25519 key (RFC 8032); the HMAC keys are derived."""
        self._secret = secret
        # Set up once, and copied for each entry: most of a short HMAC is setting it up.
        self._seals = _keyed(hmac.digest(secret, b"capbox journal seal 1", "sha256"))
        self._heads = _keyed(hmac.digest(secret, b"capbox journal head 1", "sha256"))

    @classmethod
    def load(cls, path: Path, entropy: Callable[[int], bytes] = os.urandom) -> Signer:
        """Read the key, made first if missing. Raises JournalError if it cannot be relied on."""
        try:
            if not os.path.lexists(path):
                _make(path, entropy)
            return cls(_read(path))
        except OSError as error:
            raise JournalError(str(path), error.strerror or str(error)) from error

    def seal(self, link: str) -> str:
        """Return the seal of an entry (hex), given its hash, which covers run and place."""
        return self._seals(link.encode())

    def head(self, run: str, seq: int, link: str) -> Head:
        """Return the head that names this entry."""
        return Head(run, seq, link, self._mac(run, seq, link))

    def made(self, head: Head) -> bool:
        """Say whether this key vouches for the head."""
        mac = self._mac(head.run, head.seq, head.hash)
        return hmac.compare_digest(mac.encode(), head.mac.encode(errors="replace"))

    def signed(self, head: Head) -> tuple[str, str]:
        """Return a signature over the head, and the public key that checks it (both hex)."""
        # Loading this library takes 17 ms, and only an export needs it.
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.from_private_bytes(self._secret)
        signature = key.sign(statement(head.run, head.seq, head.hash))
        return signature.hex(), key.public_key().public_bytes_raw().hex()

    def _mac(self, run: str, seq: int, link: str) -> str:
        # Not a signature: 35 us an entry, twice a call, for what only the owner of the key checks.
        return self._heads(statement(run, seq, link))


def _keyed(key: bytes) -> Callable[[bytes], str]:
    """Return the HMAC-SHA-256 (hex) under `key`."""
    ready = hmac.new(key, digestmod="sha256")

    def digest(message: bytes) -> str:
        fresh = ready.copy()
        fresh.update(message)
        return fresh.hexdigest()

    return digest


class Heads:
    """The directory of head files: one record of fixed size each, written in place.

    In place, because replacing by rename costs 130 us on ext4 and this happens twice a call. A
    kill cannot tear a write within one page; a reader that meets one in progress reads again.
    """

    def __init__(self, directory: Path) -> None:
        """Use `directory`; it must exist before a run begins."""
        self._directory = directory
        self._open: dict[str, FileIO] = {}

    def claim(self, head: Head) -> bool:
        """Create the first head of a run; False when another run already has this id."""
        path = self._path(head.run)
        temporary = beside(path)
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._open[head.run] = FileIO(descriptor, "r+")
        self.write(head)
        try:
            os.link(temporary, path)
        except FileExistsError:
            self.release(head.run)
            return False
        finally:
            temporary.unlink()
        return True

    def write(self, head: Head) -> None:
        """Move the head of a run that this object claimed."""
        record = _encode(head).ljust(_RECORD_BYTES - 1) + b"\n"
        os.pwrite(self._open[head.run].fileno(), record, 0)

    def release(self, run: str | None = None) -> None:
        """Close the file of one run, or of all."""
        for name in tuple(self._open) if run is None else (run,):
            self._open.pop(name).close()

    def read(self, run: str, signer: Signer) -> Head | None:
        """Return the head of a run; None when it is missing, or not vouched for by this key."""
        for _ in range(_READS_MAX):
            try:
                document: object = json.loads(self._path(run).read_bytes())
            except OSError:
                return None
            except (ValueError, RecursionError):
                continue
            head = _head(document)
            if head is not None and head.run == run and signer.made(head):
                return head
        return None

    def runs(self) -> tuple[RunId, ...]:
        """Return every run that has a head, oldest first."""
        return tuple(RunId(p.stem) for p in sorted(self._directory.glob("[!.]*.json")))

    def sync(self, run: str) -> None:
        """Flush one head and its name."""
        sync_path(self._path(run))
        sync_path(self._directory)

    def _path(self, run: str) -> Path:
        return self._directory / f"{run}.json"


def _encode(head: Head) -> bytes:
    # All of it is hexadecimal, numbers or a run id: nothing needs escaping.
    text = f'{{"hash":"{head.hash}","mac":"{head.mac}","run":"{head.run}","seq":{head.seq}}}'
    return text.encode()


def _head(document: object) -> Head | None:
    if not isinstance(document, dict) or set(document) != {"run", "seq", "hash", "mac"}:
        return None
    run, seq, link, mac = (document[k] for k in ("run", "seq", "hash", "mac"))
    if not (isinstance(run, str) and isinstance(link, str) and isinstance(mac, str)):
        return None
    return Head(run, seq, link, mac) if type(seq) is int else None


def _make(path: Path, entropy: Callable[[int], bytes]) -> None:
    """Write the key under another name and link it: two processes that start together agree."""
    temporary = beside(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, entropy(_KEY_BYTES))
        os.fsync(descriptor)
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.close(descriptor)
        temporary.unlink()
    sync_path(path.parent)


def _read(path: Path) -> bytes:
    # O_NOFOLLOW: a link in its place would let whoever made it choose the key.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        secret = os.read(descriptor, _KEY_BYTES + 1)
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise JournalError(str(path), "the signing key is not a regular file")
    if status.st_uid != os.geteuid():
        raise JournalError(str(path), "the signing key belongs to another user")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise JournalError(str(path), f"the signing key is open to others: chmod 600 {path}")
    if len(secret) != _KEY_BYTES:
        raise JournalError(str(path), f"the signing key is not {_KEY_BYTES} bytes long")
    return secret
