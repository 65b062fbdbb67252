"""How a command that could not do its work says so, on a screen or as the one promised object.

Guarantees: `--json` always prints one object in the command's documented shape. Does not: cover
results; a refused or failed tool call is a `ToolResult`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from capbox.messages import Json, ToolFailure, ToolResult
from capbox.surfaces.cli.screen import Screen


class CommandFailure(Exception):
    """A command ends here: `exit_code`, a stable code, and a sentence."""

    def __init__(self, code: str, message: str, exit_code: int, *, see: str = "") -> None:
        """Keep the parts; `see` is the command whose help tells what may be typed."""
        super().__init__(message)
        self.see = see
        self.code = code
        self.message = message
        self.exit_code = exit_code


def usage(message: str) -> CommandFailure:
    """Return the failure of a command that was asked for something impossible."""
    return CommandFailure("usage", message, 2)


@contextmanager
def stored() -> Generator[None]:
    """End a command that cannot compile, or read or write a file of ours. Raises CommandFailure."""
    from capbox.sandbox.cache import CacheError

    try:
        yield
    except CacheError as error:
        raise CommandFailure("sandbox_failed", str(error), 5) from error
    except OSError as error:
        if error.filename is None:
            raise
        raise CommandFailure("failed", f"{error.filename}: {error.strerror}", 1) from error


def tell(failure: CommandFailure, arguments: Sequence[str], screen: Screen) -> int:
    """Print a failure as the command line asked for it, and return its exit code."""
    flags = arguments[: arguments.index("--")] if "--" in arguments else arguments
    command = next((word for word in arguments if not word.startswith("-")), "")
    if "--stream-json" in flags:
        screen.json({"type": "failure", "code": failure.code, "message": failure.message})
    elif "--json" in flags:
        screen.json(_as_json(failure, command))
    else:
        screen.say(f"capbox: {failure.message}", "red")
        if failure.see:
            screen.say(f"see: {failure.see} --help", "dim")
    return failure.exit_code


def _as_json(failure: CommandFailure, command: str) -> Json:
    error = ToolFailure(failure.code, failure.message)
    if command == "run":
        from capbox.agent.report import Report

        described = {"code": error.code, "message": error.message}
        return {**Report().to_json(), "outcome": failure.code, "error": described}
    return ToolResult(ok=False, content="", error=error).to_json()
