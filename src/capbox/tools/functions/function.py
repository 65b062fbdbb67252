"""A function of the embedding program as a tool: what it declares, and its digest.

Guarantees: every argument and sink is declared before the first call; a name, hint or effect that
is not known is a `FunctionError`. Does not: run it, or grant anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from capbox.authority.limits import COUNT_MAX, SECONDS_MAX, Limits
from capbox.authority.paths import HostPath
from capbox.authority.values.arguments import Argument, Given
from capbox.authority.values.kinds import Kind, Value, canonical
from capbox.gate.manifest import DeclaredSink, Manifest, ToolAccessKind
from capbox.gate.runner import Runner, Tool
from capbox.gate.schema import Schema
from capbox.messages import JsonObject
from capbox.sandbox.spec import Module
from capbox.tools.functions.body import body_of
from capbox.tools.functions.hints import (
    HintError,
    Parameter,
    description_of,
    parameters_of,
    schema_of,
)

EffectClass = Literal["none", "read", "write", "send"]
_EFFECT_CHARACTERS_MAX = 4_000
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
# What leaves the machine cannot be taken back: it is ranked with running programs.
_LEVELS: Mapping[str, ToolAccessKind] = {
    "none": "none",
    "read": "read",
    "write": "write",
    "send": "execute",
}


@dataclass(frozen=True, slots=True)
class FunctionError:
    """Why a function cannot be a tool; `subject` is its name, or that of an argument."""

    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Function:
    """A callable, what it declares to model and gate, and how its arguments are read."""

    call: Callable[..., object]
    manifest: Manifest
    parameters: tuple[Parameter, ...]
    digest: str

    def tool(self, runner: Runner) -> Tool:
        """Return it as the gate takes it; no module is behind it."""
        return Tool(self.manifest, Module(HostPath(""), self.digest), self.digest, runner)

    def given(self, arguments: JsonObject) -> dict[str, object]:
        """Return the arguments as the function takes them."""
        known = {parameter.name: parameter for parameter in self.parameters}
        return {name: known[name].read(value) for name, value in arguments.items()}

    def effect(self, arguments: JsonObject) -> str:
        """Return one line that says what a call with these canonical arguments does."""
        sinks = (_sink(sink, arguments.get(sink.argument)) for sink in self.manifest.sinks)
        shown = ", ".join(str(sink) for sink in sinks if sink.values)
        more = "..." if len(shown) > _EFFECT_CHARACTERS_MAX else ""
        return f"{self.manifest.name}({shown[:_EFFECT_CHARACTERS_MAX]}{more})"


def function_of(
    call: Callable[..., object],
    *,
    effect: EffectClass,
    sinks: Mapping[str, Kind],
    timeout: float,
    name: str | None = None,
) -> Function | FunctionError:
    """Return `call` as a tool; `timeout` is in seconds."""
    named = name or str(getattr(call, "__name__", ""))
    if _NAME.fullmatch(named) is None:
        return FunctionError(named, "is no name of a tool: lower-case letters, digits, _ and -")
    if effect not in _LEVELS:
        return FunctionError(named, f"effect is one of {', '.join(_LEVELS)}, not {effect!r}")
    if not 0 < timeout <= SECONDS_MAX:
        return FunctionError(named, f"timeout is a number of seconds, not {timeout!r}")
    parameters = parameters_of(call, sinks)
    if isinstance(parameters, HintError):
        return FunctionError(f"{named} {parameters.argument}".strip(), parameters.message)
    description = description_of(call)
    if not description:
        return FunctionError(named, "has no docstring: the model is told by it what it does")
    schema = schema_of(parameters)
    declared = tuple(
        DeclaredSink(p.name, p.kind, _meant(p.kind, p.default))
        for p in parameters
        if p.kind is not None
    )
    manifest = Manifest(
        name=named,
        version="",
        description=description,
        license="",
        module="",
        access=_LEVELS[effect],
        schema=Schema(schema),
        paths=(),
        required=(),
        optional=(),
        limits=_limits(timeout),
        sinks=declared,
    )
    kinds = [[sink.argument, sink.kind] for sink in declared]
    text = json.dumps([named, description, effect, schema, kinds])
    # Another body is another tool; what it calls is the program's, and not looked at.
    body = body_of(call)
    digest = sha256(f"{text}\n{body}".encode(errors="backslashreplace")).hexdigest()
    return Function(call, manifest, parameters, digest)


def _meant(kind: Kind, default: object) -> tuple[str, ...]:
    """Return the values of a default; one that is none of its kind names no place."""
    listed = default if isinstance(default, list | tuple) else (default,)
    found = [canonical(kind, one) for one in listed if isinstance(one, str | int | float)]
    return tuple(value.text for value in found if isinstance(value, Value))


def _sink(sink: DeclaredSink, given: object) -> Argument:
    values = given if isinstance(given, list) else [] if given is None else [given]
    return Argument(sink.argument, sink.kind, tuple(Given(str(value)) for value in values))


def _limits(timeout: float) -> Limits:
    # Only time and output are bounded for code of this process: the run's own bounds count.
    return Limits(
        wall_seconds=timeout,
        fuel=None,
        memory_bytes=COUNT_MAX,
        stack_bytes=COUNT_MAX,
        output_bytes=COUNT_MAX,
        written_bytes=COUNT_MAX,
        files_created=COUNT_MAX,
        open_files=COUNT_MAX,
        tmp_bytes=COUNT_MAX,
        requests=COUNT_MAX,
        body_bytes=COUNT_MAX,
    )
