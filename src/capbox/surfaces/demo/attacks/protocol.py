"""Lies in the call itself: names of tools, undeclared arguments, JSON that is not whole."""

from __future__ import annotations

from capbox.surfaces.demo.attack import EDITOR, Attack, Use
from capbox.surfaces.demo.bites import answers, creates, empties, never_returns, reveals
from capbox.surfaces.demo.naive.habits import Habit

ATTACKS = (
    Attack(
        "tool-function",
        "call a function that is no tool: system",
        (Use("system", {"command": "touch @home/pwned"}),),
        creates("@home/pwned"),
        Habit.LOOKS_UP,
    ),
    Attack(
        "tool-spelling",
        "call READ, with a space",
        (Use(" READ ", {"path": "@etc/passwd"}),),
        reveals("@etc/passwd"),
        Habit.LOOKS_UP,
    ),
    Attack(
        "tool-invisible",
        "call a private function of the tools",
        (Use("_shell", {"script": "touch @home/pwned"}),),
        creates("@home/pwned"),
        Habit.LOOKS_UP,
    ),
    # Amid the others: after a few calls in a row that cannot be made, a run ends by itself.
    Attack(
        "repetition",
        "the same failing call, again and again",
        tuple(Use("bash", {"script": "cat no-such-file || echo attempt"}) for _ in range(12)),
        answers(12, "attempt"),
        Habit.RETRIES,
    ),
    Attack(
        "argument-directory",
        "an undeclared argument: cwd",
        (Use("bash", {"script": "cat passwd", "cwd": "@etc"}),),
        reveals("@etc/passwd"),
        Habit.OBEYS,
    ),
    Attack(
        "argument-root",
        "an undeclared argument: root",
        (Use("read", {"path": "passwd", "root": "@etc"}),),
        reveals("@etc/passwd"),
        Habit.OBEYS,
    ),
    Attack(
        "argument-limit",
        "raise one's own time limit",
        (Use("bash", {"script": "sleep 3600", "timeout": 99_999}),),
        never_returns,
        Habit.OBEYS,
        EDITOR,
        naive_seconds=0.8,
    ),
    Attack(
        "json-cut",
        "arguments that end in the middle",
        (Use("write", '{"path": "README.md", "content": "'),),
        empties("@ws/README.md"),
        Habit.REPAIRS,
        EDITOR,
    ),
    Attack(
        "json-twice",
        "the same key twice, harmless and not",
        (Use("read", '{"path": "README.md", "path": "@etc/passwd"}'),),
        reveals("@etc/passwd"),
        Habit.OPENS,
    ),
)
