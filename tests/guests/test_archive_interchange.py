"""Archives travel: what others wrote is read by the bash tool, and what it wrote by others.

The others are Python's own modules, and tar, gzip, bzip2, xz and zip where the machine has them.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import random
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from capbox.box import Box
from capbox.engine.local import LocalEngine

WHEN = 1_500_000_000
NOISE = random.Random(1).randbytes(300_000)
FILES: Mapping[str, tuple[bytes, int]] = {
    "tree/plain.txt": (b"some text\n" * 9000, 0o644),
    "tree/tool": (b"#!/bin/sh\n", 0o755),
    "tree/closed": (b"mine", 0o600),
    "tree/empty": (b"", 0o644),
    "tree/noise": (NOISE, 0o644),
    "tree/a b/é \N{SNOWMAN}.txt": (b"name", 0o644),
    "tree/" + "deep/" * 30 + "x" * 90: (b"long name", 0o644),
}
LINKS = {"tree/link": "plain.txt", "tree/a b/up": "../plain.txt"}
Seen = Mapping[str, tuple[object, ...]]


def plant(root: Path) -> None:
    """Make the tree that travels."""
    for name, (content, mode) in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        os.utime(path, (WHEN, WHEN))
    for name, target in LINKS.items():
        (root / name).symlink_to(target)
    (root / "tree" / "bare").mkdir()


def seen(root: Path) -> Seen:
    """Return kind, mode, time and content of everything below."""
    found: dict[str, tuple[object, ...]] = {}
    for path in root.rglob("*"):
        name, status = str(path.relative_to(root)), path.lstat()
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_dir():
            found[name] = ("folder",)
        else:
            found[name] = (path.read_bytes(), status.st_mode & 0o777, int(status.st_mtime))
    return found


def python_tar(mode: str, kind: int) -> Callable[[Path, Path], None]:
    def write(root: Path, target: Path) -> None:
        with tarfile.open(target, mode, format=kind) as archive:
            archive.add(root / "tree", "tree")

    return write


def python_zip(root: Path, target: Path) -> None:
    """Write a zip with modes, and links as Info-ZIP stores them; its times are the tree's."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            if path.is_symlink():
                info = zipfile.ZipInfo(str(path.relative_to(root)))
                info.create_system, info.external_attr = 3, 0o120777 << 16
                archive.writestr(info, str(path.readlink()))
            else:
                archive.write(path, path.relative_to(root))


def program(*command: str) -> Callable[[Path, Path], None]:
    """Return what writes an archive by a program of this machine."""

    def write(root: Path, target: Path) -> None:
        if shutil.which(command[0]) is None:
            pytest.skip(f"no {command[0]} here")
        words = [str(target) if word == "TARGET" else word for word in command]
        environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
        subprocess.run(words, cwd=root, env=environment, check=True, capture_output=True)

    return write


WRITERS: Mapping[str, tuple[Callable[[Path, Path], None], str]] = {
    "Python, ustar with gzip": (python_tar("w:gz", tarfile.GNU_FORMAT), "tar xpf x"),
    "Python, pax with xz": (python_tar("w:xz", tarfile.PAX_FORMAT), "tar xpJf x"),
    "Python, pax with bzip2": (python_tar("w:bz2", tarfile.PAX_FORMAT), "tar xpjf - < x"),
    "Python, zip": (python_zip, "unzip -q x"),
    "tar": (program("tar", "cf", "TARGET", "tree"), "tar xpf x"),
    "tar, pax": (program("tar", "--format=pax", "-cf", "TARGET", "tree"), "tar xpf x"),
    "tar, sparse": (program("tar", "-cSf", "TARGET", "tree"), "cat x | tar xp"),
    "tar with xz": (program("tar", "cJf", "TARGET", "tree"), "tar xpf x"),
    "zip": (program("zip", "-qry", "TARGET", "tree"), "mv x.zip x; unzip -q x"),
}


