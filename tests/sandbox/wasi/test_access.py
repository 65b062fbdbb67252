"""Old hard links: an excluded file stays excluded under every name, in every mount."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from capbox.authority.exclusions import HIDDEN, PROTECTED
from capbox.sandbox.spec import Rule

READ = Rule(False, HIDDEN, PROTECTED)
NOTES, KEYS = "/workspace/docs/notes", "/workspace/.env"


def mounts(world: Any, *more: Callable[[Any], Any]) -> tuple[Any, ...]:
    return (world.mount("/workspace", world.workspace, READ), *(make(world) for make in more))


def docs(world: Any) -> Any:
    return world.mount("/workspace/docs", world.workspace / "docs", READ)


def writable_docs(world: Any) -> Any:
    return world.mount("/workspace/docs", world.workspace / "docs", Rule(True))


def elsewhere(world: Any) -> Any:
    return world.mount("/mnt/docs", world.workspace / "docs", Rule(False))


def one_file(world: Any) -> Any:
    rule = Rule(False, HIDDEN, PROTECTED, "docs/notes")
    return world.mount(NOTES, world.workspace / "docs", rule, name="notes")


def the_keys(world: Any) -> Any:
    return world.mount(KEYS, world.workspace, Rule(False, HIDDEN, PROTECTED, ".env"), name=".env")


ROWS = [
    ("in its own mount", (), NOTES, "EACCES"),
    ("in a mount below", (docs,), NOTES, "EACCES"),
    ("in a mount below without exclusions", (writable_docs,), NOTES, "EACCES"),
    ("in a mount beside", (elsewhere,), "/mnt/docs/notes", "EACCES"),
    ("as a single file", (one_file,), NOTES, "EACCES"),
    ("granted under its excluded name", (the_keys,), KEYS, "key"),
    ("and so under its other ones", (the_keys, docs), NOTES, "key"),
    ("an allowed file with two names", (docs,), "/workspace/docs/twice", "plain"),
    ("an allowed file as a single one", (one_file,), "/workspace/plain", "plain"),
]


@pytest.mark.parametrize(
    ("more", "path", "answer"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_an_excluded_file_is_known_by_every_name_in_every_mount(
    world: Any, outcome: Any, more: tuple[Callable[[Any], Any], ...], path: str, answer: str
) -> None:
    ws = world.workspace
    (ws / "docs").mkdir()
    (ws / ".env").write_text("key")
    (ws / "plain").write_text("plain")
    (ws / "docs" / "notes").hardlink_to(ws / ".env")
    (ws / "docs" / "twice").hardlink_to(ws / "plain")
    guest = world.guest(*mounts(world, *more))
    assert outcome(lambda: guest.read_file(path)) == answer


def test_the_next_call_looks_again(world: Any, outcome: Any) -> None:
    ws = world.workspace
    for name in ("one", "two"):
        (ws / name).write_text(name)
        (ws / f"again-{name}").hardlink_to(ws / name)
    guest = world.writer()
    assert guest.read_file("/workspace/again-two") == "two"
    guest.finish()
    (ws / "two").rename(ws / ".env")
    got = [outcome(lambda n=n: guest.read_file(f"/workspace/again-{n}")) for n in ("one", "two")]
    assert got == ["one", "EACCES"]


def test_special_files_look_like_nothing_that_could_be_read(world: Any) -> None:
    ws = world.workspace
    os.mkfifo(ws / "fifo")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(ws / "socket"))
    guest = world.writer()
    fd = guest.open("/workspace", "rd")
    guest.call("fd_readdir", fd, 65536, 4096, 2, 64)
    listed = {guest.raw[65536 + 20], guest.raw[65536 + 24 + guest.raw[65536 + 16] + 20]}
    assert listed == {guest.stat(f"/workspace/{name}")[0] for name in ("fifo", "socket")} == {2}
