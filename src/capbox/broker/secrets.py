"""Where the values of secrets are kept: in the desktop's keyring, or in an encrypted file.

Guarantees: a value leaves only by `get`; none is in a text, a name or an error. All secrets of a
state directory are in one place, chosen when the first is set; `secrets.json` says which. That file
is replaced whole, by one process at a time, and one that cannot be read or authenticated is kept,
and reported. Does not: protect from whoever can read file and key as this user.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from capbox.broker.redact import SHORTEST
from capbox.journal.errors import JournalError
from capbox.journal.lock import locked

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from keyring.backend import KeyringBackend

VALUE_CHARACTERS_MAX = 16_384
SECRETS_MAX = 64
_FILE_BYTES_MAX = 8 << 20
_NONCE_BYTES = 12
_PURPOSE = b"capbox secrets 1"
_ANEW = "put back a copy of file and key, or move them away and set the secrets again"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_KEYRINGS = {"SecretService", "libsecret", "kwallet", "macOS", "Windows"}


class SecretError(Exception):
    """`subject` is the file or name concerned; `reason` and `fix` are for the operator."""

    def __init__(self, subject: str, reason: str, fix: str) -> None:
        """Keep the parts as fields. None of them ever holds a value."""
        super().__init__(f"{subject}: {reason}: {fix}")
        self.subject = subject
        self.reason = reason
        self.fix = fix


def usable_keyring() -> KeyringBackend | None:
    """Return the keyring of this desktop, if there is one and the extra `keyring` is installed."""
    try:
        import keyring
        from keyring.backends.chainer import ChainerBackend

        chosen = keyring.get_keyring()
    except (ImportError, AttributeError, ValueError, RuntimeError):
        # Not installed, or its settings name one that does not exist or does not run.
        return None
    several = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
    return next((one for one in several if _encrypts(one)), None)


def _encrypts(backend: KeyringBackend) -> bool:
    # Not a list of bad ones: plugins bring more that keep plain text, or nothing.
    package, _, module = type(backend).__module__.rpartition(".")
    return package == "keyring.backends" and module in _KEYRINGS


@dataclass(frozen=True, slots=True, repr=False)
class _Kept:
    """What the file says: the values, or only names if a keyring has them."""

    in_keyring: bool
    values: Mapping[str, str]


class SecretStore:
    """The secrets of one state directory. Every method raises SecretError."""

    def __init__(
        self,
        directory: Path,
        keyring: Callable[[], KeyringBackend | None] = usable_keyring,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """Use `directory`, which must exist before the first `set`; `keyring` finds one."""
        self.file = directory / "secrets.json"
        self._key_file = directory / "secrets.key"
        self._find = keyring
        self._entropy = entropy

    def names(self) -> tuple[str, ...]:
        """Return the names of all secrets, sorted."""
        return tuple(sorted(self._read().values))

    def get(self, name: str) -> str | None:
        """Return the value of a secret, None if there is none of this name."""
        kept = self._read()
        if name not in kept.values or not kept.in_keyring:
            return kept.values.get(name)
        with self._keyring() as keyring:
            value = keyring.get_password(self._service, name)
        if value is None:
            raise SecretError(name, "the keyring no longer has it", f"capbox secret set {name}")
        return value

    def set(self, name: str, value: str) -> None:
        """Keep `value` under `name`, in place of an older one."""
        _check(name, value)
        with self._locked():
            kept = self._read()
            if not kept.values:
                kept = _Kept(self._find() is not None, {})
            if len(kept.values.keys() | {name}) > SECRETS_MAX:
                raise SecretError(name, f"there are {SECRETS_MAX} secrets already", "remove one")
            if kept.in_keyring:
                with self._keyring() as keyring:
                    keyring.set_password(self._service, name, value)
            self._write(_Kept(kept.in_keyring, {**kept.values, name: value}))

    def remove(self, name: str) -> bool:
        """Forget a secret; returns whether there was one."""
        with self._locked():
            kept = self._read()
            if name not in kept.values:
                return False
            if kept.in_keyring:
                with self._keyring() as keyring:
                    if keyring.get_password(self._service, name) is not None:
                        keyring.delete_password(self._service, name)
            values = {other: value for other, value in kept.values.items() if other != name}
            self._write(_Kept(kept.in_keyring, values))
            return True

    def describe(self) -> str:
        """Say where the secrets are, or would be, and who can read them there."""
        kept = self._read()
        if kept.in_keyring if kept.values else self._find() is not None:
            return f"in the keyring of this desktop, their names in {self.file}"
        return (
            f"in an encrypted file; whoever can read {self.file} "
            f"and {self._key_file.name} beside it as this user can read them"
        )

    @property
    def _service(self) -> str:
        # Another state directory has other secrets.
        return f"capbox {self.file.parent}"

    @contextmanager
    def _keyring(self) -> Generator[KeyringBackend]:
        found = self._find()
        if found is None:
            fix = "unlock or start it, and have the extra installed: pip install 'capbox[keyring]'"
            raise SecretError(str(self.file), "the keyring that has the values is not there", fix)
        from keyring.errors import KeyringError

        try:
            yield found
        except (KeyringError, OSError, RuntimeError) as error:
            # Only its kind: the text of an error may quote what it was given.
            reason = f"the keyring failed ({type(error).__name__})"
            raise SecretError(str(self.file), reason, "unlock it and try again") from None

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Keep other processes from changing the store."""
        try:
            with locked(self.file):
                yield
        except OSError as error:
            fix = "see that this user can write there, and that the disk has room"
            raise SecretError(
                str(self.file), f"not written ({error.strerror or error})", fix
            ) from error

    def _read(self) -> _Kept:
        try:
            # O_NOFOLLOW: a link in its place would let whoever made it choose the secrets.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with os.fdopen(os.open(self.file, flags), "rb") as file:
                content = file.read(_FILE_BYTES_MAX)
        except FileNotFoundError:
            return _Kept(False, {})
        except OSError as error:
            fix = "make it readable for this user, or put back a copy"
            raise SecretError(str(self.file), f"not readable ({error.strerror})", fix) from error
        try:
            return self._parsed(json.loads(content))
        except (ValueError, KeyError, TypeError, RecursionError):
            reason = "it is damaged, or not of this version; it is kept as it is"
            raise SecretError(str(self.file), reason, _ANEW) from None

    def _parsed(self, document: Mapping[str, object]) -> _Kept:
        """Return what the file says. Raises ValueError, KeyError or TypeError if it is damaged."""
        if document["version"] != 1:
            raise ValueError
        names = document.get("names")
        if isinstance(names, list):
            return _Kept(True, dict.fromkeys(map(str, names), ""))
        sealed = b64decode(str(document["sealed"]), validate=True)
        from cryptography.exceptions import InvalidTag

        try:
            opened = self._cipher(exists=True).decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _PURPOSE
            )
        except InvalidTag:
            reason = f"it does not belong to {self._key_file.name}, or was changed; it is kept"
            raise SecretError(str(self.file), reason, _ANEW) from None
        values: dict[str, str] = json.loads(opened)
        return _Kept(False, values)

    def _write(self, kept: _Kept) -> None:
        document: dict[str, object] = {"version": 1}
        if kept.in_keyring:
            document["names"] = sorted(kept.values)
        else:
            # All in one: nobody can exchange two values, or take one of them out.
            nonce = self._entropy(_NONCE_BYTES)
            text = json.dumps(kept.values, ensure_ascii=False).encode()
            sealed = nonce + self._cipher(exists=False).encrypt(nonce, text, _PURPOSE)
            document["sealed"] = b64encode(sealed).decode()
        from capbox.journal.blobs import beside, sync_path

        part = beside(self.file)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
                file.write(json.dumps(document).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.file)
        finally:
            part.unlink(missing_ok=True)
        sync_path(self.file.parent)

    def _cipher(self, *, exists: bool) -> AESGCM:
        """Return the cipher under the key, which is made if it need not exist already."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        from capbox.journal.head import Signer

        if exists and not os.path.lexists(self._key_file):
            raise SecretError(str(self._key_file), "the key is missing", _ANEW)
        try:
            # The journal's way of making and checking a key file; the cipher's key is derived.
            derived = Signer.load(self._key_file, self._entropy).seal(_PURPOSE.decode())
        except JournalError as error:
            reason = error.reason.replace("signing key", "key")
            raise SecretError(error.subject, reason, "see to its owner and mode") from error
        return AESGCM(bytes.fromhex(derived))


def _check(name: str, value: str) -> None:
    """Refuse what cannot be a secret, without saying what it is: it may be a value that slipped."""
    if _NAME.fullmatch(name) is None:
        rule = "use letters, digits and _, at most 128, and no digit first"
        raise SecretError("NAME", "this is no name for a secret", rule)
    # Shorter, redacting it would damage ordinary text.
    if not SHORTEST <= len(value) <= VALUE_CHARACTERS_MAX:
        rule = f"it has {SHORTEST} to {VALUE_CHARACTERS_MAX:,} characters"
        raise SecretError(name, "the value is too short or too long", rule)
    # Attack: a line end within a value would begin another header of the request.
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in value):
        raise SecretError(name, "the value has a control character", "set it without")
    if value != value.strip():
        raise SecretError(name, "the value begins or ends with a blank", "set it without")
