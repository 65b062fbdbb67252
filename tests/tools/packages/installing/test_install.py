"""Installing, updating, removing: at once or not at all, and asked about when it requests more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.tools.packages.making import ALICE, MALLORY, Person, manifest, module, packed, workshop

from capbox.engine.home import Home
from capbox.journal.lock import try_lock
from capbox.tools.available import available
from capbox.tools.packages.artefact.package import put_signature
from capbox.tools.packages.installing.install import Workshop, install, remove, update
from capbox.tools.packages.installing.loading import installed_tools
from capbox.tools.packages.installing.place import Installed, Place
from capbox.tools.packages.installing.plan import Wishes
from capbox.tools.packages.names import PackageName
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.review.requests import texts
from capbox.tools.packages.signatures.publishers import First, Known
from capbox.tools.packages.signatures.signature import fingerprint
from capbox.tools.registry import Found

HELLO = PackageName("alice", "hello")
READ, SEND = "read:*", "fetch:https://a.example"


@pytest.fixture
def shop(home: Home) -> Workshop:
    """What installs in this test."""
    return workshop(home)


def put(shop: Workshop, tmp_path: Path, text: str, person: Person, **wishes: object) -> Installed:
    """Install a package of this manifest."""
    layout, _ = packed(tmp_path, text)
    return install(shop, layout.folder, Wishes(**wishes), person)[1]  # type: ignore[arg-type]


def tools(shop: Workshop) -> dict[str, list[str]]:
    """Return the installed tools that can be used, and what each may request."""
    found = installed_tools(shop.place.root)
    return {
        one.manifest.name: sorted(texts(one.manifest.requests))
        for one in found
        if isinstance(one, Found)
    }


def test_a_package_becomes_a_tool(tmp_path: Path, shop: Workshop) -> None:
    said: list[str] = []
    shop = Workshop(shop.place, shop.publishers, shop.guests, tmp_path / "cache", shop.access,
                    said.append)  # fmt: skip
    person = Person()
    one = put(shop, tmp_path, manifest(required=[READ], optional=[SEND]), person)
    assert isinstance(person.asked[0].trust, First) and person.asked[0].warnings == ()
    assert tools(shop) == {"hello": [SEND, READ]}
    found = available(shop.guests, shop.place.root).tools["hello"]
    assert (found.digest, found.module.shipped) == (one.tool, False)
    assert len(list((tmp_path / "cache").glob("*.cwasm"))) == 1, "it is compiled already"
    assert said == ["compiling hello.wasm (once; some seconds)"]
    assert shop.place.get(HELLO) == one and one.at > 1_700_000_000
    assert not (shop.place.root / ".coming").exists()


def test_a_no_changes_nothing(tmp_path: Path, shop: Workshop) -> None:
    with pytest.raises(PackageError, match="was refused: nothing was changed"):
        put(shop, tmp_path, manifest(), Person(yes=False))
    assert tools(shop) == {} and shop.publishers.known() == {}


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        ([READ], [READ], False),
        ([READ, SEND], [READ], False),
        ([READ], ["read:/workspace/docs"], False),
        ([], [], False),
        (["fetch:*"], [SEND], False),
        ([READ], [READ, SEND], True),
        (["read:/workspace"], [READ], True),
        ([SEND], ["fetch:*"], True),
        ([READ], ["write:*"], True),
        ([], ["env:HOME"], True),
    ],
)
def test_an_update_is_asked_about_if_it_requests_more(
    before: list[str], after: list[str], asked: bool, tmp_path: Path, shop: Workshop
) -> None:
    put(shop, tmp_path, manifest(required=before), Person())
    person = Person()
    put(shop, tmp_path, manifest(version="0.2.0", required=after), person)
    assert bool(person.asked) == asked
    assert tools(shop) == {"hello": sorted(after)}


def test_what_was_not_accepted_stays_so_in_an_update(tmp_path: Path, shop: Workshop) -> None:
    put(shop, tmp_path, manifest(required=[READ, SEND]), Person(), only=("read:/workspace",))
    silent = Person()
    put(shop, tmp_path, manifest(version="0.2.0", required=[READ, SEND]), silent)
    assert (tools(shop), silent.asked) == ({"hello": ["read:/workspace"]}, [])
    person = Person()
    put(shop, tmp_path, manifest(version="0.3.0", required=[READ, SEND, "env:*"]), person)
    assert texts(person.asked[0].difference.added) == ["env:*"]
    assert tools(shop) == {"hello": ["env:*", "read:/workspace"]}


def test_accepting_more_of_the_same_package_is_asked_about(tmp_path: Path, shop: Workshop) -> None:
    text = manifest(required=[READ, SEND])
    put(shop, tmp_path, text, Person(), only=("nothing",))
    person = Person()
    put(shop, tmp_path, text, person, only=(READ,))
    assert len(person.asked) == 1 and tools(shop) == {"hello": [READ]}
    again = Person()
    put(shop, tmp_path, text, again)
    assert again.asked == [] and tools(shop) == {"hello": [READ]}


def test_a_failed_update_leaves_the_old_one_at_work(tmp_path: Path, shop: Workshop) -> None:
    """The new module is WebAssembly as far as one reads it, and does not compile."""
    put(shop, tmp_path, manifest(), Person())
    before = installed_tools(shop.place.root)
    bad = b"\0asm\1\0\0\0\3\2\1\0"  # a function of a type that is not there
    layout, _ = packed(tmp_path, manifest(version="0.2.0"), bad)
    with pytest.raises(PackageError, match="alice/hello: its module does not compile: "):
        install(shop, layout.folder, Wishes(), Person())
    after = installed_tools(shop.place.root)
    assert [o.digest for o in after if isinstance(o, Found)] == [
        o.digest for o in before if isinstance(o, Found)
    ]


def test_a_killed_update_leaves_the_old_one_at_work(tmp_path: Path, shop: Workshop) -> None:
    """Whatever a killed process has left: in the quarantine, or moved and not yet in force."""
    one = put(shop, tmp_path, manifest(), Person())
    (shop.place.root / ".coming" / "tool").mkdir(parents=True)
    half = shop.place.folder(one).parent / "0123456789abcdef-00000000"
    half.mkdir()
    (half / "tool.toml").write_text(manifest(required=["write:*"]))
    assert tools(shop) == {"hello": []}
    put(shop, tmp_path, manifest(version="0.2.0"), Person())
    assert not half.exists() and not (shop.place.root / ".coming").exists()


def test_the_same_package_again_is_no_question(tmp_path: Path, shop: Workshop) -> None:
    layout, _ = packed(tmp_path, manifest())
    install(shop, layout.folder, Wishes(), Person())
    person = Person(yes=False)
    plan, _ = install(shop, layout.folder, Wishes(), person)
    assert plan.same and person.asked == [] and isinstance(plan.trust, Known)


def test_a_signature_that_comes_later_is_taken(tmp_path: Path, shop: Workshop) -> None:
    layout, package = packed(tmp_path, manifest(), key=None)
    install(shop, layout.folder, Wishes(unsigned=True), Person())
    put_signature(layout, package, ALICE.sign(package.statement))
    person = Person()
    plan, one = install(shop, layout.folder, Wishes(), person)
    assert isinstance(plan.trust, First) and len(person.asked) == 1
    assert one.key == fingerprint(shop.publishers.known()["alice"].key)


def test_a_tool_that_was_changed_is_put_right_again(tmp_path: Path, shop: Workshop) -> None:
    layout, _ = packed(tmp_path, manifest())
    one = install(shop, layout.folder, Wishes(), Person())[1]
    (shop.place.folder(one) / "hello.wasm").write_bytes(module("evil"))
    assert tools(shop) == {}
    install(shop, layout.folder, Wishes(), Person())
    assert tools(shop) == {"hello": []}


def test_a_removed_package_is_gone_and_its_key_stays_known(tmp_path: Path, shop: Workshop) -> None:
    put(shop, tmp_path, manifest(), Person())
    remove(shop.place, HELLO)
    assert tools(shop) == {} and set(shop.publishers.known()) == {"alice"}
    with pytest.raises(PackageError, match="is not installed: see: capbox pkg list"):
        remove(shop.place, HELLO)
    other, _ = packed(tmp_path, manifest(), key=MALLORY)
    with pytest.raises(PackageError, match="but alice is known by"):
        install(shop, other.folder, Wishes(), Person())


def test_one_process_at_a_time_changes_anything(tmp_path: Path, shop: Workshop) -> None:
    shop.place.root.mkdir(parents=True, exist_ok=True)
    lock = try_lock(shop.place.root / "packages")
    assert lock is not None
    with pytest.raises(PackageError, match="another process installs, updates or removes: wait"):
        put(shop, tmp_path, manifest(), Person())
    os.close(lock)
    put(shop, tmp_path, manifest(), Person())


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "name": "alice/hello"}', "[" * 9_999]
)
def test_a_damaged_record_is_kept_reported_and_hinders_no_other(
    text: str, tmp_path: Path, shop: Workshop
) -> None:
    put(shop, tmp_path, manifest(), Person())
    put(shop, tmp_path, manifest("other"), Person())
    record = shop.place.root / "alice" / "hello" / "installed.json"
    record.write_text(text)
    assert tools(shop) == {"other": []}
    unusable = available(shop.guests, shop.place.root).unusable
    assert [one.where for one in unusable] == [str(record)]
    assert "it is kept" in unusable[0].message and record.read_text() == text
    with pytest.raises(PackageError, match="capbox pkg remove alice/hello, and install it again"):
        put(shop, tmp_path, manifest(version="0.2.0"), Person())
    remove(shop.place, HELLO)
    put(shop, tmp_path, manifest(version="0.2.0"), Person())
    assert tools(shop) == {"hello": [], "other": []}


def test_a_record_speaks_for_its_own_package_alone(tmp_path: Path, shop: Workshop) -> None:
    """Attack: the record of a harmless package, copied to where another one is."""
    put(shop, tmp_path, manifest(), Person())
    put(shop, tmp_path, manifest("other"), Person())
    own = shop.place.root / "alice"
    (own / "other" / "installed.json").write_bytes((own / "hello" / "installed.json").read_bytes())
    assert tools(shop) == {"hello": []}


# --- where the newest version is ---------------------------------------------------------------


def test_an_update_takes_the_newest_of_the_same_folder(tmp_path: Path, shop: Workshop) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()

    def publish(text: str, key: str) -> None:
        layout, package = packed(tmp_path, text)
        layout.folder.rename(folder / f"{package.name.tool}-{package.version}-{key}.oci")

    publish(manifest(), "a")
    one = install(shop, folder / "hello-0.1.0-a.oci", Wishes(), Person())[1]
    publish(manifest(version="0.9.0"), "b")
    publish(manifest(version="0.10.0"), "c")
    publish(manifest("other", version="9.0"), "d")
    (folder / "broken.oci").mkdir()
    plan, two = update(shop, one, Wishes(), Person(yes=False))
    assert (two.version, plan.asks) == ("0.10.0", False)
    same, _ = update(shop, two, Wishes(), Person(yes=False))
    assert same.same


def test_an_update_is_of_the_same_package(tmp_path: Path, shop: Workshop) -> None:
    one = put(shop, tmp_path, manifest(), Person())
    other, _ = packed(tmp_path, manifest("other"))
    with pytest.raises(PackageError, match="holds the package alice/other"):
        update(shop, one, Wishes(), Person(), origin=str(other.folder))
    assert tools(shop) == {"hello": []}


def test_no_directory_of_installed_tools_is_no_error(tmp_path: Path) -> None:
    assert Place(tmp_path / "none").installed() == () == installed_tools(tmp_path / "none")
