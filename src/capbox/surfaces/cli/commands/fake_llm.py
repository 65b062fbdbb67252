"""`capbox fake-llm`: a loopback server that plays a scripted model as the providers would."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capbox.surfaces.cli.failures import usage


def fake_llm(
    *,
    script: Annotated[Path, typer.Option("--script", metavar="FILE", help="The replies, as JSON.")],
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="0: any free one.")] = 0,
) -> int:
    """Play a scripted model on 127.0.0.1.

    Serves until Ctrl-C; the first line it prints is the address.

    Base URL for Anthropic and Google: the address; for OpenAI, both dialects: the address and /v1.

    The script is a list with one entry per reply (docs/scripts.md):

    [{"text": "I look.", "tool_calls": [{"name": "read", "arguments": {"path": "a.txt"}}]},
    {"text": "Done."}, {"fault": {"status": 529}}]
    """
    from capbox.models.fake_llm.plan import read_plan
    from capbox.models.fake_llm.server import FakeLlm
    from capbox.models.script import ScriptError

    plan = read_plan(script)
    if isinstance(plan, ScriptError):
        raise usage(str(plan))
    try:
        server = FakeLlm(plan, port=port)
    except OSError as error:
        raise usage(f"--port {port}: {error.strerror}") from error
    with server:
        print(server.url, flush=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            return 0
    return 0
