"""Print docs/chat.md: `make docs`, or `python docs/generate_chat.py > docs/chat.md`.

Its screens are what tmux shows of real chats with a scripted model; times and digests, which are
others on each machine, are replaced by ones of the same form. The words are written by hand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.screens.tmux import Screen  # noqa: E402

from capbox.messages import Json  # noqa: E402
from capbox.surfaces.cli.talk.slash import help_lines  # noqa: E402

COMMAND = [sys.executable, "-c", "import sys; from capbox.app import main; sys.exit(main())"]
SHOWN_AS = (
    "/home/ann/wrk"  # as long as a folder that mkdtemp makes in /tmp, so that lines fold alike
)
NOTES = "- ship the importer\n- fix the clock\n- tidy the docs\n"
PLAN = "# Plan\n\n1. ship the importer\n2. fix the clock\n3. tidy the docs\n"
CODE = """Here is how the importer reads a row:

```python
def read_row(line: str) -> Row:
    name, _, amount = line.partition(";")
    return Row(name.strip(), Decimal(amount))
```

| step | state | who |
|---|---|---|
| ship the importer | **doing** | Ann |
| fix the clock | open | 健太 |

See [the format](https://example.com/rows?v=2) for the rest.
"""


def _call(name: str, **arguments: str) -> Json:
    return {"name": name, "arguments": arguments}


FIRST: list[Json] = [
    {"text": "I read the **notes** first.", "tool_calls": [_call("read", path="notes.md")]},
    {"text": "Three things. I write them down in order.",
     "tool_calls": [_call("write", path="plan.md", content=PLAN)]},
    {"text": "The plan is in `plan.md`:\n\n1. ship the importer\n2. fix the clock\n3. tidy the "
     "docs\n\nShall I begin with the first?",
     "usage": {"input_tokens": 3_120, "output_tokens": 96}},
    {"text": CODE, "usage": {"input_tokens": 3_480, "output_tokens": 210}},
    {"text": "I look at what there is.", "tool_calls": [_call("bash", script="ls; sleep 20")]},
    {"text": "Done."},
]  # fmt: skip

HEAD = """# Talking with an agent: `capbox chat`

A conversation, turn by turn, at one prompt. What the model writes is rendered above the prompt
as it comes, each tool call is one line, and what it may not do yet it asks for in that place.
This page is generated (`make docs`): its screens are those of real chats, with a scripted
model.

```
capbox chat --model anthropic/claude-sonnet-4-5
```

Flags are those of `capbox run`: `--read .`, `--write docs`, `--grant G`, `-w NAME`, `--style`,
`--skill`, `--fallback`, `--effort` ... Without a grant it opens with one question about this
folder.
"""

ASKED = """## It asks

In a window of 80 by 24. The keys and the words are those of every approval (docs/governance.md);
nothing else is printed until you have answered. If you were typing, the question waits until you
pause, so that the end of a word is not its answer. Ctrl-C says no and ends the turn.
"""

ANSWERED = """Then it goes on. A line of a tool call says what it was called with, how it ended,
how long it took and what it changed; `/show` unfolds the last one, `/show 2` the second. Below
the prompt: the model, how much of its context the last request took, what the chat has cost,
what it holds, and the walls around its tools (`capbox doctor`).
"""

WIDE = """In a window of 200 by 50, while it works. What you type now is told to the model
between two of its steps; if it ends before that, it is the next turn. The row with the dots
says what goes on.
"""

MIDDLE = """## Typing

Enter sends. Alt-Enter, Ctrl-J, or `\\` at the end of a line begins another line; what is pasted
keeps its lines. Up and Down bring back what you typed in this folder. Characters that hide or
act on a terminal are spelt out when they are pasted, as `\\u202e`: what is sent is what you
see.

`@` completes the names of files: those that the session may read, hidden ones once you have typed
their dot. The name stays a word of your message. Nothing is read by that; the model reads the file
by its tools, under what it holds.
"""

COMMANDS = """## Commands

A line that begins with `/` is never sent to the model. `//` begins a message that begins with
`/`.

| | |
| --- | --- |
"""

TAIL = """
`/undo`, `/diff`, `/sessions`, `/fork` and `/revoke` are the commands of the same name, and take
their flags.

## What a turn holds

Each turn is a run of one session (docs/sessions.md), and holds what `capbox resume` would give
it: what the one before held, less what was revoked, used up or has expired, with counters where
they stopped. What you lend "for the run" is lent again in the next turns, where the ceiling of
then holds it; a yes for once is gone. `/grant G` gives one more from the next turn on, within
the rules of `config.toml`. `/revoke` takes back what `/grants` lists, at once, also between two
turns: it is on record before it says so, and neither a later turn nor a resume has it again. A
policy of yours, or `--preset auto`, may lend the same again when it is asked the next time. A
budget is of one turn.

Between the turns no tool runs and nothing is held by a process; another one that wants the
session is refused, since the chat holds it until you leave.

## Stopping

The first Ctrl-C ends the turn: its stream and its tools stop within a second. A call that you
stopped is not made again by itself; the model is told. What you typed stays, and what waited for
the model stands at the prompt again. The second one leaves, as does Ctrl-C, Ctrl-D or `/quit` at
an empty prompt. Ctrl-Z suspends it until `fg`. `capbox chat --resume last` goes on, `--resume ID`
with any other session.

## In a pipe

Where it is not at a terminal each line of standard input is a turn, or a command; nobody is
asked. Standard output holds the model's text as it is and what commands print, everything else
is on standard error, and there are no escape codes. It ends with the exit code of the last
turn.

```console
$ printf 'the notes\\nand now?\\n' | capbox chat --model scripted:script.json --read . 2>/dev/null
Three things are to be done.
The importer comes first.
```
"""


def environment(home: str) -> dict[str, str]:
    """Return that of a chat whose capbox is in `home`."""
    return {
        "PATH": os.environ["PATH"],
        "CAPBOX_HOME": f"{home}/capbox",
        "LC_ALL": "C.UTF-8",
        "TERM": "tmux-256color",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }


@contextmanager
def chat(home: str, replies: list[Json], columns: int, rows: int) -> Iterator[tuple[Screen, str]]:
    """Begin a chat in a folder with notes; yields its screen, and the folder above."""
    folder = tempfile.mkdtemp(prefix="", dir="/tmp")
    own = tempfile.mkdtemp(dir="/var/tmp")
    workspace = Path(folder, "notes")
    workspace.mkdir()
    (workspace / "notes.md").write_text(NOTES)
    (workspace / "chat.json").write_text(json.dumps(replies))
    env = environment(home)
    arguments = [*COMMAND, "chat", "--model", "scripted:chat.json", "--read", "."]
    screen = Screen(Path(own), arguments, env=env, cwd=workspace, columns=columns, rows=rows)
    try:
        screen.waits_for("/help lists the commands")
        yield screen, folder
    finally:
        screen.close()
        for one in (folder, own):
            shutil.rmtree(one)


def shown(screen: Screen, folder: str) -> str:
    """Return a screen as a block, without what is another on each machine."""
    text = re.sub("(\n?)".join(map(re.escape, folder)), _renamed, screen.text())
    text = re.sub(r"\b\d+ ms\b", "4 ms", text)
    text = re.sub(r"\b\d+\.\d s\b", "0.6 s", text)
    text = re.sub(r", \d+ s;", ", 2 s;", text)
    text = re.sub(r"sha256 [0-9a-f]{12}", "sha256 5f1c0d9e2b7a", text)
    return f"```text\n{text}\n```\n"


def _renamed(found: re.Match[str]) -> str:
    """Return the name that is shown instead of a folder's, broken where that one is."""
    pairs = zip(SHOWN_AS, (*found.groups(), ""), strict=True)
    return "".join(letter + fold for letter, fold in pairs)


def screens(home: str) -> Iterator[str]:
    """Yield the screens in the order of the page: two of 80 by 24, one of 200 by 50, a menu."""
    with chat(home, FIRST, 80, 24) as (screen, folder):
        screen.says("look at the notes and write a plan")
        screen.waits_until(lambda seen: seen.endswith("[s]top:"))
        yield shown(screen, folder)
        screen.says("o")
        screen.waits_until(lambda seen: seen.endswith("2 walls") and "3 turns" in seen)
        yield shown(screen, folder)
    with chat(home, FIRST, 200, 50) as (screen, folder):
        screen.says("look at the notes and write a plan")
        screen.waits_until(lambda seen: seen.endswith("[s]top:"))
        screen.says("r")
        screen.waits_until(lambda seen: seen.endswith("2 walls") and "3 turns" in seen)
        screen.says("show me how it reads a row")
        screen.waits_until(lambda seen: "1 turn, 0 tool calls" in seen)
        screen.says("/grants")
        screen.waits_until(lambda seen: "for the run" in seen)
        screen.says("what else is there?")
        screen.waits_for("... bash ls; sleep 20")
        screen.says("and leave the clock to 健太")
        screen.waits_for("waits: and leave")
        yield shown(screen, folder)
        screen.presses("C-c")
    with chat(home, FIRST, 80, 24) as (screen, folder):
        screen.types("compare @")
        screen.waits_for(" @notes.md")
        yield shown(screen, folder)


def page() -> str:
    """Return the page."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as home:
        build = [*COMMAND, "cache", "build"]
        subprocess.run(build, env=environment(home), check=True, capture_output=True)
        asked, answered, wide, menu = screens(home)
    rows = "".join(f"| `{typed}` | {what} |\n" for typed, what in help_lines())
    parts = (HEAD, ASKED, asked, ANSWERED, answered, WIDE, wide, MIDDLE, menu)
    return "\n".join(parts) + "\n" + COMMANDS + rows + TAIL


if __name__ == "__main__":
    sys.stdout.write(page())
