"""Counts what the style charter promises: sizes, names, docstrings, errors, types, quiet imports.

Each rule is a pure function from a package folder to a list of violations; the second half feeds
each one a package that breaks it. Raising a number here takes an ADR. Not counted: whether a name
or a comment is any good.

How lengths are taken: a module is all its lines (empty `__init__.py` files are left out); a
function runs from `def` to its last line, without its docstring.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "capbox"

TRUSTED_BASE = ("authority", "journal", "sandbox", "broker", "gate")
TRUSTED_BASE_CODE_LINES = 15_600  # ADRs 9, 16, 18 to 26, 34 to 36
MODULE_LINES = 400
MODULE_LINES_OF_MOST = 300
MODULE_LINES_MEDIAN = 120
FUNCTION_LINES = 60
FUNCTION_LINES_MEDIAN = 8
POSITIONAL = 5
MODULES_IN_A_FOLDER = 12
ERROR_CLASSES = 8

MODULE_NAMES = {"util", "utils", "common", "core", "helper", "helpers", "manager", "misc"}
# A class is a noun, so its last word counts; a function is a verb, so its first does.
NOUNS = {"Util", "Utils", "Helper", "Helpers", "Manager", "Handler", "Process", "Data"} | {
    "Bypass",
    "Trusted",
}
VERBS = {"process", "handle", "manage", "bypass", "util", "helper"}
PROTOCOLS = {"Model": "models", "Runner": "gate", "Approver": "gate", "Store": "store"} | {
    "Engine": "engine"
}

# The only places that may catch everything, and why. At most three (charter, point 5).
BROAD_EXCEPT: Mapping[str, str] = {
    "sandbox/wasi/host.py:Host._guarded.guarded": "ctypes would print it and let the guest go on",
    "tools/functions/runner.py:FunctionRunner._called": "an embedding program may raise anything",
}

# What a module may not call while it is being imported: IO, environment, clock, chance, set-up.
EFFECTS = re.compile(
    r"""^( open | print | input | exec | breakpoint
    | os\.(?!fspath$|fsencode$|fsdecode$|path\.(join|dirname|basename|split|splitext)$) .*
    | (sys\.(set|path\.|std) | subprocess\. | socket\. | select\. | signal\. | resource\.
        | threading\.(Thread|Timer) | multiprocessing\. | shutil\. | tempfile\. | sqlite3\.
        | random\. | secrets\. | time\. | faulthandler\. | warnings\. | atexit\. | gc\. | locale\.
        | logging\.(basicConfig|config|disable|addLevelName|captureWarnings) | asyncio\.run
        | anyio\.run | urllib\.request\.) .*
    | .*\.(now|utcnow|today|read_text|read_bytes|write_text|write_bytes|mkdir|touch|unlink|exists
        |is_file|is_dir|stat|iterdir|glob|rglob|home|cwd|resolve|expanduser|setLevel|addHandler)
    | uuid\.uuid[14] | (Path\.)?(home|cwd)
    )$""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed module: `name` is its path below the package, `authority/grant.py`."""

    name: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """How many lines the file has."""
        return len(self.text.splitlines())

    @property
    def code_lines(self) -> int:
        """How many lines are left without blank lines, comments and docstrings."""
        silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
        lines: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in silent and token.type != tokenize.ENDMARKER:
                lines.update(range(token.start[0], token.end[0] + 1))
        for node in ast.walk(self.tree):
            if (
                isinstance(node, ast.Module | ast.ClassDef | Function)
                and ast.get_docstring(node) is not None
            ):
                said = node.body[0]
                lines.difference_update(range(said.lineno, (said.end_lineno or said.lineno) + 1))
        return len(lines)

    @property
    def unit(self) -> str:
        """The folder or module directly below the package."""
        return self.name.split("/")[0].removesuffix(".py")

    def functions(self) -> Iterator[tuple[str, Function]]:
        """Yield every function with its dotted name, nested ones too."""
        yield from functions_in(self.tree, "")


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_in(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    """Yield the functions below `node`, outermost first."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield f"{prefix}{child.name}", child
            yield from functions_in(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.ClassDef):
            yield from functions_in(child, f"{prefix}{child.name}.")
        else:
            yield from functions_in(child, prefix)


