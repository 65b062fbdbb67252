"""Every request has a sentence, and every mixture of them a worst."""

from __future__ import annotations

from typing import get_args

import pytest

from capbox.gate.manifest import Request, RequestKind, parse_request
from capbox.tools.packages.review.imports import Import
from capbox.tools.packages.review.words import importing, sentence, worst


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("read:*", "read every file that a run lets it read"),
        ("read:/workspace/a", "read /workspace/a"),
        ("write:*", "read, change and delete everywhere that a run lets it"),
        ("write:/workspace", "read, change and delete /workspace"),
        ("fetch:*", "send requests to every address that a run lets it reach"),
        ("fetch:https://a.example", "send requests: https://a.example"),
        ("env:*", "see every variable"),
        ("env:HOME", "see the variable HOME"),
        ("secret:*", "have any secret that a run grants added to its requests, unseen"),
        (
            "secret:K@https://a.example",
            "have the secret K added to its requests to https://a.example, unseen",
        ),
        ("invoke:*", "call every function of the program that runs it"),
        ("invoke:mail", "call the function mail of the program that runs it"),
    ],
)
def test_a_request_in_words(written: str, said: str) -> None:
    assert sentence(parse_request(written, "")) == said


def test_every_kind_of_request_has_words() -> None:
    assert all(sentence(Request(kind)) for kind in get_args(RequestKind))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ((), ("nothing: it only computes, on its arguments",)),
        (("read:*",), ("put what it can read into its answer, which the model reads",)),
        (("fetch:https://a.example",), ("send its arguments to https://a.example",)),
        (("read:*", "fetch:*"),
         ("send what it can read to every address that a run lets it reach",)),
        (("write:/workspace", "fetch:https://a.example", "secret:K@https://a.example"),
         ("send what it can read to https://a.example",
          "use the named secrets where they are for, without seeing them",
          "destroy or falsify the files that it may write")),
        (("read:*", "invoke:mail"), ("pass what it can read to functions of the program",)),
    ],
)  # fmt: skip
def test_the_worst_of_what_is_requested(written: tuple[str, ...], said: tuple[str, ...]) -> None:
    assert worst([parse_request(one, "") for one in written]) == said


@pytest.mark.parametrize(
    ("module", "written", "warned"),
    [
        ("capbox_http", "fetch:*", False),
        ("capbox_http", "read:*", True),
        ("capbox_invoke", "invoke:mail", False),
        ("capbox_invoke", "fetch:*", True),
        ("capbox_fs", "read:*", False),
        ("wasi_snapshot_preview1", "read:*", False),
    ],
)
def test_imports_that_the_requests_do_not_explain_are_told(
    module: str, written: str, warned: bool
) -> None:
    found = importing((Import(module, "x", "function"),), [parse_request(written, "")])
    assert bool(found) == warned


def test_a_component_is_told() -> None:
    assert importing(None, ()) == ("it is a component: what it imports is decided when it runs",)
