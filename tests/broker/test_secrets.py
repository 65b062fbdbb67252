"""Secrets are kept whole, closed to others, and never shown."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as Forgetful
from keyring.backends.SecretService import Keyring as Desktop
from keyring.errors import KeyringLocked

from capbox.broker.secrets import (
    SECRETS_MAX,
    VALUE_CHARACTERS_MAX,
    SecretError,
    SecretStore,
    _encrypts,
)

# The last one needs a session bus, which the processes of these tests do not have.
UNUSABLE = [
    "keyring.backends.null.Keyring",
    "keyring.backends.fail.Keyring",
    "keyring.backends.SecretService.Keyring",
]
VALUE = "sk-value-0123456789"


class InMemory(KeyringBackend):
    """A keyring of this process."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open(password)
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        del self.kept[service, username]

    def _open(self, text: str = "") -> None:
        if self.locked:
            raise KeyringLocked(f"locked, so not done: {text}")


def in_file(directory: Path) -> SecretStore:
    """A store where no keyring is."""
    return SecretStore(directory, keyring=lambda: None)


@pytest.fixture(params=["file", "keyring"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SecretStore:
    """A store of each kind, not used yet."""
    keyring = InMemory() if request.param == "keyring" else None
    return SecretStore(tmp_path, keyring=lambda: keyring)


def test_what_is_set_is_there_until_it_is_removed(store: SecretStore) -> None:
    assert (store.names(), store.get("A"), store.remove("A")) == ((), None, False)
    store.set("B_2", "value with = and é")
    store.set("A", VALUE)
    assert store.names() == ("A", "B_2")
    assert (store.get("A"), store.get("B_2"), store.get("C")) == (VALUE, "value with = and é", None)
    store.set("A", "another value")
    assert store.get("A") == "another value"
    assert (store.remove("A"), store.remove("A")) == (True, False)
    assert (store.names(), store.get("A")) == (("B_2",), None)


def test_reading_makes_no_file(store: SecretStore) -> None:
    assert (store.names(), store.get("A"), store.describe() != "") == ((), None, True)
    assert list(store.file.parent.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["", "1A", "A-B", "A B", "A\n", "../A", "Ä", "A" * 129, VALUE, "A=B"]
)
def test_a_name_that_is_none_is_refused_and_not_repeated(store: SecretStore, name: str) -> None:
    with pytest.raises(SecretError) as refused:
        store.set(name, VALUE)
    assert str(refused.value) == (
        "NAME: this is no name for a secret: "
        "use letters, digits and _, at most 128, and no digit first"
    )
    assert store.names() == ()


@pytest.mark.parametrize("name", ["A", "_", "a1", "A" * 128])
def test_a_name_is_letters_digits_and_underscores(store: SecretStore, name: str) -> None:
    store.set(name, VALUE)
    assert store.names() == (name,)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1234567", "the value is too short or too long"),
        ("", "the value is too short or too long"),
        ("x" * (VALUE_CHARACTERS_MAX + 1), "the value is too short or too long"),
        ("abcdefgh\r\nX-Evil: 1", "the value has a control character"),
        ("abcdefgh\x00", "the value has a control character"),
        ("abcdefgh\x7f", "the value has a control character"),
        ("abcdefgh\x85", "the value has a control character"),
        ("abcdefgh\ud800", "the value has a control character"),
        # h11 refuses these in a header, and would quote them in its error.
        (" abcdefgh", "the value begins or ends with a blank"),
        ("abcdefgh ", "the value begins or ends with a blank"),
    ],
)
def test_a_value_that_harms_is_refused_and_not_repeated(
    store: SecretStore, value: str, reason: str
) -> None:
    with pytest.raises(SecretError, match=r"^NAME: ") as refused:
        store.set("NAME", value)
    assert refused.value.reason == reason
    assert not value or value not in f"{refused.value} {refused.value!r}"
    assert store.names() == ()


@pytest.mark.parametrize(
    "value", ["12345678", "x" * VALUE_CHARACTERS_MAX, "😀" * 9, "abcd \u2028  b"]
)
def test_other_values_are_kept_as_they_are(store: SecretStore, value: str) -> None:
    store.set("NAME", value)
    assert store.get("NAME") == value


def test_there_are_so_many_secrets_and_no_more(store: SecretStore) -> None:
    for number in range(SECRETS_MAX):
        store.set(f"N{number}", VALUE)
    with pytest.raises(SecretError, match="64 secrets already: remove one"):
        store.set("MORE", VALUE)
    store.set("N0", "one that is there may change")
    assert len(store.names()) == SECRETS_MAX


