"""What a caller gets: every end has its word, refusals are explained, no secret is in any of it."""

import pytest
from tests.gate.conftest import NOW, authority

from capbox.authority.access import ReadAccess
from capbox.authority.decision import Denied, Standing
from capbox.authority.holding import Holding
from capbox.authority.paths import GrantPath, HostPath, Layout
from capbox.authority.values.label import Source
from capbox.broker.redact import Redactor
from capbox.gate.result import (
    Concluded,
    Reached,
    concluded,
    denial_of,
    ended,
    labelled,
    lesson,
    redacted,
)
from capbox.gate.seat import Held
from capbox.messages import Denial, Effect, JsonObject, Spent, ToolFailure, ToolResult
from capbox.sandbox.effects import MANY
from capbox.sandbox.spec import Broken, Failed, Finished, Outcome, Refused, Stopped
from capbox.tools.scripted import failure, reply

SECRET, HIDDEN = "hunter2-hunter2", "[secret:TOKEN]"
NOT_HERE = "no grant covers this path"


def held(*grants: str) -> Held:
    """What a run holds whose workspace is, as in many a pipeline, below the host's /tmp."""
    layout = Layout.of(HostPath("/tmp/project"), [GrantPath("/notes")])
    assert isinstance(layout, Layout)
    return Held(Holding((authority(*grants),)), Standing(NOW), layout)


def told(refused: Refused, *grants: str) -> Denial:
    """Return how one refusal is told to a run with these grants."""
    (denial,) = concluded(Outcome(reply(), refused=(refused,)), 9, held(*grants)).result.denied
    return denial


@pytest.mark.parametrize(
    ("refused", "denial"),
    [
        # What a grant would allow is named, with its flag.
        (
            Refused("read", "/etc/passwd", NOT_HERE),
            ("read /etc/passwd", "no grant covers it", "read:/etc/passwd", "--read /etc/passwd"),
        ),
        (
            Refused("write", "a", NOT_HERE),
            ("write /workspace/a", "no grant covers it", "write:/workspace/a", "--write a"),
        ),
        (
            Refused("read", "/mnt/notes/a", NOT_HERE),
            ("read /notes/a", "no grant covers it", "read:/notes/a", "--read /notes/a"),
        ),
        # What the run holds, and was refused all the same: a link, or a name of the host's.
        (Refused("read", "/workspace/docs/a", "a link"), ("a link", None, None)),
        (
            Refused("read", "/tmp/project/docs/a", "none"),
            ("none; here it is /workspace/docs/a", None, None),
        ),
        # What no grant is for: scratch, what is no path, and what stands for many.
        (Refused("write", "/tmp/a", "a pipe"), ("a pipe", None, None)),
        (Refused("write", "/tmp", "a place"), ("a place", None, None)),
        (Refused("read", "a\0b", "bad"), ("read a\\u0000b", "bad", None, None)),
        (Refused("read", MANY, "many"), ("many", None, None)),
    ],
)
def test_a_refusal_says_which_grant_would_allow_it_if_one_would(
    refused: Refused, denial: tuple[str | None, ...]
) -> None:
    shown = () if len(denial) == 4 else (f"{refused.action} {refused.path}",)
    found = told(refused, "read:/workspace/docs")
    assert (found.access, found.reason, found.missing, found.flag) == (*shown, *denial)


@pytest.mark.parametrize(
    ("grant", "denial"),
    [
        ("store:notes", ("a link", None, None)),
        ("store:other", ("no grant of store:notes", "store:notes", "--grant store:notes")),
        (
            "store:notes expires=2000-01-01T00:00:00Z",
            ("no grant of store:notes", "store:notes", "--grant store:notes"),
        ),
    ],
)
def test_a_refusal_below_a_store_names_the_store_unless_it_is_held(
    grant: str, denial: tuple[str | None, ...]
) -> None:
    found = told(Refused("write", "/store/notes/a", "a link"), grant)
    assert (found.reason, found.missing, found.flag) == denial


@pytest.mark.parametrize(("missing", "flag"), [("read:/workspace/-a", "--read ./-a"), (None, None)])
def test_where_no_grant_would_help_there_is_no_flag(missing: str | None, flag: str | None) -> None:
    access = ReadAccess(GrantPath("/workspace/-a"))
    found = denial_of(Denied(access, "never rule: \x1b", missing), held().layout)
    assert found == Denial("read /workspace/-a", "never rule: \\u001b", missing, flag)


