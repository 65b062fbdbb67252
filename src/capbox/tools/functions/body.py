"""What a function does, as a text: the same in every process, another one when it is changed.

Guarantees: code, defaults, closure, what a decorator wraps, and of methods, partials and callable
objects the function behind them count. Does not: look at what the code calls by name, or at the
state of objects; both are the program's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import CodeType, FunctionType, MethodType

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...))


def body_of(part: object, within: frozenset[int] = frozenset()) -> str:
    """Return what `part` does, or is; `within` are the ids of what it is a part of."""
    if id(part) in within:
        return "itself"
    within |= {id(part)}

    def inner(*parts: object) -> str:
        return f"({','.join(body_of(one, within) for one in parts)})"

    match part:
        case CodeType():
            return f"{part.co_code!r}{part.co_names}{part.co_varnames}{inner(*part.co_consts)}"
        case FunctionType():
            wrapped = getattr(part, "__wrapped__", None)
            own = inner(part.__code__, part.__defaults__, part.__kwdefaults__, wrapped)
            return own + inner(*(_held(cell) for cell in part.__closure__ or ()))
        case MethodType():
            return f"{_name(part.__self__)}{inner(part.__func__)}"
        case partial():
            return inner(part.func, part.args, part.keywords)
        case tuple() | list():
            return inner(*part)
        case set() | frozenset():
            return str(sorted(body_of(one, within) for one in part))
        case Mapping():
            return inner(*part.items())
        case _ if isinstance(part, _PLAIN):
            return repr(part)
        case type():
            return _name(part)
        case _:
            # An object's repr may hold its address.
            calls = (vars(kind).get("__call__") for kind in type(part).__mro__)
            return f"{_name(part)}{inner(next(filter(None, calls), None))}"


def _held(cell: object) -> object:
    try:
        return getattr(cell, "cell_contents", None)
    except ValueError:  # not filled yet
        return None


def _name(part: object) -> str:
    kind = part if isinstance(part, type) else type(part)
    return f"{kind.__module__}.{kind.__qualname__}"
