"""Names and numbers of WASI preview 1 (wasi_snapshot_preview1.witx), its 46 signatures, our nine.

Pure constants, and the translation of host error numbers. Decides nothing.
"""

from __future__ import annotations

import errno
import stat
from struct import Struct

MODULE = "wasi_snapshot_preview1"

# `i` is an i32, `I` an i64; every function but proc_exit returns an errno.
_SIGNATURES = """
    args_get:ii args_sizes_get:ii environ_get:ii environ_sizes_get:ii clock_res_get:ii
    clock_time_get:iIi fd_advise:iIIi fd_allocate:iII fd_close:i fd_datasync:i fd_fdstat_get:ii
    fd_fdstat_set_flags:ii fd_fdstat_set_rights:iII fd_filestat_get:ii fd_filestat_set_size:iI
    fd_filestat_set_times:iIIi fd_pread:iiiIi fd_prestat_get:ii fd_prestat_dir_name:iii
    fd_pwrite:iiiIi fd_read:iiii fd_readdir:iiiIi fd_renumber:ii fd_seek:iIii fd_sync:i
    fd_tell:ii fd_write:iiii path_create_directory:iii path_filestat_get:iiiii
    path_filestat_set_times:iiiiIIi path_link:iiiiiii path_open:iiiiiIIii path_readlink:iiiiii
    path_remove_directory:iii path_rename:iiiiii path_symlink:iiiii path_unlink_file:iii
    poll_oneoff:iiii proc_exit:i proc_raise:i sched_yield: random_get:ii sock_accept:iii
    sock_recv:iiiiii sock_send:iiiii sock_shutdown:ii capbox_fs.stat:iii capbox_fs.chmod:iii
    capbox_http.request:iiiii capbox_http.answer:ii capbox_http.read:iiii capbox_http.close:i
    capbox_invoke.call:iiiii capbox_invoke.list:i capbox_invoke.answer:ii
"""
SIGNATURES = {n: p for n, _, p in (s.partition(":") for s in _SIGNATURES.split())}

ENOSYS = 52
_IN_ORDER = (
    "E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EBADMSG EBUSY "
    "ECANCELED ECHILD ECONNABORTED ECONNREFUSED ECONNRESET EDEADLK EDESTADDRREQ EDOM EDQUOT EEXIST "
    "EFAULT EFBIG EHOSTUNREACH EIDRM EILSEQ EINPROGRESS EINTR EINVAL EIO EISCONN EISDIR ELOOP "
    "EMFILE EMLINK EMSGSIZE EMULTIHOP ENAMETOOLONG ENETDOWN ENETRESET ENETUNREACH ENFILE ENOBUFS "
    "ENODEV ENOENT ENOEXEC ENOLCK ENOLINK ENOMEM ENOMSG ENOPROTOOPT ENOSPC ENOSYS ENOTCONN ENOTDIR "
    "ENOTEMPTY ENOTRECOVERABLE ENOTSOCK ENOTSUP ENOTTY ENXIO EOVERFLOW EOWNERDEAD EPERM EPIPE "
    "EPROTO EPROTONOSUPPORT EPROTOTYPE ERANGE EROFS ESPIPE ESRCH ESTALE ETIMEDOUT ETXTBSY EXDEV"
)
WASI_ERRNO = {
    getattr(errno, name): number
    for number, name in enumerate(_IN_ORDER.split(), start=1)
    if hasattr(errno, name)
}
EIO = WASI_ERRNO[errno.EIO]

# File types
UNKNOWN, CHARACTER_DEVICE, DIRECTORY, REGULAR, SYMBOLIC_LINK = 0, 2, 3, 4, 7

# Rights bits that matter here; everything else is reported as held and decided at the call.
RIGHT_READ = 1 << 1
RIGHT_WRITE = 1 << 6
RIGHTS_ALL = (1 << 30) - 1
# A stream must not seem seekable: libc takes "character device without seek" for a terminal.
RIGHTS_STREAM = RIGHTS_ALL & ~(1 << 2) & ~(1 << 5)

LOOKUP_FOLLOW = 1
O_CREAT, O_DIRECTORY, O_EXCL, O_TRUNC = 1, 2, 4, 8
FD_APPEND, FD_NONBLOCK = 1, 4
SET_ATIME, SET_ATIME_NOW, SET_MTIME, SET_MTIME_NOW = 1, 2, 4, 8

FDSTAT = Struct("<BxHxxxxQQ")
FILESTAT = Struct("<QQBxxxxxxxQQQQQ")
DIRENT = Struct("<QQIBxxx")


def filetype(mode: int) -> int:
    """Return the WASI file type of an `st_mode`."""
    if stat.S_ISREG(mode):
        return REGULAR
    if stat.S_ISDIR(mode):
        return DIRECTORY
    # Not UNKNOWN, which Go takes for a regular file that it may open.
    return SYMBOLIC_LINK if stat.S_ISLNK(mode) else CHARACTER_DEVICE
