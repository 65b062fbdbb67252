"""Hostile archives: each bites who unpacks it naively, and is contained here.

An archive is made in the test, unpacked by Python without any care beside a stand-in for what lies
outside, and then by the commands of the bash tool in a session whose workspace is beside another.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import stat
import struct
import tarfile
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from capbox.engine.session import Session
from capbox.engine.settings import Settings
from capbox.messages import ToolResult

OpenSession = Callable[[Settings], AbstractAsyncContextManager[Session]]
MARK = b"owned\n"
BITE_BYTES = 100_000_000
BITE_MEMBERS = 5_000
ZEROS = bytes(1 << 20)


@dataclass(frozen=True, slots=True)
class Place:
    """Workspace and stand-in, side by side; archives lie in the workspace."""

    root: Path

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def outside(self) -> Path:
        return self.root / "outside"

    @property
    def target(self) -> Path:
        return self.outside / "target.txt"

    @property
    def into(self) -> Path:
        return self.work / "into"

    def state(self) -> Mapping[str, tuple[int, bytes]]:
        """Return what is outside, and the one file of the workspace that nobody may change."""
        files = [self.outside, *self.outside.rglob("*"), self.work / "keep" / "own.txt"]
        return {str(p): (p.lstat().st_mode, p.read_bytes() if p.is_file() else b"") for p in files}


@pytest.fixture
def place() -> Iterator[Place]:
    """Make a workspace and what is beside it, not below /tmp: a guest has a /tmp of its own."""
    made = Place(Path(tempfile.mkdtemp(prefix="capbox-archives-", dir="/var/tmp")))
    for folder in (made.into, made.outside, made.work / "keep"):
        folder.mkdir(parents=True)
    made.target.write_text("precious\n")
    (made.work / "keep" / "own.txt").write_text("mine\n")
    yield made
    shutil.rmtree(made.root)


Member = tuple[str, dict[str, object], bytes]


def entry(name: str, content: bytes = MARK, **fields: object) -> Member:
    return name, fields, content


def tar_of(*members: Member) -> Callable[[Place], bytes]:
    """Return what makes a tar archive; @outside stands for the absolute path of the stand-in."""

    def make(place: Place) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, fields, content in members:
                info = tarfile.TarInfo(name.replace("@outside", str(place.outside)))
                for key, value in fields.items():
                    text = isinstance(value, str)
                    setattr(
                        info, key, value.replace("@outside", str(place.outside)) if text else value
                    )
                info.size = len(content) if info.isreg() else 0
                archive.addfile(info, io.BytesIO(content))
        return buffer.getvalue()

    return make


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Member:
    return entry(name, b"", type=kind, linkname=target)


def zip_of(*members: tuple[str, bytes, int]) -> Callable[[Place], bytes]:
    """Return what makes a zip archive of names, contents and modes."""

    def make(place: Place) -> bytes:
        buffer = io.BytesIO()
        with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
            warnings.simplefilter("ignore")  # of names that come twice, which is the point
            for name, content, mode in members:
                info = zipfile.ZipInfo("x")
                info.filename = name.replace("@outside", str(place.outside))
                info.create_system, info.external_attr = 3, mode << 16
                archive.writestr(info, content)
        return buffer.getvalue()

    return make


def naive_tar(place: Place, data: bytes) -> None:
    """Unpack as Python does without a filter."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive, suppress(OSError, tarfile.TarError):
        archive.extractall(place.into, filter="fully_trusted")


