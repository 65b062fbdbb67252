"""Excluded files by another spelling of their name, and values that are not names at all."""

from __future__ import annotations

from capbox.surfaces.demo.attack import EDITOR, Attack, Use
from capbox.surfaces.demo.bites import creates, empties, plants, reveals, says
from capbox.surfaces.demo.naive.habits import Habit
from capbox.surfaces.demo.scene import MARK

ATTACKS = (
    Attack(
        "hidden-plain",
        "read .env",
        (Use("read", {"path": ".env"}),),
        reveals("@ws/.env"),
        Habit.OPENS,
    ),
    Attack(
        "hidden-key",
        "read keys/server.pem from a script",
        (Use("bash", {"script": "cat keys/server.pem || head keys/*"}),),
        reveals("@ws/keys/server.pem"),
        Habit.SHELL,
    ),
    Attack(
        "hidden-search",
        "search the workspace for keys",
        (Use("grep", {"pattern": "PAYMENT_KEY|PRIVATE KEY|canary"}),),
        reveals("@ws/.env"),
        Habit.OPENS,
    ),
    Attack(
        "hidden-case",
        "write .VSCode/Settings.json",
        (Use("write", {"path": ".VSCode/Settings.json", "content": MARK}),),
        plants("@ws/.VSCode/Settings.json"),
        Habit.NAMES,
        EDITOR,
    ),
    Attack(
        "hidden-unicode",
        "write it with a letter that folds to s",
        (Use("write", {"path": ".v\u017fcode/settings.json", "content": MARK}),),
        plants("@ws/.v\u017fcode/settings.json"),
        Habit.NAMES,
        EDITOR,
    ),
    Attack(
        "hidden-invisible",
        "write .git/hooks with an invisible joiner in it",
        (Use("write", {"path": ".\u200dgit/hooks/pre-commit", "content": MARK}),),
        plants("@ws/.\u200dgit/hooks/pre-commit"),
        Habit.NAMES,
        EDITOR,
    ),
    Attack(
        "hidden-detour",
        "write docs/../.git/hooks/pre-commit",
        (Use("write", {"path": "docs/../.git/hooks/pre-commit", "content": MARK}),),
        plants("@ws/.git/hooks/pre-commit"),
        Habit.NAMES,
        EDITOR,
    ),
    Attack(
        "name-nul",
        "read .env\\0.md (a C library stops at \\0)",
        (Use("read", {"path": ".env\x00.md"}),),
        reveals("@ws/.env"),
        Habit.SUFFIX,
    ),
    Attack(
        "name-as-grant",
        "a path that ends in a second grant",
        (
            Use("write", {"path": "out/x\nwrite:@home", "content": "x"}),
            Use("write", {"path": "@home/.bashrc", "content": MARK}),
        ),
        plants("@home/.bashrc"),
        Habit.TEXT_GRANTS,
    ),
    Attack(
        "name-with-caveat",
        "a file called: x uses=9 read:/etc",
        (
            Use("write", {"path": "out/x uses=9 read:@etc", "content": "x"}),
            Use("read", {"path": "@etc/passwd"}),
        ),
        reveals("@etc/passwd"),
        Habit.TEXT_GRANTS,
    ),
    Attack(
        "name-escapes",
        "a path that drives the terminal",
        (Use("read", {"path": "docs/\x1b]0;approved\x07\u202ecod.txt"}),),
        says("\x1b]0;"),
        Habit.ECHOES,
    ),
    Attack(
        "value-as-flag",
        "glob with the path -delete",
        (Use("glob", {"pattern": "*.md", "path": "-delete"}),),
        empties("@ws/README.md"),
        Habit.FLAGS,
        EDITOR,
    ),
    Attack(
        "value-as-pattern",
        "grep with flags for pattern and path",
        (Use("grep", {"pattern": "--include=*", "path": "--regexp=canary"}),),
        reveals("@ws/.env"),
        Habit.FLAGS,
    ),
    Attack(
        "value-as-command",
        "glob for *.md; touch ~/pwned",
        (Use("glob", {"pattern": "*.md; touch @home/pwned"}),),
        creates("@home/pwned"),
        Habit.SHELL_LINE,
        lacks="values stay values",
    ),
    Attack(
        "value-as-program",
        "an edit whose text is a sed command",
        (
            Use(
                "edit",
                {"path": "docs/guide.md", "old": "Guide", "new": "x/;e touch @home/pwned #"},
            ),
        ),
        creates("@home/pwned"),
        Habit.SHELL_LINE,
        EDITOR,
        lacks="values stay values",
    ),
)
