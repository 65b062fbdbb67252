"""Calls that meet a bound: one beyond it, which must be stopped, beside one within it.

Names that begin with `x-` belong to no model; the call that follows removes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.soaking.acts import Act, Check, Stage, passes, says
from bench.soaking.world import WHOLE
from capbox.authority.limits import Limits
from capbox.messages import ToolResult

SECONDS = 20.0
WITHIN = Limits(wall_seconds=SECONDS)
_FEW = 20_000


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound of a whole life, and its acts."""

    name: str
    limits: Limits
    acts: Callable[[Stage], tuple[Act, ...]]


def _bash(script: str, check: Check = passes, code: str | None = None) -> Act:
    return Act("bash", {"script": script}, check, code)


def _short(bytes_max: int, cut: bool) -> Check:
    def check(result: ToolResult) -> str | None:
        size = len(result.content.encode())
        if size > bytes_max or result.truncated != cut:
            return f"{size} bytes of output, truncated: {result.truncated}"
        return None

    return check


def _held(path: Path, bytes_max: int) -> Check:
    def check(_result: ToolResult) -> str | None:
        size = path.stat().st_size if path.exists() else 0
        return None if size <= bytes_max else f"{path} holds {size} bytes, more than {bytes_max}"

    return check


def _in_time(result: ToolResult) -> str | None:
    """Accept a machine so busy that half a second is too short; nothing else."""
    late = result.error is not None and result.error.code == "time"
    return None if late else says("a\n")(result)


def _time(stage: Stage) -> tuple[Act, ...]:
    endless = (
        "while :; do :; done",
        "sleep 30",
        "yes > /dev/null",
        "f() { f; }; while :; do x=1; done",
    )
    after = Act("bash", {"script": "echo a"}, _in_time, "either", also="time")
    return (_bash(stage.rng.choice(endless), code="time"), after)


def _memory(_stage: Stage) -> tuple[Act, ...]:
    return (
        _bash("x=0123456789; while :; do x=$x$x; done", code="memory"),
        _bash("x=0123456789; x=$x$x; echo ${#x}", says("20\n")),
    )


def _stack(_stage: Stage) -> tuple[Act, ...]:
    return (_bash("f() { f; }; f", code="stack"), _bash("f() { echo b; }; f", says("b\n")))


def _output(_stage: Stage) -> tuple[Act, ...]:
    return (
        _bash("yes", code="output"),
        _bash("seq 1 5000", _short(_FEW, cut=True)),
        _bash("seq 1 500", _short(_FEW, cut=False)),
    )


def _written(stage: Stage) -> tuple[Act, ...]:
    area, root = stage.area, stage.files.root
    big = f"{area}/x-{stage.rng.randint(0, 9)}"
    name = stage.own(WHOLE)
    much = {"path": name, "content": f"@{area}@ 0\n" * 4_000}
    return (
        _bash(f"yes > {big}", _held(root / big, _FEW), "written"),
        _bash(f"rm -f {big}; echo gone", says("gone\n")),
        Act("write", much, passes, "written"),
        _bash(f"head -c 9000 /dev/zero > {big}; wc -c < {big}; rm {big}", says("9000\n")),
    )


def _created(stage: Stage) -> tuple[Act, ...]:
    names, root = f"{stage.area}/x-", stage.files.root / stage.area

    def check(_result: ToolResult) -> str | None:
        made = len(list(root.glob("x-*")))
        return None if made <= 10 else f"{made} files were made, with a bound of 10"

    return (
        _bash(f"for n in $(seq 1 30); do : > {names}$n; done", check, "files_created"),
        _bash(f"rm -f {names}*; echo gone", says("gone\n")),
        _bash(f"for n in $(seq 1 5); do : > {names}$n; done; rm {names}*; echo ok", says("ok\n")),
    )


def _scratch(_stage: Stage) -> tuple[Act, ...]:
    full = "head: write error: No space left on device\n"
    return (
        _bash("rm -f /tmp/*; head -c 100000 /dev/zero > /tmp/x", says(f"{full}exit code 1\n")),
        _bash("rm -f /tmp/x; head -c 9000 /dev/zero > /tmp/y; wc -c < /tmp/y", says("9000\n")),
    )


BOUNDS = (
    Bound("time", replace(WITHIN, wall_seconds=0.5), _time),
    Bound("memory", replace(WITHIN, memory_bytes=64 << 20), _memory),
    Bound("stack", WITHIN, _stack),
    Bound("output", replace(WITHIN, output_bytes=_FEW), _output),
    Bound("written", replace(WITHIN, written_bytes=_FEW), _written),
    Bound("files_created", replace(WITHIN, files_created=10), _created),
    Bound("tmp", replace(WITHIN, tmp_bytes=_FEW), _scratch),
)
