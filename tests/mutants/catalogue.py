"""The mutants of a module: each with a name that survives edits elsewhere in the file.

A mutant is known by module, function, operator, the text that it changes and what that becomes
(and a number where a function holds the same text twice). Left out by rule, because no decision,
record or bound is in them: docstrings, annotations and type aliases, everything in an f-string
(messages), strings that are neither compared nor looked up, exceptions' texts, `__repr__` and
`__str__`, what only a type checker sees, decorators and the flags of a field, `assert_never`, and
None for False.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from poodle.data_types import FileMutation
from tests.mutants.operators import mutations

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "capbox"
Function = ast.FunctionDef | ast.AsyncFunctionDef
# The arguments of these are compared with what is given, so their strings decide.
ASKING = {"startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition"} | {
    *("split", "rsplit", "strip", "lstrip", "rstrip", "find", "get", "pop", "count", "index")
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module: `module` is its path below the package, `authority/grant.py`."""

    module: str
    function: str
    operator: str
    was: str
    becomes: str
    number: int
    start: int
    end: int
    # Name and first line of the outermost function around the change, if it is in a body.
    body: tuple[str, int] | None
    # The lines whose running shows that a test gets here.
    first_line: int
    last_line: int

    @property
    def key(self) -> tuple[str, str, str, str, str, int]:
        """What it is known by; places in the file are not part of it."""
        return (self.module, self.function, self.operator, self.was, self.becomes, self.number)

    @property
    def id(self) -> str:
        """A short name for the command line."""
        return hashlib.sha256(repr(self.key).encode()).hexdigest()[:10]

    def __str__(self) -> str:
        """One line for people."""
        place = f"{self.module}:{self.function}"
        return f"{self.id} {place} [{self.operator}] {self.was} -> {self.becomes} #{self.number}"

    def source(self, text: str) -> str:
        """Return the module's text with the change in it."""
        raw = text.encode()
        return (raw[: self.start] + self.planted().encode() + raw[self.end :]).decode()

    def planted(self) -> str:
        """Return what is written: an expression gets parentheses, so that nothing binds to it."""
        return self.becomes if is_statement(self.becomes) else f"({self.becomes})"


def is_statement(text: str) -> bool:
    """Say whether this is a statement, which parentheses would break."""
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return True
    return False


def mutants_of(module: str, package: Path = PACKAGE) -> list[Mutant]:
    """Return every mutant of a module, in the order of the text."""
    text = (package / module).read_text()
    tree = ast.parse(text)
    offsets = line_offsets(text)
    places = Places(tree)
    found: dict[tuple[int, int, str], FileMutation] = {}
    for mutation in mutations(text):
        start = offsets[mutation.lineno - 1] + mutation.col_offset
        end = offsets[mutation.end_lineno - 1] + mutation.end_col_offset
        was = text.encode()[start:end].decode()
        if not (places.left_out(mutation) or same(was, mutation.text)):
            found.setdefault((start, end, mutation.text), mutation)
    seen: Counter[tuple[str, ...]] = Counter()
    result = []
    for (start, end, becomes), mutation in sorted(found.items(), key=lambda item: item[0]):
        was = " ".join(text.encode()[start:end].decode().split())
        function, body = places.function(mutation)
        key = (function, mutation.mutator_name, was, becomes)
        seen[key] += 1
        lines = places.lines(mutation)
        result.append(Mutant(module, *key, seen[key], start, end, body, *lines))
    return result


def same(was: str, becomes: str) -> bool:
    """Say whether the change is one of spelling alone."""
    try:
        return ast.dump(ast.parse(was.strip())) == ast.dump(ast.parse(becomes))
    except SyntaxError:
        return False


def line_offsets(text: str) -> list[int]:
    """Return at which byte each line begins; columns of the tree are bytes too."""
    offsets = [0]
    for line in text.encode().splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))
    return offsets


