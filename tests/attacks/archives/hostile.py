"""What the attacks by archives share: a place to unpack in, archives, and who unpacks them.

An archive is made in the test, unpacked by Python without any care beside a stand-in for what lies
outside, and then by the commands of the bash tool in a session whose workspace is beside another.
"""

from __future__ import annotations

import io
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from capbox.engine.session import Session
from capbox.engine.settings import Settings
from capbox.messages import ToolResult

OpenSession = Callable[[Settings], AbstractAsyncContextManager[Session]]
MARK = b"owned\n"
TAR = "tar xf ../evil -C ."


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


async def unpacked(place: Place, script: str, open_session: OpenSession) -> ToolResult:
    """Run a script in the folder that is unpacked into."""
    async with open_session(Settings(workspace=place.work, writes=(".",))) as session:
        found = await session.call("bash", {"script": "cd into\n" + script})
    assert {e.path for e in found.effects if not e.path.startswith("/workspace/")} == set()
    assert "internal error" not in found.content
    return found


def ended(found: ToolResult) -> str:
    """Return the bound that a call met, or its exit code."""
    if found.error is not None:
        return found.error.code
    assert found.data is not None
    return f"exit {found.data['exit_code']}"
