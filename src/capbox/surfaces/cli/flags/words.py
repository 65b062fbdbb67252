"""What each flag that several commands have is called, takes and says in `--help`.

Guarantees: every flag that grants may be repeated and takes one value. Does not: read what was
given.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, get_args

import typer

from capbox.authority.budget import WORDS, Budget
from capbox.authority.limits import MB, MIB, Limits
from capbox.engine.budgets.texts import EXAMPLE
from capbox.models.model import Effort

# The defaults, from the one place that has them.
LIMITS = Limits()
_BUDGET = Budget()

LIMIT_KEYS = (
    *("written_bytes", "files_created", "open_files", "tmp_bytes"),
    *("requests", "body_bytes"),
)
# A run's own wall clock has another name here: `--timeout` is that of each call.
RUN_LIMIT_KEYS: Mapping[str, str] = {"tokens": "tokens", "run_seconds": "seconds"}
# What a single call can spend.
CALL_BUDGET_KEYS = tuple(key for key in WORDS if key not in ("turns", "tokens", "usd", "children"))

_LIMIT_HELP = f"A further bound. KEY: {', '.join(LIMIT_KEYS)}"


def _folder(text: str) -> Path:
    if not text:
        # An unset shell variable must not mean the folder that one happens to be in.
        raise typer.BadParameter('the path is empty; give "." for this folder')
    return Path(text)


Workspace = Annotated[
    Path,
    typer.Option("--workspace", metavar="DIR", help="The folder it works in.", parser=_folder),
]
Reads = Annotated[
    list[str] | None,
    typer.Option(
        "--read",
        metavar="PATH",
        help="May read this file or folder. Repeatable. One outside DIR is /mnt/NAME to scripts.",
    ),
]
Writes = Annotated[
    list[str] | None,
    typer.Option("--write", metavar="PATH", help="May read and write there. Repeatable."),
]
Grants = Annotated[
    list[str] | None,
    typer.Option("--grant", metavar="G", help='A grant: "read:/workspace/a uses=3". Repeatable.'),
]
Fetches = Annotated[
    list[str] | None,
    typer.Option(
        "--fetch",
        metavar="[METHODS ]URL",
        help='May send such requests: "GET https://api.example.com/v1/*". Repeatable.',
    ),
]
Secrets = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        metavar="NAME@ORIGIN",
        help="Add this secret to requests for this origin (see capbox secret). Repeatable.",
    ),
]
Maps = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="HOST=/mnt/NAME[:rw]",
        help="Show a path elsewhere under this name, to read (:rw: to write). Repeatable.",
    ),
]
Env = Annotated[
    list[str] | None,
    typer.Option("--env", metavar="NAME[=VALUE]", help="May see this variable. Repeatable."),
]
Preset = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="none|read-only|search-only|edit|full|auto",
        help="Grants and tools for common work. auto lends all of the ceiling unasked.",
    ),
]
Timeout = Annotated[float, typer.Option("--timeout", metavar="S", help="Seconds a call may take.")]
Memory = Annotated[
    int | None,
    typer.Option(
        "--memory",
        metavar="MB",
        help="Memory of a guest, in 10^6 bytes. "
        f"Default {LIMITS.memory_bytes // MB} ({LIMITS.memory_bytes // MIB} MiB).",
    ),
]
Stack = Annotated[int, typer.Option("--stack", metavar="BYTES", help="Stack of a guest.")]
Fuel = Annotated[
    int | None,
    typer.Option(
        "--fuel", metavar="N", help="Instructions a call may execute. Default: uncounted."
    ),
]
Output = Annotated[int, typer.Option("--output", metavar="BYTES", help="Output of a call.")]
CallLimits = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="KEY=VALUE", help=f"{_LIMIT_HELP}. Repeatable."),
]
RunLimits = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="KEY=VALUE",
        help=f"{_LIMIT_HELP}; of the run: {', '.join(RUN_LIMIT_KEYS)}. Repeatable.",
    ),
]
ModelSpec = Annotated[
    str | None, typer.Option("--model", metavar="PROVIDER/NAME", help="Or scripted:FILE.json.")
]
Fallbacks = Annotated[
    list[str] | None,
    typer.Option(
        "--fallback",
        metavar="PROVIDER/NAME",
        help="Goes on with this model when the one before cannot be reached. Repeatable.",
    ),
]
EffortWord = Annotated[
    Effort | None,
    typer.Option(
        "--effort",
        metavar="|".join(get_args(Effort)),
        help="How hard the model is to think. Default: as its provider chooses.",
    ),
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", metavar="URL", help="A server of the same protocol.")
]
MaxTurns = Annotated[
    int | None,
    typer.Option(
        "--max-turns", metavar="N", help=f"Replies of the model. Default {_BUDGET.turns}."
    ),
]
MaxToolCalls = Annotated[
    int | None, typer.Option("--max-tool-calls", metavar="N", help=f"Default {_BUDGET.tool_calls}.")
]
BudgetUsd = Annotated[
    float | None,
    typer.Option("--budget-usd", metavar="USD", help=f"What it may cost. Default {_BUDGET.usd:g}."),
]
CallBudget = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        metavar="KEY=AMOUNT,...",
        help=f"What it may spend: {', '.join(CALL_BUDGET_KEYS)}. bytes_out=10MB. Repeatable.",
    ),
]
RunBudget = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        metavar="KEY=AMOUNT,...",
        help=f"What the run may spend: {', '.join(WORDS)}. As {EXAMPLE}. Repeatable.",
    ),
]
Tools = Annotated[
    list[str] | None, typer.Option("--tool", metavar="NAME", help="Only these tools. Repeatable.")
]
Attach = Annotated[
    list[Path] | None,
    typer.Option(
        "--attach", metavar="FILE", help="An image or PDF for the model to see. Repeatable."
    ),
]
Stdin = Annotated[
    bool | None,
    typer.Option(
        "--stdin/--no-stdin",
        help="Standard input is material for the task. Default: if something comes there.",
    ),
]
Style = Annotated[
    str | None,
    typer.Option("--style", metavar="NAME", help="How it writes: default, concise, ... or yours."),
]
SkillName = Annotated[
    str | None,
    typer.Option(
        "--skill",
        metavar="NAME",
        help="Work as this skill says; TASK is then its arguments, and may be left out.",
    ),
]
Named = Annotated[
    str | None,
    typer.Option("-w", "--in", metavar="NAME", help="A workspace by its name, with its settings."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AsStream = Annotated[bool, typer.Option("--stream-json", help="Print each event as a JSON line.")]
Ask = Annotated[
    bool | None,
    typer.Option("--ask/--no-ask", help="Ask at the terminal when a grant is missing."),
]
Ceiling = Annotated[
    list[str] | None,
    typer.Option("--ceiling", metavar="G", help="Lend at most this when asked. Repeatable."),
]
Policy = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="Answer questions by this [policy]: TOML."),
]
Log = Annotated[
    Path | None,
    typer.Option(
        "--log", metavar="FILE", help="Log events and decisions here, a line of JSON each."
    ),
]
AskRemote = Annotated[
    float | None,
    typer.Option(
        "--ask-remote",
        metavar="SECONDS",
        min=1,
        max=86_400,
        help="Wait so long for capbox approve in another terminal when a grant is missing.",
    ),
]