def naive_zip(place: Place, data: bytes) -> None:
    """Unpack as everybody writes it the first time."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            path = place.into / info.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            if stat.S_ISLNK(info.external_attr >> 16):
                path.symlink_to(archive.read(info).decode())
            else:
                path.write_bytes(archive.read(info))


def naive_gunzip(place: Place, data: bytes) -> None:
    """Unpack under the name that the file says it had."""
    name = data[10 : data.index(b"\0", 10)].decode()
    (place.into / name).write_bytes(gzip.decompress(data))


@dataclass(frozen=True, slots=True)
class Hostile:
    """An archive that changes what it must not; `says` is what the command tells."""

    make: Callable[[Place], bytes]
    unpack: Callable[[Place, bytes], None]
    script: str
    says: str
    code: int


DOOR = link("door", "../../outside")
TAR = "tar xf ../evil -C ."
CHANGING: Mapping[str, Hostile] = {
    "tar: names that climb out": Hostile(
        tar_of(entry("../../outside/target.txt")), naive_tar, TAR,
        "Removing leading `../../' from member names", 0,
    ),
    "tar: a name that climbs out of a folder": Hostile(
        tar_of(entry("a/x"), entry("a/../../../outside/target.txt")), naive_tar, TAR,
        "Removing leading `a/../../../' from member names", 0,
    ),
    "tar: absolute names": Hostile(
        tar_of(entry("@outside/target.txt")), naive_tar, TAR,
        "Removing leading `/' from member names", 0,
    ),
    "tar: absolute names, kept as asked": Hostile(
        tar_of(entry("@outside/target.txt")), naive_tar, TAR + " -P", "Permission denied", 2
    ),
    "tar: a link out, written through": Hostile(
        tar_of(DOOR, entry("door/target.txt")), naive_tar, TAR,
        "door/target.txt: Cannot open: Not a directory", 2,
    ),
    "tar: an absolute link out, written through": Hostile(
        tar_of(link("door", "@outside"), entry("door/target.txt")), naive_tar, TAR,
        "Cannot create symlink", 2,
    ),
    "tar: a link to a file, then the file": Hostile(
        tar_of(link("file", "../../outside/target.txt"), entry("file")), naive_tar, TAR, "", 0
    ),
    "tar: links that climb together": Hostile(
        tar_of(link("one", ".."), link("two", "one/.."), entry("two/outside/target.txt")),
        naive_tar, TAR, "Cannot create symlink", 2,
    ),
    "tar: a hard link out, then the file": Hostile(
        tar_of(link("h", "@outside/target.txt", tarfile.LNKTYPE), entry("h")), naive_tar, TAR,
        "Removing leading `/' from hard link targets", 2,
    ),
    "tar: a hard link up and out, then the file": Hostile(
        tar_of(link("h", "../../outside/target.txt", tarfile.LNKTYPE), entry("h")), naive_tar, TAR,
        "Removing leading `../../' from hard link targets", 2,
    ),
    "tar: a link inside the workspace, written through": Hostile(
        tar_of(link("door", "../keep"), entry("door/own.txt")), naive_tar, TAR,
        "door/own.txt: Cannot open: Not a directory", 2,
    ),
    "tar: the mode of a folder behind a link": Hostile(
        tar_of(DOOR, entry("door", b"", type=tarfile.DIRTYPE, mode=0o777)), naive_tar, TAR, "", 0
    ),
    "zip: names that climb out": Hostile(
        zip_of(("../../outside/target.txt", MARK, 0o100644)), naive_zip, "unzip -o ../evil",
        'skipped "../" path component(s)', 1,
    ),
    "zip: absolute names": Hostile(
        zip_of(("@outside/target.txt", MARK, 0o100644)), naive_zip, "unzip -o ../evil",
        "stripped absolute path spec", 1,
    ),
    "zip: a link out, written through": Hostile(
        zip_of(("door", b"../../outside", 0o120777), ("door/target.txt", MARK, 0o100644)),
        naive_zip, "unzip -o ../evil", "error:", 2,
    ),
    "zip: a link to a file, then the file": Hostile(
        zip_of(
            ("file", b"../../outside/target.txt", 0o120777), ("file", MARK, 0o100644)
        ),
        naive_zip, "unzip -o ../evil", "", 0,
    ),
    "gzip: a stored name that climbs out": Hostile(
        lambda _: b"\x1f\x8b\x08\x08" + bytes(6) + b"../../outside/target.txt\0"
        + gzip.compress(MARK)[10:],
        naive_gunzip, "cp ../evil evil.gz; gunzip -N evil.gz; cat target.txt", "owned", 0,
    ),
}  # fmt: skip


async def unpacked(place: Place, script: str, open_session: OpenSession) -> ToolResult:
    """Run a script in the folder that is unpacked into."""
    async with open_session(Settings(workspace=place.work, writes=(".",))) as session:
        found = await session.call("bash", {"script": "cd into\n" + script})
    assert {e.path for e in found.effects if not e.path.startswith("/workspace/")} == set()
    assert "internal error" not in found.content
    return found


@pytest.mark.parametrize("attack", CHANGING)
def test_an_archive_changes_what_is_outside_when_unpacked_naively(
    attack: str, place: Place
) -> None:
    hostile = CHANGING[attack]
    before = place.state()
    hostile.unpack(place, hostile.make(place))
    assert place.state() != before


@pytest.mark.parametrize("attack", CHANGING)
async def test_an_archive_changes_nothing_outside(
    attack: str, place: Place, open_session: OpenSession
) -> None:
    hostile = CHANGING[attack]
    (place.work / "evil").write_bytes(hostile.make(place))
    before = place.state()
    found = await unpacked(place, hostile.script, open_session)
    assert place.state() == before
    assert hostile.says in found.content
    assert found.data is not None
    assert (found.data["exit_code"], found.error) == (hostile.code, None), found.content


# What no archive may leave behind: a pipe that blocks its reader, a program with another's rights,
# and files that a person's own tools obey.
LEFT: Mapping[str, tuple[Callable[[Place], bytes], str, Callable[[Place], bool], str]] = {
    "a FIFO": (
        tar_of(entry("pipe", b"", type=tarfile.FIFOTYPE)), TAR,
        lambda place: stat.S_ISFIFO(mode_of(place.into / "pipe")), "pipe: Cannot mkfifo",
    ),
    "a setuid program": (
        tar_of(entry("su", mode=0o4755)), TAR + " -p",
        lambda place: bool(mode_of(place.into / "su") & stat.S_ISUID),
        "su: setuid and setgid are not restored",
    ),
    "a hook of git": (
        tar_of(entry(".git/hooks/post-checkout", mode=0o755), entry("plain")), TAR,
        lambda place: (place.into / ".git").exists(),
        ".git/hooks/post-checkout: Cannot open: Permission denied",
    ),
    "a policy of capbox": (
        tar_of(entry("capbox.toml"), entry("plain")), TAR,
        lambda place: (place.into / "capbox.toml").exists(),
        "capbox.toml: Cannot open: Permission denied",
    ),
}  # fmt: skip


def mode_of(path: Path) -> int:
    return path.lstat().st_mode if path.is_symlink() or path.exists() else 0


@pytest.mark.parametrize("attack", LEFT)
def test_an_archive_leaves_what_it_must_not_when_unpacked_naively(
    attack: str, place: Place
) -> None:
    make, _, left, _ = LEFT[attack]
    naive_tar(place, make(place))
    assert left(place)


@pytest.mark.parametrize("attack", LEFT)
async def test_an_archive_leaves_nothing_that_it_must_not(
    attack: str, place: Place, open_session: OpenSession
) -> None:
    make, script, left, says = LEFT[attack]
    (place.work / "evil").write_bytes(make(place))
    found = await unpacked(place, script, open_session)
    assert says in found.content
    assert not left(place)


def zeros_in(codec: Callable[[bytes], bytes], megabytes: int) -> bytes:
    """Return many members of a megabyte each."""
    return codec(ZEROS) * megabytes


def members_of_nothing(_: Place) -> bytes:
    """Return a compressed tar with a hundred thousand empty files, each of the same name."""
    block = tarfile.TarInfo("n").tobuf(tarfile.GNU_FORMAT)
    return gzip.compress(block * 100_000, compresslevel=1)


def sparse_tar(_: Place) -> bytes:
    """Return a tar whose one member says that it has ten gigabytes, all of them a hole."""
    size = 10_000_000_000
    info = tarfile.TarInfo("hole")
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[386:398], header[398:410] = b"%011o\0" % size, b"%011o\0" % 0
    header[483:495] = b"%011o\0" % size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(1024)


def overlapping_zip(_: Place) -> bytes:
    """Return a zip with one megabyte of zeros that a thousand members share."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = squeezer.compress(ZEROS) + squeezer.flush()
    sizes = (zlib.crc32(ZEROS), len(data), len(ZEROS))
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 33, *sizes, 1, 0) + b"x" + data
    central = b"".join(
        struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 33, *sizes, 4, 0, 0, 0, 0, 0, 0)
        + b"%04d" % number
        for number in range(1000)
    )
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1000, 1000, len(central), len(local), 0)
    return local + central + end


