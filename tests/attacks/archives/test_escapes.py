"""Archives that write outside the folder they are unpacked into: by names, links and modes.

Each changes what lies outside when it is unpacked naively, and changes nothing here.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from tests.attacks.archives.hostile import (
    MARK,
    TAR,
    OpenSession,
    Place,
    entry,
    link,
    naive_tar,
    tar_of,
    unpacked,
    zip_of,
)


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
