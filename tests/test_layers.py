"""Proves the layer table of ARCHITECTURE.md over every import in the package.

The rules are pure functions from a source tree to a list of violations, so that the second half
of this file can feed them a tree that breaks each rule and see it reported. Imports inside
functions and under TYPE_CHECKING count too: a lazy import is still a dependency.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "capbox"

# A module imports only from lower numbers, or its own unit. `app` and `box` are one unit: the
# composition root and the public API over it.
LAYERS = {
    "authority": 0,
    "messages": 0,
    "toml": 0,
    "journal": 1,
    "sandbox": 2,
    "broker": 2,
    "gate": 3,
    "store": 3,
    "undo": 3,
    "tools": 4,
    "models": 4,
    "agent": 5,
    "engine": 6,
    "crew": 7,
    "surfaces": 8,
    "app": 9,
    "box": 9,
    "__init__": 10,
    "__main__": 10,
}
ONE_UNIT = {"box": "app"}
TRUSTED_BASE = ("authority", "journal", "sandbox", "broker", "gate")

# The one place that wraps each dependency (docs/adr/0004). Empty: used anywhere above the base.
WRAPPED: Mapping[str, frozenset[str]] = {
    "wasmtime": frozenset({"sandbox"}),
    "anyio": frozenset(),
    "httpx2": frozenset({"models", "tools"}),
    "h11": frozenset({"broker"}),
    "can_ada": frozenset({"broker"}),
    "publicsuffixlist": frozenset({"authority"}),
    "cryptography": frozenset({"journal", "broker", "tools"}),
    "keyring": frozenset({"broker"}),
    "importlib_metadata": frozenset({"broker"}),  # held back for keyring, imported nowhere
    "jsonschema_rs": frozenset({"gate"}),
    "pydantic_ai": frozenset({"models"}),
    "anthropic": frozenset({"models"}),
    "openai": frozenset({"models"}),
    "google": frozenset({"models"}),  # by the extra of pydantic-ai-slim
    "genai_prices": frozenset({"models"}),
    "opentelemetry": frozenset({"engine"}),
    "sqlalchemy": frozenset({"store"}),
    "typer": frozenset({"surfaces", "app"}),
    "rich": frozenset({"surfaces"}),
    "markdown_it": frozenset({"surfaces"}),
    "prompt_toolkit": frozenset({"surfaces"}),
    "platformdirs": frozenset({"app"}),
    "yaml": frozenset({"engine"}),
    "pip": frozenset({"tools"}),  # no dependency: the person's, in a program of its own
}
TRUSTED_BASE_MAY_USE = {
    *("wasmtime", "anyio", "cryptography", "jsonschema_rs"),
    *("h11", "can_ada", "publicsuffixlist", "keyring"),
}
# Slow to import (the providers take seconds): never before a command needs them.
LAZY = {
    *("pydantic_ai", "anthropic", "openai", "google", "genai_prices", "sqlalchemy"),
    *("keyring", "yaml", "opentelemetry", "prompt_toolkit"),
}
# `authority` has no clock, no IO, no randomness; PurePosixPath is the one path it may know.
IMPURE = {
    *("asyncio", "anyio", "builtins", "ctypes", "io", "logging", "multiprocessing", "os"),
    *("pathlib", "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3"),
    *("subprocess", "sys", "tempfile", "threading", "time", "urllib.request", "uuid"),
}
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported dotted name, where, and whether it happens when the module is loaded."""

    name: str
    line: int
    at_load: bool


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed module of the package under test."""

    module: str
    file: str
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def unit(self) -> str:
        """The folder or top-level module below the package that this module belongs to."""
        return unit_of(self.module)


def unit_of(module: str) -> str:
    """Name the unit of a dotted module: `capbox.gate.gate` is in `gate`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


@cache
def sources(package: Path) -> tuple[Source, ...]:
    """Parse every module under `package`, a directory that holds the package's `__init__.py`."""
    found = []
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package.parent)
        parts = relative.with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        here = module if path.stem == "__init__" else module.rpartition(".")[0]
        found.append(Source(module, relative.as_posix(), tree, tuple(imports_of(tree, here))))
    return tuple(found)


def imports_of(tree: ast.Module, package: str) -> Iterator[Import]:
    """Yield every name that a module imports, relative ones resolved against `package`."""
    late = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) or is_type_checking(outer)
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        for name in names_imported(node, package):
            yield Import(name, getattr(node, "lineno", 0), id(node) not in late)


