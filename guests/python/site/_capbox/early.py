"""Imports what most programs import, before a call comes that would wait for it."""

NAMES = (
    *("abc", "argparse", "array", "ast", "asyncio", "base64", "bisect", "bz2", "calendar"),
    *("cmath", "codecs", "collections", "concurrent.futures.thread", "configparser"),
    *("contextlib", "copy", "csv"),
    *("dataclasses", "datetime", "decimal", "difflib", "dis", "email.message", "enum", "fnmatch"),
    *("fractions", "functools", "getpass", "glob", "graphlib", "gzip", "hashlib", "heapq", "hmac"),
    *("html.parser", "http.client", "inspect", "io", "itertools", "json", "linecache", "locale"),
    *(
        "logging",
        "math",
        "mimetypes",
        "numbers",
        "operator",
        "os",
        "pathlib",
        "pickle",
        "platform",
        "pprint",
    ),
    *("queue", "random", "re", "reprlib", "secrets", "shelve", "shlex", "shutil", "signal"),
    *("socket", "sqlite3", "statistics", "string", "struct", "subprocess", "tarfile", "tempfile"),
    *("textwrap", "threading", "time", "timeit", "tomllib", "traceback", "types", "typing"),
    *("unicodedata", "unittest.mock", "urllib.request", "uuid", "warnings", "weakref"),
    *("xml.dom.minidom", "xml.etree.ElementTree", "zipfile", "zlib", "zoneinfo"),
    *("encodings.idna", "encodings.latin_1", "encodings.cp1252", "encodings.utf_16"),
    *("capbox", "_capbox.execute"),
)


def load():
    """Import them all."""
    for name in NAMES:
        __import__(name)
