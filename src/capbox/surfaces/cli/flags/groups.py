"""Which flags go together: each group is one parameter of a command (see `grouped`).

Does not: know what they mean; `settings` does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from capbox.engine.settings import Settings
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.flags import words


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantFlags:
    """The workspace, and what was granted in it and beside it, as text."""

    workspace: words.Workspace = Path()
    read: words.Reads = None
    write: words.Writes = None
    grant: words.Grants = None
    map_: words.Maps = None
    env: words.Env = None
    fetch: words.Fetches = None
    secret: words.Secrets = None
    preset: words.Preset = None

    @property
    def given(self) -> bool:
        """Say whether any grant flag was used."""
        files = (self.read, self.write, self.map_)
        others = (self.grant, self.env, self.fetch, self.secret)
        return any(files) or any(others) or self.preset is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundFlags:
    """The bounds of each call, in the units of the flags (memory in MB)."""

    timeout: words.Timeout = words.LIMITS.wall_seconds
    memory: words.Memory = None
    stack: words.Stack = words.LIMITS.stack_bytes
    fuel: words.Fuel = None
    output: words.Output = words.LIMITS.output_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetFlags:
    """What a run may spend."""

    max_turns: words.MaxTurns = None
    max_tool_calls: words.MaxToolCalls = None
    budget_usd: words.BudgetUsd = None
    budget: words.RunBudget = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFlags:
    """Who works, and how."""

    model: words.ModelSpec = None
    base_url: words.BaseUrl = None
    fallback: words.Fallbacks = None
    effort: words.EffortWord = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFlags:
    """What a run works with, how it writes, and where it is logged."""

    tool: words.Tools = None
    attach: words.Attach = None
    style: words.Style = None
    log: words.Log = None

    def settings(self, settings: Settings) -> Settings:
        """Return `settings` with these tools and this log."""
        tools = None if self.tool is None else tuple(self.tool)
        return replace(settings, tools=tools, log=self.log)


@dataclass(frozen=True, slots=True, kw_only=True)
class LendFlags:
    """Who lends what is missing, and how much of it at most."""

    ask: words.Ask = None
    ask_remote: words.AskRemote = None
    ceiling: words.Ceiling = None
    policy: words.Policy = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeFlags:
    """What standard output holds; as text if neither is set."""

    as_json: words.AsJson = False
    stream_json: words.AsStream = False

    @property
    def word(self) -> str:
        """Return `text`, `json` or `stream`; two shapes at once are refused."""
        if self.as_json and self.stream_json:
            raise usage("--json and --stream-json exclude each other")
        return "json" if self.as_json else "stream" if self.stream_json else "text"
