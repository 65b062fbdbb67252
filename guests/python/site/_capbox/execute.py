"""The tool `python`: runs code as a program; shows its output, its value, and how it failed."""

import ast
import builtins
import io
import linecache
import os
import sys
import traceback
import warnings
from inspect import CO_COROUTINE
from types import CodeType

from _capbox.lacking import BUILT
from _capbox.output import Capture, streams

CODE = "<code>"
WORKSPACE = "/workspace/"
FILES = "/tmp"
VALUE_CHARS_MAX = 20_000
TRACEBACK_CHARS_MAX = 8_000
_OURS = os.path.dirname(os.path.dirname(__file__))
_NOWHERE = f"{_OURS}/no/code.py"
_PYTHON = "python3.12/"

# Made with the image, since that takes long.
_CAPTURE = Capture()
(_STDOUT, _OUT), (_STDERR, _ERROR) = streams(_CAPTURE)
_GIVEN = io.BytesIO()
_STDIN = io.TextIOWrapper(_GIVEN, "utf-8")


def answer(request):
    """Return the result of one call."""
    arguments, room = request["arguments"], request["call"]["output_bytes_max"]
    # What is shown is written as JSON, where a character may take two bytes; and data comes beside.
    _CAPTURE.begin(max(room // 3, 1_000))
    _OUT.count = _ERROR.count = 0
    sys.stdout, sys.stderr, sys.stdin = _STDOUT, _STDERR, _STDIN
    _GIVEN.write(arguments.get("stdin", "").encode())
    _GIVEN.seek(0)
    sys.argv = [CODE, *arguments.get("args", [])]
    sys.path += [*_granted(request["cwd"]), FILES]
    value = None
    try:
        _put(arguments.get("files", {}))
        value, code = _run(arguments["code"], _ERROR)
    except Unusable as unusable:
        return {"ok": False, "error": {"code": "invalid_arguments", "message": str(unusable)}}
    shown, cut = _CAPTURE.text()
    parts = [shown]
    if value is not None:
        parts.append(f"=> {value}\n")
    if code:
        parts.append(f"exit code {code}\n")
    content = "".join(p if not p or p.endswith("\n") else f"{p}\n" for p in parts)
    data = {"exit_code": code, "stdout_bytes": _OUT.count, "stderr_bytes": _ERROR.count}
    if value is not None:
        data["value"] = value
    return {"ok": True, "content": content, "data": data, "truncated": cut}


def _granted(folder):
    """Return the folder, in a list, if something of it was granted: to look into it is told."""
    try:
        found = os.stat(folder)
    except OSError:
        return []
    # The host's word for a folder that is there for its name alone, and holds nothing.
    return [] if (found.st_dev, found.st_ino, found.st_nlink) == (0, 1, 1) else [folder]


class Unusable(Exception):
    """A file of the call that cannot be put in place."""


def _put(files):
    for name, text in files.items():
        path = os.path.normpath(os.path.join(FILES, name))
        if os.path.isabs(name) or not path.startswith(f"{FILES}/"):
            raise Unusable(f"files: {name!r} is not a name below {FILES}")
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise Unusable(f"files: {name!r}: {why}") from None


def _run(code, told):
    """Run `code`; return the representation of its last expression and the exit code.

    How it failed goes to `told` and not to sys.stderr, which the program may have closed.
    """
    # As linecache has a file's: each line with its end, or the marks below the last are shifted.
    lines = f"{code}\n".splitlines(keepends=True)
    linecache.cache[CODE] = (len(code), None, lines, CODE)
    space = sys.modules["__main__"].__dict__
    space["__builtins__"] = builtins
    try:
        value = _evaluated(code, space)
        shown = None if value is None else _shown(value)
        return shown, 0
    except SystemExit as end:
        _flush()
        return None, _status(end.code, told)
    except BaseException as error:
        _flush()
        told.write(_told(error).encode(errors="backslashreplace"))
        return None, 1
    finally:
        _flush()


def _evaluated(code, space):
    value = None
    for part in _compiled(code):
        value = _done(part, space)
    return value


def _compiled(code):
    """Return what is to be executed, and after it what is to be evaluated, if there is anything."""
    try:
        # For the line that it shows, an error of syntax reads the file of that name: this one is
        # within the guest, another would be a refused access that nobody asked for.
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            parts = _parts(code, _NOWHERE)
    except SyntaxError as error:
        error.filename = CODE
        if not error.text and error.lineno:
            error.text = linecache.getline(CODE, error.lineno)
        raise
    return _parts(code, CODE) if told else [_renamed(part) for part in parts]


def _parts(code, name):
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(code, name, "exec", flags | ast.PyCF_ONLY_AST)
    last = []
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = [compile(ast.Expression(tree.body.pop().value), name, "eval", flags)]
    return [compile(tree, name, "exec", flags)] * bool(tree.body or not last) + last


def _renamed(code):
    """Return the code as if it had been compiled under its name, with all that is in it."""
    parts = tuple(_renamed(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(co_filename=CODE, co_consts=parts)


def _done(compiled, space):
    value = eval(compiled, space)
    if not compiled.co_flags & CO_COROUTINE:
        return value
    import asyncio

    return asyncio.run(value)


def _shown(value):
    text = repr(value)
    if len(text) <= VALUE_CHARS_MAX:
        return text
    return f"{text[:VALUE_CHARS_MAX]}... ({len(text):,} characters)"


def _status(code, told):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    told.write(f"{code}\n".encode(errors="backslashreplace"))
    return 1


def _flush():
    for one in (sys.stdout, sys.stderr):
        try:
            one.flush()
        except (AttributeError, ValueError, OSError):
            continue


def _told(error):
    """Return the traceback without our own frames, with names as the person knows them."""
    told = traceback.TracebackException.from_exception(error, compact=True)
    seen = told
    while seen is not None:
        seen.stack[:] = [_named(frame) for frame in seen.stack if not _is_ours(frame)]
        seen = seen.__cause__ or seen.__context__
    return _shortened("".join(told.format()))


def _shortened(text):
    """Leave the middle of a traceback out that is very long, as that of a recursion through two."""
    if len(text) <= TRACEBACK_CHARS_MAX:
        return text
    head = text[: text.rfind("\n", 0, TRACEBACK_CHARS_MAX // 4) + 1]
    tail = text[text.find("\n", -TRACEBACK_CHARS_MAX // 2) + 1 :]
    return f"{head}  [{len(text) - len(head) - len(tail):,} characters left out]\n{tail}"


def _is_ours(frame):
    return frame.filename.startswith(_OURS)


def _named(frame):
    if frame.filename.startswith(WORKSPACE):
        frame.filename = frame.filename[len(WORKSPACE) :]
    elif frame.filename.startswith(BUILT):
        frame.filename = _PYTHON + frame.filename.partition("/Lib/")[2]
    return frame
