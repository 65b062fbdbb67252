"""What wheels need is got as wheels from the index, or not at all: pip starts nothing."""

from __future__ import annotations

import io
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tools.sdk.making import wheel, workshop

from capbox.tools.sdk.building.toolchain import Workshop
from capbox.tools.sdk.project import BuildError, Project, read_project
from capbox.tools.sdk.python.dependencies import bring, resolving
from capbox.tools.sdk.python.resolving import resolved
from capbox.tools.sdk.starting import start

BACKEND = """
[build-system]
requires = []
build-backend = "be"
backend-path = ["."]
[project]
name = "evil"
version = "1.0"
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The only place where packages are."""
    (folder := tmp_path / "shelf").mkdir()
    return folder


@pytest.fixture
def place(shelf: Path, tmp_path: Path) -> Workshop:
    """A workshop without an index, of a person who has nothing."""
    (home := tmp_path / "home").mkdir()
    given = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf), "HOME": str(home)}
    return workshop(environ={"PATH": os.environ["PATH"], **given})


def project(folder: Path, *dependencies: str) -> Project:
    """A Python tool that depends on these."""
    start(folder, "t", "python")
    return replace(read_project(folder), dependencies=dependencies)


def source(folder: Path, name: str = "evil") -> Path:
    """An archive of sources that leaves a mark beside it when it is built."""
    path = folder / f"{name}-1.0.tar.gz"
    mark = f"import os\nopen({str(folder / 'ran')!r}, 'w')\nos._exit(1)\n"
    files = {"pyproject.toml": BACKEND, "be.py": mark, "setup.py": mark}
    files["PKG-INFO"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    with tarfile.open(path, "w:gz") as archive:
        for file, text in files.items():
            entry = tarfile.TarInfo(f"{name}-1.0/{file}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def ran(shelf: Path) -> bool:
    """Whether an archive of `source` was built."""
    return (shelf / "ran").exists()


@pytest.mark.attack
@pytest.mark.parametrize(
    "url",
    ["file://{archive}", "git+file://localhost{folder}/repo", "https://a.example/evil-1.0.tar.gz"],
)
@pytest.mark.parametrize("deep", [False, True])
def test_an_address_that_a_wheel_needs_is_refused_at_any_depth_before_pip_has_it(
    url: str, place: Workshop, shelf: Path, tmp_path: Path, *, deep: bool
) -> None:
    """Attack: `--only-binary` says nothing of `x @ URL`: pip ran that archive's build backend."""
    address = url.format(archive=source(shelf), folder=shelf)
    wheel(shelf, needs="words" if deep else f"evil @ {address}")
    wheel(shelf, "words", needs=f"evil @ {address}")
    with pytest.raises(BuildError) as refused:
        bring(project(tmp_path / "t", "greetings"), place)
    assert not ran(shelf)
    assert refused.value.where == f"{'words' if deep else 'greetings'}-1.0-py3-none-any.whl"
    assert refused.value.reason.startswith(f"needs evil from an address, {address}")


@pytest.mark.attack
@pytest.mark.parametrize(
    "config",
    [
        "",
        "[global]\nno-binary = :all:\n",
        "[download]\nno-binary = evil\nprefer-binary = false\n",
        "[download]\nrequirement = {archive}.txt\n",
    ],
)
def test_sources_beside_a_wheel_are_not_built_whatever_is_configured(
    config: str, place: Workshop, shelf: Path, tmp_path: Path
) -> None:
    archive = source(shelf)
    wheel(shelf, "evil", version="0.9")
    Path(f"{archive}.txt").write_text(f"{archive}\n")
    (file := tmp_path / "pip.conf").write_text(config.format(archive=archive))
    environ = {**place.environ, "PIP_CONFIG_FILE": str(file), "PIP_NO_BINARY": ":all:"}
    try:
        packages = bring(project(tmp_path / "t", "evil"), replace(place, environ=environ))
    except BuildError as error:
        assert "pip may start no program here" in error.reason
    else:
        assert (packages / "evil-0.9.dist-info").is_dir()
    assert not ran(shelf)
    assert config.startswith("[download]\nreq") or (tmp_path / "t" / "build.lock").exists()


def got(place: Workshop, folder: Path, *asked: str, kept: tuple[Path, ...] = ()) -> list[str]:
    """The names of the wheels that go together."""
    return [path.name for path in resolved(asked, resolving(folder, place, "a test"), kept)]


def test_what_is_needed_under_a_condition_is_that_of_the_python_inside(
    place: Workshop, shelf: Path, tmp_path: Path
) -> None:
    here = wheel(shelf, needs="linux_only; sys_platform == 'linux'")
    wheel(shelf, "words", needs="inside; sys_platform == 'wasi' and python_version == '3.12'")
    wheel(shelf, "inside", needs="extra_part; extra == 'more'")
    assert got(place, tmp_path / "a", "greetings", "words") == [
        here.name,
        "inside-1.0-py3-none-any.whl",
        "words-1.0-py3-none-any.whl",
    ]
    wheel(shelf, "extra_part")
    assert "extra_part-1.0-py3-none-any.whl" in got(place, tmp_path / "b", "inside[more]")


def test_a_version_that_another_package_does_not_take_gives_way(
    place: Workshop, shelf: Path, tmp_path: Path
) -> None:
    for version in ("1.0", "1.5", "2.0"):
        wheel(shelf, version=version)
    wheel(shelf, "words", needs="greetings <2, >=1.2")
    assert got(place, tmp_path / "a", "greetings", "words")[0].startswith("greetings-1.5-")
    with pytest.raises(BuildError, match=r"words-1\.0-py3-none-any\.whl needs it"):
        got(place, tmp_path / "b", "greetings==1.0", "words")


@pytest.mark.attack
@pytest.mark.parametrize(
    "other", ["greetings-1.0-7-py3-none-any.whl", "greetings-1.0+zz-py3-none-any.whl"]
)
def test_what_is_there_is_not_exchanged_for_another_wheel_of_its_version(
    other: str, place: Workshop, shelf: Path, tmp_path: Path
) -> None:
    """Attack: with `greetings` pinned, the index has one with a build tag, or a local version."""
    pinned = wheel(tmp_path / "kept")
    version = other.split("-")[1]
    wheel(shelf, version=version, files={"greetings.py": "other"}).replace(shelf / other)
    wheel(shelf, "more", needs="greetings")
    assert got(place, tmp_path / "a", "more")[0] == other  # the attack, where nothing is pinned
    how = resolving(tmp_path / "b", place, "a test")
    assert pinned in resolved(["greetings==1.0", "more"], how, [pinned], ["greetings"])
    wheel(shelf, "strict", needs="greetings>=2")
    with pytest.raises(BuildError, match=r"needs greetings>=2.*greetings 1\.0 is there") as refused:
        resolved(["greetings", "strict"], how, [pinned])
    assert "remove what is in the way" in refused.value.fix


@pytest.mark.parametrize("need", ["words===1.tar.gz", "no requirement", "words>=x", "(" * 5000])
def test_a_need_that_is_none_is_refused(
    need: str, place: Workshop, shelf: Path, tmp_path: Path
) -> None:
    one = wheel(tmp_path / "kept", needs=need)
    with pytest.raises(BuildError) as refused:
        got(place, tmp_path / "a", "greetings", kept=(one,))
    assert one.name in str(refused.value) and "needs " in refused.value.reason
