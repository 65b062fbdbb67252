"""The half of the SDK that is packed beside a function, run here as `--unconfined` does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.messages import Json

ROOT = Path(__file__).resolve().parents[4]
RUNTIME = ROOT / "src" / "capbox" / "tools" / "sdk" / "packed" / "capbox_tool.py.in"


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Json]:
    """Run a module's function `f` on one request, as the sandbox would, and return its result."""

    def run(source: str, tool: str = "t", most: int = 1_000_000, **arguments: Json) -> Json:
        (tmp_path / "capbox_tool.py").write_text(RUNTIME.read_text())
        (tmp_path / "tool.json").write_text('{"module": "t", "function": "f"}')
        (tmp_path / "t.py").write_text(source)
        asked, told = tmp_path / "asked.json", tmp_path / "told.json"
        call = {"output_bytes_max": most}
        asked.write_text(json.dumps({"tool": tool, "arguments": arguments, "call": call}))
        program = [sys.executable, "-I", "-B", str(tmp_path / "capbox_tool.py")]
        subprocess.run([*program, str(asked), str(told), str(tmp_path)], check=True)
        found: Json = json.loads(told.read_text())
        return found

    return run
