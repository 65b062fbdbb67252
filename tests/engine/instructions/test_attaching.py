"""Images and PDFs beside a task: what a file is, who may have written it, what a model is shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.hearing import HearingModel, hearing

from capbox.agent.events import ToolFinished
from capbox.authority.paths import HostPath, Layout
from capbox.box import Box
from capbox.engine.instructions.attaching import attached, left_out
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.settings import SettingsError
from capbox.gate.rights.labels import Context
from capbox.messages import Attachment, UserMessage
from capbox.models.facts import Facts
from capbox.models.script import ScriptedCall, ScriptedReply

OpenSession = Callable[..., Session]
PNG = b"\x89PNG\r\n\x1a\n rest"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(tmp_path: Path, content: bytes, kind: str) -> None:
    file = tmp_path / "any.txt"
    file.write_bytes(content)
    assert attached(file).attachment == Attachment(kind, content)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_text("words"), "no PNG"),
        (lambda path: path.write_bytes(b""), "no PNG"),
        (lambda path: path.write_bytes(PNG + bytes(5_000_000)), "larger than 5 MB"),
        (lambda path: path.write_bytes(b"%PDF-" + bytes(14_000_000)), "larger than 14 MB"),
        (lambda path: path.mkdir(), "is not a file"),
        (os.mkfifo, "is not a file"),
        (lambda path: None, "No such file"),
    ],
    ids=["text", "empty", "image", "pdf", "folder", "pipe", "missing"],
)
def test_what_no_model_takes_is_refused_by_name(
    tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    make(tmp_path / "it.png")
    with pytest.raises(SettingsError, match=reason) as refused:
        attached(tmp_path / "it.png")
    assert str(tmp_path / "it.png") in refused.value.subject


def test_it_comes_from_where_it_is_and_a_hidden_one_is_secret(tmp_path: Path) -> None:
    layout = Layout(HostPath(str(tmp_path / "ws")), ())
    (tmp_path / "ws" / ".ssh").mkdir(parents=True)
    for name, path in (
        ("ws/a.png", "/workspace/a.png"),
        ("b.png", f"{tmp_path}/b.png"),
        ("ws/.ssh/id_rsa", "/workspace/.ssh/id_rsa"),
    ):
        (tmp_path / name).write_bytes(PNG)
        found = {str(one) for one in attached(tmp_path / name).sources(Context(), layout)}
        assert found == {f"workspace:{path}", *([f"secret:{path}"] if "ssh" in name else [])}


def test_a_link_is_labelled_as_what_it_leads_to(tmp_path: Path) -> None:
    """Attack: a run makes `shot.png` a link to a key, and asks the person to show it."""
    layout = Layout(HostPath(str(tmp_path)), ())
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_rsa").write_bytes(PNG)
    (tmp_path / "shot.png").symlink_to(".ssh/id_rsa")
    found = {str(one) for one in attached(tmp_path / "shot.png").sources(Context(), layout)}
    assert found == {"workspace:/workspace/.ssh/id_rsa", "secret:/workspace/.ssh/id_rsa"}


async def test_a_secret_that_a_run_put_into_it_is_one_still(
    open_session: OpenSession, workspace: Path
) -> None:
    """Attack: a run makes a PDF of what it read in `.env`, and a person shows that to another."""
    (workspace / ".env").write_text("KEY=hunter2")
    script = "cd /workspace; (echo %PDF-1.7; cat .env) > shot.pdf"
    async with open_session("read:/workspace/.env", "write:/workspace") as session:
        result = await session.call("bash", {"script": script})
        assert result.ok, result
    async with open_session() as session:
        run = session.run("look", hearing(), attached=[attached(workspace / "shot.pdf")])
        async with run as events:
            async for _ in events:
                known = session.runs.open[0].seat.context.sources
    assert "secret:/workspace/.env" in {str(one) for one in known}


def test_what_a_model_is_not_shown_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    one = attached(tmp_path / "a.png")
    assert left_out([one], hearing()) == [
        f"{tmp_path}/a.png: [image/png, 13 bytes, was left out: this model takes no images]"
    ]
    assert left_out([one], Seeing(hearing().script)) == []


class Seeing(HearingModel):
    """A model that takes images."""

    facts = Facts(images=True)


async def test_a_run_has_it_in_its_task_and_among_its_sources(
    engine: LocalEngine, workspace: Path
) -> None:
    (workspace / "a.png").write_bytes(PNG)
    reply = ScriptedReply(tool_calls=(ScriptedCall("send", "{}"),))
    sent = []
    for files in ((), (workspace / "a.png",)):
        model = Seeing(replace(hearing().script, script=(reply, ScriptedReply(text="done"))))
        box = Box(workspace=workspace, grants=["tool:send untainted"], engine=engine)
        box.tool(effect="send")(send)
        async with box:
            async for event in box.run("look", model=model, attach=files):
                sent += [event.result.ok] if isinstance(event, ToolFinished) else []
        attachments = tuple(attached(file).attachment for file in files)
        assert model.requests[0].messages == (UserMessage("look", attachments),)
    assert sent == [True, False]


def send() -> str:
    """Send it."""
    return "sent"
