"""Adding and removing packages of the tool `python`: pinned, packed, the same bytes each time."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tools.sdk.making import HERE, wheel, workshop

from capbox import app
from capbox.box import Box
from capbox.engine.home import Home
from capbox.tools.available import available
from capbox.tools.sdk.project import BuildError
from capbox.tools.wheels.adding import Bench, add, clear, remove
from capbox.tools.wheels.place import Packages, Place


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The only place where packages are."""
    (folder := tmp_path / "shelf").mkdir()
    return folder


@pytest.fixture
def bench(home: Home, shelf: Path) -> Bench:
    """What adding needs, without an index."""
    home.prepare()
    environ = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf)}
    return Bench(Place(home.tools), workshop(environ=environ), app.GUESTS, home.cache)


def listed(packages: Packages) -> list[str]:
    """Return each package with its version."""
    return [f"{one.package} {one.version}" for one in packages.wheels]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-r x",
        "--pre",
        "./x.whl",
        "x-1.0-py3-none-any.whl",
        "x-1.0.tar.gz",
        "x @ https://a.example/x.tar.gz",
        "git+https://a.example",
        "x>1",
    ],
)
def test_what_is_no_name_of_a_package_never_reaches_pip(name: str, bench: Bench) -> None:
    with pytest.raises(BuildError, match="is no package"):
        add(bench, [name])
    assert bench.place.read() is None


NATIVE = "greetings has no wheel of pure Python 3.12", "look for a package in pure Python"
MISSING = "there is no greetings, neither for the sandbox nor for this machine", "how it is spelt"


@pytest.mark.parametrize(
    ("tag", "said"), [(HERE, NATIVE), ("cp312-abi3-win32", MISSING), (None, MISSING)]
)
def test_a_package_that_is_not_pure_is_named_with_what_to_do(
    tag: str | None, said: tuple[str, str], bench: Bench, shelf: Path
) -> None:
    if tag is not None:
        wheel(shelf, tag=tag)
    with pytest.raises(BuildError) as refused:
        add(bench, ["greetings"])
    assert refused.value.reason.startswith(said[0])
    assert said[1] in refused.value.fix
    assert bench.place.read() is None


def test_a_source_archive_is_not_built(bench: Bench, shelf: Path) -> None:
    (shelf / "greetings-1.0.tar.gz").write_bytes(b"a setup.py would run here")
    with pytest.raises(BuildError, match="has no wheel of pure Python"):
        add(bench, ["greetings"])


def test_a_dependency_that_is_not_pure_is_the_one_that_is_named(bench: Bench, shelf: Path) -> None:
    wheel(shelf, needs="fast>=2")
    with pytest.raises(BuildError, match="there is no fast, neither"):
        add(bench, ["greetings"])


def test_a_wheel_that_would_stand_for_another_is_refused_before_anything_is_packed(
    bench: Bench, shelf: Path
) -> None:
    wheel(shelf, files={"json.py": "x = 1\n"})
    with pytest.raises(BuildError, match=r"it brings json\.py, a name of the standard library"):
        add(bench, ["greetings"])
    assert bench.place.read() is None


def test_without_a_name_there_has_to_be_something_to_pack_anew(bench: Bench) -> None:
    with pytest.raises(BuildError, match="no packages were added"):
        add(bench, [])


def test_what_was_not_added_cannot_be_removed(bench: Bench) -> None:
    with pytest.raises(BuildError, match="greetings: was not added"):
        remove(bench, ["greetings"])


@pytest.mark.slow
async def test_packages_are_imported_and_the_same_wheels_give_the_same_tool(
    bench: Bench, shelf: Path, home: Home, tmp_path: Path
) -> None:
    plain = available(app.GUESTS, home.tools).tools["python"].digest
    wheel(shelf, needs="words")
    wheel(shelf, "words", {"words/__init__.py": "WORD = 'there'\n"})
    first = await in_thread(add, bench, ["Greetings"])
    assert (listed(first), first.asked) == (["greetings 1.0", "words 1.0"], ("Greetings",))

    code = "import greetings, words; greetings.HELLO, words.WORD, greetings.__file__"
    (work := tmp_path / "work").mkdir()
    async with app.local_engine(home=home, spares=False) as engine:
        digest = engine.tools["python"].digest
        assert digest != plain
        async with Box(workspace=work, engine=engine) as box:
            result = await box.call("python", code=code)
            assert "('hi', 'there', '/packages/greetings/__init__.py')" in result.content
            # No module of the workspace or of the call takes the place of a package.
            files = {"greetings.py": "HELLO = 'other'\n"}
            result = await box.call("python", code="import greetings; greetings.HELLO", files=files)
            assert result.content == "=> 'hi'\n"
            result = await box.call("python", code="import nosuch")
            assert "capbox python add NAME" in result.content
            assert result.effects == () or not any("denied" in str(e) for e in result.effects)

    # Elsewhere and later, from wheels of the same bytes: the same tool.
    other = replace(bench, place=Place(tmp_path / "other"))
    again = await in_thread(add, other, ["words", "greetings"])
    assert again.module == first.module
    found = available(app.GUESTS, tmp_path / "other").tools["python"]
    assert found.digest == digest

    # Other bytes under a pinned name and version: refused, and what was there still works.
    (shelf / "words-1.0-py3-none-any.whl").unlink()
    wheel(shelf, "words", {"words/__init__.py": "WORD = 'evil'\n"})
    kept = bench.place.wheels / "words-1.0-py3-none-any.whl"
    wheel(shelf, "more")
    whole, _ = kept.read_bytes(), kept.write_bytes(b"changed")
    with pytest.raises(BuildError, match="has other bytes than were pinned"):
        await in_thread(add, bench, ["more"])
    kept.write_bytes(whole)
    assert available(app.GUESTS, home.tools).tools["python"].digest == digest

    with pytest.raises(BuildError, match="because another package needs it"):
        await in_thread(remove, bench, ["words"])
    assert listed(await in_thread(remove, other, ["greetings"])) == ["words 1.0"]
    assert await in_thread(remove, bench, ["greetings"]) == Packages()
    assert available(app.GUESTS, home.tools).tools["python"].digest == plain


@pytest.mark.slow
async def test_a_pinned_version_stays_until_another_one_is_asked_for(
    bench: Bench, shelf: Path
) -> None:
    wheel(shelf)
    await in_thread(add, bench, ["greetings"])
    wheel(shelf, version="2.0")
    wheel(shelf, "more")
    assert listed(await in_thread(add, bench, ["more"])) == ["greetings 1.0", "more 1.0"]
    assert listed(await in_thread(add, bench, ["greetings==2.0"])) == ["greetings 2.0", "more 1.0"]
    wheel(shelf, "strict", needs="greetings<2")
    with pytest.raises(BuildError) as refused:
        await in_thread(add, bench, ["strict"])
    assert "remove what is in the way" in refused.value.fix
    before = bench.place.read()
    assert before is not None and listed(before) == ["greetings 2.0", "more 1.0"]
    clear(bench.place)
    assert bench.place.read() is None


async def in_thread(work: object, *arguments: object) -> Packages:
    """Run what runs an event loop of its own."""
    import anyio

    result: Packages = await anyio.to_thread.run_sync(work, *arguments)  # type: ignore[arg-type]
    return result
