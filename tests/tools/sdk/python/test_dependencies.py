"""What a Python tool depends on: pure wheels, the same bytes each time, and nothing but that."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tools.sdk.making import HERE, wheel, workshop

from capbox.tools.sdk.building.toolchain import Workshop
from capbox.tools.sdk.project import BuildError, Project, read_project
from capbox.tools.sdk.python.dependencies import LOCK, bring
from capbox.tools.sdk.starting import start


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The only place where packages are."""
    return tmp_path / "shelf"


@pytest.fixture
def place(shelf: Path) -> Workshop:
    """A workshop without an index."""
    environ = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf)}
    return workshop(environ=environ)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project that depends on `greetings`."""
    start(tmp_path / "t", "t", "python")
    build = tmp_path / "t" / "build.toml"
    build.write_text(build.read_text().replace("[]", '["greetings>=1"]'))
    return read_project(tmp_path / "t")


def test_a_pure_wheel_is_unpacked_and_locked(
    project: Project, place: Workshop, shelf: Path
) -> None:
    data = {"greetings/__init__.py": "", "greetings-1.0.data/purelib/extra.py": ""}
    wheel(shelf, files={**data, "greetings-1.0.data/scripts/run": "#!python\n"})
    packages = bring(project, place)
    assert sorted(path.name for path in packages.iterdir()) == [
        "extra.py",
        "greetings",
        "greetings-1.0.dist-info",
    ]
    lock = (project.folder / LOCK).read_text()
    assert lock.splitlines()[0].startswith("# By capbox tool build, for dependencies ")
    assert "greetings==1.0 --hash=sha256:" in lock


def test_nothing_where_it_is_started_is_run(
    project: Project, place: Workshop, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: `python -m pip`, started in a stranger's folder, took the stranger's module."""
    wheel(shelf)
    trap = f"open({str(shelf / 'ran')!r}, 'w')\n"
    (project.folder / "pip.py").write_text(trap)
    monkeypatch.chdir(project.folder)
    bring(replace(project, folder=Path()), place)
    assert not (shelf / "ran").exists()


def test_what_is_locked_stays_until_the_lock_is_deleted(
    project: Project, place: Workshop, shelf: Path
) -> None:
    wheel(shelf)
    bring(project, place)
    lock = (project.folder / LOCK).read_text()
    wheel(shelf, version="2.0")
    (place.scratch(project.folder) / "packages.txt").unlink()
    bring(project, place)
    assert (project.folder / LOCK).read_text() == lock
    (project.folder / LOCK).unlink()
    bring(project, place)
    assert "greetings==2.0 " in (project.folder / LOCK).read_text()


def test_other_bytes_than_the_locked_ones_are_refused(
    project: Project, place: Workshop, shelf: Path
) -> None:
    wheel(shelf)
    bring(project, place)
    lock = (project.folder / LOCK).read_text()
    wheel(shelf, files={"greetings/__init__.py": "import evil"})
    (place.scratch(project.folder) / "packages.txt").unlink()
    with pytest.raises(BuildError, match="DO NOT MATCH THE HASHES"):
        bring(project, place)
    assert (project.folder / LOCK).read_text() == lock


def test_nothing_is_got_twice(project: Project, place: Workshop, shelf: Path) -> None:
    wheel(shelf).rename(shelf / "kept.zip")
    (shelf / "kept.zip").rename(shelf / "greetings-1.0-py3-none-any.whl")
    bring(project, place)
    (shelf / "greetings-1.0-py3-none-any.whl").unlink()
    assert (bring(project, place) / "greetings").is_dir()


def test_without_dependencies_there_is_nothing_and_no_lock(place: Workshop, tmp_path: Path) -> None:
    start(tmp_path / "t", "t", "python")
    project = read_project(tmp_path / "t")
    (project.folder / LOCK).write_text("old")
    assert list(bring(project, place).iterdir()) == []
    assert not (project.folder / LOCK).exists()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"greetings/fast.so": ""}, "holds native code: greetings/fast.so"),
        ({"greetings/fast.cpython-312-x86_64-linux-gnu.so": ""}, "holds native code"),
        ({"greetings/fast.pyd": ""}, "holds native code"),
        ({"../evil.py": ""}, "names a file '../evil.py' outside of itself"),
        ({"/etc/evil.py": ""}, "names a file '/etc/evil.py' outside of itself"),
        ({"a/../../evil.py": ""}, "outside of itself"),
    ],
)
def test_native_code_and_names_that_lead_out_are_refused(
    files: Mapping[str, str], message: str, project: Project, place: Workshop, shelf: Path
) -> None:
    wheel(shelf, files=files)
    with pytest.raises(BuildError) as refused:
        bring(project, place)
    assert message in str(refused.value)
    assert not (project.folder / LOCK).exists()
    assert not (project.folder.parent / "evil.py").exists()


@pytest.mark.parametrize(
    ("there", "reason", "fix"),
    [
        ({}, "there is no greetings, neither for the sandbox nor for this", "how it is spelt"),
        ({"0.9": "cp312-cp312-win32"}, "there is no greetings, neither for the", "how it is spelt"),
        ({"1.0": HERE}, "greetings>=1 has no wheel of pure Python 3.12", "runs no native code"),
        (
            {f"0.{n}": "py3-none-any" for n in range(7)},
            "there is no greetings>=1 of pure Python 3.12; the newest are: 0.2, 0.3, 0.4, 0.5, 0.6",
            "name one of these",
        ),
    ],
)
def test_a_package_without_a_pure_wheel_is_named_with_what_there_is(
    there: Mapping[str, str], reason: str, fix: str, project: Project, place: Workshop, shelf: Path
) -> None:
    shelf.mkdir()
    for version, tag in there.items():
        wheel(shelf, version=version, tag=tag)
    with pytest.raises(BuildError) as refused:
        bring(project, place)
    assert refused.value.reason.startswith(reason)
    assert fix in refused.value.fix


@pytest.mark.parametrize(
    "line",
    ["--no-binary=:all:", "-e .", "x @ https://a.example/x.tar.gz", "greetings==1.0", "--pre"],
)
def test_a_lock_that_would_tell_pip_something_else_is_refused(
    line: str, project: Project, place: Workshop, shelf: Path
) -> None:
    wheel(shelf)
    bring(project, place)
    with (project.folder / LOCK).open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(BuildError, match=r"build\.lock:3: is no pinned package"):
        bring(project, place)


def test_a_link_in_the_place_of_the_lock_is_replaced_and_not_followed(
    project: Project, place: Workshop, shelf: Path, tmp_path: Path
) -> None:
    wheel(shelf)
    (tmp_path / "mine").write_text("mine")
    (project.folder / LOCK).symlink_to(tmp_path / "mine")
    bring(project, place)
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (project.folder / LOCK).is_symlink()


def test_a_bomb_is_not_unpacked(project: Project, place: Workshop, shelf: Path) -> None:
    path = wheel(shelf)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("greetings/zeros", bytes(201 << 20))
    with pytest.raises(BuildError, match="holds more than 200 MB"):
        bring(project, place)
