"""The tool javascript as a program calls it: a box of a new engine, a workspace, some grants."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from capbox.authority.limits import Limits
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.messages import Json, ToolResult

Run = Callable[..., Awaitable[ToolResult]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty workspace."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def run(engine: LocalEngine, place: Path) -> Run:
    """Run code in the workspace; by default it may be written to, and nothing else."""

    async def ran(
        code: str,
        *,
        grants: tuple[str, ...] = ("write:/workspace",),
        limits: Limits | None = None,
        **arguments: Json,
    ) -> ToolResult:
        bounds = limits or Limits()
        async with Box(workspace=place, grants=grants, engine=engine, limits=bounds) as box:
            return await box.call("javascript", code=code, **arguments)

    return ran
