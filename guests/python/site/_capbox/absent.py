"""What is not here, by name, and what to do instead: modules, and functions of modules."""

import sys

THREADS = (
    "there are no threads in this sandbox: do it in sequence, with asyncio, or with "
    "concurrent.futures.ThreadPoolExecutor, which runs each call where it is submitted"
)
PROGRAMS = "no other program can be started in this sandbox: do it in Python, or use the bash tool"
SOCKETS = (
    "there are no sockets in this sandbox: use capbox.fetch(url) or urllib.request.urlopen(url), "
    "which reach what a fetch: grant allows"
)
NEVER = "the program waits for something that can never come: there is no other thread"
_USERS = "there are no users in this sandbox: files belong to whoever runs it"
_SCREEN = "there is no screen or terminal in this sandbox: print, or write a file"
_OTHERS = "there are no other processes in this sandbox"
_SIGNALS = "no signals arrive in this sandbox: use asyncio.timeout, or look at time.monotonic()"
_NATIVE = "no native code runs in this sandbox"
_WINDOWS = "this sandbox is no Windows"
_PIP = (
    "nothing can be installed in this sandbox: a person adds pure Python packages with "
    "`capbox python add NAME`; modules of your own go in a granted directory, or in files="
)
_ADD = (
    "it is not here; a module of your own is found in a granted folder (--read .), and a person "
    "adds pure Python packages with `capbox python add NAME`"
)
ADDED = False  # whether this is the tool that packages can be added to

MODULES = {
    "ssl": "there is no ssl here: capbox.fetch and urllib.request.urlopen speak https for you",
    "_ssl": "there is no ssl here: capbox.fetch and urllib.request.urlopen speak https for you",
    "lzma": "there is no lzma here: use bz2, gzip or zipfile, or xz of the bash tool",
    "_lzma": "there is no lzma here: use bz2, gzip or zipfile, or xz of the bash tool",
    "ctypes": f"{_NATIVE}: use struct, array or memoryview",
    "_ctypes": f"{_NATIVE}: use struct, array or memoryview",
    "mmap": "files cannot be mapped in this sandbox: read them, or seek in them",
    "fcntl": "there are no file locks in this sandbox: one call runs at a time",
    "multiprocessing": f"{_OTHERS}: do it in sequence, or with asyncio",
    "_multiprocessing": f"{_OTHERS}: do it in sequence, or with asyncio",
    "concurrent.futures.process": f"{_OTHERS}: concurrent.futures.ThreadPoolExecutor is here",
    "_posixshmem": _OTHERS,
    "_posixsubprocess": PROGRAMS,
    "resource": "the bounds of this sandbox are capbox's: limits of the call, not of the program",
    "syslog": "there is no system log in this sandbox: use logging, or print to sys.stderr",
    "dbm.gnu": "there is no gdbm here: use dbm.dumb, shelve or sqlite3",
    "dbm.ndbm": "there is no ndbm here: use dbm.dumb, shelve or sqlite3",
    "test": "the tests of Python itself are not here",
    "distutils": "distutils is gone from Python 3.12",
    "webbrowser": _SCREEN,
    **dict.fromkeys(("_hashlib", "_uuid"), "not built into this Python: hashlib and uuid do it"),
    **dict.fromkeys(("ensurepip", "pip", "setuptools", "venv", "wheel"), _PIP),
    **dict.fromkeys(("grp", "nis", "pwd", "spwd"), _USERS),
    **dict.fromkeys(("curses", "_curses", "_curses_panel", "readline", "rlcompleter"), _SCREEN),
    **dict.fromkeys(("termios", "tkinter", "_tkinter", "turtle", "turtledemo", "idlelib"), _SCREEN),
    **dict.fromkeys(("msvcrt", "winreg", "winsound", "_winapi", "msilib", "nt"), _WINDOWS),
    **dict.fromkeys(("lib2to3", "pydoc_data", "uu", "xdrlib"), "left out of this Python"),
    **dict.fromkeys(("_pydecimal", "_pyio"), "left out of this Python: decimal and io are here"),
    **dict.fromkeys(("numpy", "pandas", "scipy", "matplotlib", "PIL", "lxml"), _NATIVE),
    **dict.fromkeys(
        ("requests", "httpx", "aiohttp", "urllib3"),
        "not in the standard library: use capbox.fetch(url), or urllib.request.urlopen(url)",
    ),
}

_FUNCTIONS = {
    "os": {
        **dict.fromkeys(
            ("getuid", "geteuid", "getgid", "getegid", "getgroups", "getlogin"), _USERS
        ),
        **dict.fromkeys(("chown", "fchown", "lchown", "setuid", "setgid", "initgroups"), _USERS),
        **dict.fromkeys(
            ("getppid", "kill", "killpg", "wait", "waitpid", "nice", "setsid"), _OTHERS
        ),
        **dict.fromkeys(("sched_getaffinity", "getloadavg", "getpgid", "getpgrp"), _OTHERS),
        **dict.fromkeys(("pipe", "pipe2", "mkfifo", "mknod"), f"{_OTHERS}: use io.BytesIO"),
        **dict.fromkeys(("get_terminal_size", "openpty", "ttyname", "ctermid"), _SCREEN),
        **dict.fromkeys(("statvfs", "fstatvfs", "sync"), "disks are not seen from this sandbox"),
        **dict.fromkeys(("dup2", "lockf"), "descriptors are one each in this sandbox: open again"),
        **dict.fromkeys(
            ("getxattr", "setxattr", "listxattr"), "there are no extended attributes here"
        ),
        **dict.fromkeys(("sendfile", "copy_file_range"), "use shutil.copyfileobj"),
        **dict.fromkeys(("fchmod", "fchdir"), "not for descriptors in this sandbox: give the path"),
        **dict.fromkeys(("umask", "chroot", "memfd_create", "getrandom"), "wasi has no such thing"),
    },
    "signal": dict.fromkeys(("alarm", "setitimer", "pause", "sigwait", "pthread_kill"), _SIGNALS),
    "hashlib": {"scrypt": "it needs OpenSSL: use hashlib.pbkdf2_hmac"},
    "shutil": {"disk_usage": "disks are not seen from this sandbox", "chown": _USERS},
    "socket": dict.fromkeys(("gethostname", "getfqdn", "if_nameindex"), SOCKETS),
    "time": {"thread_time": "use time.process_time", "tzset": "the zone here is UTC: use zoneinfo"},
}


class Absent:
    """Stands last in the way of imports: names what is missing here where it would be not found."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """Raise ModuleNotFoundError for an import of what is known to be missing."""
        instead = MODULES.get(name)
        if instead is None and ADDED and path is None and not name.startswith("_"):
            instead = _ADD
        if instead is None or not _is_imported():
            return None
        raise ModuleNotFoundError(f"No module named {name!r}: {instead}", name=name)


def _is_imported():
    """Say whether this is an import, and not somebody who asks whether one would succeed."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        if frame.f_code.co_name == "_find_and_load":
            return True
        frame = frame.f_back
    return False


def name_functions(name, module):
    """Have a module say what to do instead of a function that it lacks here."""
    lacking = {n: why for n, why in _FUNCTIONS.get(name, {}).items() if not hasattr(module, n)}
    if not lacking:
        return

    def missing(attribute):
        why = lacking.get(attribute)
        if why is None:
            raise AttributeError(
                f"module {name!r} has no attribute {attribute!r}", name=attribute, obj=module
            )
        raise AttributeError(f"there is no {name}.{attribute} here: {why}")

    module.__getattr__ = missing


FUNCTIONS_OF = tuple(_FUNCTIONS)
