"""`capbox ps` and `capbox revoke` from a second process: seen, stopped, and on record in order."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.servers.http import HttpServer, Tap
from tests.servers.replies import tapped
from tests.surfaces.cli.commands.control.conftest import PATIENCE_SECONDS

from capbox.journal.event import RunId
from capbox.messages import JsonObject
from capbox.store.journal import read

Start = Callable[..., "subprocess.Popen[str]"]


def entries(environ: Mapping[str, str], run: str) -> list[JsonObject]:
    records = read(Path(environ["CAPBOX_HOME"], "state", "journal"), RunId(run))
    return [record.content for record in records if record.content is not None]


def until_there(path: Path, running: subprocess.Popen[str]) -> None:
    """Wait for a file that a tool makes; a command that ended first fails the test."""
    while not path.exists():
        assert running.poll() is None, running.communicate()


def descendants(pid: int) -> set[int]:
    """Return the processes below one: the zygote and its workers."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            below.setdefault(parent, []).append(int(entry.name))
    found, left = set(), [pid]
    while left:
        children = below.get(left.pop(), [])
        found.update(children)
        left += children
    return found


def is_alive(pid: int) -> bool:
    """Say whether a process is there, and not only its number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


SCRIPTS = {
    "a spinning tool": ": > started; while :; do :; done; : > late",
    "a sleeping tool": ": > started; sleep 25; : > late",
    "a writing tool": ": > started; while :; do echo x >> grows; done",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_a_second_process_stops_what_is_at_work(
    process: Callable[..., object],
    background: Start,
    environ: Mapping[str, str],
    workspace: Path,
    script: str,
) -> None:
    running = background("call", "bash", f"script={script}", "--write", ".", "--json")
    until_there(workspace / "started", running)
    (listed,) = process("ps", "--json").json["runs"]
    assert (listed["pid"], listed["calling"]) == (running.pid, ["bash"])
    workers = descendants(running.pid)
    assert len(workers) >= 2
    revoked = process("revoke", listed["run"][:-3])
    size = (workspace / "grows").stat().st_size if "grows" in script else 0
    out, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert (revoked.code, revoked.out) == (
        0,
        f"ended run {listed['run']}; stopped: bash\n",
    )
    assert (json.loads(out)["error"]["code"], running.returncode) == ("revoked", 4)
    kinds = [e.get("what", e["kind"]) for e in entries(environ, listed["run"])]
    assert kinds == ["opened", "intent", "revocation", "outcome", "closed"]
    assert not (workspace / "late").exists()
    assert not any(map(is_alive, workers))
    if size:
        assert (workspace / "grows").stat().st_size == size


def test_a_task_that_is_revoked_says_so_and_its_grants_are_listed_as_such(
    process: Callable[..., object],
    background: Start,
    environ: Mapping[str, str],
    workspace: Path,
    script: Callable[..., str],
) -> None:
    """It ended neither by itself nor by Ctrl-C."""
    scripts = (SCRIPTS["a spinning tool"], "while :; do :; done")
    spins = [{"name": "bash", "arguments": {"script": text}} for text in scripts]
    model = script(*({"tool_calls": [one]} for one in spins), {"text": "done"})
    running = background("run", "spin", "--model", model, "--write", ".", "--read", "/usr/share")
    until_there(workspace / "started", running)
    listed = process("grants", "list", "--json").json["held"]
    (one,) = [row for row in listed if row["grant"] == "read:/usr/share"]
    taken = process("revoke", one["id"])
    said = f"revoked {one['id']} (read:/usr/share) in run {one['run']}; "
    assert (taken.code, taken.out.startswith(said)) == (0, True), taken
    row = next(r for r in process("grants", "list").out.splitlines() if r.startswith(one["id"]))
    assert f"run {one['run']}, revoked " in row
    process("revoke", one["run"])
    _, err = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 4
    assert "revoked: what the run held was taken back (capbox revoke)" in err.splitlines()
    (closed,) = [e for e in entries(environ, one["run"]) if e["kind"] == "closed"]
    assert closed["outcome"] == "revoked"


def test_a_second_process_stops_a_download(
    process: Callable[..., object],
    background: Start,
    environ: Mapping[str, str],
    workspace: Path,
    http_server: Callable[..., HttpServer],
) -> None:
    tap = Tap()
    tap.give(b"first")
    server = http_server({"/": tapped(tap)})
    url = f"http://127.0.0.1:{server.port}/"
    running = background("call", "fetch", f"url={url}", "--fetch", url, "--json")
    server.until(lambda seen: bool(seen))
    (listed,) = process("ps", "--json").json["runs"]
    workers = descendants(running.pid)
    assert len(workers) >= 2
    revoked = process("revoke", listed["run"], "--json")
    # It is on record before anybody is told that it is done.
    at_return = entries(environ, listed["run"])
    assert "revocation" in [e.get("what") for e in at_return]
    assert revoked.json == {"revoked": listed["run"], "runs": [listed["run"]], "stopped": ["fetch"]}
    tap.give(b"second")
    tap.give(b"third")
    server.until(lambda seen: seen[0].over)
    out, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert json.loads(out)["error"]["code"] == "revoked"
    kinds = [e.get("what", e["kind"]) for e in entries(environ, listed["run"])]
    assert kinds == ["opened", "intent", "request", "revocation", "outcome", "closed"]
    assert not any(map(is_alive, workers))
    # What came before the revocation is all that the guest was ever told of, and it got no reply.
    (outcome,) = [e for e in entries(environ, listed["run"]) if e["kind"] == "outcome"]
    assert (outcome["end"], len(server.requests)) == ("stopped", 1)
    assert b"second" not in out.encode()


def test_what_cannot_be_revoked_is_told_apart(
    process: Callable[..., object], background: Start, workspace: Path
) -> None:
    """A run that ended, one whose process was killed, one whose process hangs, and none at all."""
    ended = process("call", "read", "path=a.txt", "--read", ".", "--json").json["journal"]
    script = "script=: > started; while :; do :; done"
    running = background("call", "bash", script, "--write", ".")
    until_there(workspace / "started", running)
    (listed,) = process("ps", "--json").json["runs"]
    running.send_signal(signal.SIGSTOP)
    hangs = process("revoke", listed["run"])
    seen = process("ps")
    running.kill()
    running.communicate()
    killed = process("revoke", listed["run"])
    told = [
        (done.code, done.err.strip().removeprefix("capbox: "))
        for done in (
            process("revoke", ended),
            hangs,
            killed,
            process("revoke", "nothing"),
            process("revoke", "nothing#0"),
        )
    ]
    silent = f"process {running.pid} did not answer within 3 s"
    assert told == [
        (1, f"run {ended} is not under way: it ended (ended), and its authority with it"),
        (
            5,
            f"{listed['run']} is not revoked: {silent}; "
            "kill -9 ends a process with everything that works for it",
        ),
        (
            1,
            f"run {listed['run']} is not under way: its process is gone, and its authority with it",
        ),
        (1, "nothing under way has the name nothing; see: capbox ps, capbox grants list"),
        (1, "nothing under way has the name nothing#0; see: capbox ps, capbox grants list"),
    ]
    assert (seen.code, silent in seen.err) == (1, True)
    assert process("ps").err.strip() == "no run is under way"
