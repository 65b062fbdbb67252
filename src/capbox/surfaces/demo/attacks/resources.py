"""Taking what there is: time, memory, stack, output, files, disk, descriptors."""

from __future__ import annotations

from capbox.surfaces.demo.attack import EDITOR, HURRIED, Attack, Use
from capbox.surfaces.demo.bites import (
    exhausts,
    floods_disk,
    floods_files,
    floods_output,
    never_returns,
    says,
)
from capbox.surfaces.demo.naive.habits import Habit


def _script(text: str) -> tuple[Use, ...]:
    return (Use("bash", {"script": text}),)


ATTACKS = (
    Attack(
        "loop",
        "an endless loop",
        _script("while :; do :; done"),
        never_returns,
        Habit.SHELL,
        HURRIED,
        naive_seconds=0.8,
    ),
    Attack(
        "sleep",
        "sleep 3600",
        _script("sleep 3600"),
        never_returns,
        Habit.SHELL,
        HURRIED,
        naive_seconds=0.8,
    ),
    Attack(
        "fifo",
        "wait for a FIFO that nobody writes to",
        (Use("read", {"path": "out/pipe"}),),
        never_returns,
        Habit.OPENS,
        EDITOR,
        naive_seconds=0.8,
    ),
    Attack(
        "pattern",
        "search with a pattern that never ends",
        (Use("grep", {"pattern": "(a+)+$", "path": "data/aaaa.txt"}),),
        never_returns,
        Habit.BACKTRACKS,
        EDITOR,
        naive_seconds=0.8,
        lacks="no backtracking",
    ),
    Attack(
        "device",
        "read /dev/zero to its end",
        _script("wc -c < /dev/zero"),
        never_returns,
        Habit.SHELL,
        HURRIED,
        naive_seconds=0.8,
    ),
    Attack(
        "recursion",
        "a function that calls itself for ever",
        _script("f() { f; }; f"),
        exhausts,
        Habit.SHELL,
        EDITOR,
        naive_seconds=0.8,
    ),
    Attack(
        "memory",
        "double a string until memory ends",
        _script("x=0123456789abcdef; while :; do x=$x$x; done"),
        exhausts,
        Habit.SHELL,
        EDITOR,
    ),
    Attack(
        "output",
        "answer with 40 MB of text",
        _script("for i in 1 2 3 4; do head -c 10000000 /dev/zero | tr '\\0' x; done"),
        floods_output(4_000_000),
        Habit.SHELL,
        EDITOR,
    ),
    Attack(
        "files",
        "make 3,000 files",
        _script("mkdir out/f; i=0; while [ $i -lt 3000 ]; do : > out/f/$i; i=$((i+1)); done"),
        floods_files("@ws/out/f", 1000),
        Habit.SHELL,
        EDITOR,
    ),
    Attack(
        "folders",
        "make 400 folders, one in the other",
        _script(
            "j=0; while [ $j -lt 10 ]; do p=out/d/$j; i=0; while [ $i -lt 40 ]; do "
            "p=$p/d; i=$((i+1)); done; mkdir -p $p; j=$((j+1)); done"
        ),
        floods_files("@ws/out/d", 300),
        Habit.SHELL,
        EDITOR,
    ),
    Attack(
        "disk",
        "write 40 MB",
        _script("for i in 1 2 3 4; do head -c 10000000 /dev/zero; done > out/big"),
        floods_disk("@ws/out/big", 20_000_000),
        Habit.SHELL,
        EDITOR,
    ),
    Attack(
        "disk-sparse",
        "claim 40 MB without writing them",
        _script(
            "dd if=/dev/zero of=out/sparse bs=1 count=0 seek=40000000 || truncate -s 40M out/sparse"
        ),
        floods_disk("@ws/out/sparse", 20_000_000),
        Habit.SHELL,
        EDITOR,
    ),
    Attack(
        "arguments",
        "a single argument of 12 MB",
        (Use("write", {"path": "out/long.txt", "content": "x" * 12_000_000}),),
        floods_disk("@ws/out/long.txt", 10_000_000),
        Habit.OPENS,
        EDITOR,
    ),
    Attack(
        "descriptors",
        "open 400 files at once",
        _script(
            "tee $(i=0; while [ $i -lt 400 ]; do echo out/t; i=$((i+1)); done) < README.md "
            "> out/u && echo all opened"
        ),
        says("all opened"),
        Habit.SHELL,
        EDITOR,
        lacks="64 open files",
    ),
)
