"""wasi:cli, wasi:clocks and wasi:random.

Guarantees: what a component reads of clocks and chance is recorded or comes from the seed of the
call, as for any guest; its arguments are those of the call, its environment is constants and what
the call was granted.
"""

from __future__ import annotations

from capbox.authority.paths import WORKSPACE
from capbox.sandbox.component.side import Misuse
from capbox.sandbox.component.wasi.below import Below
from capbox.sandbox.component.wasi.streams import (
    MONOTONIC,
    NONE,
    InputStream,
    OutputStream,
    Pollable,
    Result,
)

_WALL = 0
_NS = 1_000_000_000
_U64_MAX = (1 << 64) - 1
_RANDOM_BYTES_MAX = 16 << 20


class Surroundings:
    """What a command finds around it."""

    def __init__(self, below: Below) -> None:
        self._below = below

    def environment_get_environment(self) -> list[object]:
        """Return the constant variables, and those of the call."""
        found = dict(t.split("=", 1) for t in self._below.texts("environ")) | self._below.variables
        # The host's may hold bytes that are no text, and a component takes text alone.
        return [(n, v.encode(errors="replace").decode()) for n, v in found.items()]

    def environment_get_arguments(self) -> list[object]:
        """Return the words of the call, the tool's own name first."""
        return list(self._below.texts("args"))

    def environment_initial_cwd(self) -> Result:
        """Return the directory that relative names start from."""
        return "some", WORKSPACE

    def exit_exit(self, status: Result) -> None:
        """End the call."""
        self._below("proc_exit", int(status[0] == "err"))

    def exit_exit_with_code(self, code: int) -> None:
        """End the call."""
        self._below("proc_exit", code)

    def stdin_get_stdin(self) -> InputStream:
        """Return the standard input."""
        return InputStream(0)

    def stdout_get_stdout(self) -> OutputStream:
        """Return the standard output."""
        return OutputStream(1)

    def stderr_get_stderr(self) -> OutputStream:
        """Return the standard error."""
        return OutputStream(2)

    def terminal_stdin_get_terminal_stdin(self) -> Result:
        """There is no terminal."""
        return NONE

    terminal_stdout_get_terminal_stdout = terminal_stdin_get_terminal_stdin
    terminal_stderr_get_terminal_stderr = terminal_stdin_get_terminal_stdin

    def monotonic_clock_now(self) -> int:
        """Return nanoseconds of the monotonic clock."""
        return self._below.time(MONOTONIC)

    def monotonic_clock_resolution(self) -> int:
        """Return its resolution in nanoseconds."""
        return self._below.time(MONOTONIC, resolution=True)

    def monotonic_clock_subscribe_instant(self, when: int) -> Pollable:
        """Return what is ready at that time."""
        return Pollable(when)

    def monotonic_clock_subscribe_duration(self, nanoseconds: int) -> Pollable:
        """Return what is ready after that time."""
        return Pollable(min(self._below.time(MONOTONIC) + nanoseconds, _U64_MAX))

    def wall_clock_now(self) -> tuple[int, int]:
        """Return seconds and nanoseconds since 1970."""
        return divmod(self._below.time(_WALL), _NS)

    def wall_clock_resolution(self) -> tuple[int, int]:
        """Return its resolution in seconds and nanoseconds."""
        return divmod(self._below.time(_WALL, resolution=True), _NS)

    def random_get_random_bytes(self, count: int) -> bytes:
        """Return random bytes."""
        if count > _RANDOM_BYTES_MAX:
            raise Misuse(f"it wants more than {_RANDOM_BYTES_MAX >> 20} MB of random bytes at once")
        return self._below.random(count)

    insecure_get_insecure_random_bytes = random_get_random_bytes

    def random_get_random_u64(self) -> int:
        """Return a random number."""
        return int.from_bytes(self._below.random(8), "little")

    insecure_get_insecure_random_u64 = random_get_random_u64

    def insecure_seed_insecure_seed(self) -> tuple[int, int]:
        """Return two random numbers."""
        return self.random_get_random_u64(), self.random_get_random_u64()
