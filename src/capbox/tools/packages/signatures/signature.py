"""A signature: an Ed25519 key's statement that a name and version are this one artefact.

Guarantees: what is signed names the package, its version and the digest of its manifest, so no
signature fits another package, and none is part of what it signs; a signature that does not check
is an error, never a missing one. Does not: say whose a key is (see `publishers`).
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from capbox.journal.errors import JournalError
from capbox.messages import JsonObject
from capbox.tools.packages.artefact.artefact import canonical, parsed
from capbox.tools.packages.artefact.descriptor import is_digest
from capbox.tools.packages.names import PackageName, Version
from capbox.tools.packages.problem import PackageError

SIGNATURE = "application/vnd.capbox.signature.v1+json"
KEY_FILE = "package.key"
_PURPOSE = "capbox package key 1"
_KEY_BYTES, _SIGNATURE_BYTES = 32, 64
_PRIME = 2**255 - 19
_EIGHTH = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_WEAK = frozenset({0, 1, _PRIME - 1, _EIGHTH, _PRIME - _EIGHTH})
"""The y of the eight points of small order (RFC 8032, 5.1): what OpenSSL takes for keys too."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What is signed."""

    name: PackageName
    version: Version
    digest: str

    @property
    def bytes(self) -> bytes:
        """Return the bytes under the signature; the first line keeps the key from other uses."""
        return f"capbox package 1\n{self.name}\n{self.version}\n{self.digest}\n".encode()


@dataclass(frozen=True, slots=True)
class Signature:
    """A statement, the public key, and the signature; made and checked nowhere else."""

    statement: Statement
    key: bytes
    signature: bytes

    @property
    def fingerprint(self) -> str:
        """Return what people compare."""
        return fingerprint(self.key)

    def to_bytes(self) -> bytes:
        """Return it as a layer."""
        document: JsonObject = {
            "name": str(self.statement.name),
            "version": str(self.statement.version),
            "digest": self.statement.digest,
            "key": self.key.hex(),
            "signature": self.signature.hex(),
        }
        return canonical(document)


def fingerprint(key: bytes) -> str:
    """Return the fingerprint of a public key, as ssh writes them."""
    return f"SHA256:{b64encode(sha256(key).digest()).decode().rstrip('=')}"


class PublisherKey:
    """This user's key for packages, in a file of the state directory."""

    def __init__(self, secret: bytes) -> None:
        """Take the 32 secret bytes of an Ed25519 key (RFC 8032)."""
        self._secret = secret

    @classmethod
    def load(cls, state: Path) -> PublisherKey:
        """Read the key, made first if missing, 0600. Raises PackageError."""
        from capbox.journal.head import Signer

        try:
            # The journal's way of making and checking a key file; this key is derived.
            derived = Signer.load(state / KEY_FILE).seal(_PURPOSE)
        except JournalError as error:
            fix = "put it back, or move it away for another key"
            raise PackageError(error.subject, error.reason, fix) from error
        return cls(bytes.fromhex(derived))

    def sign(self, statement: Statement) -> Signature:
        """Return the signature over a statement."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.from_private_bytes(self._secret)
        public = key.public_key().public_bytes_raw()
        return Signature(statement, public, key.sign(statement.bytes))


def signature(content: bytes, expected: Statement) -> Signature:
    """Read a signature, which must be one over `expected`. Raises PackageError."""
    where = f"the signature of {expected.name}"
    document = parsed(content, where)
    if set(document) != {"name", "version", "digest", "key", "signature"}:
        raise PackageError(where, "is not of this version")
    # Attack: a true signature of the same publisher, over another package or an older version.
    for word, wanted in (
        ("name", str(expected.name)),
        ("version", str(expected.version)),
        ("digest", expected.digest),
    ):
        if document[word] != wanted:
            raise PackageError(where, f"is over another {word}")
    key, signed = (_bytes(document[word], where) for word in ("key", "signature"))
    if len(key) != _KEY_BYTES or len(signed) != _SIGNATURE_BYTES or not is_digest(expected.digest):
        raise PackageError(where, "is damaged")
    if not _is_strong(key):
        raise PackageError(where, "is with a key that fits other packages too, so it is nobody's")
    found = Signature(expected, key, signed)
    if not _checks(found):
        raise PackageError(where, "does not check: the package or the signature was changed")
    return found


def _is_strong(key: bytes) -> bool:
    """Say whether a signature with this key fits one text alone.

    Attack: a key of small order, or the same in another spelling: one signature, that anybody can
    make, fits every name, version and digest.
    """
    y = int.from_bytes(key, "little") & ((1 << 255) - 1)
    return y < _PRIME and y not in _WEAK


def _checks(found: Signature) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(found.key)
        key.verify(found.signature, found.statement.bytes)
    except (InvalidSignature, ValueError):
        return False
    return True


def _bytes(value: object, where: str) -> bytes:
    try:
        return bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        raise PackageError(where, "is damaged") from None
