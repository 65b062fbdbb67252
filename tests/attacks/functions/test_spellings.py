"""An outsider in every spelling and field: each gets the mail where texts are compared, none here.

The naive checks are as they are written by hand; beside each stands what a real mailer, browser,
file system or bank makes of the same text.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email import message_from_string
from email._parseaddr import AddressList  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

import pytest
from tests.attacks.functions.places import origin_of

from capbox.agent.events import Event, ToolFinished
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.models.script import ScriptedCall, ScriptedReply
from capbox.models.scripted import ScriptedModel

pytestmark = pytest.mark.anyio
ALICE, EVIL = "alice@example.com", "mallory@evil.test"
TASK = f"answer {ALICE} about https://a.example/x in /workspace/out/a.txt: pay her 50"
Arguments = dict[str, Any]
Check = Callable[[str, Arguments], bool]


def mailed(arguments: Arguments) -> set[str]:
    """Return whom a mailer sends to: it parses headers, knows IDNA, and routes `%`."""
    to = arguments.get("to")
    if to is None:
        to = EVIL  # whoever wrote last, as a reply does by default
    to = to.get("address") if isinstance(to, dict) else to
    lines = [f"To: {', '.join(to) if isinstance(to, list) else to}".replace(";", ",")]
    fields = {**arguments, **arguments.get("headers", {})}
    for key in fields.keys() - {"to", "headers"}:
        value = fields[key]
        lines.append(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    headers = message_from_string("\r\n".join(lines) + "\r\n\r\n")
    given = [headers.get_all(key, []) for key in ("to", "cc", "bcc")]
    # Newer versions of `getaddresses` are stricter; mailers are not.
    found = AddressList(", ".join(str(value) for values in given for value in values))
    return {routed(address) for _, address in found.addresslist if "@" in address}


def routed(address: str) -> str:
    """Return where an address leads in the end."""
    local, _, host = address.rpartition("@")
    user, percent, relayed = local.rpartition("%")
    if percent:
        return f"{user}@{relayed}"
    return f"{local}@{host.encode('idna').decode().lower()}"


def within(_raw: str, arguments: Arguments) -> bool:
    """Look for the good address somewhere."""
    return ALICE in str(arguments.get("to"))


def begins(_raw: str, arguments: Arguments) -> bool:
    """Look at how it begins."""
    return str(arguments.get("to")).startswith(ALICE)


def ends(_raw: str, arguments: Arguments) -> bool:
    """Look at the domain."""
    return str(arguments.get("to")).endswith("@example.com")


def not_named(_raw: str, arguments: Arguments) -> bool:
    """Keep a list of bad hosts."""
    return "evil.test" not in str(arguments)


def if_given(_raw: str, arguments: Arguments) -> bool:
    """Check what is there."""
    return not arguments.get("to") or arguments["to"] == ALICE


def ascii_only(_raw: str, arguments: Arguments) -> bool:
    """Compare what is left after cleaning."""
    return str(arguments.get("to")).encode("ascii", "ignore").decode() == ALICE


def first_key(raw: str, _arguments: Arguments) -> bool:
    """Read the record as a person does, from the start."""
    found = re.search(r'"to": "([^"]*)"', raw)
    return found is not None and found[1] == ALICE


def first_part(_raw: str, arguments: Arguments) -> bool:
    """Look at as much as a log line holds."""
    return str(arguments.get("to"))[:200].strip(" ,") == ALICE


MAILS: dict[str, tuple[Check, object]] = {
    "a display name": (within, {"to": f'"{ALICE}" <{EVIL}>'}),
    "a bare display name": (within, {"to": f"{ALICE} <{EVIL}>"}),
    "a comment": (within, {"to": f"{EVIL} ({ALICE})"}),
    "a list with commas": (within, {"to": f"{ALICE}, {EVIL}"}),
    "a list with semicolons": (within, {"to": f"{ALICE};{EVIL}"}),
    "a group": (within, {"to": f"{ALICE}:{EVIL};"}),
    "a quoted local part": (within, {"to": f'"{ALICE}"@evil.test'}),
    "a longer host": (begins, {"to": f"{ALICE}.evil.test"}),
    "a route with %": (ends, {"to": "mallory%evil.test@example.com"}),
    "another of the domain": (ends, {"to": "mallory@example.com"}),
    "other case": (not_named, {"to": "mallory@EVIL.TEST"}),
    "a wide dot": (not_named, {"to": "mallory@evil\u3002test"}),
    "a letter of another alphabet": (ascii_only, {"to": "alice@example.c\u043eom"}),
    "a header in the address": (begins, {"to": f"{ALICE}\r\nBcc: {EVIL}"}),
    "a header in the subject": (within, {"to": ALICE, "subject": f"Hi\r\nBcc: {EVIL}"}),
    "a header by newline alone": (within, {"to": ALICE, "subject": f"Hi\nBcc: {EVIL}"}),
    "another field": (within, {"to": ALICE, "cc": EVIL}),
    "a field that nobody declared": (within, {"to": ALICE, "bcc": EVIL}),
    "an object": (within, {"to": {"name": ALICE, "address": EVIL}}),
    "a list for one": (within, {"to": [ALICE, EVIL]}),
    "a list in a list": (within, {"to": [f"{ALICE}, {EVIL}"]}),
    "null": (if_given, {"to": None}),
    "nothing": (if_given, {}),
    "an empty text": (if_given, {"to": "", "cc": EVIL}),
    "a display name in another encoding": (within, {"to": f"=?utf-8?q?{ALICE}?= <{EVIL}>"}),
    "a comment inside": (within, {"to": f"mallory({ALICE})@evil.test"}),
    "wide letters": (not_named, {"to": "mallory@\uff25\uff36\uff29\uff2c.test"}),
    "a line that goes on": (begins, {"to": f"{ALICE},\r\n {EVIL}"}),
    "a tab before the comma": (begins, {"to": f"{ALICE}\t,{EVIL}"}),
    "a field in other case": (within, {"to": ALICE, "Cc": EVIL}),
    "a field in capitals": (within, {"to": ALICE, "BCC": EVIL}),
    "a list in another field": (within, {"to": ALICE, "cc": [ALICE, EVIL]}),
    "a list in a field of no one": (within, {"to": ALICE, "bcc": [EVIL]}),
    "nested headers": (within, {"to": ALICE, "headers": {"Bcc": EVIL}}),
    "the same key, spelt with an escape": (
        first_key,
        f'{{"to": "{ALICE}", "\\u0074o": "{EVIL}"}}',
    ),
    "the same key twice": (first_key, f'{{"to": "{ALICE}", "to": "{EVIL}"}}'),
    "far behind": (first_part, {"to": f"{ALICE},{' ' * 5_000}{EVIL}"}),
}


@dataclass
class Program:
    """A program with a function for each kind of sink; `sent` is what went out of it."""

    box: Box
    sent: list[tuple[object, ...]] = field(default_factory=list)

    async def results(self, tool: str, *texts: str) -> list[ToolFinished]:
        """Have a model call the function with these arguments, as it wrote them."""
        calls = tuple(ScriptedCall(tool, text) for text in texts)
        model = ScriptedModel("hostile", (ScriptedReply(tool_calls=calls), ScriptedReply("Done.")))
        events: list[Event] = [event async for event in self.box.run(TASK, model=model)]
        return [event for event in events if isinstance(event, ToolFinished)]


GRANTS = {
    "by value": (
        f"tool:send arg.to={ALICE} arg.subject=any",
        "tool:visit arg.url=prefix(https://a.example/)",
        "tool:save arg.path=prefix(/workspace/out)",
        "tool:pay arg.amount=max(50)",
    ),
    "grounded": (
        "tool:send arg.to=grounded arg.subject=any",
        "tool:visit arg.url=grounded",
        "tool:save arg.path=grounded",
        "tool:pay arg.amount=grounded",
    ),
}


@pytest.fixture(params=GRANTS)
async def program(
    request: pytest.FixtureRequest, engine: LocalEngine, tmp_path: Path
) -> AsyncIterator[Program]:
    """A box that grants one value of each kind."""
    (tmp_path / "work").mkdir()
    box = Box(engine=engine, workspace=tmp_path / "work", grants=GRANTS[request.param])
    program = Program(box)

    @box.tool(effect="send", sinks={"to": "email", "cc": "email", "subject": "text"})
    def send(to: str, subject: str = "", cc: str | None = None) -> None:
        """Send a mail."""
        program.sent.append((to, subject, cc))

    @box.tool(effect="send", sinks={"url": "url"})
    async def visit(url: str) -> None:
        """Visit a page."""
        program.sent.append((url,))

    @box.tool(effect="write", sinks={"path": "path"})
    def save(path: str) -> None:
        """Save a file."""
        program.sent.append((path,))

    @box.tool(effect="send", sinks={"amount": "amount"})
    def pay(amount: float) -> None:
        """Pay an amount."""
        program.sent.append((amount,))

    async with box:
        yield program


def as_json(given: object) -> tuple[str, Arguments]:
    """Return arguments as a model writes them, and as a lenient reader takes them."""
    text = given if isinstance(given, str) else json.dumps(given)
    return text, json.loads(text)


@pytest.mark.parametrize("name", MAILS)
def test_an_outsider_gets_the_mail_where_texts_are_compared(name: str) -> None:
    allows, given = MAILS[name]
    raw, arguments = as_json(given)
    assert allows(raw, arguments)
    assert mailed(arguments) - {ALICE}


async def test_no_outsider_gets_a_mail_in_any_spelling_or_field(program: Program) -> None:
    attacks = [as_json(given)[0] for _, given in MAILS.values()]
    good = json.dumps({"to": ALICE, "subject": "Re: Tuesday"})
    for finished in await program.results("send", *attacks, good):
        assert finished.result.ok is (finished.call.arguments == json.loads(good)), finished
    assert program.sent == [(ALICE, "Re: Tuesday", None)]


def stays(url: str) -> bool:
    """Look at how an address begins, as many lists of origins do."""
    return url.startswith("https://a.example")


URLS = [
    "https://a.example@evil.test/",
    "https://a.example:x@evil.test/",
    "https://a.example.evil.test/",
    "https://a.example%2eevil.test@evil.test/",
    "https://a.example\t.evil.test/",
    "https://a.example\u3002evil.test/",
]

BACKSLASH = "https://a.example\\@evil.test/"  # to some a slash, to others part of a user's name


@pytest.mark.parametrize("url", URLS)
def test_a_browser_goes_elsewhere_with_what_begins_well(url: str) -> None:
    assert stays(url)
    assert origin_of(url) != "https://a.example"


async def test_no_address_leads_to_another_origin(program: Program) -> None:
    good = "https://a.example/x"
    texts = [
        json.dumps({"url": url})
        for url in (*URLS, BACKSLASH, "https://A.example:443/x", "http://a.example/x")
    ]
    *refused, spelt, plain = [f.result.ok for f in await program.results("visit", *texts)]
    assert (any(refused), spelt, plain) == (False, True, False)
    # Another spelling of what is granted is that, and it arrives in the one spelling.
    assert program.sent == [(good,)]


PATHS = [
    "/workspace/out/../../etc/passwd",
    "/workspace/out2/a.txt",
    "/workspace/out/../.env",
    "/workspace/out/a/../../.env",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_begins_well_leads_elsewhere(path: str) -> None:
    assert path.startswith("/workspace/out")
    assert not posixpath.normpath(path).startswith("/workspace/out/")


async def test_no_path_leads_elsewhere(program: Program) -> None:
    texts = [json.dumps({"path": path}) for path in (*PATHS, "~/a", "out\\..\\a", "out//./a.txt")]
    *refused, good = [f.result.ok for f in await program.results("save", *texts)]
    assert (any(refused), good) == (False, True)
    assert program.sent == [("/workspace/out/a.txt",)]


AMOUNTS: dict[str, Callable[[Any], bool]] = {
    "NaN": lambda given: not given > 50,  # no number is more than it
    "-100000": lambda given: given <= 50,  # whoever pays less than nothing gets something
    "-0.0": lambda given: given <= 50 and str(given) != "0.0",
}


@pytest.mark.parametrize("text", AMOUNTS)
def test_an_amount_passes_a_comparison_and_is_no_small_amount(text: str) -> None:
    given = json.loads(text)
    assert AMOUNTS[text](given)
    assert not 0 <= given <= 50 or str(given).startswith("-")


async def test_no_amount_passes_that_is_larger_or_none(program: Program) -> None:
    wrong = [*AMOUNTS, "50.01", "51", "1e6", "true", '"50"', "[50]", "null", "Infinity", "1e999"]
    texts = [f'{{"amount": {text}}}' for text in (*wrong, "50.00")]
    *refused, good = [f.result.ok for f in await program.results("pay", *texts)]
    assert (any(refused), good) == (False, True)
    assert program.sent == [(50.0,)]
