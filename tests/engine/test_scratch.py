"""Scratch directories go away, whatever a guest left in them, and never under a living run."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from capbox.engine.scratch import make, sweep


def nest(top: Path, levels: int, name: str) -> None:
    """Make directories inside one another, deeper than any path may be long."""
    at = os.open(top, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=at))
    os.close(at)


def test_a_tree_goes_away_however_deep_its_names_long_and_its_modes_closed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    scratch = make(tmp_path / "scratch", "run")
    nest(scratch.path, 1_500, "d")
    nest(scratch.path, 30, "n" * 240)
    (scratch.path / "closed" / "inner").mkdir(parents=True)
    (scratch.path / "closed").chmod(0)
    (scratch.path / "link").symlink_to(outside)
    scratch.remove()
    assert list((tmp_path / "scratch").iterdir()) == []
    assert (outside / "kept").read_text() == "kept"


def test_the_sweep_takes_what_the_dead_left_and_leaves_what_the_living_use(tmp_path: Path) -> None:
    scratches = tmp_path / "scratch"
    living, dead = make(scratches, "living"), make(scratches, "dead")
    nest(dead.path, 40, "n" * 240)
    os.close(dead.lock)  # as the kernel does when a process is killed
    sweep(scratches)
    assert [left.name for left in scratches.iterdir()] == ["living"]
    living.remove()
    assert list(scratches.iterdir()) == []


def test_a_sweep_never_takes_what_is_being_made_beside_it(tmp_path: Path) -> None:
    scratches = tmp_path / "scratch"
    scratches.mkdir()
    before = len(os.listdir("/proc/self/fd"))
    done = Event()

    def sweep_on() -> None:
        while not done.is_set():
            sweep(scratches)

    def make_many(maker: int) -> list[bool]:
        made = []
        for number in range(200):
            scratch = make(scratches, f"{maker}-{number}")
            made.append(scratch.path.is_dir())
            scratch.remove()
        return made

    with ThreadPoolExecutor() as pool:
        sweeper = pool.submit(sweep_on)
        try:
            made = [there for many in pool.map(make_many, range(3)) for there in many]
        finally:
            done.set()
        sweeper.result()
    assert made == [True] * 600
    assert len(os.listdir("/proc/self/fd")) == before
