"""`capbox resume`: go on with a session, also one that was killed.

Guarantees: what the session held comes back from the journal, less what was revoked or expired, and
no call that ended is made again; what flags grant comes besides. Does not: go on with a session
that another process works in, or whose record is broken.
"""

from __future__ import annotations

from typing import Annotated

import typer

from capbox.surfaces.cli.commands.run import NEWEST, Order, carried_out
from capbox.surfaces.cli.flags import words
from capbox.surfaces.cli.flags.grouped import grouped
from capbox.surfaces.cli.flags.groups import (
    BoundFlags,
    BudgetFlags,
    GrantFlags,
    LendFlags,
    ModelFlags,
    ShapeFlags,
    WorkFlags,
)


@grouped
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
    model: ModelFlags,
    budget: BudgetFlags,
    grants: GrantFlags,
    work: WorkFlags,
    bounds: BoundFlags,
    limit: words.RunLimits = None,
    shape: ShapeFlags,
    lend: LendFlags,
    stdin: words.Stdin = None,
) -> int:
    """Go on with a session, also one that was killed.

    As in: capbox resume k3q "and now the tests"

    It holds what it held, less what was revoked or has expired; flags grant more. A call that was
    under way when it ended is made again only if its tool reads at most; else the model is told
    that nobody knows whether it happened.

    Exit codes: as of capbox run; 3 also if another process works in it.
    """
    order = Order(
        task=task or "", model=model, budget=budget, work=work, grants=grants, bounds=bounds,
        limit=limit, shape=shape, lend=lend, resume=session or NEWEST, stdin=stdin,
    )  # fmt: skip
    return carried_out(ctx.obj, order)
