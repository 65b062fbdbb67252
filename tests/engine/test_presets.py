"""Presets with their aliases: text that parses, the tools they offer, and what may be lent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from capbox import app
from capbox.authority.access import InvokeAccess, WriteAccess
from capbox.authority.decision import Allowed, Standing
from capbox.authority.grant import Grant, NameSelector
from capbox.authority.parse import parse_grant
from capbox.authority.paths import GrantPath
from capbox.authority.web.places import FetchAccess, Origin
from capbox.engine.local import LocalEngine
from capbox.engine.operator import Operator
from capbox.engine.presets import Preset, PresetError, implied, preset
from capbox.engine.principal import resolve
from capbox.engine.session import Session
from capbox.engine.settings import Settings, SettingsError
from capbox.tools.functions.function import Function, function_of
from capbox.tools.loop.offer import NAMES
from capbox.tools.registry import load

OpenSession = Callable[..., Session]
EVERY = {"apply_patch", "bash", "edit", "fetch", "glob", "grep", "javascript", "python"}
EVERY |= {"read", "search", "tree", "write"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", ()),
        ("default", ()),
        ("read-only", ("read:/workspace",)),
        ("plan", ("read:/workspace",)),
        ("edit", ("write:/workspace",)),
        ("acceptEdits", ("write:/workspace",)),
        ("search-only", ("read:/workspace",)),
        ("full", ("write:/workspace",)),
        ("auto", ()),
        ("bypassPermissions", ()),
    ],
)
def test_a_preset_and_its_old_name_give_the_same_grants(
    name: str, expected: tuple[str, ...]
) -> None:
    found = preset(name)
    assert isinstance(found, Preset)
    assert found.grants == expected
    assert all(isinstance(parse_grant(text), Grant) for text in found.grants)


@pytest.mark.parametrize(
    ("among", "chosen", "expected"),
    [
        (None, None, {"read", "bash"}),
        (None, ("hello",), {"read", "bash", "hello"}),
        (None, ("read",), {"read", "bash"}),
        (("read", "hello"), None, {"read"}),
        (("read", "hello"), ("hello",), {"read", "hello"}),
        ((), ("hello",), set()),
    ],
)
def test_an_installed_tool_is_there_for_whoever_names_it(
    among: tuple[str, ...] | None, chosen: tuple[str, ...] | None, expected: set[str]
) -> None:
    shipped = load(app.GUESTS, shipped=True).tools
    strange = replace(shipped["glob"], module=replace(shipped["glob"].module, shipped=False))
    tools = {"read": shipped["read"], "bash": shipped["bash"], "hello": strange}
    assert set(implied(tools, among, chosen)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", EVERY),
        ("default", EVERY),
        ("edit", EVERY),
        ("full", EVERY),
        ("auto", EVERY),
        ("read-only", {"read", "glob", "grep", "tree", "search"}),
        ("plan", {"read", "glob", "grep", "tree", "search"}),
        ("search-only", {"glob", "grep", "tree", "search"}),
    ],
)
def test_a_preset_offers_the_tools_of_its_level(name: str, expected: set[str]) -> None:
    found = preset(name)
    assert isinstance(found, Preset)
    registry = load(app.GUESTS, shipped=True)
    manifests = {tool: one.manifest for tool, one in registry.tools.items()}
    assert set(found.offered(manifests)) == expected
    assert all(manifests[tool].access in found.levels for tool in found.offered(manifests))


def test_an_unknown_preset_is_refused_and_the_default_is_none() -> None:
    assert isinstance(preset("everything"), PresetError)
    assert Settings().preset == "none"


@pytest.mark.parametrize(
    ("name", "lent", "fetched"), [("none", True, True), ("full", True, False), ("auto", None, None)]
)
async def test_what_may_be_lent_under_a_preset(
    engine: LocalEngine, workspace: Path, name: str, lent: bool | None, fetched: bool | None
) -> None:
    manifests = {tool: one.manifest for tool, one in engine.tools.items()}
    settings = Settings(workspace=workspace, preset=name)
    asked = resolve(settings)
    if lent is None:
        with pytest.raises(SettingsError, match="--ceiling write:/workspace"):
            app.ceiling_of(settings, Operator(), asked, manifests, ())
        return
    ceiling = app.ceiling_of(settings, Operator(), asked, manifests, ())
    standing = Standing(0.0)
    write = ceiling.decide(WriteAccess(GrantPath("/workspace/a")), standing)
    fetch = ceiling.decide(FetchAccess("GET", Origin("https", "a.example", 443), "/"), standing)
    assert isinstance(write, Allowed) == lent
    assert isinstance(fetch, Allowed) == fetched


@pytest.mark.parametrize(
    ("operator", "session", "expected"),
    [
        ((), (), True),
        (("read:/workspace",), (), False),
        ((), ("read:/workspace",), False),
        (("write:/workspace",), ("read:/workspace",), False),
        (("write:/workspace",), ("write:/workspace/a.txt",), True),
        (("read:/workspace",), ("write:/workspace",), None),
    ],
)
async def test_a_ceiling_is_the_operators_and_a_sessions_own_only_narrows_it(
    engine: LocalEngine,
    workspace: Path,
    operator: tuple[str, ...],
    session: tuple[str, ...],
    expected: bool | None,
) -> None:
    manifests = {tool: one.manifest for tool, one in engine.tools.items()}
    settings = Settings(workspace=workspace, ceiling=session)
    asked = resolve(settings)
    if expected is None:
        with pytest.raises(SettingsError, match=r"more than the ceiling of config\.toml"):
            app.ceiling_of(settings, Operator(ceiling=operator), asked, manifests, ())
        return
    ceiling = app.ceiling_of(settings, Operator(ceiling=operator), asked, manifests, ())
    access = WriteAccess(GrantPath("/workspace/a.txt"))
    assert isinstance(ceiling.decide(access, Standing(0.0)), Allowed) == expected


async def test_auto_lends_all_of_its_ceiling_without_a_question_and_nothing_beyond(
    open_session: OpenSession, workspace: Path, records: object
) -> None:
    for number in range(15):
        (workspace / f"{number}.txt").write_text("x")
    settings = {"preset": "auto", "ceiling": ("read:/workspace",)}
    async with open_session(**settings) as session:
        read = [await session.call("read", {"path": f"{n}.txt"}) for n in range(15)]
        wrote = await session.call("write", {"path": "new.txt", "content": "x"})
    assert all(result.ok for result in read)
    assert "the operator's ceiling does not allow it" in wrote.denied[0].reason
    said = [e["what"] for e in records.entries(read[0].journal) if e["kind"] == "decision"]
    assert said == ["ask", "answer", "lease", "denial"]


@pytest.mark.parametrize("name", ["auto", "bypassPermissions"])
async def test_auto_refuses_to_start_without_a_ceiling(
    open_session: OpenSession, name: str
) -> None:
    with pytest.raises(SettingsError, match="it needs to be told what"):
        open_session(preset=name)


async def test_a_tool_that_a_preset_leaves_out_is_not_there_for_a_model(
    open_session: OpenSession, script: Callable[..., object], approver: type
) -> None:
    model = script([("bash", {"script": "echo x > new"}), ("glob", {"pattern": "*.txt"})], "done")
    person = approver()
    async with (
        open_session(preset="plan", approver=person) as session,
        session.run("look", model) as events,
    ):
        told = [event async for event in events]
    started = next(e for e in told if type(e).__name__ == "RunStarted")
    offered = set(started.tools) - {*NAMES, "recall", "skill"}  # of the loop: they change nothing
    assert offered == {"glob", "grep", "read", "search", "tree"}
    results = [e.result.ok for e in told if type(e).__name__ == "ToolFinished"]
    assert (results, person.questions) == ([False, True], [])
    async with open_session(preset="plan", tools=("bash",)) as session:
        with pytest.raises(SettingsError, match="the preset plan leaves this tool out"):
            async with session.run("look", model):
                pass


def pay() -> None:
    """Pay."""


@pytest.mark.parametrize(
    ("name", "operator", "expected"),
    [
        ("none", (), True),
        ("edit", (), True),
        ("read-only", (), False),
        ("none", ("write:/workspace",), False),
        ("none", ("invoke:pay",), True),
        ("auto", ("write:/workspace",), False),
        ("auto", ("invoke:pay",), True),
    ],
)
def test_which_functions_may_be_lent_to_guests(
    workspace: Path, name: str, operator: tuple[str, ...], expected: bool
) -> None:
    function = function_of(pay, effect="send", sinks={}, timeout=1.0)
    assert isinstance(function, Function)
    settings = Settings(workspace=workspace, preset=name)
    manifests, config = {"pay": function.manifest}, Operator(ceiling=operator)
    ceiling = app.ceiling_of(settings, config, resolve(settings), manifests, ())
    assert isinstance(ceiling.decide(InvokeAccess("pay"), Standing(0.0)), Allowed) == expected
    assert not any(m.grant.selector == NameSelector("read") for m in ceiling.grants)


@pytest.mark.parametrize(
    ("operator", "session", "where"),
    [
        (("reed:/x",), (), "config.toml: ceiling: reed:/x: "),
        ((), ("reed:/x",), "--ceiling: reed:/x: "),
        (("write:/workspace",), ("reed:/x",), "--ceiling: reed:/x: "),
        (("read:/workspace",), ("write:/workspace",), "--ceiling: write:/workspace: is more than"),
    ],
)
async def test_a_ceiling_that_cannot_be_is_named_with_where_it_stands(
    engine: LocalEngine,
    workspace: Path,
    operator: tuple[str, ...],
    session: tuple[str, ...],
    where: str,
) -> None:
    settings = Settings(workspace=workspace, ceiling=session)
    manifests = {tool: one.manifest for tool, one in engine.tools.items()}
    with pytest.raises(SettingsError) as refused:
        app.ceiling_of(settings, Operator(ceiling=operator), resolve(settings), manifests, ())
    assert str(refused.value).startswith(where)
