"""Work that capbox and its peers do alike, as data: what each is asked, and what all must answer.

In every text `@` is the number of the round, `@+` the next one, and `%` the name of who does it.
Does not: run any of it.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.workspace import FILES
from capbox.messages import Json, JsonObject

WRITTEN = "a line of the text that is written\n" * (100_000 // 35)


@dataclass(frozen=True, slots=True)
class Task:
    """One row: a tool call, and a script and other code that do the same (None: they cannot).

    `script` gets `stdin`; every answer holds `answer`. `program` is what runs natively without
    a shell around it, which would count. `edited` is a file and what it holds afterwards.
    `against` says which yardstick the ratio is to.
    """

    name: str
    what: str
    tool: str
    arguments: JsonObject
    script: str
    answer: str
    python: str | None = None
    javascript: str | None = None
    program: tuple[str, ...] = ()
    stdin: str = ""
    edited: tuple[str, str] | None = None
    against: Literal["spawn", "native"] = "native"

    def prepare(self, workspace: Path, names: Iterable[str]) -> None:
        """Make the file that each participant edits."""
        if self.tool == "edit":
            half = WRITTEN[: len(WRITTEN) // 2]
            for name in names:
                file, _ = self.filled(0, name).edited or ("", "")
                (workspace / file).write_text(f"{half}\nmarker 0 here\n{half}")

    def filled(self, number: int, who: str) -> Task:
        """Return the task of one round and participant, without placeholders."""
        if self.tool == "read":
            number %= FILES
        return replace(
            self,
            arguments={k: _filled(v, number, who) for k, v in self.arguments.items()},
            script=_text(self.script, number, who),
            answer=_text(self.answer, number, who),
            python=None if self.python is None else _text(self.python, number, who),
            javascript=None if self.javascript is None else _text(self.javascript, number, who),
            edited=None
            if self.edited is None
            else (_text(self.edited[0], number, who), _text(self.edited[1], number, who)),
        )


def _filled(value: Json, number: int, who: str) -> Json:
    return _text(value, number, who) if isinstance(value, str) else value


def _text(text: str, number: int, who: str) -> str:
    return text.replace("@+", str(number + 1)).replace("@", str(number)).replace("%", who)


def _script(
    name: str, what: str, script: str, answer: str, *, python: str | None = None
) -> Task:  # fmt: skip
    return Task(name, what, "bash", {"script": script}, script, answer, python)


def _python(name: str, what: str, code: str, answer: str) -> Task:
    """Return Python code for the tool; natively it is this interpreter, in a process of its own."""
    return Task(
        name,
        f"python {what}, against `python3 -I -c`",
        "python",
        {"code": f"{code}  # @"},
        shlex.join(("python3", "-I", "-c", code)),
        answer,
        python=f"{code}  # @",
        program=(sys.executable, "-I", "-c", code),
    )


def _javascript(name: str, what: str, code: str, native: str, answer: str) -> Task:
    """Return JavaScript code for the tool; natively it is Node, where there is one."""
    return Task(
        name,
        f"javascript {what}",
        "javascript",
        {"code": f"{code} // @"},
        shlex.join(("node", "-e", native)),
        answer,
        javascript=f"{code} // @",
        program=(shutil.which("node") or "node", "-e", native),
    )


READ = Task(
    "read_1k",
    "read of a 1 KB file, after an idle pause",
    "read",
    {"path": "@.txt"},
    "cat @.txt",
    "line of file @,",
    python="print(open('/workspace/@.txt').read())",
    against="spawn",
)
ECHO = Task(
    "echo",
    "bash `echo hi`, after an idle pause",
    "bash",
    {"script": "echo hi @"},
    "echo hi @",
    "hi @",
    python="print('hi @')",
    against="spawn",
)
SMALL = (
    _script(
        "pipeline",
        "bash `seq 1 20000 | sort -rn | awk '{s+=$1} END{print s}'`",
        "seq 1 20000 | sort -rn | awk '{s+=$1} END{print s}'",
        "200010000",
        python="print(sum(sorted(range(1, 20001), reverse=True)))",
    ),
    _script(
        "loop",
        "bash loop that counts to 2,000",
        "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; echo $i",
        "2000",
        python="i = 0\nwhile i < 2000: i += 1\nprint(i)",
    ),
    Task(
        "write_100k",
        "write of a 100 KB file",
        "write",
        {"path": "out-%.txt", "content": WRITTEN},
        "cat > out-%.txt && echo out-%.txt",
        "out-%.txt",
        stdin=WRITTEN,
        edited=("out-%.txt", WRITTEN[-100:]),
    ),
    Task(
        "edit_100k",
        "edit of one line in a 100 KB file, against `sed -i`",
        "edit",
        {"path": "edited-%.txt", "old": "marker @ here", "new": "marker @+ here"},
        "sed -i 's/marker @ here/marker @+ here/' edited-%.txt && echo edited-%.txt",
        "edited-%.txt",
        edited=("edited-%.txt", "marker @+ here"),
    ),
)
LARGE = (
    _script(
        "sed_10mb",
        "bash `sed 's/words/WORDS/' | tail -n 1` over 10 MB",
        "sed 's/words/WORDS/' text.txt | tail -n 1",
        "the last WORDS of the text",
    ),
    _script(
        "sort_10mb",
        "bash `sort | tail -n 1` over 10 MB",
        "sort text.txt | tail -n 1",
        "zz comes last",
    ),
    Task(
        "grep_literal",
        "tool grep, a literal in 2,000 files of 60 MB, against `grep -rn`",
        "grep",
        {"pattern": "needle found", "path": "src"},
        "grep -rn 'needle found' src",
        "needle found 7x",
    ),
    Task(
        "grep_regex",
        "tool grep, a regular expression in the same files, against `grep -rnE`",
        "grep",
        {"pattern": "needle (found|lost) [0-9]+x", "path": "src"},
        "grep -rnE 'needle (found|lost) [0-9]+x' src",
        "needle found 7x",
    ),
    _script(
        "grep_bash",
        "bash `grep -rn` of the literal in the same files",
        "grep -rn 'needle found' src",
        "needle found 7x",
    ),
    Task(
        "glob",
        "tool glob over 10,000 files, against `find -name`",
        "glob",
        {"pattern": "**/*77.md", "path": "many"},
        "find many -name '*77.md'",
        "77.md",
    ),
)
_COUNT = "n = 0\nfor i in range(3_000_000): n += i & 3\nprint(n)"
_SUM = "let s = 0; for (let i = 0; i < 3e6; i++) s += (i * i) & 7; console.log(s);"
LANGUAGES = (
    _python("python_start", "`print(1)`, after an idle pause", "print(1)", "1"),
    # Node has nothing to say here: what is compared is its start.
    _javascript("js_start", "`1`, after an idle pause, against `node -e 0`", "1;", "0", ""),
)
LOOPS = (
    _python("python_loop", "loop of 3,000,000 steps", _COUNT, "4500000"),
    _javascript("js_loop", "loop of 3,000,000 steps, against Node", _SUM, _SUM, "4500000"),
)