def test_a_hundred_refusals_are_told_each_once() -> None:
    refused = [Refused("read", f"/etc/{n}", NOT_HERE) for n in range(101)]
    one = Denial("fetch", "no", None, None)
    counts = []
    for some in (refused[:99] * 2, refused):
        outcome = Outcome(reply(), refused=tuple(some))
        found = concluded(outcome, 9, held(), Reached(denied=(one, one))).result.denied
        counts.append((len(set(found)), found[-1] == one))
    assert counts == [(100, True), (100, False)]


@pytest.mark.parametrize(
    ("end", "refused", "word", "error"),
    [
        (reply("x"), False, "ok", None),
        (reply("x"), True, "ok", None),
        (failure("io", "m"), False, "error", ToolFailure("io", "m")),
        (failure("io", "m"), True, "error", ToolFailure("denied", "m")),
        (Stopped("time", "m"), True, "stopped", ToolFailure("time", "m")),
        (Broken("m"), True, "broken", ToolFailure("sandbox_failed", "m")),
        (Failed("m", b" \n"), True, "error", ToolFailure("tool_crashed", "m")),
        (
            Finished(b"", b"\xffoops"),
            False,
            "error",
            ToolFailure("tool_protocol", "its output is not one JSON object: \ufffdoops"),
        ),
    ],
)
def test_every_end_has_its_word_and_its_code(
    end: Finished | Failed | Stopped | Broken, refused: bool, word: str, error: ToolFailure | None
) -> None:
    some = (Refused("read", "/etc/a", NOT_HERE),) if refused else ()
    outcome = Outcome(end, refused=some, effects_whole=False, clock=b"12345678")
    found = concluded(outcome, 9, held())
    assert (found.end, found.result.error) == (word, error)
    assert found.result.ok is (error is None)
    entry = ended(4, found, outcome, (("g", 1, 2),), "9:ab")
    assert (entry.end, entry.detail) == (word, "" if error is None else error.code)
    assert (entry.intent, entry.drawn, entry.tape, entry.clock) == (
        *(4, (("g", 1, 2),), "9:ab"),
        "MTIzNDU2Nzg=",
    )
    assert not entry.effects_whole


def test_of_what_a_crash_printed_the_last_thousand_bytes_are_shown() -> None:
    found = concluded(Outcome(Failed("m", b"a" + b"b" * 1_000)), 9, held()).result.error
    assert found == ToolFailure("tool_crashed", f"m: {'b' * 1_000}")


def everywhere(text: str) -> Concluded:
    """A result with `text` wherever a guest or a server can have put it."""
    data: JsonObject = {text: [text]}
    denials = Denial(text, text, text, text), Denial("a", "b", None, None)
    effects = (Effect("fetch", f"https://a.example/{text}", None, 1),)
    failure, sources = ToolFailure("io", text), (f"web:{text}",)
    result = ToolResult(
        False, text, data, failure, denials, effects, Spent(wall_ms=1), True, None, sources
    )
    return Concluded(result, "error", {"x": text})


def test_a_secret_that_was_sent_is_nowhere_in_the_result() -> None:
    redactor = Redactor({"TOKEN": SECRET})
    assert redacted(everywhere(SECRET), redactor) == everywhere(HIDDEN)
    assert redacted(everywhere(SECRET), Redactor({})) == everywhere(SECRET)
    plain = Concluded(ToolResult(True, "a"), "ok")
    assert redacted(plain, redactor) == plain


def test_sources_are_sorted_texts() -> None:
    sources = frozenset({Source("web", "https://b.example"), Source("secret", "A")})
    found = labelled(Concluded(ToolResult(True, "a"), "ok"), sources)
    assert found.result.sources == ("secret:A", "web:https://b.example")


@pytest.mark.parametrize(
    ("grants", "missing", "said"),
    [
        ((), None, "refused: read a: no. This run holds: nothing. "),
        (("tool:a", "tool:b"), None, "refused: read a: no. This run holds: tool:a, tool:b. "),
        ((), "g", "refused: read a: no. The missing grant: g. This run holds: nothing. "),
    ],
)
def test_a_refusal_teaches_what_is_missing_and_what_is_held(
    grants: tuple[str, ...], missing: str | None, said: str
) -> None:
    found = lesson(Denial("read a", "no", missing, None), held(*grants))
    assert found == said + "Do not try again while that is so."