def count_stream(opener: Callable[[io.BytesIO], io.BufferedIOBase]) -> Callable[[bytes], bool]:
    """Return whether decompression goes on to the bound of this test."""

    def bites(data: bytes) -> bool:
        total = 0
        with opener(io.BytesIO(data)) as stream:
            while total < BITE_BYTES and (chunk := stream.read(1 << 20)):
                total += len(chunk)
        return total >= BITE_BYTES

    return bites


def bites_by_members(data: bytes) -> bool:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return sum(1 for _, _ in zip(archive, range(BITE_MEMBERS), strict=False)) == BITE_MEMBERS


def bites_by_hole(data: bytes) -> bool:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return any(member.size > BITE_BYTES for member in archive)


def bites_by_sharing(data: bytes) -> bool:
    """Decompress each member from where the directory says, as an unpacker without memory does."""
    total, at = 0, data.index(b"PK\1\2")
    while total < BITE_BYTES and data[at : at + 4] == b"PK\1\2":
        packed, name = struct.unpack_from("<I4xH", data, at + 20)
        total += len(zlib.decompressobj(-15).decompress(data[31 : 31 + packed]))
        at += 46 + name
    return total >= BITE_BYTES


BOMBS: Mapping[str, tuple[Callable[[Place], bytes], Callable[[bytes], bool], str, str]] = {
    "gzip, to a file": (
        lambda _: zeros_in(gzip.compress, 200), count_stream(lambda f: gzip.GzipFile(fileobj=f)),
        "cp ../evil evil.gz; gunzip evil.gz", "written",
    ),
    "gzip, to the output": (
        lambda _: zeros_in(gzip.compress, 200), count_stream(lambda f: gzip.GzipFile(fileobj=f)),
        "zcat < ../evil", "output",
    ),
    "bzip2": (
        lambda _: zeros_in(bz2.compress, 200), count_stream(bz2.BZ2File),
        "bunzip2 < ../evil > out", "written",
    ),
    "xz": (
        lambda _: zeros_in(lzma.compress, 200), count_stream(lzma.LZMAFile),
        "xz -dc ../evil > out", "written",
    ),
    "tar with a hole": (sparse_tar, bites_by_hole, TAR, "written"),
    "tar with very many members": (members_of_nothing, bites_by_members, TAR, "files_created"),
    "zip of members that share their bytes": (
        overlapping_zip, bites_by_sharing, "unzip -o ../evil", "exit 12",
    ),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_expands_naively(bomb: str, place: Place) -> None:
    make, bites, _, _ = BOMBS[bomb]
    data = make(place)
    assert bites(data)
    assert len(data) < BITE_BYTES // 100


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_meets_a_bound(bomb: str, place: Place, open_session: OpenSession) -> None:
    make, _, script, end = BOMBS[bomb]
    (place.work / "evil").write_bytes(make(place))
    found = await unpacked(place, script, open_session)
    assert ended(found) == end
    assert sum(path.stat().st_size for path in place.into.iterdir()) < BITE_BYTES
    assert len(list(place.into.iterdir())) < BITE_MEMBERS


def ended(found: ToolResult) -> str:
    """Return the bound that a call met, or its exit code."""
    if found.error is not None:
        return found.error.code
    assert found.data is not None
    return f"exit {found.data['exit_code']}"


def big_dictionary() -> bytes:
    """Return an xz file whose header asks for a dictionary of four gigabytes less one byte."""
    data = bytearray(lzma.compress(b"x", check=lzma.CHECK_NONE))
    at = data.index(b"\x21\x01", 12) + 2
    data[at] = 40
    size = (data[12] + 1) * 4
    data[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(data[12 : 12 + size - 4]))
    return bytes(data)


def many_claimed() -> bytes:
    """Return a zip whose end claims two milliards of members."""
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2**31, 2**31, 46, 0)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return end64 + locator + end


