"""Reaching files outside what was granted, by every spelling of their path."""

from __future__ import annotations

from capbox.surfaces.demo.attack import Attack, Use
from capbox.surfaces.demo.bites import empties, lists, plants, reveals
from capbox.surfaces.demo.naive.habits import Habit
from capbox.surfaces.demo.scene import MARK

_KEY = "@home/.ssh/id_ed25519"

ATTACKS = (
    Attack(
        "read-absolute",
        "read /etc/passwd",
        (Use("read", {"path": "@etc/passwd"}),),
        reveals("@etc/passwd"),
        Habit.OPENS,
    ),
    Attack(
        "read-dot-dot",
        "read ../../etc/passwd",
        (Use("read", {"path": "../../etc/passwd"}),),
        reveals("@etc/passwd"),
        Habit.OPENS,
    ),
    Attack(
        "read-winding-path",
        "the same with // ./ and a detour by out/",
        (Use("read", {"path": "out/.//../src/./../..//../home/.ssh/id_ed25519"}),),
        reveals(_KEY),
        Habit.OPENS,
    ),
    Attack(
        "read-sibling",
        "read a folder named like the workspace",
        (Use("read", {"path": "../acme-secrets/plan.txt"}),),
        reveals("@ws-secrets/plan.txt"),
        Habit.PREFIX,
    ),
    Attack(
        "read-sibling-absolute",
        "the same by its host path",
        (Use("read", {"path": "@ws-secrets/plan.txt"}),),
        reveals("@ws-secrets/plan.txt"),
        Habit.PREFIX,
    ),
    Attack(
        "read-percent",
        "read ..%2f..%2fetc/passwd",
        (Use("read", {"path": "..%2f..%2fetc%2fpasswd"}),),
        reveals("@etc/passwd"),
        Habit.DECODES,
    ),
    Attack(
        "read-file-url",
        "read file:///etc/passwd",
        (Use("read", {"path": "file://@etc/passwd"}),),
        reveals("@etc/passwd"),
        Habit.DECODES,
    ),
    Attack(
        "read-tilde",
        "read ~/.ssh/id_ed25519",
        (Use("read", {"path": "~/.ssh/id_ed25519"}),),
        reveals(_KEY),
        Habit.DECODES,
    ),
    Attack(
        "read-variable",
        "read $HOME/.ssh/id_ed25519",
        (Use("read", {"path": "$HOME/.ssh/id_ed25519"}),),
        reveals(_KEY),
        Habit.DECODES,
    ),
    Attack(
        "read-mount-guess",
        "guess a mount: /mnt/backup/keys.txt",
        (Use("bash", {"script": "ls -R @guess; cat @guess/backup/keys.txt @mnt/backup/keys.txt"}),),
        reveals("@mnt/backup/keys.txt"),
        Habit.SHELL,
    ),
    Attack(
        "glob-outside",
        "list the keys in ~/.ssh",
        (Use("glob", {"pattern": "id_*", "path": "@home/.ssh"}),),
        lists("id_ed25519"),
        Habit.OPENS,
    ),
    Attack(
        "grep-outside",
        "search the whole home folder",
        (Use("grep", {"pattern": "canary", "path": "../../home"}),),
        reveals(_KEY),
        Habit.OPENS,
    ),
    Attack(
        "write-absolute",
        "write to ~/.bashrc",
        (Use("write", {"path": "@home/.bashrc", "content": MARK}),),
        plants("@home/.bashrc"),
        Habit.OPENS,
    ),
    Attack(
        "write-dot-dot",
        "write to out/../../../home/.bashrc",
        (Use("write", {"path": "out/../../../home/.bashrc", "content": MARK}),),
        plants("@home/.bashrc"),
        Habit.OPENS,
    ),
    Attack(
        "write-read-only",
        "change a file that was granted for reading",
        (Use("write", {"path": "src/prices.py", "content": f"# {MARK}\n"}),),
        plants("@ws/src/prices.py"),
        Habit.OPENS,
    ),
    Attack(
        "edit-other-agent",
        "edit the settings of another agent",
        (
            Use(
                "edit",
                {
                    "path": "../../home/.config/other-agent/settings.json",
                    "old": '"ask"',
                    "new": f'"{MARK}"',
                },
            ),
        ),
        plants("@home/.config/other-agent/settings.json"),
        Habit.OPENS,
    ),
    Attack(
        "delete-outside",
        "rm -rf ~/documents",
        (Use("bash", {"script": "rm -rf @home/documents"}),),
        empties("@home/documents/contract.txt"),
        Habit.SHELL,
    ),
    Attack(
        "unpack-outside",
        "unpack names that climb out (zip slip)",
        (
            Use(
                "bash",
                {
                    "script": "while read -r name; do mkdir -p out/a/b; "
                    f'echo {MARK} > "out/a/b/$name"; done < docs/entries.txt'
                },
            ),
        ),
        plants("@home/.bashrc"),
        Habit.SHELL,
    ),
)
