"""What is in force is one record; what does not fit it is named, and nothing is lost silently."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from tests.tools.sdk.making import wheel

from capbox.tools.available import available
from capbox.tools.sdk.project import BuildError
from capbox.tools.wheels.place import Packages, Place, Wheel, wheel_of

WASM = b"\0asm\1\0\0\0"
OTHER = WASM + b"\0\x02\x01x"
DIGEST, OTHERS = (sha256(one).hexdigest() for one in (WASM, OTHER))
MANIFEST = """
name = "python"
version = "1"
description = "Runs Python."
license = "MIT"
abi = "json"
module = "python.wasm"
access = "none"
[input_schema]
type = "object"
"""


@pytest.fixture
def guests(tmp_path: Path) -> Path:
    """capbox's tools: `python`, and `javascript` beside it."""
    for name in ("python", "javascript"):
        (tmp_path / "guests" / name).mkdir(parents=True)
        (tmp_path / "guests" / f"{name}.wasm").write_bytes(WASM)
        text = MANIFEST.replace("python", name)
        (tmp_path / "guests" / name / f"{name}.toml").write_text(text)
    return tmp_path / "guests"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place where one package was added; the module is another one than the shipped one."""
    place = Place(tmp_path / "tools")
    one = wheel(tmp_path / "shelf")
    with place.changing() as scratch:
        (module := scratch / "python.wasm").write_bytes(OTHER)
        put(place, one, module)
    return place


def put(place: Place, one: Path, module: Path) -> Packages:
    """Put a wheel and a module in force."""
    digest = sha256(module.read_bytes()).hexdigest()
    packages = Packages((one.name.split("-")[0],), (wheel_of(one),), DIGEST, digest)
    place.put(packages, [one], module)
    return packages


def test_what_was_put_is_read_and_its_wheels_are_intact(place: Place) -> None:
    packages = place.read()
    assert packages is not None
    assert [(one.package, one.version) for one in packages.wheels] == [("greetings", "1.0")]
    assert [path.name for path in place.intact(packages)] == ["greetings-1.0-py3-none-any.whl"]
    assert place.module(packages).read_bytes() == OTHER


def test_nothing_was_added_where_there_is_no_folder(tmp_path: Path) -> None:
    assert Place(tmp_path / "none").read() is None


def test_what_is_no_longer_in_force_goes(place: Place, tmp_path: Path) -> None:
    with place.changing() as scratch:
        (module := scratch / "python.wasm").write_bytes(WASM)
        put(place, wheel(tmp_path / "shelf", "others"), module)
    left = sorted(path.name for path in place.root.rglob("*") if path.suffix in (".whl", ".wasm"))
    assert left == ["others-1.0-py3-none-any.whl", f"python-{DIGEST[:16]}.wasm"]


def test_an_add_that_was_killed_leaves_the_older_one_and_the_next_one_wipes_it(
    place: Place,
) -> None:
    before = place.read()
    (place.root / ".coming").mkdir()
    (place.root / ".coming" / "half.wasm").write_bytes(b"\0as")
    assert place.read() == before
    with place.changing() as scratch:
        assert list(scratch.iterdir()) == []
    assert not (place.root / ".coming").exists()


def test_one_process_at_a_time_changes_anything(place: Place) -> None:
    with place.changing(), pytest.raises(BuildError, match="another process"), place.changing():
        pass
    with place.changing():
        pass


DAMAGED = {
    "no json": "{",
    "another format": '{"format": 2}',
    "a list": "[]",
    "no wheels": '{"format": 1, "asked": []}',
    "a number": '{"format": 1, "asked": [1], "wheels": [], "shipped": "", "module": ""}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_record_that_is_damaged_is_named_with_what_to_do(
    what: str, place: Place, guests: Path, tmp_path: Path
) -> None:
    (place.root / "packages.json").write_text(DAMAGED[what])
    with pytest.raises(BuildError, match="is damaged") as refused:
        place.read()
    assert "capbox python remove --all" in refused.value.fix
    found = available(guests, tmp_path / "tools")
    assert (sorted(found.tools), len(found.unusable), found.errors) == (["javascript"], 1, ())


@pytest.mark.parametrize(
    "file", ["../evil-1.0-py3-none-any.whl", "greetings-1.0-cp312-cp312-linux_x86_64.whl", "x.whl"]
)
def test_a_record_with_a_file_that_is_no_pure_wheel_is_damaged(file: str, place: Place) -> None:
    record = place.root / "packages.json"
    document = json.loads(record.read_text())
    document["wheels"][0]["file"] = file
    record.write_text(json.dumps(document))
    with pytest.raises(BuildError, match="is damaged"):
        place.read()


def test_a_wheel_with_other_bytes_or_none_is_named(place: Place) -> None:
    packages = place.read()
    assert packages is not None
    path = place.intact(packages)[0]
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(BuildError, match="has other bytes than were pinned"):
        place.intact(packages)
    path.unlink()
    with pytest.raises(BuildError, match="No such file"):
        place.intact(packages)


def test_the_tool_is_the_module_with_the_packages_under_a_digest_of_its_own(
    place: Place, guests: Path, tmp_path: Path
) -> None:
    plain = available(guests, tmp_path / "none").tools["python"]
    found = available(guests, tmp_path / "tools").tools["python"]
    assert (found.module.digest, found.module.shipped) == (OTHERS, True)
    assert found.digest != plain.digest
    assert found.manifest.description == "Runs Python. Packages: greetings 1.0."
    with place.changing():
        place.clear()
    assert available(guests, tmp_path / "tools").tools["python"].digest == plain.digest


def test_packages_of_another_interpreter_are_not_left_out_silently(
    place: Place, guests: Path, tmp_path: Path
) -> None:
    (guests / "python.wasm").write_bytes(OTHER)
    found = available(guests, tmp_path / "tools")
    assert sorted(found.tools) == ["javascript"]
    [error] = found.unusable
    assert error.where == "the tool python" and "`capbox python add` packs" in error.message


def test_a_module_that_was_changed_or_is_gone_is_not_used(
    place: Place, guests: Path, tmp_path: Path
) -> None:
    packages = place.read()
    assert packages is not None
    place.module(packages).write_bytes(WASM)
    found = available(guests, tmp_path / "tools")
    assert (sorted(found.tools), len(found.unusable)) == (["javascript"], 1)
    assert "was changed since it was packed" in found.unusable[0].message
    place.module(packages).unlink()
    found = available(guests, tmp_path / "tools")
    assert (sorted(found.tools), len(found.unusable)) == (["javascript"], 1)


@pytest.mark.parametrize(
    ("file", "name", "version"),
    [
        ("PyYAML-6.0-py3-none-any.whl", "pyyaml", "6.0"),
        ("typing_extensions-4.1-1build-py2.py3-none-any.whl", "typing-extensions", "4.1"),
    ],
)
def test_a_wheel_names_its_package(file: str, name: str, version: str) -> None:
    one = Wheel(file, DIGEST)
    assert (one.package, one.version) == (name, version)
