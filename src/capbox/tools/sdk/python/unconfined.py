"""A Python tool outside of every wall, for its author's debugger: this machine's Python runs it.

Guarantees: none. It can do whatever the person who starts it can; nothing is decided on, nothing
is recorded.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from capbox.gate.manifest import Manifest
from capbox.gate.protocol import Reply
from capbox.messages import JsonObject
from capbox.tools.sdk.building.toolchain import Workshop
from capbox.tools.sdk.project import BuildError, Project
from capbox.tools.sdk.python.dependencies import bring
from capbox.tools.sdk.python.packing import lay_out

_OUTPUT_BYTES_MAX = 100 << 20


def run_unconfined(
    project: Project,
    manifest: Manifest,
    arguments: JsonObject,
    workshop: Workshop,
    environ: Mapping[str, str],
) -> Reply:
    """Call the function in a process of this Python, at this terminal. Raises BuildError."""
    app = workshop.scratch(project.folder) / "unconfined"
    lay_out(project, bring(project, workshop), app)
    request = {
        "tool": manifest.name,
        "arguments": arguments,
        "call": {"output_bytes_max": _OUTPUT_BYTES_MAX},
    }
    with tempfile.TemporaryDirectory(prefix="capbox-unconfined-") as place:
        asked, told = Path(place, "request.json"), Path(place, "result.json")
        asked.write_text(json.dumps(request), encoding="utf-8")
        program, source = str(app / "capbox_tool.py"), str(project.folder.resolve())
        command = [sys.executable, "-I", program, str(asked), str(told), source]
        done = subprocess.run(command, env=dict(environ), check=False)
        if not told.is_file():
            raise BuildError(str(project.source), f"Python ended with exit code {done.returncode}")
        found = manifest.reply(told.read_bytes(), _OUTPUT_BYTES_MAX)
    if not isinstance(found, Reply):
        raise BuildError(str(project.source), found)
    return found
