"""`capbox approve` and `capbox grants`: answers from a second process, and what they leave."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.surfaces.cli.commands.control.conftest import PATIENCE_SECONDS

from capbox.surfaces.cli.commands.control.approve import _typed

Start = Callable[..., "subprocess.Popen[str]"]


def waiting(process: Callable[..., object]) -> dict[str, object]:
    """Return the one question that waits, once there is one."""
    while not (found := process("approve", "--json").json["questions"]):
        pass
    (one,) = found
    return one


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [("once", 0, None), ("always", 0, None), ("no", 3, "refused by the person"), ("stop", 3, None)],
)
def test_a_question_is_answered_from_another_process(
    process: Callable[..., object], background: Start, answer: str, code: int, told: str | None
) -> None:
    running = background("call", "read", "path=a.txt", "--ask-remote", "60", "--json")
    one = waiting(process)
    listed = process("approve")
    name = f"{one['question']}.{str(one['effect'])[:12]}"
    assert listed.out.startswith(f"{name}\n")
    assert "wants to read /workspace/a.txt" in listed.out.replace("\n  ", " ")
    wrong = process("approve", f"{one['question']}.{'0' * 12}", answer)
    unclear = process("approve", name, "yes")
    short = process("approve", str(one["question"]), answer)
    answered = process("approve", name, answer)
    out, _ = running.communicate(timeout=PATIENCE_SECONDS)
    late = process("approve", name, answer)
    assert (wrong.code, unclear.code, short.code) == (1, 2, 2)
    assert (answered.code, answered.out, late.code) == (0, f"answered: {answer}\n", 1)
    assert running.returncode == code
    assert told is None or told in json.loads(out)["denied"][0]["reason"]


def test_nobody_answers_in_time(process: Callable[..., object]) -> None:
    done = process("call", "read", "path=a.txt", "--ask-remote", "1", "--json")
    reason = done.json["denied"][0]["reason"]
    assert (done.code, reason) == (3, "no grant covers it; nobody answered within 1 s")


def test_what_was_approved_for_always_is_listed_used_and_removed(
    process: Callable[..., object], background: Start, workspace: Path
) -> None:
    running = background("call", "read", "path=a.txt", "--ask-remote", "60")
    one = waiting(process)
    process("approve", f"{one['question']}.{one['effect']}", "always")
    running.communicate(timeout=PATIENCE_SECONDS)
    (kept,) = process("grants", "list", "--json").json["stored"]
    assert (kept["grant"], kept["problem"]) == ("read:/workspace/a.txt", None)
    assert kept["workspace"]["path"] == str(workspace)
    shown = process("grants", "show", kept["id"])
    assert shown.out.startswith("read:/workspace/a.txt\n")
    where = f"# {kept['id']}, in {workspace}"
    assert process("grants", "export").out == f"{where}\nread:/workspace/a.txt\n"
    assert process("call", "read", "path=a.txt", "--ask-remote", "1").code == 0
    assert process("call", "read", "path=a.txt").code == 3
    (workspace / "new").write_text("other\n")
    (workspace / "new").replace(workspace / "a.txt")
    changed = process("call", "read", "path=a.txt", "--ask-remote", "1")
    told = f"the stored grant {kept['id']} (read:/workspace/a.txt) is not used: "
    assert (changed.code, told in changed.err) == (3, True)
    assert f"to forget it: capbox grants remove {kept['id']}" in changed.err
    assert "not used" in process("grants", "list").out
    assert process("revoke", kept["id"]).code == 0
    assert process("grants", "remove", kept["id"]).code == 2
    assert process("grants", "list", "--json").json == {"held": [], "stored": [], "folders": []}


def test_a_stored_grant_is_taken_from_the_run_that_holds_it(
    process: Callable[..., object], background: Start, workspace: Path
) -> None:
    running = background("call", "read", "path=a.txt", "--ask-remote", "60")
    one = waiting(process)
    process("approve", f"{one['question']}.{one['effect']}", "always")
    running.communicate(timeout=PATIENCE_SECONDS)
    (kept,) = process("grants", "list", "--json").json["stored"]
    script = "script=: > started; while :; do :; done"
    running = background("call", "bash", script, "--write", ".", "--ask-remote", "60", "--json")
    while not (workspace / "started").exists():
        assert running.poll() is None
    held = {row["grant"] for row in process("grants", "list", "--json").json["held"]}
    assert {"read:/workspace/a.txt", "write:/workspace"} <= held
    assert process("revoke", kept["id"]).code == 0
    out, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert json.loads(out)["error"]["code"] == "revoked"


def test_what_is_used_up_is_told_as_such_and_leaves_nothing_when_it_is_forgotten(
    process: Callable[..., object], background: Start, environ: Mapping[str, str]
) -> None:
    running = background("call", "read", "path=a.txt", "--ask-remote", "60")
    one = waiting(process)
    process("approve", f"{one['question']}.{one['effect']}", "always=2")
    running.communicate(timeout=PATIENCE_SECONDS)
    (kept,) = process("grants", "list", "--json").json["stored"]
    assert (kept["problem"], kept["used"]) == (None, "used 1 of 2")
    name = kept["id"]
    second = process("call", "read", "path=a.txt", "--ask-remote", "1")
    told = f"lent from before: read:/workspace/a.txt uses=2 (always; capbox revoke {name})"
    assert (second.code, told in second.err.splitlines()) == (0, True)
    assert "not used: it is used up, used 2 of 2" in process("grants", "list").out
    assert "  not used: it is used up\n  used 2 of 2\n" in process("grants", "show", name).out
    third = process("call", "read", "path=a.txt", "--ask-remote", "1")
    forget = f"it is used up; to forget it: capbox grants remove {name}"
    assert (third.code, forget in third.err) == (3, True)
    state = Path(environ["CAPBOX_HOME"], "state")
    assert [path.name for path in state.glob(f"*{name}*")] == [f"grants.json.{name}.lock"]
    assert process("grants", "remove", name).code == 0
    assert list(state.glob(f"*{name}*")) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("always", "5"), "always=5"),
        (("u", "3"), "uses=3"),
        (("t", "30"), "for=30m"),
        (("o",), "once"),
        (("for=30",), None),
        (("u",), None),
        (("always", "5", "6"), None),
        (("y",), None),
    ],
)
def test_an_answer_is_typed_as_at_the_terminal_of_the_run(
    process: Callable[..., object], words: tuple[str, ...], said: str | None
) -> None:
    """Nothing waits here: what is understood finds no question, what is not is refused before."""
    assert _typed(list(words)) == said or said is None
    answered = process("approve", "5b1f09aa.2c7d41e09b3a", *words)
    assert answered.code == (2 if said is None else 1), answered
