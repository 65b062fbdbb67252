"""Which key this user trusts for which namespace: on first use, then that one and no other.

    {"version": 1, "publishers": {"alice": {"key": "...", "since": 1735689600, "from": "oci://..."}}}

Guarantees: another key for a known namespace is refused with both fingerprints; so is a package
without a signature where there was one before; the file is replaced whole by one process at a time,
and one that cannot be read is kept, and reported. Does not: know who the person behind a key is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from capbox.journal.lock import locked
from capbox.messages import Json
from capbox.store.own_file import OwnFile
from capbox.tools.packages.names import PackageName, shown
from capbox.tools.packages.problem import PackageError, refused
from capbox.tools.packages.signatures.signature import Signature, fingerprint

FILE = "publishers.json"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Publisher:
    """A known publisher: public key, since when (seconds since 1970), and where it was met."""

    key: bytes
    since: int
    source: str


@dataclass(frozen=True, slots=True)
class Known:
    """Signed with the key that is known for the namespace."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class First:
    """Signed, in a namespace that was not met before; or with a key that a person has named."""

    fingerprint: str
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Not signed, in a namespace of which no key is known, and a person takes it so."""


Trust = Known | First | Unsigned


def judge(
    name: PackageName,
    found: Signature | None,
    known: Mapping[str, Publisher],
    *,
    key: str | None = None,
    unsigned: bool = False,
) -> Trust:
    """Decide on a package's signature. Raises PackageError (refused).

    `key` is the fingerprint that a person expects, `unsigned` says that none is needed.
    """
    publisher, subject = known.get(name.namespace), str(name)
    if found is None:
        if publisher is not None:
            # Attack: the signature is taken away, and with it the question whose it is.
            whose = f"{name.namespace} is known, by the key {fingerprint(publisher.key)}"
            raise refused(
                subject,
                f"is not signed, but {whose}",
                "fetch it together with its signature, or have it signed",
            )
        if key is not None:
            raise refused(subject, f"is not signed, so not with {shown(key)}")
        if not unsigned:
            fix = "capbox pkg sign for one of your own, --unsigned to take it as it is"
            raise refused(subject, "is not signed, so anybody may have made it", fix)
        return Unsigned()
    if key is not None and key != found.fingerprint:
        raise refused(subject, f"is signed with {found.fingerprint}, not with {shown(key)}")
    if publisher is None:
        return First(found.fingerprint)
    if publisher.key == found.key:
        return Known(found.fingerprint)
    before = fingerprint(publisher.key)
    if key is not None:
        return First(found.fingerprint, before)
    raise refused(
        subject,
        f"is signed with {found.fingerprint}, but {name.namespace} is known by {before}",
        "if the publisher has told you of a new key, add --key with what you were told",
    )


class Publishers:
    """The file of known publishers, in the configuration directory."""

    def __init__(self, config: Path) -> None:
        """Use the file in this directory, which need not exist."""
        self._own = OwnFile(config / FILE)

    def known(self) -> Mapping[str, Publisher]:
        """Return the publishers by namespace. Raises PackageError for a file that is damaged."""
        where, fix = str(self._own.path), "put back a copy, or move it away and begin anew"
        try:
            text = self._own.read()
            return {} if text is None else _publishers(json.loads(text))
        except OSError as error:
            raise PackageError(where, f"cannot be read ({error.strerror})", fix) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            reason = "is damaged, or not of this version; it is kept as it is"
            raise PackageError(where, f"{reason} ({type(error).__name__})", fix) from error

    def pin(self, namespace: str, publisher: Publisher) -> None:
        """Trust this key for the namespace from now on. Raises PackageError."""
        try:
            with locked(self._own.path):
                found = {**self.known(), namespace: publisher}
                listed: dict[str, Json] = {
                    name: {"key": one.key.hex(), "since": one.since, "from": one.source}
                    for name, one in sorted(found.items())
                }
                document: Json = {"version": 1, "publishers": listed}
                self._own.replace(json.dumps(document, indent=2) + "\n")
        except OSError as error:
            fix = "see that this user can write there, and that the disk has room"
            where = str(self._own.path)
            raise PackageError(where, f"not written ({error.strerror})", fix) from error


def _publishers(document: Mapping[str, Json]) -> dict[str, Publisher]:
    """Return what the file says. Raises ValueError, KeyError, TypeError or AttributeError."""
    listed = document["publishers"]
    if document["version"] != 1 or not isinstance(listed, Mapping):
        raise ValueError
    found: dict[str, Publisher] = {}
    for name, one in listed.items():
        if not isinstance(one, Mapping):
            raise ValueError
        key, since = bytes.fromhex(str(one["key"])), one["since"]
        if len(key) != _KEY_BYTES or not isinstance(since, int):
            raise ValueError
        found[name] = Publisher(key, since, str(one["from"]))
    return found
