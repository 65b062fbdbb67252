"""The flags that `call` and `run` share, and how they become settings.

Guarantees: no grant flag, no grant; a word that is not understood raises SettingsError, naming it;
every flag may be repeated and takes one value. Does not: resolve paths or mint anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from capbox.authority.budget import WORDS, Budget
from capbox.authority.limits import MB, MIB, Limits
from capbox.engine.budgets.given import budget_with
from capbox.engine.budgets.texts import EXAMPLE, read_flags
from capbox.engine.settings import Settings, SettingsError
from capbox.surfaces.cli.failures import usage

# The defaults, from the one place that has them.
LIMITS = Limits()
_BUDGET = Budget()

SECONDS_MAX = 1e8
MEMORY_MB_MAX = 4_000
OUTPUT_BYTES_MAX = 200 * MB
COUNT_MAX = 1 << 53
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WebFlags:
    """What was granted of the network."""

    fetches: Sequence[str] | None = None
    secrets: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantFlags:
    """What was granted on the command line, as text."""

    reads: Sequence[str] | None = None
    writes: Sequence[str] | None = None
    grants: Sequence[str] | None = None
    maps: Sequence[str] | None = None
    env: Sequence[str] | None = None
    web: WebFlags = field(default_factory=WebFlags)
    preset: str | None = None

    @property
    def given(self) -> bool:
        """Say whether any grant flag was used."""
        files = (self.reads, self.writes, self.maps)
        others = (self.grants, self.env, self.web.fetches, self.web.secrets)
        return any(files) or any(others) or self.preset is not None


@dataclass(frozen=True, slots=True)
class BoundFlags:
    """The bounds of each call, in the units of the flags (memory in MB)."""

    timeout: float = LIMITS.wall_seconds
    memory: int | None = None
    stack: int = LIMITS.stack_bytes
    fuel: int | None = None
    output: int = LIMITS.output_bytes
    limits: Sequence[str] | None = None


def one_shape(as_json: bool, stream_json: bool) -> None:
    """Refuse two shapes of output at once."""
    if as_json and stream_json:
        raise usage("--json and --stream-json exclude each other")


def settings_of(
    workspace: Path, grants: GrantFlags, bounds: BoundFlags, environ: Mapping[str, str]
) -> Settings:
    """Return the settings that the flags describe. Raises SettingsError."""
    return Settings(
        workspace=workspace,
        grants=tuple(grants.grants or ()),
        reads=tuple(grants.reads or ()),
        writes=tuple(grants.writes or ()),
        maps=tuple(grants.maps or ()),
        env=tuple(grants.env or ()),
        fetches=tuple(grants.web.fetches or ()),
        secrets=tuple(grants.web.secrets or ()),
        environ=environ,
        preset=grants.preset or "none",
        limits=limits_of(bounds),
    )


def limits_of(bounds: BoundFlags) -> Limits:
    """Return the bounds of a call; keys of `--limit` that concern the run are left out."""
    for flag, value, most in (
        ("--timeout", bounds.timeout, SECONDS_MAX),
        ("--memory", bounds.memory, MEMORY_MB_MAX),
        ("--stack", bounds.stack, COUNT_MAX),
        ("--fuel", bounds.fuel, COUNT_MAX),
        ("--output", bounds.output, OUTPUT_BYTES_MAX),
    ):
        _refuse_outside(flag, value, most)
    named = _pairs(bounds.limits or (), (*LIMIT_KEYS, *RUN_LIMIT_KEYS))
    changes: dict[str, Any] = {key: named[key] for key in LIMIT_KEYS if key in named}
    if bounds.memory is not None:
        changes["memory_bytes"] = bounds.memory * MB
    try:
        return Limits(
            wall_seconds=bounds.timeout,
            fuel=bounds.fuel,
            stack_bytes=bounds.stack,
            output_bytes=bounds.output,
            **changes,
        )
    except ValueError as error:
        raise SettingsError("", str(error)) from error


def budget_of(
    budget: Sequence[str] | None,
    limits: Sequence[str] | None = None,
    turns: int | None = None,
    tool_calls: int | None = None,
    usd: float | None = None,
) -> dict[str, float]:
    """Return what was said of the budget of a run, by key. Raises SettingsError."""
    named = _pairs(limits or (), (*LIMIT_KEYS, *RUN_LIMIT_KEYS))
    older: dict[str, tuple[str, float | None]] = {
        **{word: ("--limit", named.get(key)) for key, word in RUN_LIMIT_KEYS.items()},
        "turns": ("--max-turns", turns),
        "calls": ("--max-tool-calls", tool_calls),
        "usd": ("--budget-usd", usd),
    }
    given: dict[str, float] = dict(read_flags(budget or ()))
    for key, (flag, amount) in older.items():
        _refuse_outside(flag, amount, SECONDS_MAX if key in ("usd", "seconds") else COUNT_MAX)
        if amount is not None and key in given:
            raise SettingsError(f"--budget {key}=", f"{flag} says it too: leave out one of them")
        if amount is not None:
            given[key] = amount
    return given


def spending(settings: Settings, amounts: Mapping[str, float]) -> Settings:
    """Return `settings` with this budget."""
    return replace(settings, budget=budget_with(amounts), budget_given=frozenset(amounts))


def _refuse_outside(flag: str, value: float | None, most: float) -> None:
    if value is not None and not 0 <= value <= most:
        raise SettingsError(f"{flag} {value:g}", f"a bound is from 0 to {most:g}")


def refuse_run_keys(limits: Sequence[str] | None) -> None:
    """Refuse `--limit` keys that mean nothing for a single call."""
    _pairs(limits or (), LIMIT_KEYS)


def _pairs(texts: Sequence[str], keys: Sequence[str]) -> dict[str, int]:
    pairs: dict[str, int] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if key not in keys:
            raise SettingsError(f"--limit {text}", f"unknown key; there are: {', '.join(keys)}")
        if not (value.isascii() and value.isdecimal()):
            raise SettingsError(f"--limit {text}", "the value is a whole number")
        if len(value) > 15:
            raise SettingsError(f"--limit {text}", "the value is too large")
        pairs[key] = int(value)
    return pairs
