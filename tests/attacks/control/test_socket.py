"""A guest against the socket by which its run is ended: it can neither see nor remove it.

What a guest could do with it: take it away, so that a revocation finds nobody, or put one of its
own there, which answers "revoked" and goes on. (It cannot connect: a worker has no sockets, see
tests/sandbox/lockdown/test_seccomp.py.)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from anyio import to_thread

from capbox.engine.control.client import ask_all
from capbox.engine.control.place import Place
from capbox.engine.home import Home
from capbox.engine.session import Session
from capbox.engine.settings import Settings, SettingsError

OpenSession = Callable[[Settings], AbstractAsyncContextManager[Session]]
REMOVE = "cd {}; rm -rf control; ls -a control; mv control away; echo x > control/mine; ls -aR ."


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The directories of the engine behind `open_session`."""
    root = tmp_path_factory.getbasetemp() / "capbox-home"
    return Home(root / "config", root / "state", root / "cache")


async def test_a_naive_socket_in_a_folder_that_was_granted_is_taken_away(
    open_session: OpenSession, tmp_path: Path
) -> None:
    (tmp_path / "control").mkdir(mode=0o700)
    with Place(tmp_path / "control") as place:
        name, listener = place.listening()
        with listener:
            async with open_session(Settings(workspace=tmp_path, writes=(".",))) as session:
                await session.call("bash", {"script": REMOVE.format("/workspace")})
            assert not (tmp_path / "control" / name).exists()
    assert list(ask_all(tmp_path / "control", {"do": "runs"})) == []


async def test_the_real_one_is_not_there_for_a_guest_that_may_write_all_around_it(
    open_session: OpenSession, tmp_path: Path, home: Home
) -> None:
    above = home.state.parent
    for folder in (above, tmp_path / "work"):
        folder.mkdir(exist_ok=True)
    settings = Settings(workspace=tmp_path / "work", grants=(f"write:{above}",))
    async with open_session(settings) as session:
        seen = await session.call("bash", {"script": REMOVE.format(f"/mnt/{above.name}/state")})
        everywhere = await session.call("bash", {"script": f"ls -aR /mnt/{above.name}"})
        names = [path.name for path in home.control.iterdir()]
        replies = await to_thread.run_sync(lambda: list(ask_all(home.control, {"do": "runs"})))
    assert len(names) == 1
    assert names[0] not in seen.content + everywhere.content
    runs = [reply.message["runs"] for reply in replies]
    assert [[run["run"] for run in listed] for listed in runs] == [[session.calls_run]]


@pytest.mark.parametrize("granted", ["{}", "{}/control"])
async def test_no_grant_names_it(
    open_session: OpenSession, tmp_path: Path, home: Home, granted: str
) -> None:
    home.control.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = Settings(workspace=tmp_path, grants=(f"write:{granted.format(home.state)}",))
    with pytest.raises(SettingsError, match="never rule"):
        open_session(settings)
