"""docs/providers.md is true: its examples are executed, its tables are asked of the code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, code, rows, steps, text_of
from tests.docs.test_governance_control import environ, run  # noqa: F401 (a fixture)

from capbox.models.catalog.table import PROVIDERS
from capbox.models.fake_llm.plan import plan_of
from capbox.models.fake_llm.server import FakeLlm
from capbox.models.model import ErrorKind
from capbox.models.providers.advice import advice
from capbox.models.providers.endpoint import Endpoint
from capbox.models.script import ScriptError, parse_script

PAGE = text_of("providers.md")
PORT = "8765"


def served(script: str) -> FakeLlm:
    """Return what `capbox fake-llm` starts, at a port that is free."""
    parsed = parse_script(script, "hello.json")
    assert not isinstance(parsed, ScriptError), parsed
    plan = plan_of(parsed, "hello.json")
    assert not isinstance(plan, ScriptError), plan
    return FakeLlm(plan)


@pytest.mark.slow
def test_the_examples_print_what_the_page_shows(
    tmp_path: Path,
    environ: Mapping[str, str],  # noqa: F811
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    config = Path(environ["CAPBOX_HOME"]) / "config"
    config.mkdir(mode=0o700, parents=True, exist_ok=True)
    named = {block.kind: block.text for block in blocks(PAGE)}
    tried = 0
    with served(named["json hello.json"]) as server:
        port = server.url.rpartition(":")[2]
        (config / "config.toml").write_text(named["toml config.toml"].replace(PORT, port))
        for command, shown in steps(named["console"]):
            printed = shortened(run(work, environ, "bash", "-c", command), shown)
            assert agrees(shown, printed), f"{command!r} printed:\n{printed}"
            tried += 1
    assert tried == 7


def shortened(printed: str, shown: list[str]) -> str:
    """Cut a line where the page cuts it."""
    cuts = [line for line in shown if line.endswith("...") and line != "..."]
    lines = (
        next((cut for cut in cuts if line.startswith(cut.removesuffix("..."))), line)
        for line in printed.splitlines()
    )
    return "".join(f"{line}\n" for line in lines)


def test_the_table_of_providers_is_the_one_of_the_code() -> None:
    listed = [
        (code(name)[0], code(dialect)[0], code(key), code(address))
        for name, dialect, key, address in rows(
            PAGE, "provider", "speaks", "name of its key", "address"
        )
    ]
    assert listed == [
        (
            one.name,
            one.dialect,
            [one.key] if one.needs_key else [],
            [] if one.base_url is None else [one.base_url],
        )
        for one in PROVIDERS.values()
    ]


def test_what_errors_say_is_what_the_page_says() -> None:
    endpoint = Endpoint(PROVIDERS["openai"], "m", None, "k")
    kinds: dict[str, ErrorKind] = {
        "authentication": "authentication",
        "quota": "quota",
        "invalid_request": "invalid_request",
        "connection": "connection",
    }
    for _, kind, said in rows(PAGE, "what happened", "kind", "what it says"):
        name = code(kind)[0]
        if name in kinds:
            assert code(said)[0] in advice(kinds[name], endpoint, unknown_model=True)