@pytest.mark.parametrize("writer", WRITERS)
async def test_what_others_packed_is_unpacked(
    writer: str, engine: LocalEngine, tmp_path: Path
) -> None:
    write, script = WRITERS[writer]
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    ours.mkdir()
    plant(theirs)
    write(theirs, ours / "x")
    async with Box(workspace=ours, grants=["write:/workspace"], engine=engine) as box:
        found = await box.call("bash", script="set -e\n" + script + "\nrm x")
    assert (found.content, found.error) == ("", None)
    wanted = seen(theirs)
    if writer == "Python, zip":  # which has no room for the seconds of time zones
        assert {n: v[:2] for n, v in seen(ours).items()} == {n: v[:2] for n, v in wanted.items()}
    else:
        assert seen(ours) == wanted


def python_untar(source: Path, root: Path) -> None:
    with tarfile.open(source) as archive:
        archive.extractall(root, filter="fully_trusted")


def python_unzip(source: Path, root: Path) -> None:
    """Read a zip by Python, which leaves modes, times and links to the caller."""
    with zipfile.ZipFile(source) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            path, mode = root / info.filename, info.external_attr >> 16
            if mode & 0o170000 == 0o120000:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(archive.read(info).decode())
                continue
            archive.extract(info, root)
            if not info.is_dir():
                path.chmod(mode & 0o777)
                os.utime(path, (WHEN, WHEN))


READERS: Mapping[str, tuple[str, Callable[[Path, Path], None]]] = {
    "tar to Python": ("tar cf x tree", python_untar),
    "tar, pax, to Python": ("tar --format=pax -cf x tree", python_untar),
    "tar with gzip to Python": ("tar c tree | gzip -9 > x", python_untar),
    "tar with bzip2 to Python": ("tar cjf x tree", python_untar),
    "tar with xz to Python": ("tar cJf x tree", python_untar),
    "tar, added to, to Python": (
        "tar cf x --exclude=noise --exclude='a b' tree; tar rf x tree/noise 'tree/a b'",
        python_untar,
    ),
    "zip to Python": ("zip -qry x.zip tree; mv x.zip x", python_unzip),
    "zip without compression to Python": ("zip -0qry - tree > x", python_unzip),
    "tar to tar": ("tar cf x tree", lambda x, root: program("tar", "xpf", str(x))(root, x)),
    "tar with gzip to tar": (
        "tar czf x tree", lambda x, root: program("tar", "xpzf", str(x))(root, x)
    ),
    "tar with bzip2 to tar": (
        "tar cjf x tree", lambda x, root: program("tar", "xpjf", str(x))(root, x)
    ),
    "tar with xz to tar": (
        "tar cJf x tree", lambda x, root: program("tar", "xpJf", str(x))(root, x)
    ),
    "zip to unzip": (
        "zip -qry x.zip tree; mv x.zip x",
        lambda x, root: program("unzip", "-q", str(x))(root, x),
    ),
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
async def test_what_is_packed_here_is_unpacked_by_others(
    reader: str, engine: LocalEngine, tmp_path: Path
) -> None:
    script, read = READERS[reader]
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    plant(ours)
    theirs.mkdir()
    wanted = seen(ours)
    async with Box(workspace=ours, grants=["write:/workspace"], engine=engine) as box:
        found = await box.call("bash", script="set -e\n" + script)
    assert (found.content, found.error) == ("", None)
    read(ours / "x", theirs)
    assert seen(theirs) == wanted


STREAMS: Mapping[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "gzip": (gzip.compress, gzip.decompress),
    "bzip2": (bz2.compress, bz2.decompress),
    "xz": (lzma.compress, lzma.decompress),
}


@pytest.mark.parametrize("level", ["-1", "-6", "-9"])
@pytest.mark.parametrize("name", STREAMS)
async def test_compressed_streams_travel_both_ways(
    name: str, level: str, engine: LocalEngine, tmp_path: Path
) -> None:
    compress, decompress = STREAMS[name]
    work = tmp_path / "work"
    work.mkdir()
    content = NOISE + b"text " * 200_000
    (work / "theirs").write_bytes(compress(content[:100]) + compress(content[100:]))
    (work / "plain").write_bytes(content)
    script = f"{name} -dc < theirs > read; {name} {level} < plain > ours"
    async with Box(workspace=work, grants=["write:/workspace"], engine=engine) as box:
        found = await box.call("bash", script=script)
    assert (found.content, found.error) == ("", None)
    assert (work / "read").read_bytes() == content
    assert decompress((work / "ours").read_bytes()) == content
    assert found.spent.memory_bytes < 200 << 20
