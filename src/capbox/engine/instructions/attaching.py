"""Images and PDFs that a person puts beside a task.

Guarantees: what a file is, its first bytes say, not its name; one that no model takes is refused
before anything starts; whoever wrote the file is among the sources of the run. Does not: look
inside, or read a file for anybody but the person who named it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from capbox.authority.authority import FileRight
from capbox.authority.decision import GrantId
from capbox.authority.paths import HostPath, Layout
from capbox.authority.values.label import Sources
from capbox.engine.settings import SettingsError
from capbox.gate.rights.labels import Context
from capbox.messages import Attachment, UserMessage
from capbox.models.facts import facts_of
from capbox.models.model import Model
from capbox.models.providers.modality import BYTES_MAX, IMAGE_BYTES_MAX, PDF, fitting

_BEGINS: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": PDF,
}


@dataclass(frozen=True, slots=True)
class Attached:
    """One file: what goes to the model, and where it is."""

    attachment: Attachment
    path: HostPath

    def sources(self, context: Context, layout: Layout) -> Sources:
        """Return what the run knows by it: as if it had read the file. Raises JournalError.

        Attack: a run puts a secret into a picture, and the person shows the picture to the next.
        """
        path = layout.canonical(self.path)
        right = FileRight(path, write=False, hidden=(), protected=(), grant=GrantId(""), anchor="")
        return context.possible([(right, self.path)])


def attached(path: Path) -> Attached:
    """Read a file to go beside a task. Raises SettingsError, naming it and the reason."""
    subject = f"--attach {path}"
    try:
        with open(path, "rb", opener=_opened) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SettingsError(subject, "is not a file")
            content = file.read(BYTES_MAX + 1)
            # Attack: a run makes the name lead elsewhere between its opening and its label.
            real = str(Path(f"/proc/self/fd/{file.fileno()}").readlink())
    except IsADirectoryError:
        raise SettingsError(subject, "is not a file") from None
    except OSError as error:
        raise SettingsError(subject, error.strerror or "cannot be read") from error
    kind = _kind(content)
    if kind is None:
        reason = "is no PNG, JPEG, GIF, WebP or PDF; text is read by the tools: --read"
        raise SettingsError(subject, f"{reason} {path}")
    most = BYTES_MAX if kind == PDF else IMAGE_BYTES_MAX
    if len(content) > most:
        raise SettingsError(subject, f"is larger than {most // 1_000_000} MB, which providers take")
    return Attached(Attachment(kind, content), HostPath(real))


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # not to wait for whoever writes to a pipe


def left_out(files: Sequence[Attached], model: Model) -> list[str]:
    """Return a line for each file that `model` will not be shown, with the reason."""
    message = UserMessage("", tuple(one.attachment for one in files))
    shown = fitting((message,), facts_of(model))
    said = ((one, shown[id(one.attachment)]) for one in files)
    return [f"{one.path}: {text}" for one, text in said if text is not None]


def _kind(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for begin, kind in _BEGINS.items() if content.startswith(begin)), None)