def names_imported(node: ast.AST, package: str) -> Iterator[str]:
    """Yield the dotted names that one statement or call imports."""
    match node:
        case ast.Import(names=aliases):
            yield from (alias.name for alias in aliases)
        case ast.ImportFrom(module=module, names=aliases, level=level):
            parents = package.split(".")[: len(package.split(".")) - level + 1] if level else []
            base = ".".join([*parents, *([module] if module else [])])
            yield from (f"{base}.{alias.name}" for alias in aliases)
        case ast.Call(func=called, args=[ast.Constant(value=str(name)), *_]):
            # The two ways to import without an import statement.
            if ast.unparse(called) in {"__import__", "import_module", "importlib.import_module"}:
                yield name
        case _:
            pass


def is_type_checking(node: ast.AST) -> bool:
    """Say whether this is an `if TYPE_CHECKING:` block."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


# --- rules -------------------------------------------------------------------------------------


def imports_that_go_up(package: Path) -> list[str]:
    """An import reaches its own unit or a lower layer, and every unit has a layer."""
    bad = []
    for source in sources(package):
        if source.unit not in LAYERS:
            bad.append(f"{source.file}: unit {source.unit!r} has no layer")
            continue
        for item in source.imports:
            if item.name.split(".")[0] != package.name:
                continue
            target = unit_of(item.name)
            own = ONE_UNIT.get(source.unit, source.unit) == ONE_UNIT.get(target, target)
            if not own and LAYERS.get(target, 99) >= LAYERS[source.unit]:
                bad.append(f"{source.file}:{item.line}: {source.unit} imports {item.name}")
    return bad


def surfaces_that_know_their_composer(package: Path) -> list[str]:
    """Surfaces receive the composed runtime; they never import `app` or `box`."""
    return [
        f"{source.file}:{item.line}: a surface imports {item.name}"
        for source in sources(package)
        if source.unit == "surfaces"
        for item in source.imports
        if item.name.split(".")[0] == package.name and unit_of(item.name) in {"app", "box"}
    ]


def dependencies_outside_their_wrapper(package: Path) -> list[str]:
    """A third-party library is imported only where WRAPPED says, and the base uses only its own."""
    bad = []
    for source in sources(package):
        for item in source.imports:
            top = item.name.split(".")[0]
            if top == package.name or top in sys.stdlib_module_names:
                continue
            where = WRAPPED.get(top)
            if where is None:
                bad.append(f"{source.file}:{item.line}: {top} has no place in WRAPPED")
            elif where and source.unit not in where:
                bad.append(f"{source.file}:{item.line}: {top} belongs to {sorted(where)}")
            elif source.unit in TRUSTED_BASE and top not in TRUSTED_BASE_MAY_USE:
                bad.append(f"{source.file}:{item.line}: {top} in the trusted base")
    return bad


def heavy_imports_at_load(package: Path) -> list[str]:
    """Loading a module outside `models` and `store` loads no slow library, at any remove."""
    parsed = {source.module: source for source in sources(package)}
    slow = {
        source.module: f"{item.name} ({source.file}:{item.line})"
        for source in parsed.values()
        for item in source.imports
        if item.at_load and item.name.split(".")[0] in LAZY
    }
    bad = []
    for source in parsed.values():
        if source.unit in {"models", "store"}:
            continue
        loaded = reached(source.module, lambda module: load_targets(parsed, module))
        bad += [
            f"{source.file}: loading it loads {slow[module]}"
            for module in sorted({source.module, *loaded} & slow.keys())
        ]
    return bad


def load_targets(parsed: Mapping[str, Source], module: str) -> Iterator[str]:
    """Yield the modules of this package that importing `module` imports at once."""
    for item in parsed[module].imports:
        if item.at_load and (target := resolve(item.name, parsed.keys())):
            yield target


def reached(start: str, targets: Callable[[str], Iterator[str]]) -> set[str]:
    """Return every module that can be reached from `start` in one or more steps."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = set(targets(waiting.pop())) - found
        found |= new
        waiting += new
    return found


def effects_in_authority(package: Path) -> list[str]:
    """`authority` cannot reach a clock, a file, a socket, a process or randomness."""
    bad = []
    for source in sources(package):
        if source.unit not in {"authority", "messages"}:
            continue
        for item in source.imports:
            pure = item.name in {"pathlib.PurePosixPath", "pathlib.PurePath"}
            if not pure and (item.name.split(".")[0] in IMPURE or item.name in IMPURE):
                bad.append(f"{source.file}:{item.line}: {source.unit} imports {item.name}")
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in {"open", "print", "input", "exec", "eval", "compile"} or re.search(
                    r"(^|\.)(date|datetime)\.(now|utcnow|today)$", called
                ):
                    bad.append(f"{source.file}:{node.lineno}: {source.unit} calls {called}")
    return bad


