"""What a sandbox does not have says so, and says what to do instead.

Each patch is made when its module is first imported, so that a program pays for no other.
"""

import importlib.abc
import importlib.machinery
import os
import sys
import time

THREADS = "there are no threads in this sandbox: do it in sequence, or with asyncio"
PROGRAMS = "no other program can be started in this sandbox: do it in Python, or use the bash tool"
SOCKETS = (
    "there are no sockets in this sandbox: use capbox.fetch(url) or urllib.request.urlopen(url), "
    "which reach what a fetch: grant allows"
)
BUILT = "/wlr/build-staging/"  # how names of the library's files begin
write = os.write


def install():
    """Put the patches in the way of imports."""
    for name, patch in _PATCHES.items():
        if name in sys.modules:
            patch(sys.modules[name])
    sys.meta_path.insert(0, _Patching())
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
                raise RuntimeError("the program waits for something that can never come")
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

    async def to_thread(function, /, *arguments, **named):
        raise RuntimeError(THREADS)

    module.to_thread = to_thread


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
}


class _Patching(importlib.abc.MetaPathFinder):
    """Finds what others find, and patches it when it is loaded."""

    def find_spec(self, name, path, target=None):
        patch = _PATCHES.get(name)
        if patch is None:
            return None
        spec = next(
            filter(None, (f.find_spec(name, path, target) for f in sys.meta_path if f is not self)),
            None,
        )
        if spec is not None and spec.loader is not None:
            spec.loader = _Patched(spec.loader, patch)
        return spec


class _Patched(importlib.abc.Loader):
    """A loader, and what to do when it has loaded."""

    def __init__(self, loader, patch):
        self._loader = loader
        self._patch = patch

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        self._patch(module)

    def __getattr__(self, name):
        return getattr(self._loader, name)
