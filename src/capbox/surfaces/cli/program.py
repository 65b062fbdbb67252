"""The command line: its commands, and the one place where what went wrong becomes an exit code.

Guarantees: `main` returns an exit code and never raises for what a person typed, for a file that
cannot be used, or for an interruption; a bug is a traceback. Does not: import what a command needs
before that command runs.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import typer

from capbox.broker.secrets import SecretError
from capbox.engine.sessions.errors import SessionError
from capbox.engine.settings import SettingsError
from capbox.journal.errors import JournalError
from capbox.store.errors import StoreError
from capbox.surfaces.cli.catalogue import build
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, tell, usage
from capbox.surfaces.cli.screen import Screen

INTERRUPTED = 130


def main(entry: Entry, arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    if not _open_streams():
        return 2
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A file name that is not UTF-8 must not end a command in the middle of its output.
            stream.reconfigure(errors="backslashreplace")
    _end_as_interrupted()
    try:
        return _run(entry, arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except RuntimeError as error:
        # Python before 3.12 wraps what interrupts the making of a class, as an import does.
        if isinstance(error.__cause__, KeyboardInterrupt):
            return INTERRUPTED
        raise
    except BrokenPipeError:
        # Whoever read the output has left; Python would complain once more at its own end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG):
            raise
        with contextlib.suppress(OSError):
            print(f"capbox: the output could not be written: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _open_streams() -> bool:
    """Put an empty file where a stream was closed; returns whether there is a standard output.

    Without one nothing is done: no one would hear of it. And a file that is opened later must not
    get the number of a standard stream: what is printed would go into the journal.
    """
    missing = sys.stdout is None
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115
    if missing:
        print("capbox: standard output is closed; nothing was done", file=sys.stderr)
    return not missing


def _end_as_interrupted() -> None:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, so that tools stop and the record is closed.

    Not where one of them is ignored: `nohup` wants that. Where Ctrl-C is, as in what a script has
    put in the background, they do it all the same.
    """
    if signal.getsignal(signal.SIGINT) not in (signal.default_int_handler, signal.SIG_IGN):
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda *_: _interrupt())


def _interrupt() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


def _run(entry: Entry, arguments: Sequence[str]) -> int:
    command = typer.main.get_command(build())
    try:
        code = command.main(
            list(arguments) or ["--help"], prog_name="capbox", standalone_mode=False, obj=entry
        )
    except typer.Abort:
        return INTERRUPTED
    except (*_KNOWN, typer.TyperException, ExceptionGroup) as error:
        failure = _failure(_sole(error), _named(command, arguments))
        if failure is None and isinstance(_sole(error), OSError):
            raise _sole(error) from None
        if failure is None:
            raise
        return tell(failure, arguments, Screen(sys.stdout, sys.stderr, entry.environ))
    return code if isinstance(code, int) else 0


_KNOWN = (CommandFailure, SecretError, SettingsError, SessionError, JournalError, StoreError)


def _named(command: object, arguments: Sequence[str]) -> str:
    """Return the command that a command line names, as one would type it."""
    named = ["capbox"]
    for word in arguments:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            break
        named.append(word)
    return " ".join(named)


def _failure(error: Exception, named: str) -> CommandFailure | None:
    """Return what an expected error means for the command line; None for a bug."""
    match error:
        case CommandFailure():
            return error
        case typer.TyperException():
            # Where in the tree of commands it went wrong; not every error of typer's knows.
            context = getattr(error, "ctx", None)
            see = named if context is None else str(context.command_path)
            return CommandFailure("usage", error.format_message(), 2, see=see)
        case SessionError(held=True):
            return CommandFailure("held", str(error), 3)
        case SettingsError() | SecretError() | SessionError():
            return usage(str(error))
        case JournalError() | StoreError():
            # Without its record nothing may run: the box itself does not work.
            return CommandFailure("sandbox_failed", str(error), 5)
        case _:
            return None


def _sole(error: Exception) -> Exception:
    """Return the one error inside groups of one; task groups wrap what is raised within them."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
