"""A mutant in a process: swapped into the functions that are there, or imported with its module.

`swap` is the quick way: everything is imported and collected, and the one function around the
change gets the code of the changed module, wherever it is referred to. What ran at import has
seen the old code, so a survivor of this way is tried again the other way. `plant` is the faithful
way: capbox is not imported yet, and the module's text is the changed one when it is.

Neither reaches a process that a test starts: a decision that only a worker takes has to have a
test in this process too.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType, FunctionType

from tests.mutants.catalogue import PACKAGE, Mutant

Place = tuple[str, str, int]  # file, qualified name, first line
Functions = Mapping[Place, Sequence[FunctionType]]


def functions_there() -> Functions:
    """Find every function of capbox that exists, by where it was written."""
    found: dict[Place, list[FunctionType]] = {}
    for thing in gc.get_objects():
        if type(thing) is FunctionType and thing.__code__.co_filename.startswith(str(PACKAGE)):
            code = thing.__code__
            place = (code.co_filename, code.co_qualname, code.co_firstlineno)
            found.setdefault(place, []).append(thing)
    return found


def swap(mutant: Mutant, text: str, there: Functions) -> bool:
    """Put the changed code into the functions that exist; False where that cannot be done."""
    if mutant.body is None:
        return False
    path = str(PACKAGE / mutant.module)
    changed = code_of(compile(mutant.source(text), path, "exec"), *mutant.body)
    functions = there.get((path, *mutant.body), ())
    if changed is None or not functions:
        return False
    if any(f.__code__.co_freevars != changed.co_freevars for f in functions):
        return False
    for function in functions:
        function.__code__ = changed
    # What the module remembers was worked out by the code as it was, while tests were collected.
    for thing in vars(sys.modules[name_of(mutant)]).values():
        if hasattr(thing, "cache_clear"):
            thing.cache_clear()
    return True


def name_of(mutant: Mutant) -> str:
    """Return the name under which the mutant's module is imported."""
    return "capbox." + mutant.module.removesuffix(".py").replace("/", ".")


def code_of(module: CodeType, name: str, line: int) -> CodeType | None:
    """Find a function's code in that of its module."""
    for code in nested(module):
        if (code.co_qualname, code.co_firstlineno) == (name, line):
            return code
    return None


def nested(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of every function in this code, outer ones first."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from nested(constant)


class Planted(SourceFileLoader):
    """Loads one module with another text, past any bytecode on disk."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self.text = text

    def get_code(self, fullname: str) -> CodeType:
        """Compile the changed text under the name of the real file."""
        return compile(self.text, self.path, "exec", dont_inherit=True)


class Finder:
    """Answers for the changed module alone."""

    def __init__(self, mutant: Mutant, text: str) -> None:
        self.name = name_of(mutant)
        self.path = str(PACKAGE / mutant.module)
        self.text = text

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Give the changed module when it is asked for."""
        if name != self.name:
            return None
        loader = Planted(name, self.path, self.text)
        return spec_from_file_location(name, self.path, loader=loader)


def plant(mutant: Mutant, text: str) -> None:
    """Make the import of the mutant's module give the changed one."""
    loaded = sorted(name for name in sys.modules if name.split(".")[0] == "capbox")
    assert not loaded, f"capbox is imported already: {loaded[:3]}"
    sys.meta_path.insert(0, Finder(mutant, mutant.source(text)))
