"""What every test may use: the anyio backend, how long to fuzz, an engine, and an ordinary user.

Guarantees: nothing here patches the program under test. `ordinary_user` starts programs as an
account without privileges also where the tests themselves run as root, and from a Python that this
account can reach even if the one running the tests lies below a closed home directory.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from capbox import app
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.journal.head import Signer
from capbox.journal.log import Journal

ROOT = Path(__file__).resolve().parents[1]
pytest_plugins = ["tests.servers.fixtures", "tests.undo.hand"]

# No timed assertions anywhere: a slow machine is not a wrong program.
settings.register_profile("capbox", deadline=None, print_blob=True)
settings.load_profile("capbox")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make check` fuzzes briefly, `make test` for the million calls that are promised."""
    parser.addoption(
        "--fuzz-calls", type=int, default=20_000, help="hostile host calls made by fuzz tests"
    )


def pytest_configure() -> None:
    """Hear an interrupt, and let children hear it: a shell's background job ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything under tests/attacks/ is an attack."""
    for item in items:
        if ROOT / "tests" / "attacks" in item.path.parents:
            item.add_marker(pytest.mark.attack)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The one event loop that is supported: anyio on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def fuzz_calls(pytestconfig: pytest.Config) -> int:
    """How many hostile calls a fuzz test makes in total."""
    calls: int = pytestconfig.getoption("--fuzz-calls")
    return calls


@dataclass(frozen=True, slots=True)
class OrdinaryUser:
    """An account without privileges: the current one, or `nobody` when the tests run as root.

    `python` is an interpreter that this account can start and that imports capbox; `home` is an
    empty directory that it owns.
    """

    uid: int
    gid: int
    python: str
    home: Path

    def run(
        self, arguments: Sequence[str], *, cwd: Path | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this account to its end; output is captured as text."""
        return subprocess.run(
            arguments,
            cwd=cwd or self.home,
            input=stdin,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            **self.credentials,
        )

    def capbox(
        self, *arguments: str, cwd: Path | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line as this account."""
        start = "import sys; from capbox.app import main; sys.exit(main())"
        return self.run([self.python, "-I", "-c", start, *arguments], cwd=cwd, stdin=stdin)

    @property
    def environment(self) -> Mapping[str, str]:
        """A small environment of its own, with HOME and CAPBOX_HOME inside `home`."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "CAPBOX_HOME": str(self.home / "capbox"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    @property
    def credentials(self) -> dict[str, object]:
        """The arguments of `subprocess` that drop root, none if there is nothing to drop."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": ()}

    def directory(self, name: str) -> Path:
        """Make a directory below `home` that this account owns."""
        path = self.home / name
        path.mkdir(parents=True)
        os.chown(path, self.uid, self.gid)
        return path


@pytest.fixture
def ordinary_user(ordinary_python: str) -> Iterator[OrdinaryUser]:
    """An ordinary user with a fresh home; tmp_path will not do, root's is closed to others."""
    uid, gid = ordinary_account()
    home = Path(tempfile.mkdtemp(prefix="capbox-user-", dir="/tmp"))
    home.chmod(0o755)
    os.chown(home, uid, gid)
    yield OrdinaryUser(uid, gid, ordinary_python, home)
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def ordinary_python() -> Iterator[str]:
    """Give a Python that `nobody` can start and that imports capbox, isolated (`-I`) too.

    This one where that is possible; else a small virtual environment around an interpreter of
    the same version that is open to all, or around a copy of this one.
    """
    if imports_as_nobody(sys.executable):
        yield sys.executable
        return
    place = Path(tempfile.mkdtemp(prefix="capbox-python-", dir="/tmp"))
    place.chmod(0o755)
    python = environment_for_all(place)
    if not imports_as_nobody(python):
        pytest.fail(f"an ordinary user cannot start {sys.executable}, nor a copy of it")
    yield python
    shutil.rmtree(place)


def environment_for_all(place: Path) -> str:
    """Build a virtual environment below `place` from links where they serve, else from copies."""
    name = f"python3.{sys.version_info.minor}"
    twin = shutil.which(name, path="/usr/local/bin:/usr/bin")
    base = twin if twin and can_run(twin, "import ctypes, sqlite3") else copied_base(place)
    packages = Path(sysconfig.get_path("purelib"))
    visible = [
        str(p if can_list(p) else copied(p, place / p.name)) for p in (ROOT / "src", packages)
    ]
    site = place / "lib" / name / "site-packages"
    site.mkdir(parents=True)
    (site / "capbox-tests.pth").write_text("\n".join(visible))
    (place / "bin").mkdir()
    (place / "bin" / "python").symlink_to(base)
    (place / "pyvenv.cfg").write_text(f"home = {Path(base).parent}\n")
    return str(place / "bin" / "python")


def copied_base(place: Path) -> str:
    """Copy the base interpreter and its standard library; return the program."""
    for part in ("bin", "lib"):
        copied(Path(sys.base_prefix) / part, place / "base" / part)
    return f"{place}/base/bin/python3.{sys.version_info.minor}"


def copied(source: Path, target: Path) -> Path:
    """Copy a tree without what a program does not need to run."""
    leave = shutil.ignore_patterns("__pycache__", "test", "*.a", "config-3*")
    return Path(shutil.copytree(source, target, symlinks=True, ignore=leave))


def ordinary_account() -> tuple[int, int]:
    """Return uid and gid of the current user, or of `nobody` for root."""
    if os.geteuid():
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def imports_as_nobody(python: str) -> bool:
    """Say whether the ordinary account can start this interpreter and import what capbox needs."""
    return can_run(python, "import capbox, wasmtime, anyio, cryptography, jsonschema_rs")


def can_run(python: str, program: str) -> bool:
    """Say whether the ordinary account can run a Python program with this interpreter."""
    user = OrdinaryUser(*ordinary_account(), python, Path("/"))
    try:
        return user.run([python, "-I", "-c", program]).returncode == 0
    except PermissionError:
        return False


def can_list(directory: Path) -> bool:
    """Say whether the ordinary account can reach and list this directory."""
    user = OrdinaryUser(*ordinary_account(), "", Path("/"))
    return user.run(["ls", str(directory)]).returncode == 0


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache directory for every engine of the tests, begun from what `make setup` compiled."""
    place = tmp_path_factory.mktemp("cache")
    built = app.home_of(os.environ).cache / "compiled"
    if built.is_dir():
        shutil.copytree(built, place / "compiled")
    return place


@pytest.fixture
def home(tmp_path: Path, cache: Path) -> Home:
    """capbox's directories for one test, outside of what tests use as workspaces."""
    return Home(tmp_path / "home" / "config", tmp_path / "home" / "state", cache)


@pytest.fixture
async def engine(home: Home) -> AsyncIterator[LocalEngine]:
    """A running local engine with the real tools; it ends with the test."""
    async with app.local_engine(home=home, spares=False) as running:
        yield running


@pytest.fixture
def signer() -> Signer:
    """A key that is the same in every test."""
    return Signer(b"k" * 32)


@pytest.fixture
def journal(tmp_path: Path, signer: Signer) -> Iterator[Journal]:
    """An open, empty journal."""
    opened = Journal(tmp_path / "journal", signer)
    yield opened
    opened.close()
