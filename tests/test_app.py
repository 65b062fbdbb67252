"""The composition root: where state lies, the operator's rules, and what is minted from words."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox import app
from capbox.broker.secrets import SecretStore
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.settings import Settings, SettingsError
from capbox.messages import ToolResult
from capbox.models.direct import DirectModel
from capbox.models.open import ModelSpecError


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with two texts in two folders."""
    folder = tmp_path / "workspace"
    for name in ("open", "closed"):
        (folder / name).mkdir(parents=True)
        (folder / name / "a.txt").write_text(name)
    return folder


def test_capbox_home_moves_all_three_directories(tmp_path: Path) -> None:
    moved = app.home_of({"CAPBOX_HOME": str(tmp_path / "x")})
    assert moved == Home(tmp_path / "x/config", tmp_path / "x/state", tmp_path / "x/cache")


def test_without_it_they_are_the_users_own() -> None:
    home = app.home_of({})
    assert [d.is_absolute() and "capbox" in d.parts for d in (home.config, home.state)] == [
        True
    ] * 2
    assert len({home.config, home.state, home.cache}) == 3


# --- config.toml ----------------------------------------------------------------------------------


def configured(home: Home, content: str | bytes) -> Home:
    """Write the operator's configuration."""
    home.prepare()
    raw = content if isinstance(content, bytes) else content.encode()
    (home.config / "config.toml").write_bytes(raw)
    return home


@pytest.mark.parametrize(
    ("content", "rules"),
    [
        ("", []),
        ("never = []", []),
        ('never = ["read /secrets", "write /etc"]', ["read /secrets", "write /etc"]),
        ('never = ["never: read ~/.ssh"]', [f"read {Path.home()}/.ssh"]),
    ],
)
def test_never_rules_come_from_the_configuration(
    home: Home, content: str, rules: list[str]
) -> None:
    found = app.operator_rules(configured(home, content))
    assert [str(rule).removeprefix("never: ") for rule in found] == rules


def test_no_configuration_means_no_rules(home: Home) -> None:
    assert app.operator_rules(home) == ()


BROKEN = [
    "never = [",
    b"\xff\xfe",
    'nevr = ["read /x"]',
    'never = "read /x"',
    "never = [1]",
    'never = ["read relative"]',
    'never = ["delete /x"]',
    'never = ["read /a/../b"]',
]


@pytest.mark.parametrize("content", BROKEN)
async def test_a_configuration_that_cannot_be_read_stops_everything_and_is_kept(
    engine: LocalEngine, workspace: Path, content: str | bytes
) -> None:
    home = configured(engine.home, content)
    before = (home.config / "config.toml").read_bytes()
    with pytest.raises(SettingsError, match=r"config\.toml"):
        app.session(engine, Settings(workspace))
    assert (home.config / "config.toml").read_bytes() == before


async def test_a_configuration_that_is_no_file_stops_everything(
    engine: LocalEngine, workspace: Path
) -> None:
    (engine.home.config / "config.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        app.session(engine, Settings(workspace))


# --- what is minted -------------------------------------------------------------------------------


async def read(engine: LocalEngine, settings: Settings, path: str) -> ToolResult:
    """Read one file in a session of its own."""
    async with app.session(engine, settings) as session:
        return await session.call("read", {"path": path})


async def test_a_never_rule_beats_every_grant(engine: LocalEngine, workspace: Path) -> None:
    configured(engine.home, f'never = ["read {workspace}/closed"]')
    settings = Settings(workspace, grants=("write:/workspace",))
    opened = await read(engine, settings, "open/a.txt")
    closed = await read(engine, settings, "closed/a.txt")
    assert (opened.ok, closed.ok, closed.denied[0].missing) == (True, False, None)


async def test_a_write_rule_leaves_reading(engine: LocalEngine, workspace: Path) -> None:
    configured(engine.home, f'never = ["write {workspace}"]')
    settings = Settings(workspace, grants=("write:/workspace/open",))
    with pytest.raises(SettingsError, match="never"):
        app.session(engine, settings)
    assert (await read(engine, Settings(workspace, preset="read-only"), "open/a.txt")).ok


@pytest.mark.parametrize(
    "name",
    ["config", "state", "state/journal.key", "state/secrets.json", "state/secrets.key"],
)
async def test_no_grant_reaches_what_capbox_keeps_for_itself(
    engine: LocalEngine, workspace: Path, name: str
) -> None:
    own = engine.home.config.parent / name
    with pytest.raises(SettingsError):
        app.session(engine, Settings(workspace, grants=(f"read:{own}",)))
    around = Settings(workspace, grants=(f"read:{own.parents[1]}",))
    if name in {"config", "state"}:
        result = await read(engine, around, str(engine.home.state / "journal.key"))
        assert (result.ok, result.denied[0].missing) == (False, None)


async def test_a_link_to_capboxs_own_state_shows_nothing(
    engine: LocalEngine, workspace: Path
) -> None:
    (workspace / "open" / "key").symlink_to(engine.home.state / "journal.key")
    result = await read(engine, Settings(workspace, preset="edit"), "open/key")
    assert not result.ok


@pytest.mark.parametrize(
    ("environ", "shown"), [({"KEY": "v", "OTHER": "w"}, "[v] []\n"), ({}, None)]
)
async def test_a_bare_variable_takes_its_value_from_the_environment(
    engine: LocalEngine, workspace: Path, environ: dict[str, str], shown: str | None
) -> None:
    settings = Settings(workspace, env=("KEY",), environ=environ)
    if shown is None:
        with pytest.raises(SettingsError, match="is not set here"):
            app.session(engine, settings)
        return
    async with app.session(engine, settings) as session:
        result = await session.call("bash", {"script": 'echo "[$KEY] [$OTHER]"'})
    assert result.content == shown


@pytest.mark.parametrize(
    ("spec", "base_url", "opens"),
    [
        ("openai/some-model", "http://127.0.0.1:1/v1", True),
        ("anthropic/some-model", "http://127.0.0.1:1", True),
        ("openai/some-model", "ftp://x", False),
        ("__import__/x", "http://127.0.0.1:1", False),
        ("no slash", None, False),
    ],
)
def test_a_model_is_opened_by_its_name(
    spec: str, base_url: str | None, opens: bool, home: Home, tmp_path: Path
) -> None:
    wanted = DirectModel if opens else ModelSpecError
    secrets = SecretStore(tmp_path, keyring=lambda: None)
    assert isinstance(app.roster(home, secrets).open(spec, base_url), wanted)


def test_the_secrets_of_a_home_are_in_its_state(home: Home) -> None:
    assert app.secret_store(home).file == home.state / "secrets.json"


def test_a_never_rule_holds_where_its_path_is_a_link(tmp_path: Path) -> None:
    """Grants are resolved when they are minted, so a rule on a link must follow it too."""
    (tmp_path / "data").mkdir()
    (tmp_path / "vault").symlink_to("data")
    home = app.home_of({"CAPBOX_HOME": str(tmp_path / "home")})
    home.prepare()
    (home.config / "config.toml").write_text(f'never = ["read {tmp_path}/vault"]\n')
    paths = {str(rule.path) for rule in app.operator_rules(home)}
    assert paths == {f"{tmp_path}/vault", f"{tmp_path}/data"}