@cache
def modules(package: Path) -> tuple[Module, ...]:
    """Parse every module of a package folder that has any text."""
    found = []
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if text.strip():
            name = path.relative_to(package).as_posix()
            found.append(Module(name, text, ast.parse(text, name)))
    return tuple(found)


def body_lines(function: Function) -> int:
    """Count a function's lines without its docstring."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        first = function.body[0]
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


# --- sizes -------------------------------------------------------------------------------------


def modules_too_long(package: Path) -> list[str]:
    """No module over 400 lines, nine in ten within 300, half within 120."""
    lengths = {module.name: module.lines for module in modules(package)}
    bad = [
        f"{n}: {k} lines, at most {MODULE_LINES}" for n, k in lengths.items() if k > MODULE_LINES
    ]
    long = [f"{n} ({k})" for n, k in lengths.items() if k > MODULE_LINES_OF_MOST]
    if len(long) * 10 > len(lengths):
        bad.append(f"more than a tenth over {MODULE_LINES_OF_MOST} lines: {', '.join(long)}")
    if lengths and median(lengths.values()) > MODULE_LINES_MEDIAN:
        bad.append(f"median module {median(lengths.values())} lines, at most {MODULE_LINES_MEDIAN}")
    return bad


def functions_too_long(package: Path) -> list[str]:
    """No function over 60 lines, half within 8."""
    lengths = {
        f"{module.name}:{name}": body_lines(function)
        for module in modules(package)
        for name, function in module.functions()
    }
    bad = [
        f"{n}: {k} lines, at most {FUNCTION_LINES}"
        for n, k in lengths.items()
        if k > FUNCTION_LINES
    ]
    if lengths and median(lengths.values()) > FUNCTION_LINES_MEDIAN:
        bad.append(
            f"median function {median(lengths.values())} lines, at most {FUNCTION_LINES_MEDIAN}"
        )
    return bad


def functions_with_many_positionals(package: Path) -> list[str]:
    """At most five positional parameters besides self; the WASI functions have their own shape."""
    bad = []
    for module in modules(package):
        if module.name.startswith("sandbox/wasi/"):
            continue
        for name, function in module.functions():
            given = [*function.args.posonlyargs, *function.args.args]
            count = len([a for a in given if a.arg not in {"self", "cls"}])
            if count > POSITIONAL:
                bad.append(f"{module.name}:{name}: {count} positional parameters")
    return bad


def folders_too_wide(package: Path) -> list[str]:
    """A folder holds at most twelve modules, not counting `__init__.py`."""
    counts: dict[str, int] = {}
    for path in package.rglob("*.py"):
        if path.name != "__init__.py":
            folder = path.parent.relative_to(package.parent).as_posix()
            counts[folder] = counts.get(folder, 0) + 1
    return [f"{f}: {n} modules" for f, n in sorted(counts.items()) if n > MODULES_IN_A_FOLDER]


def trusted_base_too_large(package: Path) -> list[str]:
    """The trusted base stays readable: its code without blank lines and docstrings (ADR 9)."""
    base = {
        module.name: module.code_lines for module in modules(package) if module.unit in TRUSTED_BASE
    }
    total = sum(base.values())
    by_unit = {u: sum(k for n, k in base.items() if n.split("/")[0] == u) for u in TRUSTED_BASE}
    return [f"{total} lines: {by_unit}"] if total > TRUSTED_BASE_CODE_LINES else []


# --- names and words ---------------------------------------------------------------------------


def names_that_say_nothing(package: Path) -> list[str]:
    """A noun or verb of the domain names it; a base class may impose a method's name."""
    bad = []
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package)
        bad += [
            f"{relative.as_posix()}: named {p}"
            for p in relative.with_suffix("").parts
            if p in MODULE_NAMES
        ]
    for module in modules(package):
        imposed = {
            id(method)
            for owner in ast.walk(module.tree)
            if isinstance(owner, ast.ClassDef) and owner.bases
            for method in owner.body
        }
        for node in ast.walk(module.tree):
            match node:
                case ast.ClassDef(name=name):
                    empty = set(re.findall(r"[A-Z][a-z0-9]*", name)[-1:]) & NOUNS
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    empty = {name.strip("_").split("_")[0]} & VERBS
                case _:
                    continue
            if empty and id(node) not in imposed:
                bad.append(f"{module.name}:{node.lineno}: named {name}")
    return bad


