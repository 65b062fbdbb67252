"""`capbox sessions`: what was said, and where it goes on.

Guarantees: a session is named by the beginning of its id; deleting one asks first where somebody
can be asked, and never takes one in which a process works. Does not: show what a session may do;
that is in the journal, and `capbox resume` says it.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen, as_json
from capbox.surfaces.sink import one_line

if TYPE_CHECKING:
    from capbox.store.runs import RunStore
    from capbox.store.sessions import StoredSession
    from capbox.surfaces.cli.commands.sessions.transcript import Said

Id = Annotated[str, typer.Argument(metavar="ID", help="The beginning of an id that is in the list")]
Shape = Annotated[
    Literal["markdown", "json"], typer.Option("--format", help="What to write it as.")
]
_R = TypeVar("_R")
_TAG_CHARACTERS_MAX = 40


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    group.command("list")(list_)
    group.command("search")(search)
    group.command("show")(show)
    group.command("rename")(rename)
    # A tag that is taken away begins like an option.
    loose = {"ignore_unknown_options": True}
    group.command("tag", context_settings=loose)(tag)
    group.command("fork")(fork)
    group.command("export")(export)
    group.command("delete")(delete)
    return group


def list_(
    ctx: typer.Context,
    *,
    tagged: Annotated[
        str | None, typer.Option("--tag", metavar="TAG", help="Only those with this tag.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many.")] = 50,
    as_json: AsJson = False,
) -> int:
    """List the sessions, those last spoken in first.

    As in: capbox sessions list --json | jq -r '.sessions[].id'
    """

    async def found(store: RunStore) -> tuple[StoredSession, ...]:
        every = await store.sessions.newest(limit if tagged is None else 100_000)
        return tuple(s for s in every if tagged is None or tagged in s.tags)[:limit]

    screen, sessions = _screen(ctx), with_store(ctx, found)
    if as_json:
        screen.json({"sessions": [one.to_json() for one in sessions]})
        return 0
    rows = [
        (one.id, _when(one.updated), str(one.messages), ",".join(one.tags), one.title)
        for one in sessions
    ]
    if rows:
        screen.table(("id", "last", "messages", "tags", "title"), rows)
    else:
        screen.say("there is no session", "dim")
    return 0


def search(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Words; each must be there.")],
    *,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many.")] = 20,
    as_json: AsJson = False,
) -> int:
    """Find messages that hold these words, in every session.

    As in: capbox sessions search "release notes"
    """
    if not text.split():
        raise usage("TEXT is empty; give the words to look for")
    screen = _screen(ctx)
    slow, found = with_store(ctx, lambda store: store.sessions.search_told(text, limit=limit))
    if slow:
        screen.say(slow, "yellow")
    if as_json:
        screen.json({"found": [one.to_json() for one in found]})
        return 0
    for one in found:
        screen.line(f"{one.session}  {one.seq + 1:>5}  {one_line(one.title, 40)}", "bold")
        screen.line(f"    {one_line(one.excerpt, 200)}")
    if not found:
        screen.say("nothing was found", "dim")
    return 0


def show(ctx: typer.Context, session: Id, *, as_json: AsJson = False) -> int:
    """Show what was said in a session, each message under its number.

    As in: capbox sessions show k3q
    """
    from capbox.surfaces.cli.commands.sessions.transcript import as_document, told

    screen = _screen(ctx)
    one, said, runs = with_store(ctx, lambda store: _whole(store, session))
    if as_json:
        screen.json(as_document(one, said, runs))
        return 0
    for line, style in told(one, said, runs):
        screen.line(line, style)
    return 0


def rename(
    ctx: typer.Context,
    session: Id,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="One line.")],
) -> int:
    """Give a session another title."""
    if not title.strip():
        raise usage("TITLE is empty")

    async def act(store: RunStore) -> str:
        one = await _one(store, session)
        await store.sessions.rename(one.id, title)
        return one.id

    _screen(ctx).say(f"renamed {with_store(ctx, act)}")
    return 0


def tag(
    ctx: typer.Context,
    session: Id,
    tags: Annotated[
        list[str], typer.Argument(metavar="+TAG|-TAG...", help="+TAG adds one, -TAG takes it away.")
    ],
) -> int:
    """Give a session tags, or take them away.

    As in: capbox sessions tag k3q +release -draft
    """
    wrong = next((word for word in tags if word[:1] not in "+-" or not _is_tag(word[1:])), None)
    if wrong is not None:
        raise usage(f"{wrong[:60]!r} is not +TAG or -TAG (letters, digits, _ . -)")

    async def act(store: RunStore) -> tuple[str, tuple[str, ...]]:
        one = await _one(store, session)
        kept = set(one.tags)
        for word in tags:
            kept = kept | {word[1:]} if word[0] == "+" else kept - {word[1:]}
        await store.sessions.tag(one.id, tuple(kept))
        return one.id, tuple(sorted(kept))

    name, now = with_store(ctx, act)
    _screen(ctx).say(f"{name}: {', '.join(now) or 'no tag'}")
    return 0


def fork(
    ctx: typer.Context,
    session: Id,
    *,
    at: Annotated[
        int | None,
        typer.Option("--at", metavar="N", help="The last message that it keeps. Default: all."),
    ] = None,
) -> int:
    """Begin another session like this one, and print its id.

    It holds nothing until flags grant it something. As in: capbox resume "$(capbox sessions fork
    k3q --at 4)" "another way" --read .
    """
    _screen(ctx).result(forked(ctx, session, at))
    return 0


def forked(ctx: typer.Context, session: str, at: int | None) -> str:
    """Return the id of a new session like this one; `at` is the last message that it keeps."""
    from capbox.engine.sessions.forking import fork as fork_of

    async def act(store: RunStore) -> str:
        one = await _one(store, session)
        return await fork_of(store.sessions, one, one.messages if at is None else at)

    return with_store(ctx, act)


def export(ctx: typer.Context, session: Id, *, shape: Shape = "markdown") -> int:
    """Write a whole session to standard output, as Markdown or JSON."""
    _screen(ctx).result(document(ctx, session, shape))
    return 0


def document(ctx: typer.Context, session: str, shape: str) -> str:
    """Return a whole session as text: `markdown`, or `json` in ASCII."""
    from capbox.surfaces.cli.commands.sessions.transcript import as_document, markdown

    one, said, runs = with_store(ctx, lambda store: _whole(store, session))
    if shape == "json":
        return as_json(as_document(one, said, runs))
    return markdown(one, said)


def delete(
    ctx: typer.Context,
    session: Id,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Forget what was said in a session.

    What its runs did stays in the journal.

    Exit codes: 0 deleted, 2 usage, 3 another process works in it, 130 not deleted after all.
    """
    from capbox.engine.sessions.conversation import locks
    from capbox.engine.sessions.holder import hold

    entry, screen = _entry(ctx), _screen(ctx)
    one = with_store(ctx, lambda store: _one(store, session))
    if not yes and not _sure(one, screen):
        screen.say("nothing was deleted")
        return 130
    held = hold(locks(entry.home().state), one.id, "capbox sessions delete")
    try:
        with_store(ctx, lambda store: store.sessions.delete(one.id))
    finally:
        held.release()
    screen.say(f"deleted {one.id}")
    return 0