def test_as_many_of_the_longest_values_as_there_may_be_can_be_read_again(tmp_path: Path) -> None:
    store = in_file(tmp_path)
    for number in range(SECRETS_MAX):
        store.set(f"N{number}", "😀" * VALUE_CHARACTERS_MAX)
    assert len(store.names()) == SECRETS_MAX


def test_no_file_shows_a_value_or_is_open_to_others(store: SecretStore) -> None:
    store.set("NAME", VALUE)
    for file in store.file.parent.iterdir():
        assert VALUE.encode() not in file.read_bytes()
        assert (file.name, stat.S_IMODE(file.stat().st_mode)) == (file.name, 0o600)
    assert VALUE not in f"{store!r} {store.describe()} {vars(store)!r}"


def test_a_store_says_where_it_keeps_values(tmp_path: Path) -> None:
    filed = in_file(tmp_path)
    said = f"in an encrypted file; whoever can read {tmp_path}/secrets.json and secrets.key "
    assert filed.describe() == said + "beside it as this user can read them"
    keyring = InMemory()
    desktop = SecretStore(tmp_path, keyring=lambda: keyring)
    said = f"in the keyring of this desktop, their names in {tmp_path}/secrets.json"
    assert desktop.describe() == said


def test_secrets_stay_in_the_place_that_the_first_one_got(tmp_path: Path) -> None:
    keyring = InMemory()
    in_file(tmp_path).set("FIRST", VALUE)
    store = SecretStore(tmp_path, keyring=lambda: keyring)
    store.set("SECOND", VALUE)
    assert (keyring.kept, in_file(tmp_path).names()) == ({}, ("FIRST", "SECOND"))
    assert "encrypted file" in store.describe()
    # With nothing left there, the next one chooses anew.
    for name in store.names():
        store.remove(name)
    store.set("THIRD", VALUE)
    assert keyring.kept == {(f"capbox {tmp_path}", "THIRD"): VALUE}


def test_two_state_directories_share_no_secret_in_one_keyring(tmp_path: Path) -> None:
    keyring = InMemory()
    one, two = (SecretStore(tmp_path / name, keyring=lambda: keyring) for name in "ab")
    for store in (one, two):
        store.file.parent.mkdir()
    one.set("NAME", VALUE)
    two.set("NAME", "the other one")
    assert (one.get("NAME"), two.get("NAME")) == (VALUE, "the other one")


def test_a_keyring_that_is_gone_or_locked_is_reported_and_not_replaced(tmp_path: Path) -> None:
    keyring = InMemory()
    store = SecretStore(tmp_path, keyring=lambda: keyring)
    store.set("NAME", VALUE)
    for broken in (
        lambda: in_file(tmp_path).get("NAME"),
        lambda: in_file(tmp_path).set("B", VALUE),
    ):
        with pytest.raises(SecretError, match="keyring that has the values is not there"):
            broken()
    keyring.locked = True
    for broken in (lambda: store.get("NAME"), lambda: store.set("B", VALUE)):
        with pytest.raises(SecretError, match=r"the keyring failed \(KeyringLocked\)") as failed:
            broken()
        assert VALUE not in f"{failed.value}{failed.value.__cause__}"
        assert failed.value.__suppress_context__
    keyring.locked = False
    assert (store.names(), store.get("NAME")) == (("NAME",), VALUE)


def test_a_value_that_the_keyring_lost_is_reported_and_can_be_removed(tmp_path: Path) -> None:
    keyring = InMemory()
    store = SecretStore(tmp_path, keyring=lambda: keyring)
    store.set("NAME", VALUE)
    keyring.kept.clear()
    with pytest.raises(SecretError, match="NAME: the keyring no longer has it: capbox secret set"):
        store.get("NAME")
    assert (store.remove("NAME"), store.names()) == (True, ())


@pytest.mark.parametrize(
    ("chosen", "counts"),
    [(Desktop(), True), (Forgetful(), False), (NoKeyring(), False), (InMemory(), False)],
    ids=lambda one: type(one).__module__ if isinstance(one, KeyringBackend) else str(one),
)
def test_a_keyring_counts_only_if_it_is_known_to_encrypt(
    chosen: KeyringBackend, counts: bool
) -> None:
    assert _encrypts(chosen) is counts
    assert _encrypts(ChainerBackend()) is False


@pytest.mark.parametrize(
    "settings",
    ["nonsense", "keyring.none.Keyring", "keyring.backends.null.None", *UNUSABLE],
)
def test_without_a_keyring_that_encrypts_there_is_none(settings: str) -> None:
    assert found_with(settings) == "None\n"


