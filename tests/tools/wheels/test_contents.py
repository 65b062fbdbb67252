"""What a wheel may bring into the tool `python`: modules of its own, and no other's name."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from tests.tools.sdk.making import wheel

from capbox.tools.sdk.project import BuildError
from capbox.tools.wheels import contents
from capbox.tools.wheels.contents import lay_out

OWN = "greetings/__init__.py"


def laid(tmp_path: Path, *wheels: Path) -> Path:
    """The folder that is packed."""
    (scratch := tmp_path / "scratch").mkdir()
    lay_out(wheels, scratch, tmp_path / "packages")
    return tmp_path / "packages"


def names(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


ALLOWED = {
    "a package": [OWN],
    "a module": ["greetings.py"],
    "a name of the library further down": ["greetings/json.py", "greetings/_capbox/x.py"],
    "a name that only begins like one": ["jsonx.py", "capbox_greetings.py"],
    "data": ["greetings/words.txt"],
    "the place for pure modules": ["greetings-1.0.data/purelib/greetings.py"],
}
REFUSED = {
    "the library's json": ("json.py", "a name of the standard library"),
    "a package json": ("json/__init__.py", "a name of the standard library"),
    "a part of a package of the library": ("encodings/evil.py", "a name of the standard library"),
    "what is missing here": ("ssl.py", "a name of the standard library"),
    "by the other way in": ("greetings-1.0.data/purelib/json.py", "of the standard library"),
    "what a start imports": ("sitecustomize.py", "a name of capbox's own"),
    "what a start of a person imports": ("usercustomize/__init__.py", "a name of capbox's own"),
    "the tool's inside": ("_capbox/execute.py", "a name of capbox's own"),
    "capbox": ("capbox.py", "a name of capbox's own"),
    "the program": ("__main__.py", "a name of capbox's own"),
    "code for each start": ("greetings.pth", "code to be run at each start"),
    "words for another package": ("pip-1.0.dist-info/METADATA", "speaks for another package"),
    "in other letters": ("pip-1.dist-INFO/METADATA", "speaks for another package"),
    "in the older way": ("pip-9.9.egg-info/PKG-INFO", "speaks for another package"),
    "of the older way, its own": ("greetings-1.0.egg-info/PKG-INFO", "speaks for another"),
    "by another spelling of its own": ("Greetings-1.0.dist-info/METADATA", "more than one"),
    "its own words once more": (
        "greetings-1.0.data/purelib/greetings-1.0.dist-info/METADATA",
        "twice",
    ),
    "its own file once more": ("greetings-1.0.data/purelib/greetings/__init__.py", "twice"),
    "a name above": ("../evil.py", "outside of itself"),
    "a name above, further in": ("greetings/../../evil.py", "outside of itself"),
    "a name from the root": ("/etc/evil.py", "outside of itself"),
    "a name of Windows": ("greetings\\..\\evil.py", "outside of itself"),
    "native code": ("greetings/fast.so", "holds native code"),
    "native code of WebAssembly": ("greetings/fast.wasm", "holds native code"),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_a_wheel_brings_what_is_its_own(what: str, tmp_path: Path) -> None:
    one = wheel(tmp_path / "shelf", files=dict.fromkeys(ALLOWED[what], "x = 1\n"))
    found = names(laid(tmp_path, one))
    own = [name for name in found if ".dist-info/" not in name]
    assert own == sorted(name.removeprefix("greetings-1.0.data/purelib/") for name in ALLOWED[what])
    assert "greetings-1.0.dist-info/METADATA" in found


@pytest.mark.parametrize("what", REFUSED)
def test_a_name_that_would_stand_for_another_is_refused_and_named(
    what: str, tmp_path: Path
) -> None:
    name, reason = REFUSED[what]
    one = wheel(tmp_path / "shelf", files={OWN: "", name: "import os\n"})
    with pytest.raises(BuildError) as refused:
        laid(tmp_path, one)
    assert (refused.value.where, reason in refused.value.reason) == (one.name, True), refused.value
    assert not (tmp_path / "evil.py").exists() and not (tmp_path / "scratch" / "evil.py").exists()


def test_a_link_is_refused(tmp_path: Path) -> None:
    one = wheel(tmp_path / "shelf")
    link = zipfile.ZipInfo("greetings/secret.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(one, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BuildError, match=r"holds a link: 'greetings/secret\.py'"):
        laid(tmp_path, one)


def test_bytecode_is_left_out(tmp_path: Path) -> None:
    files = {OWN: "x = 1\n", "greetings/__pycache__/__init__.cpython-312.pyc": "x", "old.pyc": "x"}
    found = names(laid(tmp_path, wheel(tmp_path / "shelf", files=files)))
    assert [name for name in found if name.endswith((".py", ".pyc"))] == [OWN]


@pytest.mark.parametrize("same", [True, False])
def test_two_wheels_share_a_file_only_if_it_is_the_same(tmp_path: Path, *, same: bool) -> None:
    shared = "spread/__init__.py"
    one = wheel(tmp_path / "shelf", "first", {shared: "", "spread/one.py": ""})
    two = wheel(tmp_path / "shelf", "second", {shared: "" if same else "x", "spread/two.py": ""})
    if same:
        assert {shared, "spread/one.py", "spread/two.py"} <= {*names(laid(tmp_path, one, two))}
        return
    with pytest.raises(BuildError) as refused:
        laid(tmp_path, one, two)
    assert refused.value.where == two.name
    assert f"it and {one.name} bring different files __init__.py" in refused.value.reason


def test_a_name_that_ends_where_importlib_lets_it_end_speaks_for_another(tmp_path: Path) -> None:
    """Attack: `tabulate-x-1.0.dist-info` of `tabulate_x` is `tabulate`, version `x-1.0`."""
    one = wheel(tmp_path / "shelf", "tabulate_x")
    renamed = one.with_name("renamed")
    with zipfile.ZipFile(one) as old, zipfile.ZipFile(renamed, "w") as new:
        for name in old.namelist():
            new.writestr(name.replace("tabulate_x-1.0.dist", "tabulate-x-1.0.dist"), old.read(name))
    renamed.replace(one)
    with pytest.raises(BuildError, match="speaks for another package: tabulate-x"):
        laid(tmp_path, one)


SHADOWS = {
    "a package beside a module": ("known.py", "known/__init__.py"),
    "a module beside a package": ("known/__init__.py", "known.py"),
    "a module beside a package without a text of its own": ("known/inside.py", "known.py"),
    "a folder beside a module": ("known.py", "known/more/data.txt"),
    "a module further down": ("wide/known.py", "wide/known/__init__.py"),
    "a module that a package asks for": ("known/__init__.py", "known/_speedups.py"),
    "a text for a package without one": ("known/inside.py", "known/__init__.py"),
}
BESIDE = {
    "a package of another name": ("known.py", "other/__init__.py"),
    "a part of a shared folder": ("wide/known.py", "wide/other.py"),
    "a part of a shared folder within a package": (
        "known/ext/one/__init__.py",
        "known/ext/two/__init__.py",
    ),
    "a name that only begins like one": ("known.py", "knownx/__init__.py"),
}


@pytest.mark.attack
@pytest.mark.parametrize("what", SHADOWS)
@pytest.mark.parametrize("upwards", [True, False])
def test_a_module_of_another_wheel_is_not_taken_over(
    what: str, tmp_path: Path, *, upwards: bool
) -> None:
    known, other = SHADOWS[what]
    one = wheel(tmp_path / "shelf", "known", {known: "who = 'known'\n"})
    two = wheel(tmp_path / "shelf", "helper", {other: "who = 'helper'\n"})
    with pytest.raises(BuildError, match=r"it brings .*, within a module of (known|helper)-1\.0"):
        laid(tmp_path, *((one, two) if upwards else (two, one)))


@pytest.mark.parametrize("what", BESIDE)
def test_wheels_lie_beside_each_other(what: str, tmp_path: Path) -> None:
    known, other = BESIDE[what]
    one = wheel(tmp_path / "shelf", "known", {known: "1", "known_data/__init__.py": ""})
    two = wheel(tmp_path / "shelf", "helper", {other: "2"})
    assert {known, other} <= {*names(laid(tmp_path, one, two))}


@pytest.mark.parametrize("upwards", [True, False])
def test_a_file_and_a_folder_of_one_name_are_refused(tmp_path: Path, *, upwards: bool) -> None:
    one = wheel(tmp_path / "shelf", "first", {"thing": "x"})
    two = wheel(tmp_path / "shelf", "second", {"thing/inside.py": "x"})
    with pytest.raises(BuildError, match="does not fit beside the other packages"):
        laid(tmp_path, *((one, two) if upwards else (two, one)))


@pytest.mark.parametrize("size", [contents.BYTES_MAX >> 20, 201])
def test_a_bomb_is_not_packed(size: int, tmp_path: Path) -> None:
    one = wheel(tmp_path / "shelf")
    with zipfile.ZipFile(one, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("greetings/zeros", bytes(size << 20))
    with pytest.raises(BuildError, match=r"more than (64|200) MB"):
        laid(tmp_path, one)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (one := tmp_path / "greetings-1.0-py3-none-any.whl").write_bytes(b"no zip")
    with pytest.raises(BuildError, match="cannot be unpacked"):
        laid(tmp_path, one)