def unfinished_work(package: Path) -> list[str]:
    """No comment promises later work."""
    return [
        f"{module.name}:{token.start[0]}: {token.string}"
        for module in modules(package)
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline)
        if token.type == tokenize.COMMENT and re.search(r"\b(TODO|FIXME|XXX|HACK)\b", token.string)
    ]


def docstrings_missing(package: Path) -> list[str]:
    """A module says what it guarantees; a public class, function or method says what it does."""
    bad = []
    for module in modules(package):
        if ast.get_docstring(module.tree) is None:
            bad.append(f"{module.name}: no module docstring")
        for name, node in public(module.tree, ""):
            if ast.get_docstring(node) is None:
                bad.append(f"{module.name}:{name}: no docstring")
    return bad


def public(
    node: ast.Module | ast.ClassDef, prefix: str
) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Yield public functions and classes, and the public methods of those classes."""
    for child in node.body:
        if not isinstance(child, ast.ClassDef | Function) or child.name.startswith("_"):
            continue
        if any("overload" in ast.unparse(mark) for mark in child.decorator_list):
            continue
        yield f"{prefix}{child.name}", child
        if isinstance(child, ast.ClassDef):
            yield from public(child, f"{child.name}.")


# --- errors and types --------------------------------------------------------------------------


def excepts_too_broad(package: Path) -> list[str]:
    """Only the places in BROAD_EXCEPT catch everything."""
    return [
        f"{module.name}:{where}: catches everything"
        for module in modules(package)
        for where in sorted(set(broad_excepts(module.tree, "<module>")))
        if f"{module.name}:{where}" not in BROAD_EXCEPT
    ]


def broad_excepts(node: ast.AST, where: str) -> Iterator[str]:
    """Yield the dotted name of the function around every handler of everything."""
    for child in ast.iter_child_nodes(node):
        inside = where
        if isinstance(child, Function | ast.ClassDef):
            inside = child.name if where == "<module>" else f"{where}.{child.name}"
        caught: list[ast.expr | None] = []
        if isinstance(child, ast.ExceptHandler):
            caught = [child.type]
        elif isinstance(child, ast.Call) and ast.unparse(child.func).endswith("suppress"):
            caught = [*child.args]
        if any(map(catches_everything, caught)):
            yield where
        yield from broad_excepts(child, inside)


def catches_everything(kind: ast.expr | None) -> bool:
    """Say whether `except kind` is bare, or names Exception or BaseException."""
    if isinstance(kind, ast.Tuple):
        return any(map(catches_everything, kind.elts))
    return kind is None or ast.unparse(kind).removeprefix("builtins.") in {
        "Exception",
        "BaseException",
    }


def errors_scattered(package: Path) -> list[str]:
    """At most one errors.py a unit, with at most eight classes."""
    bad = []
    seen: dict[str, str] = {}
    for module in modules(package):
        if Path(module.name).name != "errors.py":
            continue
        if module.unit in seen:
            bad.append(f"{module.name}: {seen[module.unit]} exists already")
        seen[module.unit] = module.name
        classes = sum(isinstance(node, ast.ClassDef) for node in module.tree.body)
        if classes > ERROR_CLASSES:
            bad.append(f"{module.name}: {classes} classes")
    return bad


def any_in_the_trusted_base(package: Path) -> list[str]:
    """The trusted base has no `Any`, and silences no type error without naming it."""
    bad = []
    for module in modules(package):
        if module.unit not in TRUSTED_BASE:
            continue
        for node in ast.walk(module.tree):
            named = isinstance(node, ast.Name) and node.id == "Any"
            dotted = isinstance(node, ast.Attribute) and ast.unparse(node) in {
                "typing.Any",
                "t.Any",
            }
            imported = isinstance(node, ast.alias) and node.name == "Any"
            if named or dotted or imported:
                bad.append(f"{module.name}:{getattr(node, 'lineno', 0)}: Any")
    return bad


def protocols_beside_the_seams(package: Path) -> list[str]:
    """Protocols stand at the five seams, each in its own unit."""
    return [
        f"{module.name}:{node.lineno}: Protocol {node.name}"
        for module in modules(package)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and any(re.match(r"(typing\.)?Protocol\b", ast.unparse(base)) for base in node.bases)
        and PROTOCOLS.get(node.name) != module.unit
    ]


def values_that_change(package: Path) -> list[str]:
    """A dataclass has slots and is a frozen value; one that is state compares by identity."""
    bad = []
    for module in modules(package):
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ClassDef):
                continue
            for mark in node.decorator_list:
                text = ast.unparse(mark)
                if not re.match(r"(dataclasses\.)?dataclass\b", text):
                    continue
                if "slots=True" not in text:
                    bad.append(f"{module.name}:{node.lineno}: {node.name} has no slots")
                if "frozen=True" not in text and "eq=False" not in text:
                    bad.append(f"{module.name}:{node.lineno}: {node.name} is not frozen")
    return bad


# --- quiet imports -----------------------------------------------------------------------------


def effects_of_importing(package: Path) -> list[str]:
    """Code that runs when a module is imported touches nothing but its own names."""
    return [
        f"{module.name}:{line}: {what}"
        for module in modules(package)
        for statement in module.tree.body
        for line, what in effects_in(statement)
    ]


def effects_in(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the effects of executing `node` once; a function's body waits, its defaults do not."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
        return
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, Function):
        children: list[ast.AST] = [*node.decorator_list, *node.args.defaults]
        children += [default for default in node.args.kw_defaults if default]
    else:
        children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call) and EFFECTS.match(ast.unparse(node.func)):
        yield node.lineno, f"calls {ast.unparse(node.func)}"
    if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.environb"}:
        yield node.lineno, "reads os.environ"
    for child in children:
        yield from effects_in(child)


RULES: tuple[Callable[[Path], list[str]], ...] = (
    modules_too_long,
    functions_too_long,
    functions_with_many_positionals,
    folders_too_wide,
    trusted_base_too_large,
    names_that_say_nothing,
    unfinished_work,
    docstrings_missing,
    excepts_too_broad,
    errors_scattered,
    any_in_the_trusted_base,
    protocols_beside_the_seams,
    values_that_change,
    effects_of_importing,
)


# --- the package keeps them --------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Callable[[Path], list[str]]) -> None:
    assert rule(PACKAGE) == []


def test_at_most_three_places_catch_everything_and_all_of_them_still_do() -> None:
    found = {
        f"{module.name}:{where}"
        for module in modules(PACKAGE)
        for where in broad_excepts(module.tree, "<module>")
    }
    assert set(BROAD_EXCEPT) - found == set()
    assert len(BROAD_EXCEPT) <= 3


def test_importing_every_module_writes_connects_and_starts_nothing() -> None:
    names = [
        ".".join(["capbox", *Path(module.name).with_suffix("").parts]).removesuffix(".__init__")
        for module in modules(PACKAGE)
        if Path(module.name).name != "__main__.py"
    ]
    program = IMPORT_UNDER_AUDIT.format(names=sorted(names))
    done = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


IMPORT_UNDER_AUDIT = """
import importlib, os, sys
forbidden = ("socket.connect", "socket.bind", "subprocess.Popen", "os.fork", "os.exec", "os.mkdir",
    "os.remove", "os.rename", "os.putenv", "os.unsetenv", "os.chdir", "os.chmod", "sqlite3.connect",
    "resource.setrlimit", "signal.pthread_kill", "shutil.")
