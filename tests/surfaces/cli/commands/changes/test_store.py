"""`capbox store list|remove`: a person sees what tools keep, and removes it on purpose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

WRITE = ("call", "bash", "script=head -c 5000 /dev/zero > /store/memo/n", "--grant", "store:memo")
READ = ("call", "bash", "script=ls /store/memo", "--grant", "store:memo")


def test_what_tools_keep_is_listed_and_one_is_removed_by_its_name_or_id(
    process: Callable, workspace: Path
) -> None:
    nothing = process("store", "list")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "no tool keeps anything\n")
    process(*WRITE)
    (found,) = process("store", "list", "--json").json
    name = found["id"]
    assert {**found, "id": "", "digest": ""} == {
        "id": "",
        "store": "memo",
        "tool": "bash",
        "digest": "",
        "installed": True,
        "workspace": str(workspace),
        "bytes": 8192,
    }
    line = process("store", "list").out.splitlines()[-1]
    assert line.split() == [name, "memo", "bash", str(workspace), "0.0", "MB"]
    process("cache", "prune")
    assert process(*READ).out == "n\n"
    removed = process("store", "remove", name, "--yes")
    assert removed.err == f"removed memo of bash in {workspace}\n"
    assert process(*READ).out == ""
    assert process("store", "remove", "memo", "--yes").code == 0


def test_what_is_not_clear_or_not_there_is_not_removed(process: Callable) -> None:
    process(*WRITE)
    process("call", "python", "code=1", "--grant", "store:memo")
    ids = [one["id"] for one in process("store", "list", "--json").json]
    for words, said in (
        (["memo", "--yes"], f"memo: there are 2 of that name; say which: {', '.join(ids)}"),
        (["none", "--yes"], "none: there is no such store; see: capbox store list"),
        ([ids[0]], "nobody can be asked here; --yes removes it without a question"),
    ):
        refused = process("store", "remove", *words)
        assert (refused.code, said in refused.err) == (2, True), refused.err
    assert len(process("store", "list", "--json").json) == 2


@pytest.mark.parametrize(("answer", "code", "left"), [("n\r", 130, 1), ("y\r", 0, 0)])
def test_a_person_is_asked_first(
    answer: str, code: int, left: int, person: Callable, process: Callable
) -> None:
    process(*WRITE)
    somebody = person("store", "remove", "memo")
    somebody.waits_for("remove memo of bash in ")
    somebody.types(answer)
    assert somebody.leaves()[0] == code
    assert len(process("store", "list", "--json").json) == left


def test_what_a_call_has_is_not_removed_under_it(
    person: Callable, process: Callable, workspace: Path
) -> None:
    endless = "script=echo > /store/memo/n; echo > w; sleep 100"
    somebody = person("call", "bash", endless, "--grant", "store:memo", "--write", ".")
    somebody.waits_until((workspace / "w").exists)
    held = process("store", "remove", "memo", "--yes")
    assert (held.code, f"has memo of bash in {workspace}; see: capbox ps" in held.err) == (3, True)
    somebody.types("\x03")
    assert somebody.leaves()[0] == 130
    assert process(*READ).out == "n\n"
    assert process("store", "remove", "memo", "--yes").code == 0
