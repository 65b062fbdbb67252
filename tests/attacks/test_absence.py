"""A kernel without some walls: every call works, refuses as before, and `doctor` says what is down.

The walls are really absent: a filter makes their system calls answer ENOSYS (`without.py`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

LAUNCHER = Path(__file__).with_name("without.py")
START = "import sys; from capbox.app import main; sys.exit(main())"
ABSENT = (
    (),
    ("landlock",),
    ("seccomp",),
    ("openat2",),
    ("memfd",),
    ("landlock", "seccomp", "openat2", "memfd"),
)


def capbox(account: Any, absent: tuple[str, ...], *arguments: str, cwd: Path) -> Any:
    """Run the command line in a kernel without these walls."""
    program = [account.python, "-I", "-c", START, *arguments]
    return account.run(["-c", LAUNCHER.read_text(), ",".join(absent), *program], cwd=cwd)


@pytest.fixture
def workspace(account: Any, request: pytest.FixtureRequest) -> Path:
    place = account.home / "work" / str(abs(hash(request.node.nodeid)))
    place.mkdir(parents=True)
    (place / "a.txt").write_text("alpha\n")
    (place / ".env").write_text("KEY=canary\n")
    (place / "out").mkdir()
    account.give(account.home / "work")
    return place


@pytest.mark.parametrize("absent", ABSENT, ids=lambda names: "+".join(names) or "none")
def test_without_these_walls_calls_work_and_are_refused_as_before(
    account: Any, workspace: Path, absent: tuple[str, ...]
) -> None:
    script = "cat a.txt; echo beta > out/b.txt; cat .env; cat /etc/hostname; cat out/b.txt"
    done = capbox(
        account, absent, "call", "bash", f"script={script}", "--read", ".", "--write", "out",
        "--json", cwd=workspace,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [line for line in result["content"].splitlines() if ":" not in line] == ["alpha", "beta"]
    assert [d["access"] for d in result["denied"]] == [
        "read /workspace/.env",
        "read /etc/hostname",
    ]
    assert ("create", "/workspace/out/b.txt") in {
        (e["action"], e["path"]) for e in result["effects"]
    }
    refused = capbox(account, absent, "call", "read", "path=a.txt", "--json", cwd=workspace)
    assert (refused.returncode, json.loads(refused.stdout)["denied"][0]["missing"]) == (
        3,
        "read:/workspace/a.txt",
    )


@pytest.mark.parametrize("absent", ABSENT, ids=lambda names: "+".join(names) or "none")
def test_doctor_names_the_walls_that_are_absent(
    account: Any, workspace: Path, absent: tuple[str, ...]
) -> None:
    done = capbox(account, absent, "doctor", "--json", cwd=workspace)
    assert done.returncode == 0, done.stderr + done.stdout
    states = {check["name"]: check["state"] for check in json.loads(done.stdout)["checks"]}
    walls = ("landlock", "seccomp", "openat2", "memfd")
    assert {name: states[name] for name in walls} == {
        name: "down" if name in absent else "up" for name in walls
    }
