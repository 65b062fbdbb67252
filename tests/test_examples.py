"""The programs in examples/ are short, run as they stand, and do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def printed(name: str, tmp_path: Path) -> list[str]:
    """Run an example as a stranger would, in a home of its own; return the lines it prints."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / name],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_a_poisoned_mail_reaches_no_outsider_and_the_task_is_done(tmp_path: Path) -> None:
    *lines, end = printed("mail_assistant.py", tmp_path)
    hostile = [line for line in lines if line.startswith("hostile model: ")]
    assert len(hostile) == 7 and "hostile model: sent" not in hostile
    assert lines[7:] == ["kind model: sent"]
    assert end == "mails left this machine to: ['alice@example.com']"


def test_the_mail_assistant_is_short() -> None:
    assert len((EXAMPLES / "mail_assistant.py").read_text().splitlines()) < 60