def environment_read_outside_app(package: Path) -> list[str]:
    """Only `app.py` reads the environment, and what it decides (home and user folders)."""
    bad = []
    for source in sources(package):
        if source.module == f"{package.name}.app":
            continue
        for item in source.imports:
            head, _, last = item.name.rpartition(".")
            if head in {"os", "posix"} and last in ENVIRONMENT:
                bad.append(f"{source.file}:{item.line}: imports {item.name}")
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Attribute):
                continue
            written = ast.unparse(node)
            if (
                re.fullmatch(rf"(os|posix)\.({'|'.join(sorted(ENVIRONMENT))})", written)
                or re.fullmatch(r"(pathlib\.)?Path\.home", written)
                or node.attr in {"expanduser", "expandvars"}
            ):
                bad.append(f"{source.file}:{node.lineno}: reads {written}")
    return bad


def root_authority_minted_outside_app(package: Path) -> list[str]:
    """`Authority.root` is named in `app.py` alone; nobody else calls the constructor directly."""
    bad = []
    for source in sources(package):
        names = {"Authority"} | {
            alias.asname
            for node in ast.walk(source.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.name == "Authority" and alias.asname
        }
        for node in ast.walk(source.tree):
            where = f"{source.file}:{getattr(node, 'lineno', 0)}"
            match node:
                case ast.Attribute(value=owner, attr="root") if last_name(owner) in names:
                    if source.module != f"{package.name}.app":
                        bad.append(f"{where}: names {ast.unparse(node)}")
                case ast.Call(func=called) if last_name(called) in names:
                    if source.unit != "authority":
                        bad.append(f"{where}: constructs an Authority")
                case ast.Call(
                    func=ast.Name(id="getattr"), args=[owner, ast.Constant(value="root"), *_]
                ) if last_name(owner) in names:
                    bad.append(f"{where}: reaches Authority.root by getattr")
                case _:
                    pass
    return bad


def last_name(node: ast.AST) -> str:
    """The last word of `name` or `module.name`, empty for anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def import_cycles(package: Path) -> list[str]:
    """No module reaches itself through imports, counting those inside functions."""
    parsed = {source.module: source for source in sources(package)}

    def targets(module: str) -> Iterator[str]:
        for item in parsed[module].imports:
            if (target := resolve(item.name, parsed.keys())) and target != module:
                yield target

    reach = {module: reached(module, targets) for module in parsed}
    rings = {
        tuple(sorted(other for other in reach[module] if module in reach[other]))
        for module in parsed
        if module in reach[module]
    }
    return [f"cycle: {' <-> '.join(ring)}" for ring in sorted(rings)]


def resolve(name: str, modules: Collection[str]) -> str:
    """Return the module that an imported name lives in, empty if it is not of this package."""
    if name in modules:
        return name
    parent = name.rpartition(".")[0]
    return parent if parent in modules else ""


RULES: tuple[Callable[[Path], list[str]], ...] = (
    imports_that_go_up,
    surfaces_that_know_their_composer,
    dependencies_outside_their_wrapper,
    heavy_imports_at_load,
    effects_in_authority,
    environment_read_outside_app,
    root_authority_minted_outside_app,
    import_cycles,
)


# --- the package keeps them --------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Callable[[Path], list[str]]) -> None:
    assert rule(PACKAGE) == []


def test_every_runtime_dependency_has_a_wrapper_and_a_line_in_its_adr() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    declared = [*project["dependencies"], *(text for extra in extras for text in extra)]
    names = [re.split(r"[\[<>=~! ]", text)[0] for text in declared]
    decision = (ROOT / "docs/adr/0004-runtime-dependencies.md").read_text()
    imported = {
        "pydantic-ai-slim": "pydantic_ai",
        "markdown-it-py": "markdown_it",
        "pyyaml": "yaml",
        "opentelemetry-exporter-otlp-proto-http": "opentelemetry",
    }
    assert [n for n in names if imported.get(n, n.replace("-", "_")) not in WRAPPED] == []
    assert [n for n in names if f"`{n}`" not in decision] == []
    assert len(set(names)) <= 20


def test_the_command_line_starts_without_slow_libraries() -> None:
    program = "import sys, capbox.app; print(sorted({n.split('.')[0] for n in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert LAZY & set(ast.literal_eval(done.stdout)) == set()


# --- and each rule bites when it is broken ------------------------------------------------------

BROKEN: Mapping[str, tuple[Callable[[Path], list[str]], Mapping[str, str], str]] = {
    "a lower layer imports a higher one": (
        imports_that_go_up,
        {"journal/log.py": "from capbox.gate.gate import Gate"},
        "journal/log.py:1: journal imports capbox.gate.gate.Gate",
    ),
    "a sibling layer is imported": (
        imports_that_go_up,
        {"broker/egress.py": "import capbox.sandbox.pool"},
        "broker/egress.py:1: broker imports capbox.sandbox.pool",
    ),
    "a relative import goes up": (
        imports_that_go_up,
        {"gate/gate.py": "from ..agent import loop"},
        "gate/gate.py:1: gate imports capbox.agent.loop",
    ),
    "a lazy import goes up": (
        imports_that_go_up,
        {"models/price.py": "def f():\n    from capbox.crew import plan"},
        "models/price.py:2: models imports capbox.crew.plan",
    ),
    "a string import goes up": (
        imports_that_go_up,
        {"models/price.py": "import importlib\nm = importlib.import_module('capbox.app')"},
        "models/price.py:2: models imports capbox.app",
    ),
    "a folder outside the table": (
        imports_that_go_up,
        {"misc/thing.py": ""},
        "misc/thing.py: unit 'misc' has no layer",
    ),
    "a surface imports the composition root for its types": (
        surfaces_that_know_their_composer,
        {"surfaces/cli/run.py": "if TYPE_CHECKING:\n    from capbox.box import Box"},
        "surfaces/cli/run.py:2: a surface imports capbox.box.Box",
    ),
    "wasmtime outside the sandbox": (
        dependencies_outside_their_wrapper,
        {"gate/gate.py": "def f():\n    import wasmtime"},
        "gate/gate.py:2: wasmtime belongs to ['sandbox']",
    ),
    "an undeclared dependency": (
        dependencies_outside_their_wrapper,
        {"agent/loop.py": "import requests.sessions"},
        "agent/loop.py:1: requests has no place in WRAPPED",
    ),
    "a command loads a provider at a remove": (
        heavy_imports_at_load,
        {
            "surfaces/cli/run.py": "from capbox.models.open import model",
            "models/open.py": "from capbox.models import clients",
            "models/clients.py": "import openai",
        },
        "surfaces/cli/run.py: loading it loads openai (capbox/models/clients.py:1)",
    ),
    "authority looks at the clock": (
        effects_in_authority,
        {"authority/lease.py": "from datetime import datetime\nx = datetime.now()"},
        "authority/lease.py:2: authority calls datetime.now",
    ),
    "authority touches files": (
        effects_in_authority,
        {"authority/paths.py": "from pathlib import Path, PurePosixPath"},
        "authority/paths.py:1: authority imports pathlib.Path",
    ),
    "the gate reads the environment": (
        environment_read_outside_app,
        {"gate/gate.py": "import os\nx = os.environ.get('X')"},
        "gate/gate.py:2: reads os.environ",
    ),
    "the environment under another name": (
        environment_read_outside_app,
        {"gate/gate.py": "from os import getenv as g"},
        "gate/gate.py:1: imports os.getenv",
    ),
    "a surface asks for the home directory": (
        environment_read_outside_app,
        {"surfaces/cli/run.py": "from pathlib import Path\nx = Path.home()"},
        "surfaces/cli/run.py:2: reads Path.home",
    ),
    "the loop mints authority": (
        root_authority_minted_outside_app,
        {"agent/loop.py": "from capbox.authority.authority import Authority as A\nA.root([])"},
        "agent/loop.py:2: names A.root",
    ),
    "a tool builds an authority by hand": (
        root_authority_minted_outside_app,
        {"tools/wasm.py": "import capbox.authority.authority as a\na.Authority(grants=())"},
        "tools/wasm.py:2: constructs an Authority",
    ),
    "two modules import each other": (
        import_cycles,
        {
            "gate/a.py": "from capbox.gate import b",
            "gate/b.py": "def f():\n    from capbox.gate.a import x",
        },
        "cycle: capbox.gate.a <-> capbox.gate.b",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_reported(case: str, tmp_path: Path) -> None:
    rule, files, report = BROKEN[case]
    package = plant(tmp_path, files)
    assert [line.removeprefix("capbox/") for line in rule(package)] == [report]


def test_a_tree_that_keeps_the_rules_is_not_reported(tmp_path: Path) -> None:
    package = plant(
        tmp_path,
        {
            "app.py": "import os\nfrom capbox.authority.authority import Authority\n"
            "from capbox.box import Box\nhome = os.environ['HOME']\nroot = Authority.root",
            "box.py": "from capbox.agent.loop import run",
            "agent/loop.py": "from capbox.gate.gate import Gate\ndef run(): ...",
            "gate/gate.py": "import anyio\nfrom . import manifest\nclass Gate: ...",
            "gate/manifest.py": "import tomllib, jsonschema_rs\nfrom capbox.sandbox import spec",
            "sandbox/spec.py": "import os, wasmtime\nfrom capbox.messages import Spent",
            "models/open.py": "def f():\n    from capbox.models import clients",
            "models/clients.py": "import pydantic_ai.direct",
            "agent/plan.py": "from capbox.models import open",
            "store/runs.py": "import sqlalchemy",
            "authority/authority.py": "from pathlib import PurePosixPath\n"
            "class Authority:\n    @classmethod\n    def root(cls): return cls()",
            "messages.py": "class Spent: ...",
        },
    )
    assert [line for rule in RULES for line in rule(package)] == []


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