class Places:
    """Where in the tree a change is: its function, and whether a rule leaves it out."""

    def __init__(self, tree: ast.Module) -> None:
        self.parents: dict[ast.AST, ast.AST] = {}
        self.nodes: dict[tuple[int, ...], list[ast.AST]] = {}
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
            if hasattr(node, "lineno"):
                span = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
                self.nodes.setdefault(span, []).append(node)

    def of(self, mutation: FileMutation) -> ast.AST | None:
        """Return the innermost node that is changed as a whole, if there is one."""
        span = (mutation.lineno, mutation.col_offset, mutation.end_lineno, mutation.end_col_offset)
        return self.nodes.get(span, [None])[-1]

    def above(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """Yield each node above with the child through which one gets here."""
        while node in self.parents:
            parent = self.parents[node]
            yield parent, node
            node = parent

    def function(self, mutation: FileMutation) -> tuple[str, tuple[str, int] | None]:
        """Return the dotted name of the place, and the outermost function if in its body."""
        node = self.of(mutation)
        assert node is not None
        names: list[str] = []
        body: tuple[Function, int] | None = None
        for parent, child in self.above(node):
            if isinstance(parent, Function | ast.ClassDef):
                names.insert(0, parent.name)
            if isinstance(parent, Function):
                body = (parent, len(names)) if child in parent.body else None
        if body is None:
            return ".".join(names) or "module", None
        function, below = body
        first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
        return ".".join(names), (".".join(names[: len(names) - below + 1]), first)

    def lines(self, mutation: FileMutation) -> tuple[int, int]:
        """Return the first and last line of the simple statement around, or of the expression."""
        node = self.of(mutation)
        assert node is not None
        for parent in (node, *(parent for parent, _ in self.above(node))):
            if isinstance(parent, ast.stmt):
                if not hasattr(parent, "body"):
                    return parent.lineno, parent.end_lineno or parent.lineno
                break
        return mutation.lineno, mutation.end_lineno

    def left_out(self, mutation: FileMutation) -> bool:
        """Say whether a rule of the module's docstring leaves this change out."""
        node = self.of(mutation)
        if node is None or mutation.text in ("' '", "return ''"):
            return True  # in place of None: refused by mypy
        if mutation.text == "return None" and ast.unparse(node) == "return False":
            return True
        if isinstance(node, ast.Expr | ast.Call) and "assert_never(" in ast.unparse(node)[:14]:
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not self.asked(node):
            return True
        return any(is_text_or_type(parent, child) for parent, child in self.above(node))

    def asked(self, node: ast.AST) -> bool:
        """Say whether a string is compared or looked up, or is an entry of a table."""
        for parent, child in self.above(node):
            match parent:
                case ast.Compare() | ast.MatchValue() | ast.Subscript():
                    return True
                case ast.Call(func=ast.Attribute(attr=name)):
                    return name in ASKING and child in parent.args
                case ast.Dict():
                    return child in parent.keys or self.is_table(parent)
                case ast.Set() | ast.Tuple() | ast.List() | ast.BinOp():
                    continue
                case ast.Call(func=ast.Name(id="frozenset" | "set" | "tuple")):
                    continue
                case ast.Assign() | ast.AnnAssign():
                    return isinstance(self.parents[parent], ast.Module) and node is not parent.value
                case _:
                    return False
        return False

    def is_table(self, node: ast.AST) -> bool:
        """Say whether this is the value of a name of the module."""
        parent = self.parents[node]
        return isinstance(parent, ast.Assign | ast.AnnAssign) and isinstance(
            self.parents[parent], ast.Module
        )


def is_text_or_type(parent: ast.AST, child: ast.AST) -> bool:
    """Say whether what is below `child` of `parent` is a message or a type."""
    match parent:
        case ast.JoinedStr():
            return True
        case ast.Raise():
            return True
        case ast.FunctionDef(name="__repr__" | "__str__"):
            return True
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return child is parent.returns or child in parent.decorator_list
        case ast.ClassDef():
            return child in parent.decorator_list
        case ast.arg() | ast.AnnAssign():
            return child is parent.annotation
        case ast.keyword(arg="repr" | "compare" | "hash" | "strict"):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Call(func=ast.Name(id="cast" | "NewType" | "assert_never" | "TypeVar")):
            return True
        case ast.Assign(value=ast.BinOp(op=ast.BitOr()) as value):
            return child is value and names_alone(value)
        case ast.Assign(value=ast.Subscript(value=ast.Name(id="Literal"))):
            return True
    return False


def names_alone(node: ast.AST) -> bool:
    """Say whether this is a union of types: names, None and subscripts, joined by `|`."""
    if isinstance(node, ast.BinOp):
        return names_alone(node.left) and names_alone(node.right)
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
