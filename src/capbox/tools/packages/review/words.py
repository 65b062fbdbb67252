"""What a tool requests, and the worst that it could do with that, in sentences.

Guarantees: every request has a sentence; the worst is said of what a tool may be given at most,
whatever it is for. Does not: look at what a run holds (`capbox blast-radius` does).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from capbox.gate.manifest import Request
from capbox.tools.packages.review.imports import Import

_READING = ("read", "env")
_NETWORK = "capbox_http"
_FUNCTIONS = "capbox_invoke"


def sentence(request: Request) -> str:
    """Say what a request is for, without a full stop."""
    if request.web is not None:
        return f"send requests: {str(request.web).removeprefix('fetch:')}"
    place = request.path
    match request.kind:
        case "read":
            return f"read {place}" if place else "read every file that a run lets it read"
        case "write":
            where = place or "everywhere that a run lets it"
            return f"read, change and delete {where}"
        case "fetch":
            return "send requests to every address that a run lets it reach"
        case "env":
            return f"see the variable {request.name}" if request.name else "see every variable"
        case "secret":
            name, _, origin = (request.name or "").partition("@")
            if not name:
                return "have any secret that a run grants added to its requests, unseen"
            return f"have the secret {name} added to its requests to {origin}, unseen"
        case "invoke":
            named = f"the function {request.name}" if request.name else "every function"
            return f"call {named} of the program that runs it"


def worst(requests: Sequence[Request]) -> tuple[str, ...]:
    """Return the worst that a tool could do with what it requests, if a run grants all of it."""
    reads = [sentence(r).removeprefix("read ") for r in requests if r.kind in _READING]
    reads += [sentence(r).removeprefix("read, change and delete ") for r in requests
              if r.kind == "write"]  # fmt: skip
    sends = [_address(r) for r in requests if r.kind == "fetch"]
    found: list[str] = []
    if not requests:
        return ("nothing: it only computes, on its arguments",)
    if sends and reads:
        found.append(f"send what it can read to {_listed(sends)}")
    elif sends:
        found.append(f"send its arguments to {_listed(sends)}")
    elif any(r.kind == "invoke" for r in requests):
        found.append("pass what it can read to functions of the program")
    else:
        found.append("put what it can read into its answer, which the model reads")
    if any(r.kind == "secret" for r in requests):
        found.append("use the named secrets where they are for, without seeing them")
    if any(r.kind == "write" for r in requests):
        found.append("destroy or falsify the files that it may write")
    return tuple(found)


def importing(found: Iterable[Import] | None, requests: Sequence[Request]) -> tuple[str, ...]:
    """Return what is odd about a module's imports; None are those of a component."""
    if found is None:
        return ("it is a component: what it imports is decided when it runs",)
    modules = {one.module for one in found}
    odd: list[str] = []
    kinds = {request.kind for request in requests}
    # Attack: a harmless manifest in front of a module that is made for the network.
    if _NETWORK in modules and "fetch" not in kinds:
        odd.append("its module has code for the network, which it does not request: refused")
    if _FUNCTIONS in modules and "invoke" not in kinds:
        odd.append("its module has code for functions of a program, not requested: refused")
    return tuple(odd)


def _address(request: Request) -> str:
    if request.web is None:
        return "every address that a run lets it reach"
    return str(request.web.selector)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))
