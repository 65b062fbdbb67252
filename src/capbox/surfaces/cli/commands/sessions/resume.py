"""`capbox resume`: go on with a session, also one that was killed.

Guarantees: what the session held comes back from the journal, less what was revoked or expired, and
no call that ended is made again; what flags grant comes besides. Does not: go on with a session
that another process works in, or whose record is broken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capbox.surfaces.cli import flags
from capbox.surfaces.cli.commands.run import NEWEST, run


def resume(
    ctx: typer.Context,
    session: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="As capbox sessions list has it; the newest here."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Argument(metavar="[TASK]", help="What to do next, in words. Default: go on."),
    ] = None,
    *,
    model: flags.ModelSpec = None,
    base_url: flags.BaseUrl = None,
    max_turns: flags.MaxTurns = None,
    max_tool_calls: flags.MaxToolCalls = None,
    budget_usd: flags.BudgetUsd = None,
    budget: flags.RunBudget = None,
    tool: flags.Tools = None,
    workspace: flags.Workspace = Path(),
    read: flags.Reads = None,
    write: flags.Writes = None,
    grant: flags.Grants = None,
    map_: flags.Maps = None,
    env: flags.Env = None,
    fetch: flags.Fetches = None,
    secret: flags.Secrets = None,
    preset: flags.Preset = None,
    timeout: flags.Timeout = flags.LIMITS.wall_seconds,
    memory: flags.Memory = None,
    stack: flags.Stack = flags.LIMITS.stack_bytes,
    fuel: flags.Fuel = None,
    output: flags.Output = flags.LIMITS.output_bytes,
    limit: flags.RunLimits = None,
    as_json: flags.AsJson = False,
    stream_json: flags.AsStream = False,
    ask: flags.Ask = None,
    ask_remote: flags.AskRemote = None,
    ceiling: flags.Ceiling = None,
    policy: flags.Policy = None,
) -> int:
    """Go on with a session, also one that was killed.

    As in: capbox resume k3q "and now the tests"

    It holds what it held, less what was revoked or has expired; flags grant more. A call that was
    under way when it ended is made again only if its tool reads at most; else the model is told
    that nobody knows whether it happened.

    Exit codes: as of capbox run; 3 also if another process works in it.
    """
    return run(
        ctx, task or "", resume=session or NEWEST, model=model, base_url=base_url,
        max_turns=max_turns, max_tool_calls=max_tool_calls, budget_usd=budget_usd, budget=budget,
        tool=tool, workspace=workspace, read=read, write=write, grant=grant, map_=map_, env=env,
        fetch=fetch, secret=secret, preset=preset, timeout=timeout, memory=memory, stack=stack,
        fuel=fuel, output=output, limit=limit, as_json=as_json, stream_json=stream_json, ask=ask,
        ask_remote=ask_remote, ceiling=ceiling, policy=policy,
    )  # fmt: skip
