"""What is surely wrong with a typed function, found in its text before the long work of a build.

Guarantees: nothing of the author's is imported or run; what is refused here, the interpreter inside
would refuse too, in these words (`packed/capbox_tool.py.in`) unless it ends before. Does not: judge
what a decorator, a second definition or a name from elsewhere could change. That is told after
packing.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
import warnings
from collections.abc import Iterator

from capbox.tools.regular import read_regular
from capbox.tools.sdk.project import BuildError, Project
from capbox.tools.sdk.python.docstrings import wrong

_GUEST = (3, 12)
_BYTES_MAX = 1 << 20
# What 3.12 takes and 3.11 does not: PEP 695 and 701.
_NEWER = re.compile(r"""[fF][rR]?['"]|\btype\b|\b(?:def|class)\b[^(:]*\[""")
# Who uses one of these may make names, or change a function, where no text shows it.
_DYNAMIC = frozenset(
    (
        *("*", "globals", "locals", "vars", "exec", "eval", "setattr"),
        *("modules", "builtins", "__getattr__", "__dict__", "__builtins__"),
    )
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def refuse(project: Project) -> None:
    """Raise BuildError for a mistake in the source of a Python tool, if one is certain."""
    inside = project.source.relative_to(project.folder).as_posix()
    try:
        text = read_regular(project.source, _BYTES_MAX)
    except (OSError, ValueError):
        return
    reason = found(text, inside, project.function)
    if reason:
        raise BuildError(str(project.source), reason)


def found(text: str, inside: str, name: str) -> str:
    """Return what is surely wrong with the function `name`, "" if nothing is."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text.encode(), inside, feature_version=_GUEST)
    except SyntaxError as error:
        if error.lineno is None or (sys.version_info < _GUEST and _NEWER.search(text)):
            return ""
        line = (error.text or "").strip()
        return f"{inside}:{error.lineno}: {type(error).__name__}: {error.msg}\n    {line}"
    except (ValueError, RecursionError, MemoryError):
        return ""
    names = set(_names(tree))
    if names & _DYNAMIC:
        return ""
    if name not in names:
        module = inside.removesuffix(".py").replace("/", ".")
        return f"{module}.py has no function {name}"
    function = next((one for one in tree.body if _defines(one, name)), None)
    if not isinstance(function, _Function) or function.decorator_list or _changed(tree, name):
        return ""
    reason = _wrong(function, {*_bound(tree), *dir(builtins)})
    return f"{inside}:{function.lineno}: {name}: {reason}" if reason else ""


def _wrong(function: _Function, known: set[str]) -> str:
    given = function.args
    plain = [*given.args, *given.kwonlyargs]
    for one in plain:
        for node in ast.walk(one):
            if isinstance(node, ast.Name) and node.id not in known:
                return f"its annotations cannot be read: name {node.id!r} is not defined"
    doc = ast.get_docstring(function) or ""
    if not doc.strip():
        return "has no docstring; it tells the model what the tool does"
    nameless = next(filter(None, (*given.posonlyargs, given.vararg, given.kwarg)), None)
    if nameless is not None:
        why = "has no name of its own: no *args, **kwargs or positional-only"
        return f"argument {nameless.arg} {why}"
    for one in plain:
        if one.annotation is None:
            return f"argument {one.arg} has no annotation, as `{one.arg}: str`"
    return wrong(doc, [one.arg for one in plain])


def _defines(node: ast.AST, name: str) -> bool:
    return isinstance(node, _Function) and node.name == name


def _changed(tree: ast.Module, name: str) -> bool:
    """Say whether the function could be another one than its one definition says."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == name and id(node) not in called:
            return True
    return list(_bound(tree)).count(name) != 1


def _bound(tree: ast.Module) -> Iterator[str]:
    """Yield each name that is given to something, anywhere; more than those that are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            continue
        if not isinstance(node, (ast.Constant, ast.Attribute, ast.keyword)):
            yield from _texts(node)


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        yield from _texts(node)


def _texts(node: ast.AST) -> Iterator[str]:
    for _, value in ast.iter_fields(node):
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield from (one, one.partition(".")[0]) if "." in one else (one,)
