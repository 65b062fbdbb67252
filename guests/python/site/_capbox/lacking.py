"""What a sandbox does not have says so, and says what to do instead.

Each patch is made when its module is first imported, so that a program pays for no other.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import time

from _capbox.absent import (
    FUNCTIONS_OF,
    NEVER,
    PROGRAMS,
    SOCKETS,
    THREADS,
    Absent,
    name_functions,
)

BUILT = "/wlr/build-staging/"  # how names of the library's files begin
ZONES = os.path.join(os.path.dirname(__file__), "zones")
write = os.write


def install():
    """Put the patches in the way of imports."""
    for name in {*_PATCHES, *FUNCTIONS_OF} & sys.modules.keys():
        _patch(name, sys.modules[name])
    sys.meta_path.insert(0, _Patching())
    sys.meta_path.append(Absent)
    _os(os)
    _threads(sys.modules["_thread"])


def _os(module):
    def unavailable(*_arguments, **_named):
        raise OSError(58, PROGRAMS)

    for name in ("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp"):
        setattr(module, name, unavailable)
    for name in ("execv", "execve", "execvp", "execvpe", "execl", "execle", "execlp", "execlpe"):
        setattr(module, name, unavailable)

    def to_streams(fd, content):
        """Write; what is meant for the standard streams joins what is printed there."""
        stream = {1: sys.stdout, 2: sys.stderr}.get(fd)
        if stream is None or not hasattr(stream, "buffer"):
            return write(fd, content)
        stream.flush()
        return stream.buffer.write(bytes(content))

    module.write = to_streams
    module.register_at_fork = lambda **_named: None


def _threads(module):
    def start(*_arguments, **_named):
        raise RuntimeError(THREADS)

    module.start_new_thread = start
    module.start_new = start
    if hasattr(module, "start_joinable_thread"):
        module.start_joinable_thread = start


def _threading(module):
    def start(*_arguments, **_named):
        raise RuntimeError(THREADS)

    module._start_new_thread = start
    wait = module.Condition.wait

    def waits(self, timeout=None):
        # Who waits without end holds what only another thread could give.
        if timeout is None:
            raise RuntimeError(NEVER)
        return wait(self, timeout)

    module.Condition.wait = waits


def _linecache(module):
    update = module.updatecache

    def updatecache(filename, module_globals=None):
        # Where the library was built is no place here: to look there would be refused, and told.
        if filename.startswith((BUILT, "<")):
            return []
        return update(filename, module_globals)

    module.updatecache = updatecache


def _subprocess(module):
    class Popen(module.Popen):
        """Refuses."""

        def __init__(self, *_arguments, **_named):
            self.returncode, self._child_created = None, False
            self.stdin = self.stdout = self.stderr = None
            raise OSError(58, PROGRAMS)

    module.Popen = Popen


def _socket(module):
    class Socket(module.socket):
        """Refuses."""

        def __init__(self, *_arguments, **_named):
            raise OSError(58, SOCKETS)

        def __del__(self):
            pass

    def refused(*_arguments, **_named):
        raise OSError(58, SOCKETS)

    module.socket = module.SocketType = Socket
    for name in ("create_connection", "create_server", "socketpair", "getaddrinfo", "fromfd"):
        setattr(module, name, refused)
    for name in ("gethostbyname", "gethostbyaddr", "gethostbyname_ex"):
        setattr(module, name, refused)


def _selectors(module):
    class Selector(module._BaseSelectorImpl):
        """Nothing to watch: it only waits."""

        def select(self, timeout=None):
            if timeout is None:
                raise RuntimeError(NEVER)
            if timeout > 0:
                time.sleep(timeout)
            return []

    module.DefaultSelector = module.SelectSelector = Selector


def _asyncio(module):
    from asyncio import selector_events

    # Nobody wakes this loop from another thread: there is none.
    loop = selector_events.BaseSelectorEventLoop
    loop._make_self_pipe = lambda self: None
    loop._close_self_pipe = lambda self: None
    loop._write_to_self = lambda self: None

    async def shutdown_default_executor(self, timeout=None):  # noqa: ASYNC109 - as it is elsewhere
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            self._default_executor.shutdown()

    loop.shutdown_default_executor = shutdown_default_executor


def _hashlib(module):
    from _capbox.derivation import pbkdf2_hmac

    module.pbkdf2_hmac = pbkdf2_hmac


# Where these look on other systems nothing is here: to look would be refused, and told.


def _mimetypes(module):
    module.knownfiles.clear()


def _uuid(module):
    module._GETTERS = module._OS_GETTERS = []


def _shutil(module):
    which = module.which

    def in_path(cmd, mode=os.F_OK | os.X_OK, path=None):
        """Find a program in `path`; without one there is none."""
        if path is None and not os.path.dirname(cmd):
            return None
        return which(cmd, mode, path)

    module.which = in_path


# WASI knows no modes; an archive of files without any could not be read where it is unpacked.


def _zipfile(module):
    from_file = module.ZipInfo.from_file

    def with_mode(cls, *arguments, **named):
        made = from_file(*arguments, **named)
        if not made.external_attr >> 16 & 0o777:
            made.external_attr |= (0o755 if made.is_dir() else 0o644) << 16
        return made

    module.ZipInfo.from_file = classmethod(with_mode)


def _tarfile(module):
    gettarinfo = module.TarFile.gettarinfo

    def with_mode(self, *arguments, **named):
        made = gettarinfo(self, *arguments, **named)
        if made is not None and not made.mode & 0o777:
            made.mode |= 0o755 if made.isdir() else 0o644
        return made

    module.TarFile.gettarinfo = with_mode


def _zoneinfo(module):
    module.reset_tzpath((ZONES,))


def _urllib(module):
    from capbox import _Opener

    module.install_opener(_Opener())


_PATCHES = {
    "linecache": _linecache,
    "threading": _threading,
    "subprocess": _subprocess,
    "socket": _socket,
    "selectors": _selectors,
    "asyncio": _asyncio,
    "urllib.request": _urllib,
    "hashlib": _hashlib,
    "mimetypes": _mimetypes,
    "shutil": _shutil,
    "tarfile": _tarfile,
    "uuid": _uuid,
    "zipfile": _zipfile,
    "zoneinfo": _zoneinfo,
}

_OWN = {"concurrent.futures.thread": os.path.join(os.path.dirname(__file__), "pool.py")}


def _patch(name, module):
    if name in _PATCHES:
        _PATCHES[name](module)
    name_functions(name, module)


class _Patching(importlib.abc.MetaPathFinder):
    """Finds what others find, and patches it when it is loaded."""

    def find_spec(self, name, path, target=None):
        if name in _OWN:
            return importlib.util.spec_from_file_location(name, _OWN[name])
        patch = _PATCHES.get(name)
        if patch is None and name not in FUNCTIONS_OF:
            return None
        spec = next(
            filter(None, (f.find_spec(name, path, target) for f in sys.meta_path if f is not self)),
            None,
        )
        if spec is not None and spec.loader is not None:
            spec.loader = _Patched(spec.loader, name)
        return spec


class _Patched(importlib.abc.Loader):
    """A loader, and what to do when it has loaded."""

    def __init__(self, loader, name):
        self._loader = loader
        self._name = name

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        _patch(self._name, module)

    def __getattr__(self, name):
        return getattr(self._loader, name)