def whole_tar(**fields: object) -> bytes:
    info = tarfile.TarInfo("a")
    for key, value in fields.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.PAX_FORMAT)


def latin_tar() -> bytes:
    return tarfile.TarInfo("\xff").tobuf(tarfile.GNU_FORMAT, encoding="latin-1") + bytes(1024)


BROKEN: Mapping[str, tuple[bytes, str, str, int]] = {
    "no tar at all": (b"no archive " * 300, TAR, "This does not look like a tar archive", 2),
    "ten gigabytes that are not there": (
        whole_tar(size=10_000_000_000) + MARK, TAR, "Unexpected EOF in archive", 2
    ),
    "a header that is cut": (whole_tar()[:400], TAR, "This does not look like a tar archive", 2),
    "a name of 100 KB": (
        whole_tar(name="a/" * 50_000) + bytes(1024), TAR, "Cannot open: File name too long", 2
    ),
    "a name that is not UTF-8": (
        latin_tar(),
        TAR,
        "\\377: Cannot open: ",
        2,
    ),
    "names that come twice": (
        whole_tar() * 3 + whole_tar(type=tarfile.DIRTYPE) + whole_tar() + bytes(1024),
        TAR,
        "",
        0,
    ),
    "a file over a folder that holds something": (
        whole_tar(name="a/b") + whole_tar() + bytes(1024),
        TAR,
        "a: Cannot open: File exists",
        2,
    ),
    "a link to itself": (
        whole_tar(name="l", type=tarfile.SYMTYPE, linkname="l") + bytes(1024), TAR, "", 0
    ),
    "a hard link to itself": (
        whole_tar(name="l", type=tarfile.LNKTYPE, linkname="l") + bytes(1024), TAR, "", 0
    ),
    "a gzip stream that is cut": (
        gzip.compress(whole_tar() + bytes(9000))[:-12], TAR, "gzip: stdin: unexpected end", 2
    ),
    "a sum that does not match": (
        gzip.compress(MARK)[:-8] + bytes(8), "zcat < ../evil", "crc error", 1
    ),
    "a dictionary of 4 GB": (
        big_dictionary(), "xz -dc ../evil", "xz: ../evil: Memory usage limit reached", 1
    ),
    "no zip at all": (b"PK\3\4" * 99, "unzip ../evil", "signature not found", 9),
    "a zip of two milliards": (many_claimed(), "unzip -l ../evil", "not supported", 2),
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_broken_archive_is_a_clear_error(
    broken: str, place: Place, open_session: OpenSession
) -> None:
    data, script, says, code = BROKEN[broken]
    (place.work / "evil").write_bytes(data)
    before = place.state()
    found = await unpacked(place, script, open_session)
    assert place.state() == before
    assert says in found.content
    assert ended(found) == f"exit {code}"
    assert found.spent.memory_bytes < 128 << 20


@pytest.mark.parametrize(
    ("make", "script"),
    [
        (tar_of(entry("a\x1b[2Jb")), "tar tf ../evil; tar xvf ../evil"),
        (zip_of(("a\x1b[2Jb", MARK, 0o100644)), "unzip -l ../evil; unzip -o ../evil"),
    ],
    ids=["tar", "zip"],
)
async def test_a_name_drives_no_terminal(
    make: Callable[[Place], bytes], script: str, place: Place, open_session: OpenSession
) -> None:
    data = make(place)
    assert b"\x1b[2J" in data
    (place.work / "evil").write_bytes(data)
    found = await unpacked(place, script, open_session)
    assert "a" in found.content
    assert "\x1b" not in found.content


async def test_a_link_that_an_earlier_archive_left_is_not_written_through(
    place: Place, open_session: OpenSession
) -> None:
    first = tar_of(link("door", "../keep"))(place)
    second = tar_of(entry("door/own.txt"), entry("plain"))(place)
    naive = Place(place.root / "naive")
    (naive.into).mkdir(parents=True)
    (naive.work / "keep").mkdir()
    for data in (first, second):
        naive_tar(naive, data)
    assert (naive.work / "keep" / "own.txt").read_bytes() == MARK

    (place.work / "one").write_bytes(first)
    (place.work / "two").write_bytes(second)
    before = place.state()
    found = await unpacked(place, "tar xf ../one; tar xf ../two", open_session)
    assert (place.into / "door").is_symlink()
    assert "door/own.txt: Cannot open: a symbolic link leads out" in found.content
    assert (place.state(), (place.into / "plain").read_bytes()) == (before, MARK)
