"""Commands whose parameters are groups of flags, so that several can have the same ones.

Guarantees: a flag is declared once, whichever commands have it, with one default. Does not: know
any flag.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from inspect import Parameter, Signature
from typing import Any, TypeGuard, get_type_hints


def grouped(command: Callable[..., int]) -> Callable[..., int]:
    """Return `command` with the fields of each parameter that is a dataclass as parameters."""
    declared = inspect.signature(command, eval_str=True).parameters.values()
    groups = {p.name: p.annotation for p in declared if _is_group(p.annotation)}

    def flat(*given: Any, **flags: Any) -> int:
        made = {
            name: group(**{one.name: flags.pop(one.name) for one in fields(group)})
            for name, group in groups.items()
        }
        return command(*given, **made, **flags)

    parameters: list[Parameter] = []
    for one in declared:
        group = groups.get(one.name)
        parameters += [one] if group is None else _parameters(group)
    flat.__name__, flat.__doc__ = command.__name__, command.__doc__
    flat.__annotations__ = {one.name: one.annotation for one in parameters}
    flat.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return flat


def _is_group(annotation: object) -> TypeGuard[type]:
    return isinstance(annotation, type) and is_dataclass(annotation)


def _parameters(group: type) -> list[Parameter]:
    kinds = get_type_hints(group, include_extras=True)
    return [
        Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default, annotation=kinds[one.name])
        for one in fields(group)
    ]
