"""docs/writing-tools.md is true: its example is typed in, built, tested and called as it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, code, rows, steps, text_of
from tests.furnished import furnished

from capbox.gate.manifest import Manifest, parse_manifest
from capbox.gate.protocol import Reply, parse_reply
from capbox.tools.sdk.cases import _EXPECTED, _KEYS
from capbox.tools.sdk.project import LANGUAGES

PAGE = text_of("writing-tools.md")
BLOCKS = blocks(PAGE)


def written(kind: str) -> list[str]:
    """The blocks of a kind."""
    return [block.text for block in BLOCKS if block.kind == kind]


def same(shown: list[str], printed: str) -> bool:
    """Say whether an output is the one that is shown, `...` standing for numbers in a line too."""
    lines = [re.sub(r"[0-9a-f]{64}|\d[\d,]{3,}", "...", line) for line in printed.splitlines()]
    return agrees(shown, "".join(f"{line}\n" for line in lines))


@pytest.mark.slow
def test_the_example_is_built_tested_and_called_as_the_page_shows(
    tmp_path: Path, tools_compiled: Mapping[str, str]
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    program = work / "capbox"
    start = "import sys; from capbox.app import main; sys.exit(main())"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{start}' \"$@\"\n")
    program.chmod(0o755)
    environ = {**tools_compiled, "PATH": f"{work}:{os.environ['PATH']}"}
    for block in written("console"):
        for command, shown in steps(block):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=work,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=300,
                check=False,
            )
            assert same(shown, done.stdout), f"{command}\n{done.stdout}"
            if command == "capbox tool new words":
                (work / "words" / "words.py").write_text(written("python")[0])
                (work / "words" / "tool.toml").write_text(written("toml")[0])
            if command.startswith("capbox tool new slug "):
                (work / "slug" / "slug.js").write_text(written("js")[0])


@pytest.fixture
def tools_compiled(tmp_path: Path, cache: Path) -> Mapping[str, str]:
    """The environment of a person with a home of their own."""
    return {
        "HOME": str(tmp_path),
        "CAPBOX_HOME": str(furnished(tmp_path / "capbox", cache)),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }


def test_the_foreign_command_of_the_page_is_a_manifest() -> None:
    found = parse_manifest(written("toml")[1], "tool.toml")
    assert isinstance(found, Manifest), found
    assert found.command is not None
    arguments = {"script": "/workspace/a.php", "arguments": ["-x"]}
    assert found.command.argv(arguments) == ("-q", "--", "/workspace/a.php", "-x")


def test_the_results_of_the_page_are_results_and_its_request_is_one() -> None:
    request, *results = written("json")
    assert set(json.loads(request)) == {"tool", "arguments", "cwd", "env", "call"}
    for text in results:
        assert isinstance(parse_reply(text.encode(), 1_000), Reply)


def test_every_language_and_every_key_of_a_case_is_listed() -> None:
    listed = rows(PAGE, "language", "is built by", "from")
    assert {name for row in listed for name in code(row[0])} == set(LANGUAGES) - {
        "python",
        "javascript",
    }
    keys = rows(PAGE, "key", "meaning")
    assert {name for row in keys for name in code(row[0])} == _KEYS
    (expect,) = (row[1] for row in keys if code(row[0]) == ["expect"])
    assert set(code(expect)) == _EXPECTED
