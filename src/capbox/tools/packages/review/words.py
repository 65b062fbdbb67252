"""What a tool requests, and the worst that it could do with that, in sentences.

Guarantees: every request has a sentence; the worst is said of what a tool may be given at most,
whatever it is for. Does not: look at what a run holds (`capbox blast-radius` does).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from capbox.gate.manifest import Request
from capbox.tools.inspection.inspecting import Inspection
from capbox.tools.packages.names import sentence_of, shown

_READING = frozenset({"read", "write", "env", "store"})
_NEEDING = (("network", "fetch", "the network"), ("functions", "invoke", "functions of a program"))
_REFUSED_SHOWN_MAX = 5
# For each kind of request: for all of it, and for what it names.
_SENTENCES: Mapping[str, tuple[str, str]] = {
    "read": ("read every file that a run lets it read", "read {0}"),
    "write": (
        "read, change and delete everywhere that a run lets it",
        "read, change and delete {0}",
    ),
    "fetch": ("send requests to every address that a run lets it reach", "send requests: {0}"),
    "env": ("see every variable", "see the variable {0}"),
    "secret": (
        "have any secret that a run grants added to its requests, unseen",
        "have the secret {0} added to its requests to {1}, unseen",
    ),
    "invoke": (
        "call every function of the program that runs it",
        "call the function {0} of the program that runs it",
    ),
    "store": ("keep data from call to call", "keep data from call to call, in {0}"),
}


def sentence(request: Request) -> str:
    """Say what a request is for, without a full stop."""
    whole, named = _SENTENCES[request.kind]
    web = None if request.web is None else str(request.web).removeprefix("fetch:")
    name = web or request.path or request.name
    if name is None:
        return whole
    return named.format(*(name.split("@", 1) if request.kind == "secret" else (name,)))


def worst(requests: Sequence[Request]) -> tuple[str, ...]:
    """Return the worst that a tool could do with what it requests, if a run grants all of it."""
    if not requests:
        return ("nothing: it only computes, on its arguments",)
    kinds = {request.kind for request in requests}
    known = "what it can read" if kinds & _READING else "its arguments"
    found: list[str] = []
    if "fetch" in kinds:
        sends = (_address(one) for one in requests if one.kind == "fetch")
        found.append(f"send {known} to {', '.join(dict.fromkeys(sends))}")
    if "invoke" in kinds:
        found.append(f"pass {known} to functions of the program")
    if not found:
        found.append(f"put {known} into its answer, which the model reads")
    if "secret" in kinds:
        found.append("use the named secrets where they are for, without seeing them")
    if "write" in kinds:
        found.append("destroy or falsify the files that it may write")
    return tuple(found)


def importing(found: Inspection, requests: Sequence[Request]) -> tuple[str, ...]:
    """Return what is odd about a module: what it imports, and what keeps it from running."""
    powers = {power.name for power in found.powers}
    kinds = {request.kind for request in requests}
    # Attack: a harmless manifest in front of a module that is made for the network.
    odd = [
        f"its module has code for {what}, unrequested: each use is refused"
        for power, kind, what in _NEEDING
        if power in powers and kind not in kinds
    ]
    refused = () if found.component is None else found.component.refused
    owners = list(dict.fromkeys(name.partition(".")[0] for name in refused))
    if owners:
        more = f" and {len(owners) - _REFUSED_SHOWN_MAX} more" * (len(owners) > _REFUSED_SHOWN_MAX)
        names = ", ".join(map(shown, owners[:_REFUSED_SHOWN_MAX]))
        odd.append(f"it may call what capbox does not give, and fails then: {names}{more}")
    return (*odd, *(f"its module {sentence_of(reason)}" for reason in found.obstacles))


def _address(request: Request) -> str:
    if request.web is None:
        return "every address that a run lets it reach"
    return str(request.web.selector)
