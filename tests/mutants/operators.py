"""What a mutant changes: poodle's operators, and four of our own on its seam.

poodle swaps comparisons and `and`/`or`, moves numbers, negates, swaps arithmetic, turns returned
values into None and compared strings into others. Ours are the ones that a guard needs: a
condition that is always true or always false, an operand of `and`/`or` left out, a statement left
out, and a predicate that always says yes. Type-wrong mutants (a call replaced by None, None by a
string) are left to mypy, which refuses them in `make check`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import SimpleNamespace

from poodle import mutators as poodle
from poodle.data_types import FileMutation, Mutator


class Collected(ast.NodeVisitor, Mutator):
    """An operator that gathers its mutants on a walk of the tree."""

    def create_mutations(self, parsed_ast: ast.Module, *_, **__) -> list[FileMutation]:
        self.found: list[FileMutation] = []
        self.visit(parsed_ast)
        return self.found

    def add(self, node: ast.AST, *texts: str) -> None:
        self.found += [self.create_file_mutation(node, text) for text in texts]


class Condition(Collected):
    """A condition that always, or never, holds."""

    mutator_name = "Condition"

    def forced(self, node) -> None:
        self.add(node.test, "True", "False")

    visit_If = visit_IfExp = forced  # noqa: N815

    def visit_While(self, node: ast.While) -> None:
        self.add(node.test, "False")

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self.add(test, "True", "False")

    def visit_match_case(self, node: ast.match_case) -> None:
        if node.guard is not None:
            self.add(node.guard, "True", "False")


class Operand(Collected):
    """One operand of `and` or `or` is left out."""

    mutator_name = "Operand"

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for left_out in range(len(node.values)):
            rest = [value for at, value in enumerate(node.values) if at != left_out]
            kept = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            self.add(node, ast.unparse(kept))


class Statement(Collected):
    """A call, a change of a field, an exception that does not happen."""

    mutator_name = "Statement"

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call | ast.Await):
            self.add(node, "pass")

    def visit_Assign(self, node: ast.Assign) -> None:
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self.add(node, "pass")

    def left_out(self, node) -> None:
        self.add(node, "pass")

    visit_AugAssign = visit_Delete = visit_Raise = left_out  # noqa: N815


class Truth(Collected):
    """A predicate that says yes to everything; poodle's Return says no to everything."""

    mutator_name = "Truth"

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if isinstance(node.returns, ast.Name) and node.returns.id == "bool":
            for returned in returns(node):
                if not isinstance(returned.value, ast.Constant):
                    self.add(returned, "return True")

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815


def returns(function: ast.AST) -> Iterator[ast.Return]:
    """Yield the return statements of a function, not those of functions inside it."""
    for child in ast.iter_child_nodes(function):
        if isinstance(child, ast.Return):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from returns(child)


class Comparison(poodle.ComparisonMutator):
    """poodle's, which copies each node: with a parent in it that would be the whole tree."""

    @staticmethod
    def add_parent_attr(parsed_ast: ast.Module) -> None:
        """Leave the tree as it is; `catalogue` knows what is an annotation."""


OPERATORS: tuple[type[Mutator], ...] = (
    Comparison,
    poodle.NumberMutator,
    poodle.KeywordMutator,
    poodle.UnaryOperationMutator,
    poodle.BinaryOperationMutator,
    poodle.AugAssignMutator,
    poodle.ReturnMutator,
    poodle.LambdaReturnMutator,
    poodle.StringMutator,
    Condition,
    Operand,
    Statement,
    Truth,
)
CONFIG = SimpleNamespace(mutator_opts={"operator_level": "min"})


def everywhere(operator: type[Mutator]) -> type[Mutator]:
    """Make an operator look at every node.

    poodle's own walk stops at the first match, so that of `a == b and c < d` it would change the
    `and` and never the comparisons.
    """

    class Everywhere(operator):  # type: ignore[misc,valid-type]
        def visit(self, tree: ast.AST) -> None:
            for node in ast.walk(tree):
                ast.NodeVisitor.visit(self, node)

        def generic_visit(self, node: ast.AST) -> None:
            """Go no deeper: the walk does."""

    return Everywhere


def mutations(source: str) -> Iterator[FileMutation]:
    """Yield every mutation of a module; each operator has a tree of its own: some change it."""
    for operator in map(everywhere, OPERATORS):
        yield from operator(CONFIG, print).create_mutations(ast.parse(source), file_lines=[])
