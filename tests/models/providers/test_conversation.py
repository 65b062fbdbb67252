"""What goes back to a provider: signed thinking to its signer, attachments where they are taken."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.messages import (
    AssistantMessage,
    Attachment,
    Json,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from capbox.models.catalog.override import Override
from capbox.models.direct import DirectModel
from capbox.models.facts import Facts
from capbox.models.model import ModelRequest, Reply
from capbox.models.providers.conversation import wire_messages
from capbox.models.providers.modality import BYTES_MAX, IMAGE_BYTES_MAX, fitting
from capbox.models.providers.signed import Signer, restored

CALLS: Json = [{"name": "read", "arguments": {"path": "a"}}, {"name": "read"}]
THINKS: Json = {"text": "I look.", "thinking": "hmm, hmm", "tool_calls": CALLS}
SIGNATURE = "c2lnbmF0dXJl"
PNG, PDF = Attachment("image/png", b"png"), Attachment("application/pdf", b"pdf")
ME = Signer("s", "m")
SEES = Facts(images=True, pdfs=True)


def able(model: DirectModel) -> DirectModel:
    """Return a model that thinks, and sees."""
    override = Override(images=True, pdfs=True, thinking=True)
    return replace(model, endpoint=replace(model.endpoint, override=override))


async def said(model: DirectModel, *messages: Message) -> AssistantMessage:
    """Send a conversation and return the reply to it."""
    events = [e async for e in model.stream(ModelRequest("", messages))]
    assert isinstance(events[-1], Reply)
    return events[-1].message


def answered(reply: AssistantMessage) -> tuple[Message, ...]:
    """Return a conversation that goes on after a reply."""
    answers = (ToolMessage(c.id, c.name, "x", is_error=False) for c in reply.tool_calls)
    return UserMessage("Go."), reply, *answers


async def test_signed_thinking_goes_back_to_who_signed_it_as_it_came(
    serve, connect, provider: str
) -> None:
    server = serve([THINKS, {"text": "Done."}])
    reply = await said(able(connect(server)), UserMessage("Go."))
    await said(able(connect(server)), *answered(reply))
    body = server.received[-1].body
    if provider == "openai":  # which signs nothing, and is sent nothing back
        assert reply.signature == "" and "hmm" not in str(body)
        return
    sent = {
        "anthropic": lambda: body["messages"][1]["content"][0],
        "openai-responses": lambda: body["input"][1],
        "google": lambda: body["contents"][1]["parts"],
    }[provider]()
    signed = {"type": "thinking", "thinking": "hmm, hmm", "signature": SIGNATURE}
    if provider == "anthropic":
        assert sent == signed
    elif provider == "google":
        thought, text, first, second = sent
        assert thought == {"text": "hmm, hmm", "thought": True}
        assert text == {"text": "I look."}
        assert (first["thoughtSignature"], "thoughtSignature" in second) == (SIGNATURE, False)
    else:
        assert (sent["type"], sent["encrypted_content"]) == ("reasoning", SIGNATURE)


async def test_thinking_that_another_provider_signed_is_not_sent(
    serve, connect, provider: str
) -> None:
    calls = (ToolCall("c1", "read", {}),)
    row = ["thinking", "hmm, hmm", SIGNATURE, None, None]
    signature = json.dumps(["somebody-else", row, ["text", "I look.", None, None], ["call", 0, 0]])
    reply = AssistantMessage("I look.", calls, "hmm, hmm", signature)
    server = serve([{"text": "x"}, {"text": "Done."}])
    await said(able(connect(server)), *answered(reply))
    sent = json.dumps(server.received[-1].body)
    assert "I look." in sent
    assert "hmm" not in sent and SIGNATURE not in sent


MESSAGE = AssistantMessage("I look.", (ToolCall("c1", "read", {}),), "hmm")
ROWS: list[Json] = [
    ["thinking", "hmm", SIGNATURE, None, None],
    ["text", "I look.", None, None],
    ["call", None, {"thought_signature": SIGNATURE}],
]


@pytest.mark.parametrize(
    ("signature", "fits"),
    [
        (json.dumps(["s m", *ROWS]), True),
        (json.dumps(["s n", *ROWS]), False),
        (json.dumps(["s m", *ROWS[:2]]), False),
        (json.dumps(["s m", *ROWS, ROWS[2]]), False),
        (json.dumps(["s m", ROWS[0], ["text", "I look!", None, None], ROWS[2]]), False),
        (json.dumps(["s m", ["image", "x"], *ROWS]), False),
        (json.dumps(["s m", 7]), False),
        ("{}", False),
        ("[]", False),
        ("[" * 100_000, False),
        ("no JSON", False),
    ],
)
def test_a_signature_that_does_not_fit_its_message_restores_nothing(
    signature: str, fits: bool
) -> None:
    assert (restored(replace(MESSAGE, signature=signature), ME) is not None) == fits


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=8))
def test_any_text_at_all_may_stand_for_a_signature(value: Json) -> None:
    message = replace(MESSAGE, signature=json.dumps(["s m", value]))
    assert restored(message, ME) is None
    assert len(wire_messages((UserMessage("Go."), message), Facts(), ME)) == 2


@pytest.mark.parametrize(
    ("attachment", "facts", "instead"),
    [
        (PNG, SEES, None),
        (PDF, SEES, None),
        (PNG, Facts(), "[image/png, 3 bytes, was left out: this model takes no images]"),
        (
            PDF,
            Facts(images=True),
            "[application/pdf, 3 bytes, was left out: this model takes no PDFs]",
        ),
        (
            Attachment("image/svg+xml", b"<svg/>"),
            SEES,
            "[file, 6 bytes, was left out: only images (PNG, JPEG, GIF, WebP) and PDFs can be"
            " shown]",
        ),
        (
            Attachment("image/png", bytes(IMAGE_BYTES_MAX + 1)),
            SEES,
            "[image/png, 5,000,001 bytes, was left out: it is too large]",
        ),
        (
            Attachment("application/pdf", bytes(BYTES_MAX + 1)),
            SEES,
            "[application/pdf, 14,000,001 bytes, was left out: there are too many bytes of them]",
        ),
    ],
)
def test_an_attachment_goes_where_it_is_taken_or_a_sentence_in_its_place(
    attachment: Attachment, facts: Facts, instead: str | None
) -> None:
    messages = (UserMessage("Look.", (attachment,)),)
    assert fitting(messages, facts) == {id(attachment): instead}
    (request,) = wire_messages(messages, facts, ME)
    content = request.parts[0].content
    if instead is None:
        assert [getattr(part, "data", part) for part in content] == ["Look.", attachment.content]
    else:
        assert content == f"Look.\n{instead}"


def test_of_too_many_bytes_the_newest_go() -> None:
    pages = [Attachment("application/pdf", bytes([n]) * (BYTES_MAX // 2)) for n in range(3)]
    messages = (
        UserMessage("1", (pages[0],)),
        ToolMessage("c", "read", "2", False, attachments=(pages[1], pages[2])),
    )
    shown = fitting(messages, SEES)
    assert [shown[id(page)] is None for page in pages] == [False, True, True]


async def test_images_and_pdfs_reach_the_provider(serve, connect, provider: str) -> None:
    server = serve([{"tool_calls": CALLS}, {"text": "x"}])
    model = able(connect(server))
    first = UserMessage("Look.", (PNG, PDF))
    reply = await said(model, first)
    seen, failed = reply.tool_calls
    page = Attachment("image/png", b"page")
    answers = (
        ToolMessage(seen.id, "read", "a page", False, attachments=(page,)),
        ToolMessage(failed.id, "read", "no page", True, attachments=(page,)),
    )
    await said(model, first, reply, *answers)
    sent = json.dumps(server.received[-1].body)
    # png, pdf and page in base64, each once: a call that failed shows nothing.
    assert [sent.count(content) for content in ("cG5n", "cGRm", "cGFnZQ==")] == [1, 1, 1]
