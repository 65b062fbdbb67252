"""What files hold of what runs have read: told to who reads them later, under any name."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.gate.conftest import authority

from capbox.authority.authority import FileRight
from capbox.authority.paths import GuestPath, HostPath
from capbox.authority.values.label import NOTHING, Source
from capbox.authority.web.places import Origin, parse_origin
from capbox.gate.rights.labels import SOURCES_MAX, Context, Reading
from capbox.journal.errors import JournalError
from capbox.journal.tables.provenance import Note, Provenance
from capbox.sandbox.effects import MANY
from capbox.sandbox.spec import Finished, Outcome, Touched

SECRET = Source("secret", "/workspace/.env")
FOREIGN = Source("web", "https://a.test")
ENV = HostPath("/w/.env")


@dataclass
class Folder:
    """A workspace on disk, and the table of what runs wrote there."""

    place: Path
    table: Provenance

    def host(self, name: str) -> HostPath:
        return HostPath(str(self.place / name))

    def write(self, name: str, text: str) -> None:
        (self.place / name).parent.mkdir(parents=True, exist_ok=True)
        (self.place / name).write_text(text)

    def touched(self, action: str, name: str) -> Touched:
        return Touched(action, GuestPath(f"/workspace/{name}".rstrip("/")), self.host(name))

    def context(self, *trusted: str) -> Context:
        return Context(tuple(map(self.host, trusted)), self.table)

    def note(self, name: str, source: Source = SECRET, **how: bool) -> None:
        self.table.settle("r.0", [Note(self.host(name), frozenset({source}), **how)])


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "w").mkdir()
    return Folder(tmp_path / "w", Provenance(tmp_path / "labels.db"))


def effects(folder: Folder, text: str) -> tuple[Touched, ...]:
    """Read `read a, write b` as effects in the folder."""
    pairs = (one.split(" ") for one in text.split(", "))
    return tuple(folder.touched(action, name) for action, name in pairs)


# --- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noted", "how", "did", "known"),
    [
        ("a", {}, "read a", True),
        ("a", {}, "read b", False),
        ("a", {}, "list ", False),  # what it holds is not in its name
        ("n-1", {"named": True}, "list ", True),
        ("n-1", {"named": True}, "list d", False),
        ("n-1", {"named": True}, "read a", False),
        ("a", {}, "write a", False),
        # Read, and then overwritten, moved or removed before anybody looked.
        ("a", {}, "read a, write a", True),
        ("gone", {}, "read gone", True),
        ("gone", {}, "read b, write gone", False),
        ("d/a", {}, "read d/a, rename d", True),
        ("d/gone", {}, "read d/gone, rename d", True),
        ("d/gone", {}, "rename d, read e/a, write e/a", True),
        ("d/gone", {}, "rename d, read e/a", False),  # its content tells
        ("d/gone", {}, "rename d, mkdir e, read e/a", True),
        ("d/gone", {}, "read b, write d", False),
    ],
)
def test_what_a_file_held_is_told_to_who_reads_it(
    noted: str, how: dict[str, bool], did: str, known: bool, folder: Folder
) -> None:
    for name in {noted, "a", "b", "d/a", "e/a"} - {"gone", "d/gone"}:
        folder.write(name, f"the content of {name}")
    folder.note(noted, **how)
    context = folder.context()
    found = context.end(context.begin(NOTHING, ()), Outcome(Finished(b""), effects(folder, did)))
    assert (SECRET in found) is known, found


def test_of_the_scratch_directory_nothing_is_told(folder: Folder) -> None:
    folder.write("a", "x")
    folder.note("a")
    context = folder.context()
    in_scratch = Touched("read", GuestPath("/tmp/a"), folder.host("a"))
    assert set(context.of_files((in_scratch,))) == set()
    # A change there is none of what was read elsewhere.
    gone = folder.touched("read", "a")
    assert SECRET in set(context.of_files((in_scratch, gone)))


def test_what_lies_nowhere_on_the_host_may_be_any_file(folder: Folder) -> None:
    folder.write("a", "x")
    folder.note("a")
    nowhere = Touched("read", GuestPath("/elsewhere/a"), None)
    found = set(folder.context().of_files((nowhere, folder.touched("read", "a"))))
    assert Source("workspace", "*") in found and SECRET in found


def test_a_function_is_a_source_by_its_name() -> None:
    effect = Touched("call", GuestPath("send(to=a@b.test,text=(x))"), None)
    assert set(Context().of_files((effect,))) == {Source("function", "send")}


def test_a_call_does_not_learn_from_what_it_is_about_to_write(folder: Folder) -> None:
    folder.write("d/a", "x")
    context = folder.context()
    could = frozenset({SECRET})
    own, other = (context.begin(could, (), call) for call in ("r.1", "r.2"))
    own.about_to_write(folder.host("d/a"))
    for did in ("read d/a", "list d", "read d/a, write d/a", "read d/gone"):
        ends = Outcome(Finished(b""), effects(folder, did))
        assert SECRET not in own.at_end(ends), did
        assert SECRET in other.at_end(ends) or did == "read d/gone", did


def rights(*grants: str) -> list[tuple[FileRight, HostPath]]:
    found = [m.right(()) for m in authority(*grants).grants]
    return [(right, HostPath(right.path)) for right in found if right is not None]


def test_all_that_could_be_read_has_its_sources_too(folder: Folder) -> None:
    folder.write("d/a", "x")
    folder.note("d/a")
    ((right, _),) = rights("read:/workspace/d")
    assert set(folder.context("d").possible([(right, folder.host("d"))])) == {
        Source("workspace", "/workspace/d", trusted=True),
        SECRET,
    }
    assert SECRET not in folder.context().possible([(right, folder.host("e"))])


# --- what is kept ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("did", "looks", "known"),
    [
        ("write a", "read a", True),
        ("create a", "read a", True),
        ("create a", "list ", True),
        ("write a", "list ", False),
        ("mkdir d", "list ", True),
        ("mkdir d", "read d/a", False),  # what is put there later is not its
        ("rename a", "list ", True),  # it may still be there, or be there again
        ("symlink a", "list ", True),
        ("rename x, create a", "list ", True),
        ("read a", "read a", False),
        ("list d", "list d", False),
        ("delete a", "read a", False),
        ("chmod a", "read a", False),
        ("utime a", "read a", False),
        ("write b", "read a", False),
    ],
)
def test_what_a_call_wrote_after_a_secret_is_known(
    did: str, looks: str, known: bool, folder: Folder
) -> None:
    folder.write("a", "the content of a")
    folder.write("b", "the content of b")
    folder.write("d/a", "the content of d/a")
    context = folder.context()
    reading = context.begin(NOTHING, ("TOKEN",), "r.1")
    touched = effects(folder, did)
    context.end(reading, Outcome(Finished(b""), touched))
    context.keep(touched, reading)
    later = set(folder.context().of_files(effects(folder, looks)))
    assert (Source("secret", "TOKEN") in later) is known, later


def test_nothing_is_kept_of_scratch_or_of_no_place(folder: Folder) -> None:
    folder.write("a", "x")
    folder.note("c")
    context = folder.context()
    reading = context.begin(NOTHING, ("TOKEN",), "r.1")
    touched = (
        Touched("write", GuestPath("/tmp/a"), folder.host("a")),
        Touched("write", GuestPath("/nowhere"), None),
        Touched("rename", GuestPath("/nowhere"), None),
        folder.touched("write", "b"),
    )
    context.end(reading, Outcome(Finished(b""), touched))
    context.keep(touched, reading)
    assert folder.table.about(folder.host("a")) == NOTHING
    assert folder.table.about(folder.host("b")) == {Source("secret", "TOKEN")}


@pytest.mark.parametrize(
    ("did", "looks", "known"),
    [
        ("rename d, mkdir e", "e/x", True),  # all of it came with it
        ("rename d, mkdir e", "f/x", False),
        ("mkdir e", "e/x", False),
        ("rename d, create f/x", "f/x", True),
        ("rename d, create f/x", "f/y", False),
        ("write d/x, rename f", "d/x", True),
        ("delete d/gone, create f/x", "f/x", False),
    ],
)
def test_a_file_keeps_what_it_came_from_under_its_new_name(
    did: str, looks: str, known: bool, folder: Folder
) -> None:
    folder.write("d/gone", "x")
    folder.note("d/gone")
    folder.note("d/x")
    for name in ("e/x", "f/x", "f/y", "d/x"):
        folder.write(name, f"the content of {name}, which is new")
    context = folder.context()
    reading = context.begin(NOTHING, (), "r.1")
    touched = effects(folder, did)
    context.keep(touched, reading)
    later = set(folder.context().of_files((folder.touched("read", looks),)))
    assert (SECRET in later) is known, later


def test_what_a_person_writes_anew_is_not_what_was_moved_there(folder: Folder) -> None:
    folder.write("d/gone", "x")
    folder.note("d/gone")
    folder.write("f/x", "x, moved here")
    context = folder.context()
    touched = effects(folder, "rename d, create f/x")
    context.keep(touched, context.begin(NOTHING, (), "r.1"))
    read = (folder.touched("read", "f/x"),)
    assert SECRET in set(folder.context().of_files(read))
    folder.write("f/x", "by a person")
    assert SECRET not in set(folder.context().of_files(read))


def test_what_another_call_may_read_meanwhile_counts_for_what_is_written(folder: Folder) -> None:
    """Attack: one call puts a secret into the scratch directory, the other copies it to a file."""
    folder.write("a", "copied from the scratch directory")
    context = folder.context()
    context.begin(frozenset({SECRET}), (), "r.1")
    reading = context.begin(NOTHING, (), "r.2")
    touched = (folder.touched("write", "a"),)
    context.end(reading, Outcome(Finished(b""), touched))
    context.keep(touched, reading)
    assert SECRET in set(folder.context().of_files((folder.touched("read", "a"),)))


@pytest.mark.parametrize(
    ("source", "place", "kept"),
    [
        (SECRET, "a", True),
        (Source("secret", "K@https://a.test", origin=parse_origin("https://a.test")), "a", True),
        (FOREIGN, "a", False),
        (FOREIGN, "specs/a", True),  # it would be trusted there
        (FOREIGN, "specs2/a", False),
        (Source("workspace", "/workspace/specs/b", trusted=True), "specs/a", False),
    ],
)
def test_what_is_kept_of_a_source(source: Source, place: str, kept: bool, folder: Folder) -> None:
    assert source.origin is None or isinstance(source.origin, Origin)
    for when in ("after", "before"):
        folder.write(place, f"written {when}")
        context = folder.context("specs")
        reading = context.begin(NOTHING, (), "r.1")
        reading.reached.add(source)
        if when == "before":
            reading.about_to_write(folder.host(place))
        else:
            touched = (folder.touched("write", place),)
            context.end(reading, Outcome(Finished(b""), touched))
            context.keep(touched, reading)
        later = set(folder.context().of_files((folder.touched("read", place),)))
        assert (source in later) is kept, later


# --- what is being written ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("has", "sends", "told"),
    [
        (lambda one: one, False, set()),
        (lambda one: one.reached.add(SECRET), False, {SECRET}),
        (lambda one: one.reached.add(FOREIGN), False, set()),
        (lambda one: one, True, {Source("secret", "*")}),
    ],
)
def test_what_a_call_may_write_is_told_while_it_goes_on(
    has: Callable[[Reading], object], sends: bool, told: set[Source], folder: Folder
) -> None:
    folder.write("a", "x")
    held = ("secret:KEY@https://a.test",) if sends else ("tool:read", "env:HOME")
    context = folder.context()
    reading = context.begin(NOTHING, (), "r.1", authority(*held).grants)
    has(reading)
    reading.about_to_write(folder.host("a"))
    later = folder.context().of_files((folder.touched("read", "a"),))
    assert {source for source in later if source.kind == "secret"} == told


@pytest.mark.parametrize(
    ("grant", "place", "told"),
    [
        ("fetch:https://a.test", "specs/a", {Source("web", "*")}),
        ("invoke:send", "specs/a", {Source("function", "*")}),
        ("fetch:https://a.test", "a", set()),  # nobody trusts what is there
        ("tool:read", "specs/a", set()),
    ],
)
def test_what_a_stranger_may_have_a_call_write_where_the_operator_is_trusted(
    grant: str, place: str, told: set[Source], folder: Folder
) -> None:
    """Attack: another run that must stay untainted reads the file while this one goes on."""
    folder.write(place, "x")
    reading = folder.context("specs").begin(NOTHING, (), "r.1", authority(grant).grants)
    reading.about_to_write(folder.host(place))
    reading.reached.add(FOREIGN)
    later = folder.context("specs").of_files((folder.touched("read", place),))
    assert {source for source in later if source.kind != "workspace"} == told


@pytest.mark.parametrize("what", ["could", "variable", "an earlier call", "another call"])
def test_whatever_a_call_may_know_counts_for_what_it_may_write(what: str, folder: Folder) -> None:
    folder.write("a", "x")
    context, one = folder.context(), frozenset({SECRET})
    if what == "an earlier call":
        context.end(context.begin(NOTHING, (".env",)), Outcome(Finished(b"")))
    if what == "another call":
        context.begin(NOTHING, (".env",))
    could, variables = one if what == "could" else NOTHING, (".env",) if what == "variable" else ()
    context.begin(could, variables, "r.1").about_to_write(folder.host("a"))
    later = folder.context().of_files((folder.touched("read", "a"),))
    assert {source.kind for source in later} == {"workspace", "secret"}


def test_what_was_read_only_after_a_file_began_counts_at_the_next_write(folder: Folder) -> None:
    folder.write("a", "x")
    context = folder.context()
    reading = context.begin(NOTHING, (), "r.1")
    reading.about_to_write(folder.host("a"))
    assert reading.expected == set()
    reading.reached.add(SECRET)
    reading.about_to_write(folder.host("a"))
    assert SECRET in set(folder.context().of_files((folder.touched("read", "a"),)))


def test_a_file_is_noted_once_whoever_asks_again(folder: Folder) -> None:
    """What takes long to save is asked about twice, and then in a thread that has no table."""
    reading = folder.context().begin(frozenset({SECRET}), (), "r.1")
    reading.about_to_write(folder.host("a"))
    with ThreadPoolExecutor(1) as threads:
        threads.submit(reading.about_to_write, folder.host("a")).result()


def test_a_file_that_was_not_written_in_the_end_holds_nothing(folder: Folder) -> None:
    folder.write("a", "x")
    context = folder.context()
    reading = context.begin(frozenset({SECRET}), (), "r.1")
    reading.about_to_write(folder.host("a"))
    context.end(reading, Outcome(Finished(b"")))
    context.keep((), reading)
    assert SECRET not in set(folder.context().of_files((folder.touched("read", "a"),)))


def test_of_a_run_that_knows_no_secret_nothing_is_written_down(folder: Folder) -> None:
    folder.write("a", "x")
    context = folder.context()
    reading = context.begin(NOTHING, (), "r.1")
    touched = (folder.touched("write", "a"),)
    reading.about_to_write(folder.host("a"))
    context.end(reading, Outcome(Finished(b""), touched))
    context.keep(touched, reading)
    assert not (folder.place.parent / "labels.db").exists()


def test_without_a_table_nothing_is_kept(folder: Folder) -> None:
    folder.write("a", "x")
    context = Context()
    reading = context.begin(NOTHING, ("TOKEN",), "r.1")
    reading.about_to_write(folder.host("a"))
    touched = effects(folder, "read a, write a, list ")
    context.end(reading, Outcome(Finished(b""), touched))
    context.keep(touched, reading)
    assert {s.kind for s in context.now()} == {"workspace", "secret"}


# --- what is known while calls go on --------------------------------------------------------------


def test_a_call_knows_what_it_has_read_until_now_and_a_new_one_what_others_may() -> None:
    context = Context()
    one = context.begin(frozenset({SECRET}), ("HOME",))
    two = context.begin(NOTHING, ())
    one.reached.add(FOREIGN)
    one.touched = lambda: (Touched("read", GuestPath("/workspace/a"), HostPath("/w/a")),)
    home, file = Source("secret", "HOME"), Source("workspace", "/workspace/a")
    assert context.now(one) == {home, FOREIGN, file}
    assert context.now(two) == context.now() == {SECRET, home, FOREIGN}


def test_what_does_not_fit_the_list_of_effects_counts_as_all_that_could_be_read() -> None:
    reading = Context().begin(frozenset({SECRET}), ())
    reading.touched = lambda: (Touched("list", MANY, None),)
    assert SECRET in reading.until_now()
    reading.touched = lambda: (Touched("list", GuestPath("/workspace"), HostPath("/w")),)
    assert SECRET not in reading.until_now()


@pytest.mark.parametrize(("count", "kept"), [(SOURCES_MAX, SOURCES_MAX), (SOURCES_MAX + 1, 1)])
def test_so_many_sources_are_kept_apart(count: int, kept: int) -> None:
    context = Context()
    for _ in range(2):
        names = [str(number) for number in range(count)]
        found = context.end(context.begin(NOTHING, names), Outcome(Finished(b"")))
        assert len(found) == len(context.now()) == kept
    # Of one call, and of the run over its calls.
    context.end(context.begin(NOTHING, ["more"]), Outcome(Finished(b"")))
    assert context.now() == {Source("secret", "*")} if kept > 1 else context.now() > found


def test_a_table_that_cannot_be_read_counts_as_all_that_could_be_read(tmp_path: Path) -> None:
    (tmp_path / "labels.db").write_bytes(b"garbage" * 1_000)
    context = Context((), Provenance(tmp_path / "labels.db"))
    reading = context.begin(frozenset({SECRET}), ())
    touched = (Touched("read", GuestPath("/workspace/a"), HostPath("/w/a")),)
    with pytest.raises(JournalError):
        context.end(reading, Outcome(Finished(b""), touched))
    # And it is over: what it could have read is known, and it is not under way any more.
    assert context.now() == {SECRET}
    assert context.sources == {SECRET}
