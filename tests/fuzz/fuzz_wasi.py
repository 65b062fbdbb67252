"""Hostile calls of every host function: pointers, lengths, flags, descriptors and paths at random.

    python tests/fuzz/fuzz_wasi.py --calls 1000000 --seed 1

Each guest makes some hundred calls in a tree with secrets and links, then a fresh one starts.
Checked: no host function faults or raises, no canary is read, changed or made, no descriptor leaks,
guest memory outside the guest is untouched. A failure prints the seed and the last calls.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import struct
import sys
import tempfile
import time
from collections import Counter, deque
from pathlib import Path

from capbox.authority.exclusions import HIDDEN, PROTECTED
from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.effects import EffectWriter, read_effects
from capbox.sandbox.raw import TRAP
from capbox.sandbox.spec import Mount, Rule
from capbox.sandbox.wasi.abi import SIGNATURES
from capbox.sandbox.wasi.host import CallBounds, Host, OpenMount

SECRET = b"CANARY-7c1e"
MEMORY = 1 << 16
CALLS_PER_GUEST = 300
NAMES = (
    *("a.txt", "b", "sub", "deep", ".", "..", "", "/", "nothing", "new", "new2", ".env", ".ENV"),
    *(".git", "hooks", "config", "l", "to_env", "to_sub", "up", "abs", "loop", "hard", "fifo"),
    *("one.txt", ".capbox-1-one.txt.tmp", ".ssh", "id_rsa", ".envé", "\u202e", "x" * 256),
)
TARGETS = (
    *("a.txt", "sub/b", "sub", ".env", "to_env", "to_sub/../.env", "up", "abs", "hard", "l", "new"),
    *(".git/config", ".git/hooks/new", "sub/.git", ".GIT/Hooks/new", "sub/deep/new", "sub/l"),
)
VECTORS_AT = 960
READ, WRITE = 1 << 1, 1 << 6
# What a well-behaved guest would pass: d directory, f descriptor, p/L and q/M paths, o result,
# v vectors, w rights, m mode, s size or offset, n a small number.
ROLES = {
    **{name: "f" for name in SIGNATURES if name.startswith("fd_")},
    **{name: "dpL" for name in SIGNATURES if name.startswith("path_")},
    **{"fd_read": "fvno", "fd_write": "fvno", "fd_pread": "fvnso", "fd_pwrite": "fvnso"},
    **{"fd_readdir": "fosno", "fd_seek": "fsno", "fd_tell": "fo", "fd_fdstat_get": "fo"},
    **{"fd_filestat_get": "fo", "fd_filestat_set_size": "fs", "fd_filestat_set_times": "fssn"},
    **{"path_filestat_get": "dnpLo", "path_filestat_set_times": "dnpLssn"},
    **{"path_link": "dnpLdqM", "path_open": "dnpLnwwno", "path_readlink": "dpLoso"},
    **{"path_rename": "dpLdqM", "path_symlink": "pLdqM", "poll_oneoff": "oono"},
    **{"random_get": "os", "clock_time_get": "nno", "clock_res_get": "no", "args_get": "oo"},
    **{"environ_get": "oo", "environ_sizes_get": "oo", "args_sizes_get": "oo"},
    **{"capbox_fs.stat": "pLo", "capbox_fs.chmod": "pLm"},
    **{"capbox_invoke.call": "pLpMo", "capbox_invoke.list": "o", "capbox_invoke.answer": "os"},
}
ROOTS = ("workspace", "tmp", "mnt", "mnt/ro", "mnt/one.txt", "mnt", "etc", "proc/self", "dev/fd")
# Sleeping and leaving are tested elsewhere; here they would only slow things down.
WEIGHTS = {"proc_exit": 0.02, "poll_oneoff": 0.3, "path_open": 4, "path_rename": 3, "fd_write": 2}


class Fuzz:
    """One tree on disk, one host, one stream of random numbers."""

    def __init__(self, root: Path, seed: int, *, openat2: bool) -> None:
        self.random = random.Random(seed)
        self.root = root
        self.fds: list[int] = []
        self.memory = bytearray(MEMORY + 128)
        self.recent: deque[tuple[str, tuple[int, ...], bytes]] = deque(maxlen=30)
        self.answers: Counter[int] = Counter()
        self.by_name: Counter[tuple[str, bool]] = Counter()
        self.open: list[int] = []
        self.leaks: list[tuple[str, tuple[int, ...], bytes]] = []
        self.second = (0, 0)
        self._build()
        self.log = os.memfd_create("effects")
        self.host = Host(self._source, openat2=openat2)
        writable = Rule(True, HIDDEN, PROTECTED)
        self.host.adopt(
            (
                self._mount("/workspace", root / "ws", writable),
                self._mount("/tmp", root / "tmp", Rule(True)),
                self._mount("/mnt/ro", root / "ro", Rule(False, HIDDEN)),
                self._mount(
                    "/mnt/one.txt", root / "files", Rule(True, anchor="one.txt"), "one.txt"
                ),
            ),
            EffectWriter(self.log),
        )
        self.names = list(SIGNATURES)
        self.weights = [WEIGHTS.get(name, 1.0) for name in self.names]

    def guest(self, calls: int) -> None:
        """Run one guest of so many calls and check everything."""
        before = len(os.listdir("/proc/self/fd"))
        self.memory[:] = self.random.randbytes(64) + bytes(MEMORY) + b"\xa5" * 64
        for vector in range(4):
            where = 64 + VECTORS_AT + 8 * vector
            length = self.random.choice((0, 1, 16, 1000))
            struct.pack_into(
                "<II", self.memory, where, self.random.randrange(MEMORY - 1000), length
            )
        self.open.clear()
        guard = bytes(self.memory[:64]), bytes(self.memory[-64:])
        self.host.attach_buffer(memoryview(self.memory)[64:-64])
        for _ in range(calls):
            if self.one() == TRAP:
                break
        report = self.host.finish()
        problems = [report.fault] if report.fault else []
        if (bytes(self.memory[:64]), bytes(self.memory[-64:])) != guard:
            problems.append("memory around the guest was touched")
        if SECRET in self.memory or self.leaks:
            problems.append(f"a secret was read: {self.leaks}")
        if len(os.listdir("/proc/self/fd")) != before:
            problems.append("a descriptor leaked")
        if not read_effects(self.log).whole:
            problems.append("the list of effects is torn")
        problems += self.canaries()
        if problems:
            raise AssertionError(f"{problems}; last calls: {list(self.recent)}")
        self._refresh()

    def one(self) -> int:
        """Make one call."""
        name = self.random.choices(self.names, self.weights)[0]
        at = self.random.randrange(1024, MEMORY - 8192)
        text = self._path()
        self.memory[64 + at : 64 + at + len(text)] = text
        other = self._path()
        self.second = (at + 4096, len(other))
        self.memory[64 + at + 4096 : 64 + at + 4096 + len(other)] = other
        arguments = self._arguments(name, at, len(text))
        if name == "poll_oneoff" and self.random.random() < 0.95:
            # Mostly short sleeps: the clock's timeout is at offset 24.
            self.memory[64 + 256 : 64 + 1024 - 64] = bytes(1024 - 64 - 256)
        self.recent.append((name, arguments, text))
        answer = self.host.invoke(name, *arguments)
        self.answers[answer] += 1
        self.by_name[name, answer == 0] += 1
        if name == "path_open" and answer == 0:
            self.open.append(struct.unpack_from("<I", self.memory, 64 + arguments[8])[0])
            self._peek(self.open[-1])
        return answer

    def _peek(self, fd: int) -> None:
        """Read what was opened, so that an opened secret is always noticed."""
        struct.pack_into("<II", self.memory, 64 + 192, 128, 32)
        self.host.invoke("fd_pread", fd, 192, 1, 0, 224)
        if SECRET in self.memory[64 + 128 : 64 + 160]:
            self.leaks.append(self.recent[-1])

    def canaries(self) -> list[str]:
        """Say which canary changed."""
        problems = [str(p) for p in self.secrets if p.read_bytes() != SECRET]
        if (self.root / "ws/.git/config").read_bytes() != b"config":
            problems.append("configuration changed")
        made = [*(self.root / "ws/.git/hooks").iterdir(), *(self.root / "ro").iterdir()]
        made += [*self.root.iterdir(), *(self.root / "files").iterdir()]
        found = {str(p.relative_to(self.root)) for p in made} - {"files/one.txt"}
        if found != self.made:
            problems.append(f"names changed: {found ^ self.made}")
        return problems

    def close(self) -> None:
        """Give everything back."""
        self.host.finish()
        for fd in (*self.fds, self.log):
            os.close(fd)

    def _source(self) -> bytes:
        self.host.begin(
            CallBounds(
                deadline_ns=time.monotonic_ns() + 2_000_000_000,
                output_bytes=100_000,
                written_bytes=1_000_000,
                files_created=50,
                open_files=32,
                tmp_bytes=100_000,
                seed=self.random.randbytes(32),
                started_ns=1_700_000_000_000_000_000,
            )
        )
        return self.random.randbytes(1000)

    def _arguments(self, name: str, at: int, length: int) -> tuple[int, ...]:
        params, roles = SIGNATURES[name], ROLES.get(name, "")
        values: list[int] = []
        for kind, role in zip(params, roles.ljust(len(params), "n"), strict=True):
            hostile = self.random.random() < 0.05
            bits = 32 if kind == "i" else 64
            values.append(self._hostile(bits) if hostile else self._usual(role, at, length))
        return tuple(values)

    def _hostile(self, bits: int) -> int:
        choice = self.random.randrange(4)
        if choice == 0:
            return self.random.getrandbits(bits)
        if choice == 1:
            return (1 << bits) - 1 - self.random.randrange(8)
        if choice == 2:
            return MEMORY - self.random.randrange(16)
        return 1 << self.random.randrange(bits)

    def _usual(self, role: str, at: int, length: int) -> int:
        match role:
            case "d":
                return self.random.choice((3, 3, 3, *self.open[-4:]))
            case "f":
                return self.random.choice((0, 1, 2, 3, *self.open[-20:]))
            case "p":
                return at
            case "q":
                return self.second[0]
            case "L":
                return length
            case "M":
                return self.second[1]
            case "o":
                return self.random.randrange(256, 900)
            case "v":
                return VECTORS_AT
            case "w":
                return self.random.choice((READ, WRITE, READ | WRITE, (1 << 30) - 1))
            case "m":
                return self.random.randrange(512)
            case "s":
                return self.random.randrange(4096)
        return self.random.choice((0, 0, 1, 1, 2, 3, 4, 8))

    def _path(self) -> bytes:
        roll = self.random.random()
        if roll < 0.03:
            return self.random.randbytes(self.random.randrange(40))
        if roll < 0.4:
            return f"workspace/{self.random.choice(TARGETS)}".encode()
        parts = [self.random.choice(NAMES) for _ in range(self.random.choice((0, 1, 1, 1, 2, 3)))]
        if roll < 0.95:
            parts.insert(0, self.random.choice(ROOTS[:1] * 8 + ROOTS))
        if self.random.random() < 0.05:
            parts.insert(0, "")
        return "/".join(parts).encode()

    def _mount(self, guest: str, host: Path, rule: Rule, name: str | None = None) -> OpenMount:
        fd = os.open(host, os.O_PATH | os.O_DIRECTORY)
        self.fds.append(fd)
        return OpenMount(Mount(GuestPath(guest), HostPath(str(host)), (rule,), name), fd)

    def _build(self) -> None:
        ws = self.root / "ws"
        for path in ("ws/.git/hooks", "ws/.ssh", "tmp", "ro", "files", "outside"):
            (self.root / path).mkdir(parents=True)
        (ws / ".git/config").write_bytes(b"config")
        places = ("ws/.env", "ws/.envé", "ws/.ssh/id_rsa", "outside/secret", "ro/.env")
        self.secrets = [self.root / place for place in (*places, "files/neighbour")]
        for path in self.secrets:
            path.write_bytes(SECRET)
        self._refresh()
        made = [*(ws / ".git/hooks").iterdir(), *(self.root / "ro").iterdir()]
        made += [*self.root.iterdir(), *(self.root / "files").iterdir()]
        self.made = {str(p.relative_to(self.root)) for p in made} - {"files/one.txt"}

    def _refresh(self) -> None:
        """Put back what guests removed, so that later ones find something to attack."""
        ws = self.root / "ws"
        (self.root / "files/one.txt").write_bytes(b"one")
        for path in ws.iterdir():
            if path.name not in (".git", ".ssh", ".env", ".envé"):
                _remove(path)
        (ws / "sub/deep").mkdir(parents=True)
        (ws / "a.txt").write_bytes(b"a")
        (ws / "sub/b").write_bytes(b"b")
        for name, target in {
            "to_env": ".env",
            "to_sub": "sub",
            "up": "../outside/secret",
            "abs": str(self.root / "outside/secret"),
            "loop": "loop",
            "l": ".git/hooks/new",
        }.items():
            (ws / name).symlink_to(target)
        (ws / "hard").hardlink_to(ws / ".env")
        os.mkfifo(ws / "fifo")


def _remove(path: Path) -> None:
    if not path.is_symlink() and path.is_dir():
        for inner in path.rglob("*"):
            if not inner.is_symlink() and inner.is_dir():
                inner.chmod(0o700)
        shutil.rmtree(path)
    else:
        path.unlink()


def run(calls: int, seed: int, *, openat2: bool) -> Counter[int]:
    """Make so many calls; return how often each errno was answered."""
    with tempfile.TemporaryDirectory() as root:
        fuzz = Fuzz(Path(root), seed, openat2=openat2)
        try:
            while fuzz.answers.total() < calls:
                fuzz.guest(min(CALLS_PER_GUEST, calls - fuzz.answers.total()))
        finally:
            fuzz.close()
        return fuzz.answers


def main() -> None:
    """Half of the calls with openat2, half with the walk."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    total: Counter[int] = Counter()
    for openat2 in (True, False):
        total += run(given.calls // 2, given.seed + (not openat2), openat2=openat2)
    print(f"{total.total()} calls, seed {given.seed}, answers {dict(total.most_common())}")


if __name__ == "__main__":
    sys.exit(main())