WRITES = os.O_WRONLY | os.O_RDWR
watching = False
def watch(event, arguments):
    if not watching: return
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
        print("opens for writing:", arguments[0])
    elif event.startswith(forbidden):
        print(event, arguments)
sys.addaudithook(watch)
# Twice: first to let third-party packages do what they do at import, then the modules alone.
for name in {names}:
    importlib.import_module(name)
for name in {names}:
    del sys.modules[name]
watching = True
for name in {names}:
    importlib.import_module(name)
"""


# --- and each rule bites when it is broken ------------------------------------------------------

DOC = '"""A module."""\n'
BROKEN: Mapping[str, tuple[Callable[[Path], list[str]], Mapping[str, str], str]] = {
    "a giant module": (
        modules_too_long,
        {"agent/loop.py": "x = 1\n" * 401, **{f"gate/m{n}.py": "x = 1\n" for n in range(9)}},
        "agent/loop.py: 401 lines, at most 400",
    ),
    "too many long modules": (
        modules_too_long,
        {"agent/a.py": "x = 1\n" * 301, **{f"gate/m{n}.py": "x = 1\n" for n in range(8)}},
        "more than a tenth over 300 lines: agent/a.py (301)",
    ),
    "modules long in general": (
        modules_too_long,
        {"agent/a.py": "x = 1\n" * 121},
        "median module 121 lines, at most 120",
    ),
    "a giant function": (
        functions_too_long,
        {"a.py": "def f():\n" + "    x = 1\n" * 60 + "def g(): ...\ndef h(): ...\n"},
        "a.py:f: 61 lines, at most 60",
    ),
    "functions long in general": (
        functions_too_long,
        {"a.py": 'class A:\n    def f():\n        """Doc."""\n' + "        x = 1\n" * 8},
        "median function 9 lines, at most 8",
    ),
    "six positional parameters": (
        functions_with_many_positionals,
        {
            "gate/a.py": "class A:\n    async def f(self, a, b, c, d, e, f): ...",
            "sandbox/wasi/b.py": "def g(a, b, c, d, e, f, g): ...",
            "gate/c.py": "def g(a, b, c, d, e, *, f, g): ...",
        },
        "gate/a.py:A.f: 6 positional parameters",
    ),
    "a crowded folder": (
        folders_too_wide,
        {f"tools/m{n}.py": "" for n in range(13)},
        "capbox/tools: 13 modules",
    ),
    "a trusted base too large to read": (
        trusted_base_too_large,
        {
            "authority/a.py": '"""Said."""\n\n# why\n' + "x = 1\n" * 3_000,
            "gate/b.py": "x = 1\n" * (TRUSTED_BASE_CODE_LINES - 2_999),
            "agent/c.py": "x\n",
        },
        f"{TRUSTED_BASE_CODE_LINES + 1} lines: {{'authority': 3000, 'journal': 0, 'sandbox': 0, "
        f"'broker': 0, 'gate': {TRUSTED_BASE_CODE_LINES - 2_999}}}",
    ),
    "a module that is called utils": (
        names_that_say_nothing,
        {"gate/utils.py": ""},
        "gate/utils.py: named utils",
    ),
    "a folder that is called common": (
        names_that_say_nothing,
        {"common/paths.py": ""},
        "common/paths.py: named common",
    ),
    "a class that handles": (
        names_that_say_nothing,
        {"gate/a.py": "class HandlerTable: ...\nclass CallHandler: ..."},
        "gate/a.py:2: named CallHandler",
    ),
    "a function that processes": (
        names_that_say_nothing,
        {
            "gate/a.py": "def process_call(): ...\ndef kill_process(): ...\n"
            "class A(B):\n    def handle_error(self): ..."
        },
        "gate/a.py:1: named process_call",
    ),
    "a promise in a comment": (
        unfinished_work,
        {"gate/a.py": "note = '# TODO'\nx = 1  # TODO: check this"},
        "gate/a.py:2: # TODO: check this",
    ),
    "a module without a docstring": (
        docstrings_missing,
        {"gate/a.py": "def _f(): ..."},
        "gate/a.py: no module docstring",
    ),
    "a public method without a docstring": (
        docstrings_missing,
        {
            "gate/a.py": DOC
            + 'class A:\n    """Doc."""\n    def f(self): ...\n    def _g(self): ...'
        },
        "gate/a.py:A.f: no docstring",
    ),
    "a bare except": (
        excepts_too_broad,
        {"gate/a.py": "def f():\n    try: ...\n    except: ..."},
        "gate/a.py:f: catches everything",
    ),
    "everything among others": (
        excepts_too_broad,
        {
            "gate/a.py": "class A:\n    def f(self):\n        try: ...\n"
            "        except (OSError, Exception): ..."
        },
        "gate/a.py:A.f: catches everything",
    ),
    "everything suppressed": (
        excepts_too_broad,
        {"gate/a.py": "def f():\n    with contextlib.suppress(BaseException): ..."},
        "gate/a.py:f: catches everything",
    ),
    "a second errors.py": (
        errors_scattered,
        {"gate/errors.py": "x = 1", "gate/deep/errors.py": "x = 1"},
        "gate/errors.py: gate/deep/errors.py exists already",
    ),
    "too many kinds of error": (
        errors_scattered,
        {"gate/errors.py": "".join(f"class E{n}(Exception): ...\n" for n in range(9))},
        "gate/errors.py: 9 classes",
    ),
    "Any in the gate": (
        any_in_the_trusted_base,
        {"gate/a.py": "import typing\nx: typing.Any = 1", "agent/b.py": "from typing import Any"},
        "gate/a.py:2: Any",
    ),
    "a sixth seam": (
        protocols_beside_the_seams,
        {"gate/runner.py": "class Runner(Protocol): ...\nclass Clock(Protocol[T]): ..."},
        "gate/runner.py:2: Protocol Clock",
    ),
    "a seam in the wrong place": (
        protocols_beside_the_seams,
        {"agent/a.py": "class Model(typing.Protocol): ..."},
        "agent/a.py:1: Protocol Model",
    ),
    "a value that can change": (
        values_that_change,
        {
            "gate/a.py": "@dataclass(slots=True)\nclass A: ...\n"
            "@dataclass(slots=True, eq=False)\nclass B: ..."
        },
        "gate/a.py:2: A is not frozen",
    ),
    "a value without slots": (
        values_that_change,
        {"gate/a.py": "@dataclasses.dataclass(frozen=True)\nclass A: ..."},
        "gate/a.py:2: A has no slots",
    ),
    "a file read at import": (
        effects_of_importing,
        {"gate/a.py": "def f():\n    return open('y')\nif True:\n    x = open('x')"},
        "gate/a.py:4: calls open",
    ),
    "the clock in a default": (
        effects_of_importing,
        {"gate/a.py": "import time\ndef f(now=time.time()): ...\ng = lambda: time.time()"},
        "gate/a.py:2: calls time.time",
    ),
    "the environment in a class body": (
        effects_of_importing,
        {"gate/a.py": "import os\nclass A:\n    home = os.environ['HOME']"},
        "gate/a.py:3: reads os.environ",
    ),
    "logging set up at import": (
        effects_of_importing,
        {"gate/a.py": "import logging\nlogging.basicConfig()\nlog = logging.getLogger('capbox')"},
        "gate/a.py:2: calls logging.basicConfig",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_reported(case: str, tmp_path: Path) -> None:
    rule, files, report = BROKEN[case]
    assert rule(plant(tmp_path, files)) == [report]


def test_every_rule_is_provoked() -> None:
    assert {rule for rule, _, _ in BROKEN.values()} == set(RULES)


def plant(directory: Path, files: Mapping[str, str]) -> Path:
    """Write a package `capbox` of these modules and return its folder."""
    package = directory / "capbox"
    for name, text in {"__init__.py": "", **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return package
