"""The naive fixture is bounded, keeps to its own folder, and leaves no process behind."""

from __future__ import annotations

import select
import time
from pathlib import Path

import pytest

from capbox.surfaces.demo.attack import Attack, Use
from capbox.surfaces.demo.bites import creates, leaves_processes, never_returns, reveals, sends
from capbox.surfaces.demo.naive.fixture import naive
from capbox.surfaces.demo.naive.habits import Habit
from capbox.surfaces.demo.network import Network
from capbox.surfaces.demo.scene import Scene, build


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    with Network() as network:
        places = network.places
    return build(tmp_path / "scene", "token", places)


def script(text: str, seconds: float = 2.0) -> Attack:
    return Attack(
        "a",
        "an attack",
        (Use("bash", {"script": text}),),
        sends,
        Habit.SHELL,
        naive_seconds=seconds,
    )


def none_sleeps(seconds: str) -> bool:
    """Say whether they are gone within five seconds: a kill takes effect a moment later."""
    until = time.monotonic() + 5
    while sleepers(seconds) and time.monotonic() < until:
        select.select([], [], [], 0.01)
    return sleepers(seconds) == 0


def sleepers(seconds: str) -> int:
    found = 0
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += entry.read_bytes() == f"sleep\0{seconds}\0".encode()
        except OSError:
            continue
    return found


def test_what_never_ends_is_killed_with_everything_it_started(scene: Scene) -> None:
    with Network() as network:
        after = naive(script("sleep 3599 & sleep 3599", 0.5), scene, network)
    assert never_returns(after) is not None
    assert none_sleeps("3599")


def test_what_is_left_running_is_counted_and_then_killed(scene: Scene) -> None:
    with Network() as network:
        text = "for i in 1 2 3 4 5; do sleep 3598 >/dev/null 2>&1 & done"
        after = naive(script(text), scene, network)
    assert leaves_processes(5)(after) == "5 processes left"
    assert none_sleeps("3598")


def test_its_environment_and_home_are_stand_ins(scene: Scene) -> None:
    with Network() as network:
        after = naive(script("env; echo ~; pwd"), scene, network)
    assert reveals("environment")(after) is not None
    assert str(scene.path("@home")) in after.text
    assert str(scene.workspace) in after.text
    assert sorted(
        line.partition("=")[0]
        for line in after.text.splitlines()
        if line.partition("=")[0].isupper() and "=" in line
    ) == ["HOME", "LANG", "PATH", "PROVIDER_API_KEY", "PWD", "PYTHONDONTWRITEBYTECODE", "SHLVL",
          "TMPDIR"]  # fmt: skip


def test_its_memory_and_files_are_bounded(scene: Scene) -> None:
    with Network() as network:
        text = "ulimit -v; ulimit -f; ulimit -n; ulimit -t; ulimit -c"
        after = naive(script(text), scene, network)
    assert after.text.split() == ["524288", "65536", "512", "3", "0"]


def test_the_network_is_a_port_on_loopback_that_keeps_what_arrives(tmp_path: Path) -> None:
    with Network() as network:
        scene = build(tmp_path / "scene", "token", network.places)
        after = naive(script("echo hello > /dev/tcp/127.0.0.1/@port"), scene, network)
        again = network.drain()
    assert (after.sent, again) == (b"hello\n", b"")


def test_a_scene_notices_any_change_outside_its_workspace(scene: Scene) -> None:
    (scene.workspace / "inside").write_text("x")
    before = scene.changed_outside()
    scene.path("@home/.ssh/id_ed25519").chmod(0o600)
    scene.path("@home/documents/contract.txt").unlink()
    assert (before, scene.changed_outside()) == (
        None,
        str(scene.path("@home/documents/contract.txt")),
    )


def test_habits_are_all_used_by_some_attack() -> None:
    from capbox.surfaces.demo.attacks.catalogue import ATTACKS

    assert {attack.habit for attack in ATTACKS} == set(Habit)


def test_creates_sees_a_dangling_link(scene: Scene) -> None:
    with Network() as network:
        after = naive(script("ln -s nowhere @home/pwned"), scene, network)
    assert creates("@home/pwned")(after) == "made ~/pwned"