def _sure(one: StoredSession, screen: Screen) -> bool:
    import anyio

    from capbox.surfaces.cli.terminal import Terminal, is_terminal

    if not is_terminal():
        raise usage("nobody can be asked here; --yes deletes it without a question")
    shown = f"{one.id} ({one_line(one.title, 60)}, {one.messages} messages)"
    answer = anyio.run(lambda: Terminal(screen).ask(f"delete {shown}? [y/N] ", fresh=True))
    return (answer or "").strip().lower() in ("y", "yes")


def _is_tag(word: str) -> bool:
    plain = word.replace("_", "").replace("-", "").replace(".", "")
    return plain.isalnum() and len(word) <= _TAG_CHARACTERS_MAX


async def _one(store: RunStore, typed: str) -> StoredSession:
    from capbox.engine.sessions.choosing import chosen

    return await chosen(store.sessions, typed, Path())


async def _whole(store: RunStore, typed: str) -> tuple[StoredSession, Said, tuple[str, ...]]:
    one = await _one(store, typed)
    return one, await store.sessions.messages(one.id), await store.sessions.runs(one.id)


def with_store(ctx: typer.Context, act: Callable[[RunStore], Awaitable[_R]]) -> _R:
    """Return what `act` finds in the store, which is made if it is missing."""
    import anyio

    home = _entry(ctx).home()
    home.prepare()

    async def opened() -> _R:
        from capbox.store.runs import open_runs

        async with open_runs(home.state / "runs.db") as store:
            return await act(store)

    return anyio.run(opened)


def _entry(ctx: typer.Context) -> Entry:
    entry: Entry = ctx.obj
    return entry


def _screen(ctx: typer.Context) -> Screen:
    return Screen(sys.stdout, sys.stderr, _entry(ctx).environ)


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
