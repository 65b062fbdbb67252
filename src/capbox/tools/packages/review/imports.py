"""What a WebAssembly module imports, read from its bytes: nothing is compiled or run.

Guarantees: whatever the bytes are, it ends soon, with imports or a PackageError. Does not: read the
imports of a component (preview 2), whose header it knows; they are judged when it runs.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capbox.sandbox.wasi.abi import MODULE, SIGNATURES
from capbox.tools.packages.names import shown
from capbox.tools.packages.problem import PackageError

_MAGIC = b"\0asm"
_MODULE_HEADER = _MAGIC + b"\1\0\0\0"
_COMPONENT_HEADER = _MAGIC + b"\x0d\0\1\0"
_IMPORT_SECTION, _CODE_SECTION = 2, 10
_IMPORTS_MAX = 10_000
_LEB_BYTES_MAX = 5
_KINDS = ("function", "table", "memory", "global", "tag")


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """One thing that a module needs from its host; `kind` as in `function`."""

    module: str
    name: str
    kind: str

    def __str__(self) -> str:
        return shown(f"{self.module}.{self.name}")

    @property
    def linked(self) -> bool:
        """Say whether the sandbox has it."""
        known = self.name if self.module == MODULE else f"{self.module}.{self.name}"
        return self.kind == "function" and known in SIGNATURES


def imports(file: Path) -> tuple[Import, ...] | None:
    """Return what a module imports, None for a component. Raises PackageError and OSError."""
    with file.open("rb") as opened:
        if opened.read(4) != _MAGIC:
            raise PackageError(file.name, "is not WebAssembly")
        with mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as code:
            if code[:8] == _COMPONENT_HEADER:
                return None
            if code[:8] != _MODULE_HEADER:
                raise PackageError(file.name, "is neither a WebAssembly module nor a component")
            try:
                return tuple(_Reader(code).imports())
            except (IndexError, ValueError) as error:
                reason = f"is a damaged WebAssembly module ({error})"
                raise PackageError(file.name, reason) from error


class _Reader:
    """Reads sections in their order (WebAssembly core specification, 5.5)."""

    def __init__(self, code: mmap.mmap) -> None:
        self._code = code
        self._at = len(_MODULE_HEADER)

    def imports(self) -> Iterator[Import]:
        """Yield the imports; what comes behind them is not looked at. Raises ValueError."""
        while self._at < len(self._code):
            section, size = self._byte(), self._number()
            end = self._at + size
            if end > len(self._code):
                raise ValueError("a section is longer than the file")
            if section == _IMPORT_SECTION:
                count = self._number()
                if count > _IMPORTS_MAX:
                    raise ValueError(f"over {_IMPORTS_MAX:,} imports")
                for _ in range(count):
                    yield self._import()
            if section == _CODE_SECTION:
                return
            self._at = end

    def _import(self) -> Import:
        module, name, kind = self._text(), self._text(), self._byte()
        if kind == 0:
            self._number()  # its type
        elif kind == 1:
            self._skip_value_type()
            self._skip_limits()
        elif kind == 2:
            self._skip_limits()
        elif kind == 3:
            self._skip_value_type()
            self._byte()
        elif kind == 4:
            self._byte()
            self._number()
        else:
            raise ValueError("an import of no known kind")
        return Import(module, name, _KINDS[kind])

    def _skip_value_type(self) -> None:
        # A reference type may be spelt with its heap type behind it.
        if self._byte() in (0x63, 0x64):
            self._number()

    def _skip_limits(self) -> None:
        flags = self._byte()
        self._long()
        if flags & 1:
            self._long()

    def _text(self) -> str:
        size = self._number()
        found = self._code[self._at : self._at + size]
        self._at += size
        if len(found) != size:
            raise ValueError("a name is longer than the file")
        return found.decode()

    def _number(self) -> int:
        value = self._long()
        if value >= 1 << 32:
            raise ValueError("a number is too large")
        return value

    def _long(self) -> int:
        value = 0
        for place in range(2 * _LEB_BYTES_MAX):
            byte = self._byte()
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return value
        raise ValueError("a number does not end")

    def _byte(self) -> int:
        if self._at >= len(self._code):
            raise ValueError("it ends too early")
        byte = self._code[self._at]
        self._at += 1
        return byte
