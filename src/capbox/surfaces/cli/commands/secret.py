"""`capbox secret set|list|remove`: values that only the parent knows, and adds for a guest.

Guarantees: a value is typed unseen or read from standard input; it is never an argument, which
others can see, and never printed, not even in the error of somebody who made it one. Does not:
show a value again.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.broker.secrets import SecretStore

_INPUT_BYTES_MAX = 1 << 17

Name = Annotated[str, typer.Argument(metavar="NAME", help="As in GITHUB_TOKEN.")]


class Discreet(TyperGroup):
    """A group that does not print a word it does not know: somebody may have typed the value."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the first word names."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise usage("there are: capbox secret set NAME, secret list, secret remove NAME")
        return super().resolve_command(ctx, args)


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    # What is too much is looked at here: typer's own error would print it.
    loose = {"allow_extra_args": True, "ignore_unknown_options": True}
    group.command("set", context_settings=loose)(set_)
    group.command("list", context_settings=loose)(list_)
    group.command("remove", context_settings=loose)(remove)
    return group


def set_(ctx: typer.Context, name: Name) -> int:
    """Keep a secret; its value is asked for, or comes from standard input.

    8 to 16384 characters; one line end at the end is dropped. Set again, it is replaced.
    The keys for models are among them (capbox login), used where the environment has none.
    """
    store = _store(ctx)
    store.set(name, typed(name) if sys.stdin.isatty() else piped())
    _screen(ctx.obj).say(f"{name} is kept {store.describe()}")
    return 0


def list_(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """List the names of secrets, and where they are kept."""
    store, screen = _store(ctx), _screen(ctx.obj)
    names, place = store.names(), store.describe()
    if as_json:
        screen.json({"secrets": list(names), "kept": place})
        return 0
    for name in names:
        screen.line(name)
    screen.say(f"kept {place}" if names else "no secret is kept yet", "dim")
    return 0


def remove(ctx: typer.Context, name: Name) -> int:
    """Forget a secret."""
    if not _store(ctx).remove(name):
        raise usage("there is no secret of that name; see: capbox secret list")
    _screen(ctx.obj).say(f"removed {name}")
    return 0


def _store(ctx: typer.Context) -> SecretStore:
    """Return the store, in a directory that is closed to others; refuse what is too much."""
    if ctx.args:
        raise usage(
            "the value of a secret is never an argument: the shell's history and the list of "
            "processes show it (a value that was typed there should be replaced). "
            "Without it, it is asked for; or: capbox secret set NAME < FILE"
        )
    entry: Entry = ctx.obj
    entry.home().prepare()
    return entry.secrets()


def _screen(entry: Entry) -> Screen:
    return Screen(sys.stdout, sys.stderr, entry.environ)


def typed(name: str) -> str:
    """Return a value that a person types, unseen."""
    import getpass
    import warnings

    try:
        with warnings.catch_warnings():
            # It would go on, and show what is typed.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(f"value of {name} (not shown): ", stream=sys.stderr)
    except getpass.GetPassWarning:
        raise usage("this terminal shows what is typed; use a pipe or a file instead") from None
    except EOFError:
        raise usage("no value was typed; nothing is kept") from None


def piped() -> str:
    """Return the value on standard input, without one line end."""
    content = sys.stdin.buffer.read(_INPUT_BYTES_MAX)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        # Not the error's own text: it quotes the value.
        raise usage("the value on standard input is not UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r")