def test_a_python_without_the_extra_has_no_keyring() -> None:
    assert found_with("", before="sys.modules['keyring'] = None; ") == "None\n"


def found_with(settings: str, before: str = "") -> str:
    """Return what a process of its own, with this choice of keyring, finds."""
    program = f"import sys; {before}from capbox.broker import secrets; "
    done = subprocess.run(
        [sys.executable, "-c", program + "print(secrets.usable_keyring())"],
        env={"PYTHON_KEYRING_BACKEND": settings, "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


BROKEN = {
    "empty": b"",
    "not JSON": b"{",
    "another version": b'{"version": 2, "sealed": "AAAA"}',
    "a list": b"[]",
    "nothing in it": b'{"version": 1}',
    "not base64": b'{"version": 1, "sealed": "?"}',
    "too short": b'{"version": 1, "sealed": "AAAA"}',
    "nested": b"[" * 100_000,
    "binary": b"\xff\xfe",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_cannot_be_read_is_kept_and_reported(case: str, tmp_path: Path) -> None:
    store = in_file(tmp_path)
    store.set("NAME", VALUE)
    store.file.write_bytes(BROKEN[case])
    for use in (store.names, store.describe, lambda: store.get("NAME"), lambda: store.remove("X")):
        with pytest.raises(SecretError, match=r"secrets.json: it .* kept.*: put back a copy"):
            use()
    with pytest.raises(SecretError):
        store.set("OTHER", VALUE)
    assert store.file.read_bytes() == BROKEN[case]


def test_a_changed_file_is_not_believed(tmp_path: Path) -> None:
    store = in_file(tmp_path)
    store.set("NAME", VALUE)
    document = json.loads(store.file.read_text())
    sealed = document["sealed"]
    place = len(sealed) // 2
    document["sealed"] = (
        sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
    )
    store.file.write_text(json.dumps(document))
    with pytest.raises(SecretError, match=r"does not belong to secrets\.key, or was changed"):
        store.get("NAME")


def key_is_gone(key: Path) -> None:
    key.unlink()


def key_is_another(key: Path) -> None:
    key.write_bytes(b"k" * 32)


def key_is_short(key: Path) -> None:
    key.write_bytes(b"k")


def key_is_open(key: Path) -> None:
    key.chmod(0o644)


def key_is_a_link(key: Path) -> None:
    key.symlink_to(key.rename(key.with_name("elsewhere")))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (key_is_gone, "secrets.key: the key is missing"),
        (key_is_another, "secrets.json: it does not belong to secrets.key"),
        (key_is_short, "secrets.key: the key is not 32 bytes long"),
        (key_is_open, "secrets.key: the key is open to others"),
        (key_is_a_link, "secrets.key: Too many levels of symbolic links"),
    ],
)
def test_a_key_that_cannot_be_relied_on_opens_nothing_and_is_not_replaced(
    harm: object, said: str, tmp_path: Path
) -> None:
    store = in_file(tmp_path)
    store.set("NAME", VALUE)
    before = store.file.read_bytes()
    assert callable(harm)
    harm(tmp_path / "secrets.key")
    for use in (lambda: store.get("NAME"), lambda: store.set("OTHER", VALUE)):
        with pytest.raises(SecretError) as failed:
            use()
        assert said in str(failed.value)
    assert store.file.read_bytes() == before


def test_a_link_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    in_file(tmp_path / "a").set("NAME", VALUE)
    store = in_file(tmp_path / "b")
    store.file.symlink_to(tmp_path / "a" / "secrets.json")
    with pytest.raises(SecretError, match="not readable"):
        store.names()


def test_a_directory_that_is_not_there_is_an_error_with_a_fix(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"not written \(No such file or directory\): see that"):
        in_file(tmp_path / "none").set("NAME", VALUE)


# Programs, not `multiprocessing`: its resource tracker stays, and other tests count processes.
SET_SOME = """
import pathlib, sys
from capbox.broker.secrets import SecretStore
store = SecretStore(pathlib.Path(sys.argv[1]), keyring=lambda: None)
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 10):
    store.set(f"N{number}", sys.argv[3])
"""


def test_processes_that_set_at_once_lose_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SET_SOME, str(tmp_path)]
    writers = [subprocess.Popen([*command, first, VALUE]) for first in ("0", "10", "20")]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    store = in_file(tmp_path)
    assert sorted(store.names()) == sorted(f"N{number}" for number in range(30))
    assert {store.get(name) for name in store.names()} == {VALUE}
    # And nothing of the writing is left.
    assert sorted(os.listdir(tmp_path)) == ["secrets.json", "secrets.json.lock", "secrets.key"]
