"""Gives a component what it imports, or refuses it by name.

Guarantees: a function is given only under its own name and with its own type, else the component
is refused; whatever else it imports is refused where it is called: what merely could call it runs.
Does not: act (the functions do).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from capbox.sandbox.component.plan import HostFunction
from capbox.sandbox.component.side import Misuse
from capbox.sandbox.component.types import Signature, Variant
from capbox.sandbox.component.wasi.below import Below
from capbox.sandbox.component.wasi.files import Files
from capbox.sandbox.component.wasi.http import Http
from capbox.sandbox.component.wasi.signatures import FUNCTIONS, shown
from capbox.sandbox.component.wasi.streams import Streams
from capbox.sandbox.component.wasi.surroundings import Surroundings

Provided = Callable[..., object]


class World:
    """What the components of one worker are given."""

    def __init__(self, below: Below) -> None:
        self._files, self._http = Files(below), Http(below)
        self._parts = (Streams(below), self._files, Surroundings(below), self._http)

    def functions(self, imports: Iterable[HostFunction]) -> dict[HostFunction, Provided]:
        """Return a function for each import. Raises Misuse if one has another type there.

        Attack: one interface under two versions, of which the second alone has its own type.
        """
        found: dict[HostFunction, Provided] = {}
        for function in imports:
            name, signature = function.name, function.signature
            if name not in FUNCTIONS:
                found[function] = _refusing(name, signature)
                continue
            method, words = FUNCTIONS[name]
            if shown(signature) != words:
                raise Misuse(f"it imports {name[:120]} with another type than WASI 0.2 gives it")
            part = next(part for part in self._parts if hasattr(part, method))
            found[function] = getattr(part, method)
        return found

    def dropped(self, thing: object) -> None:
        """Let go of what a component let go of."""
        self._files.dropped(thing)
        self._http.dropped(thing)


def _refusing(name: str, signature: Signature) -> Provided:
    """Return what answers that access is denied if its type can say so, else ends the call."""
    result = signature.result
    failure = dict(result.cases).get("err") if isinstance(result, Variant) else None
    denied = isinstance(failure, Variant) and ("access-denied", None) in failure.cases

    def refuse(*_values: object) -> object:
        if denied:
            return "err", ("access-denied", None)
        raise Misuse(f"it called {name[:120]}, which capbox does not give")

    return refuse
