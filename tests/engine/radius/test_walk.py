"""The walk counts what the sandbox lets a tool read and write, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.authority.exclusions import Globs
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.engine.radius.reach import Count, Reach, Watch
from capbox.engine.radius.subject import Subject
from capbox.engine.radius.walk import reach

READ, WRITE = "read:/workspace", "write:/workspace"
MakeSubject = Callable[..., Subject]


def found(subject: Subject, *watches: Watch, entries_max: int = 10_000) -> Reach:
    """Walk what a subject holds."""
    return reach(subject.rights, subject.layout, watches, entries_max=entries_max)


def files_of(tree: Path) -> list[str]:
    """Return every regular file, as a tool names it."""
    paths = [Path(at, name) for at, _, names in os.walk(tree) for name in names]
    return [f"/workspace/{path.relative_to(tree)}" for path in paths if not path.is_symlink()]


GRANTS: tuple[tuple[str, ...], ...] = (
    (READ,),
    (WRITE,),
    (READ, "read:/workspace/.env"),
    (READ, "read:/workspace/.ssh"),
    (READ, "write:/workspace/src"),
    (WRITE, "write:/workspace/.git/hooks"),
    ("read:/workspace/.ssh/config",),
    ("read:/workspace except=src/deep/**,*.md",),
    (READ + " except=private", "read:/workspace/private/plan.txt"),
    ("write:/workspace/new.txt",),
)


@pytest.mark.anyio
@pytest.mark.parametrize("grants", GRANTS, ids=" ".join)
async def test_it_counts_exactly_what_a_script_can_read_and_write(
    grants: tuple[str, ...], subject: MakeSubject, tree: Path, engine: LocalEngine
) -> None:
    """The sandbox is asked itself: every file of the tree is read, and appended nothing to."""
    counted = found(subject(*grants))
    names = files_of(tree)
    listed = " ".join(f"'{name}'" for name in names)
    script = (
        f"for f in {listed}; do cat $f >/dev/null 2>&1 && echo r; done;"
        f"for f in {listed}; do touch -c -m $f >/dev/null 2>&1 && [ -e $f ] && echo w; done; true"
    )
    async with Box(workspace=tree, grants=grants, engine=engine) as box:
        result = await box.call("bash", script=script)
    marks = result.content.split()
    assert counted.readable.files == marks.count("r")
    # The sandbox never writes in place to what has several names; by rename it does.
    twins = 2 if any(g == WRITE for g in grants) else 0
    assert counted.writable.files == marks.count("w") + twins
    assert counted.readable.files + counted.hidden.files <= len(names)


def test_bytes_are_counted_and_hidden_secrets_named(subject: MakeSubject, tree: Path) -> None:
    counted = found(subject(READ))
    sizes = {p: p.lstat().st_size for p in tree.rglob("*") if p.is_file() and not p.is_symlink()}
    assert counted.readable.bytes + counted.hidden.bytes == sum(sizes.values())
    assert sorted(counted.kept) == [".env", ".ssh/", "certs/server.key", "src/.env.local"]
    assert counted.writable == counted.protected == Count()
    assert counted.whole and counted.closed == 0


def test_a_hard_link_to_a_hidden_file_is_hidden_under_every_name(subject: MakeSubject) -> None:
    alone = found(subject("read:/workspace/innocent.txt"))
    assert alone.readable.files == 1, "the grant does not cover the hidden name, so nothing tells"
    both = found(subject(READ))
    assert both.hidden.files == 6, ".env and its innocent twin, .env.local, the key, two of .ssh"
    assert both.hard_links == 2, "a.txt and its twin"


def test_a_never_rule_hides_and_protects(subject: MakeSubject, tree: Path) -> None:
    free = found(subject(WRITE))
    bound = found(subject(WRITE, never=f'"read {tree}/private", "write {tree}/src"'))
    assert free.readable.files - bound.readable.files == 1
    assert bound.protected.files - free.protected.files == 2
    assert not any("private" in name for name in bound.kept), "it is no secret by its name"


def test_links_are_not_followed_and_those_that_lead_out_are_named(
    subject: MakeSubject, tree: Path
) -> None:
    counted = found(subject(READ))
    assert counted.links == 3
    assert sorted(counted.links_out) == ["folder-link", "outer-link"]
    wider = found(subject(READ, f"read:{tree.parent}"))
    assert wider.links_out == ()


def test_two_grants_on_one_place_count_once(subject: MakeSubject) -> None:
    once = found(subject(READ))
    twice = found(subject(READ, WRITE, "read:/workspace/src"))
    assert twice.readable == once.readable
    assert {count[0].files for count in twice.by_grant.values()} == {2, once.readable.files}


def test_past_its_bound_the_counting_stops_and_says_so(subject: MakeSubject) -> None:
    short = found(subject(READ), entries_max=5)
    assert not short.whole
    assert short.readable.files < 5
    assert found(subject(READ), entries_max=100).whole


def test_an_empty_holding_reaches_nothing(subject: MakeSubject) -> None:
    assert found(subject()) == Reach()


@pytest.mark.parametrize(
    ("base", "glob", "hit"),
    [
        ("anywhere", "**/.env", ".env"),
        ("anywhere", "notes.md", "src/deep/er/notes.md"),
        ("workspace", "/src/*.py", "src/main.py"),
        ("workspace", "/deep", None),
        ("workspace", "/main.py", None),
        ("anywhere", "*.key", None),
        ("anywhere", "tree", None),  # the workspace's own name
    ],
)
def test_a_watch_finds_what_can_be_read(
    base: str, glob: str, hit: str | None, subject: MakeSubject
) -> None:
    watch = Watch(False, base, Globs([glob]))  # type: ignore[arg-type]
    held = subject("read:/workspace", "read:/workspace/.env")
    assert found(held, watch).hits.get(0) == hit


def test_a_watch_for_writing_passes_by_what_is_only_read(subject: MakeSubject) -> None:
    watch = Watch(True, "anywhere", Globs(["*.py"]))
    assert found(subject(READ), watch).hits == {}
    assert found(subject(READ, "write:/workspace/src"), watch).hits == {0: "src/main.py"}


def test_a_watch_of_the_machine_begins_at_its_root(subject: MakeSubject, tree: Path) -> None:
    held = subject(f"read:{tree.parent}/outside.txt")
    for glob, hits in ((f"{tree.parent}", True), ("/outside.txt", False), ("**/outside.txt", True)):
        watch = Watch(False, "/", Globs([glob]))
        assert bool(found(held, watch).hits) is hits, glob
