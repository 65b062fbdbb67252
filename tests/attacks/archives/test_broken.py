"""Archives that are broken, or claim what is not there: each is a clear error within bounds."""

from __future__ import annotations

import gzip
import lzma
import struct
import tarfile
import zlib
from collections.abc import Mapping

import pytest
from tests.attacks.archives.hostile import MARK, TAR, OpenSession, Place, ended, unpacked


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
