"""docs/packages.md is true: its examples are executed, against Debian's registry; its tables asked.

`localhost:5000` is a real registry on another port; keys, digests and sizes are compared by their
form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.docs.page import agrees, blocks, code, rows, steps, text_of
from tests.docs.test_governance_control import environ, run  # noqa: F401 (a fixture)
from tests.tools.packages.making import ALICE, MALLORY

from capbox.tools.folder import MANIFEST_BYTES_MAX
from capbox.tools.packages.artefact.artefact import (
    ARTIFACT,
    CONFIG,
    DOCUMENT_BYTES_MAX,
    MARKDOWN,
    README_BYTES_MAX,
    TOML,
    WASM,
    WASM_BYTES_MAX,
)
from capbox.tools.packages.names import PackageName, Version
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.review.untrusted import DESCRIPTION_CHARACTERS_MAX
from capbox.tools.packages.signatures.publishers import Known, Publisher, judge
from capbox.tools.packages.signatures.signature import (
    KEY_FILE,
    SIGNATURE,
    Signature,
    Statement,
)

if TYPE_CHECKING:
    from tests.servers.registry import DockerRegistry

PAGE = text_of("packages.md")


def formless(text: str) -> str:
    """Return a text with one key, one digest and one size of a package for all."""
    text = re.sub(r"SHA256:[A-Za-z0-9+/]{43}", "SHA256:-", text)
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:-", text)
    text = re.sub(r"\d{1,3}(,\d{3})+ bytes", "- bytes", text)
    return re.sub(r" {2,}(?=\S)", "  ", text)  # another port makes a column wider


@pytest.mark.slow
def test_the_examples_print_what_the_page_shows(
    tmp_path: Path,
    environ: Mapping[str, str],  # noqa: F811
    docker_registry: DockerRegistry,
) -> None:
    """From top to bottom; a line `export` holds from then on."""
    work = tmp_path / "work"
    work.mkdir()
    here, tried = dict(environ), 0
    for block in blocks(PAGE):
        for command, shown in steps(block.text) if block.kind == "console" else ():
            if command.startswith("export "):
                variable, _, value = command.removeprefix("export ").partition("=")
                here[variable] = value.replace("~", here["HOME"])
                continue
            typed = command.replace("localhost:5000", f"localhost:{docker_registry.port}")
            printed = run(work, here, "bash", "-c", typed)
            printed = printed.replace(f"localhost:{docker_registry.port}", "localhost:5000")
            lines = formless("\n".join(shown)).splitlines()
            assert agrees(lines, formless(printed)), f"{command!r} printed:\n{printed}"
            tried += 1
    assert tried == 23


def test_the_parts_and_bounds_are_those_of_the_code() -> None:
    most = {
        ARTIFACT: DOCUMENT_BYTES_MAX,
        CONFIG: DOCUMENT_BYTES_MAX,
        WASM: WASM_BYTES_MAX,
        TOML: MANIFEST_BYTES_MAX,
        MARKDOWN: README_BYTES_MAX,
        SIGNATURE: DOCUMENT_BYTES_MAX,
    }
    shown = {code(kind)[0]: bound for _, kind, bound in rows(PAGE, "part", "media type", "at most")}
    assert shown == {
        kind: f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
        for kind, size in most.items()
    }
    assert f"to {DESCRIPTION_CHARACTERS_MAX:,} characters" in PAGE and KEY_FILE in PAGE


def test_a_key_is_judged_as_the_page_says() -> None:
    statement = Statement(PackageName("alice", "hello"), Version("1.0"), "sha256:" + "0" * 64)
    mine, other = ALICE.sign(statement), MALLORY.sign(statement)
    known = {"alice": Publisher(mine.key, 0, "here")}
    cases: dict[str, tuple[Signature | None, str | None]] = {
        "signed with the known key": (mine, None),
        "signed with another key": (other, None),
        "signed with the key that `--key` names": (other, other.fingerprint),
        "not signed": (None, None),
    }
    table = rows(PAGE, "what comes", "of a namespace that is new", "of one that is known")
    assert [row[0] for row in table] == list(cases)
    for (found, key), (_, new, old) in zip(cases.values(), table, strict=True):
        for publishers, said in (({}, new), (known, old)):
            if said != "(there is none)":
                assert (
                    verdict(statement.name, found, publishers, key)
                    == said.split(",")[0].split(";")[0]
                )


def verdict(
    name: PackageName,
    found: Signature | None,
    known: Mapping[str, Publisher],
    key: str | None,
) -> str:
    """Say what becomes of a package."""
    try:
        trust = judge(name, found, known, key=key)
    except PackageError:
        return "refused"
    return "installed" if isinstance(trust, Known) else "asked about"
