"""Archives that are small and become large: each does naively, and meets a bound here."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Callable, Mapping

import pytest
from tests.attacks.archives.hostile import TAR, OpenSession, Place, ended, unpacked

BITE_BYTES = 100_000_000
BITE_MEMBERS = 5_000
ZEROS = bytes(1 << 20)


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
