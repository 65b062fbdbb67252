"""docs/sessions.md is true: its examples are executed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, steps, text_of
from tests.furnished import furnished

PAGE = text_of("sessions.md")
IDS = ("q3s7vkn2x5hw6zjd", "zr4mt6hy2bvo5eas")
_DAY = r"\d{4}-\d\d-\d\d"


def _calls(name: str, content: str, text: str, tokens: int) -> dict[str, object]:
    call = {"name": "write", "arguments": {"path": name, "content": content}}
    usage = {"input_tokens": tokens, "output_tokens": 24}
    return {"text": text, "tool_calls": [call], "usage": usage}


SCRIPT = [
    _calls("plan.txt", "one\n", "I write it.", 200),
    {"text": "The plan is there.", "usage": {"input_tokens": 300, "output_tokens": 24}},
    _calls("steps.txt", "two\n", "", 300),
    {"text": "The steps are there, too.", "usage": {"input_tokens": 300, "output_tokens": 24}},
]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The folder of the page, with its scripted model."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "script.json").write_text(json.dumps(SCRIPT))
    return folder


def _sessions(environment: Mapping[str, str]) -> list[str]:
    """The ids of all sessions, the first one first."""
    command = ["capbox", "sessions", "list", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = sorted(json.loads(done.stdout)["sessions"], key=lambda one: one["created"])
    return [one["id"] for one in found]


def _printed(text: str, names: Mapping[str, str], workspace: Path) -> str:
    for real, shown in names.items():
        text = text.replace(real, shown)
    text = re.sub(r"^compiling .*\n", "", text, flags=re.MULTILINE)
    text = text.replace(str(workspace), "/work").replace("ok, 0 ms", "ok, 1 ms")
    text = re.sub(r"ok, \d+ ms", "ok, 1 ms", text)
    text = re.sub(r"run \d{8}-\d{6}-[a-z0-9]+", "run ...", text)
    text = re.sub(rf"{_DAY} \d\d:\d\d:\d\d", "2026-11-01 10:00:00", text)
    text = re.sub(rf"{_DAY} \d\d:\d\d", "2026-11-01 10:00", text)
    text = re.sub(rf"^{_DAY}(?= )", "2026-11-01", text, flags=re.MULTILINE)
    text = re.sub(r"0:\d\d$", "0:00", text, flags=re.MULTILINE)
    return re.sub(r",0\.0,0,[\d.]+$", ",0.0,0,...", text, flags=re.MULTILINE)


def test_its_examples_print_what_it_says(workspace: Path, tmp_path: Path, cache: Path) -> None:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "CAPBOX_HOME": str(furnished(tmp_path / "home", cache)),
    }
    names: dict[str, str] = {}
    tried = 0
    for block in blocks(PAGE):
        for command, shown in steps(block.text):
            for real, doc in names.items():
                command = command.replace(doc, real).replace(f" {doc[:4]}", f" {real[:8]}")
            done = subprocess.run(
                ["sh", "-c", f"{command} 2>&1"],
                cwd=workspace,
                env=environment,
                capture_output=True,
                text=True,
            )
            names = dict(zip(_sessions(environment), IDS, strict=False))
            printed = _printed(done.stdout, names, workspace)
            assert agrees(shown, printed), (command, printed)
            tried += 1
    assert tried == 15
