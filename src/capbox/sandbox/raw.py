"""Raw host functions for wasmtime, and the one checked way into guest memory.

Guarantees: a callback never lets an exception into wasmtime and stays referenced as long as its
`RawFunctions`; every access to guest memory is bounds-checked against its present size. Does not:
know WASI, or decide anything.

Why not `Linker.define_func`: it costs 9-15 us a call against 0.5 us, and keeps exceptions in a
module global that other threads see (403 of 60,000 traps misattributed, measured).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from errno import EFAULT, EILSEQ, EINVAL, ENAMETOOLONG
from struct import Struct

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime._extern import wrap_extern

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
_export = ctypes.CFUNCTYPE(
    *(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p),
    *(ctypes.c_size_t, ctypes.c_void_p),
)(("wasmtime_instance_export_get", ffi.dll))
_defined = ctypes.CFUNCTYPE(
    *(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t),
    *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p),
)(("wasmtime_linker_get", ffi.dll))
Extern = ffi.wasmtime_extern_t
_WRITABLE = 0x200
# How core values are written here, and what holds a result.
LETTERS = {"i32": "i", "i64": "I", "f32": "f", "f64": "F"}
_KINDS = {
    **{"i": wasmtime.ValType.i32, "I": wasmtime.ValType.i64},
    **{"f": wasmtime.ValType.f32, "F": wasmtime.ValType.f64},
}
_RESULTS: dict[str, type[ctypes.c_int32] | type[ctypes.c_uint32] | type[ctypes.c_uint64]] = {
    **{"": ctypes.c_int32, "i": ctypes.c_int32},
    **{"I": ctypes.c_uint64, "f": ctypes.c_uint32, "F": ctypes.c_uint64},
}
_NO_FINALIZER = ctypes.cast(0, ctypes.CFUNCTYPE(None, ctypes.c_void_p))
_U32 = Struct("<I")
_U64 = Struct("<Q")


class GuestMemory:
    """The linear memory of the present guest. Pointers are unsigned; outside of it is EFAULT."""

    __slots__ = ("_context", "_kept", "_memory", "size", "view")

    def __init__(self) -> None:
        self.attach_buffer(memoryview(b""))

    def attach_extern(self, store: wasmtime.Store, extern: Extern) -> None:
        """Use what an instance exports. Raises WasmtimeError if that is no memory."""
        memory = wrap_extern(extern)
        if not isinstance(memory, wasmtime.Memory):
            raise wasmtime.WasmtimeError("something else stands where a memory should")
        self.attach(store, memory)

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
        result: str,
        body: Callable[..., int],
    ) -> None:
        """Define `module.name`: `params` and `result` have a letter of `LETTERS` for each value.

        `body` gets and returns unsigned bits, and must not raise; `TRAP` stops the guest.
        """
        callback = _CALLBACK(_adapter(params, result, body))
        kinds, results = ([_KINDS[letter]() for letter in side] for side in (params, result))
        kind = wasmtime.FuncType(kinds, results)
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


class CoreInstance:
    """An instance of a module, and what it exports by name.

    wasmtime-py lists all exports, each in a time that grows with their number: 540 ms for a CPython
    of 14 modules, against 15 (measured).
    """

    def __init__(
        self, store: wasmtime.Store, module: wasmtime.Module, given: Sequence[Extern]
    ) -> None:
        """Instantiate `module` with its imports in order. Raises Trap or WasmtimeError."""
        self._store, self._instance = store, ffi.wasmtime_instance_t()
        imports = (ffi.wasmtime_extern_t * len(given))(*given)
        trap = ctypes.POINTER(ffi.wasm_trap_t)()
        error = ffi.wasmtime_instance_new(
            store._context(),
            module.ptr(),
            imports,
            len(given),
            ctypes.byref(self._instance),
            ctypes.byref(trap),
        )
        _raise(error, trap)
        self._context = ctypes.cast(store._context(), ctypes.c_void_p).value
        self._at = ctypes.addressof(self._instance)

    def get(self, name: str) -> Extern | None:
        """Return what it exports as `name`."""
        found, text = ffi.wasmtime_extern_t(), name.encode()
        there = _export(self._context, self._at, text, len(text), ctypes.addressof(found))
        return found if there else None


def defined(linker: wasmtime.Linker, store: wasmtime.Store, module: str, name: str) -> Extern:
    """Return a host function of `linker`, which must be there, for `store`."""
    found, first, second = ffi.wasmtime_extern_t(), module.encode(), name.encode()
    there = _defined(
        ctypes.cast(linker.ptr(), ctypes.c_void_p).value,
        ctypes.cast(store._context(), ctypes.c_void_p).value,
        *(first, len(first), second, len(second)),
        ctypes.addressof(found),
    )
    if not there:
        raise KeyError(name)
    return found


class CoreFunction:
    """A function of a guest that takes and gives unsigned bits."""

    def __init__(self, store: wasmtime.Store, extern: Extern, params: str, results: str) -> None:
        """Take `extern` if it is a function and has this type, one of `LETTERS` for each value.

        Raises WasmtimeError. Attack: a function with more parameters than it is called with would
        read and write memory of ours.
        """
        function = wrap_extern(extern)
        if not isinstance(function, wasmtime.Func):
            raise wasmtime.WasmtimeError("something else stands where a function should")
        kind = function.type(store)
        found = ("".join(map(_letter, kind.params)), "".join(map(_letter, kind.results)))
        if found != (params, results):
            raise wasmtime.WasmtimeError("a function does not have the type that it should")
        self._store, self._function = store, function
        self._taken, self._given = _slots(params), _slots(results)
        self._count = max(len(params), len(results))

    def __call__(self, *bits: int) -> tuple[int, ...]:
        """Call it. Raises Trap or WasmtimeError."""
        slots = (ffi.wasmtime_val_raw_t * max(1, self._count))()
        self._taken.pack_into(slots, 0, *bits)
        trap = ctypes.POINTER(ffi.wasm_trap_t)()
        error = ffi.wasmtime_func_call_unchecked(
            self._store._context(),
            ctypes.byref(self._function._func),
            slots,
            self._count,
            ctypes.byref(trap),
        )
        _raise(error, trap)
        return self._given.unpack_from(slots)


def _raise(
    error: ctypes._Pointer[ffi.wasmtime_error_t], trap: ctypes._Pointer[ffi.wasm_trap_t]
) -> None:
    if ctypes.cast(error, ctypes.c_void_p).value is not None:
        raise wasmtime.WasmtimeError._from_ptr(error)
    if ctypes.cast(trap, ctypes.c_void_p).value is not None:
        raise wasmtime.Trap._from_ptr(trap)


def _letter(kind: wasmtime.ValType) -> str:
    return LETTERS.get(str(kind), "?")


def _slots(letters: str) -> Struct:
    return Struct("<" + "".join("I12x" if letter in "if" else "Q8x" for letter in letters))


def _adapter(
    params: str, result: str, body: Callable[..., int]
) -> Callable[[int | None, int | None, int, int], int]:
    unpack = _slots(params).unpack_from
    slots_at = (ctypes.c_char * (SLOT_BYTES * max(1, len(params)))).from_address
    result_at = _RESULTS[result].from_address

    def call(_env: int | None, _caller: int | None, slots: int, _count: int) -> int:
        bits = body(*unpack(slots_at(slots))) if params else body()
        if bits == TRAP:
            return _trap()
        if result:
            result_at(slots).value = bits
        return 0

    return call


def _trap() -> int:
    # Ownership of the trap passes to wasmtime.
    trap = ffi.wasmtime_trap_new(
        ctypes.create_string_buffer(STOP_MESSAGE, len(STOP_MESSAGE)), len(STOP_MESSAGE)
    )
    return ctypes.cast(trap, ctypes.c_void_p).value or 0
