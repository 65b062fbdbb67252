"""A package as a person sees it before they say yes, and the question.

Guarantees: what a stranger wrote is shown cut, with nothing that hides, and in rows that no
terminal folds: each begins with a mark, or with words of ours; nobody at a terminal and no --yes is
a no. Does not: decide whether a question is needed (see `plan`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from capbox.messages import Json
from capbox.surfaces.cli.failures import CommandFailure
from capbox.surfaces.cli.screen import Line, Screen
from capbox.surfaces.rows import hung, marked

if TYPE_CHECKING:
    from capbox.gate.manifest import Request
    from capbox.surfaces.cli.terminal import Terminal
    from capbox.tools.packages.artefact.package import Package
    from capbox.tools.packages.installing.plan import Plan

_DESCRIPTION_CHARACTERS_MAX = 300
_COLUMN_MAX = 48
_CHOICES = "[y]es, [c]hoose what it may request, [N]o: "


def review(plan: Plan, columns: int) -> list[Line]:
    """Return the lines about a package that may be installed, for a window of so many columns."""
    from capbox.tools.packages.review.words import worst

    package = plan.package
    lines = [(title(plan), "bold"), *about(package, columns), *quoted(plan.readme, columns)]
    lines += [(f"  {signed(plan)}", "")]
    if plan.before is None:
        lines += [("it requests", "bold"), *rows(requested(package.manifest.requests), columns)]
    else:
        lines += [("it requests, compared with before", "bold"), *rows(compared(plan), columns)]
    lines += [("at worst, if a run grants all of that, it could", "bold")]
    lines += rows(((f"  {line}", "") for line in worst(plan.accepted)), columns)
    if plan.warnings:
        warnings = ((f"  {line}", "yellow") for line in plan.warnings)
        lines += [("mind", "bold"), *rows(warnings, columns)]
    return lines


def rows(lines: Iterable[Line], columns: int) -> list[Line]:
    """Return lines that name what a stranger did, folded for a window of so many columns.

    Attack: a path that is just so long that the row below begins with what it says of itself.
    """
    return [(row, style) for line, style in lines for row in hung(line, columns)]


def title(plan: Plan) -> str:
    """Return name, version and size, and for an update the version before."""
    package, before = plan.package, plan.before
    change = f"{before.version} -> " if before is not None else ""
    size = package.artefact.bytes
    return f"{package.name} {change}{package.version}, {size:,} bytes, {package.digest}"


def about(package: Package, columns: int) -> list[Line]:
    """Return what a package says of itself, in marked rows."""
    from capbox.tools.packages.review.untrusted import plain

    described = plain(package.manifest.description, _DESCRIPTION_CHARACTERS_MAX)
    return [("  says of itself:", ""), *_words([described], columns)]


def quoted(readme: tuple[str, ...], columns: int) -> list[Line]:
    """Return the lines of a README, each of its rows marked as a quotation."""
    if not readme:
        return []
    return [("  its README, in its publisher's words:", ""), *_words(readme, columns)]


def _words(lines: Iterable[str], columns: int) -> list[Line]:
    return [(row, "dim") for line in lines for row in marked(line, columns)]


def signed(plan: Plan) -> str:
    """Say who signed it."""
    from capbox.tools.packages.signatures.publishers import First, Known

    namespace = plan.package.name.namespace
    match plan.trust:
        case Known(key):
            return f"signed by {namespace}, with the key that is known: {key}"
        case First(key, None):
            return f"signed with {key}, the first key of {namespace} here: compare it"
        case First(key, before):
            return f"signed with {key}, the new key of {namespace}, which had {before}"
        case _:
            return "not signed: anybody may have made it"


def requested(requests: Iterable[Request]) -> list[tuple[str, str]]:
    """Return a line a request: as it is written, and in words."""
    from capbox.tools.packages.review.requests import text
    from capbox.tools.packages.review.words import sentence

    rows = [(text(one), sentence(one)) for one in dict.fromkeys(requests)]
    # Attack: one long path, behind which every other row is padded out of sight.
    width = min(max((len(row[0]) for row in rows), default=0), _COLUMN_MAX)
    return [(f"  {word.ljust(width)}  {said}", "") for word, said in rows] or [("  nothing", "")]


def compared(plan: Plan) -> list[tuple[str, str]]:
    """Return what an update adds and takes away."""
    from capbox.tools.packages.review.requests import text, within
    from capbox.tools.packages.review.words import sentence

    found = plan.difference

    def added(one: Request, olds: Iterable[str] = ()) -> tuple[str, str]:
        before = _instead(olds)
        rest = "" if within(one, plan.accepted) else ", which is not accepted"
        return f"  + {text(one)}{before}  {sentence(one)}{rest}", "yellow"

    lines = [added(one) for one in found.added]
    wider, narrower = found.widened, found.narrowed
    lines += [
        added(one, (text(old) for old, new in wider if new == one))
        for one in dict.fromkeys(new for _, new in wider)
    ]
    lines += [
        (f"  - {text(one)}{_instead(text(old) for old, new in narrower if new == one)}", "")
        for one in dict.fromkeys(new for _, new in narrower)
    ]
    lines += [(f"  - {text(one)}", "") for one in found.removed]
    return lines or [("  the same", "")]


def _instead(olds: Iterable[str]) -> str:
    """Say what a request replaces. Attack: 50 of 50 others each, which are 2,500 lines."""
    listed = tuple(olds)
    more = f" and {len(listed) - 1} more" if len(listed) > 1 else ""
    return f" instead of {listed[0]}{more}" if listed else ""


def as_json(plan: Plan) -> dict[str, Json]:
    """Return what commands print of a plan."""
    from capbox.tools.packages.artefact.package import as_json as described
    from capbox.tools.packages.review.requests import text, texts
    from capbox.tools.packages.review.words import worst

    found = plan.difference
    return {
        **described(plan.package),
        "before": None if plan.before is None else plan.before.version,
        "trust": type(plan.trust).__name__.lower(),
        "requests": texts(plan.package.manifest.requests),
        "accepted": texts(plan.accepted),
        "added": texts(found.added),
        "removed": texts(found.removed),
        "widened": [[text(old), text(new)] for old, new in found.widened],
        "narrowed": [[text(old), text(new)] for old, new in found.narrowed],
        "at_worst": list(worst(plan.accepted)),
        "warnings": list(plan.warnings),
    }


class Asking:
    """Asks a person about a plan; `yes` says that they have answered already."""

    def __init__(self, screen: Screen, *, yes: bool, quiet: bool) -> None:
        """Show on `screen`; `quiet` shows nothing (its reader gets JSON)."""
        self._screen = screen
        self._yes = yes
        self._quiet = quiet

    def __call__(self, plan: Plan) -> tuple[Request, ...] | None:
        """Return the accepted requests, None for no. Raises CommandFailure: nobody is there."""
        if self._yes:
            if not self._quiet:
                self._show(plan)
            return plan.accepted
        from capbox.surfaces.cli.terminal import is_terminal

        if self._quiet or not is_terminal():
            if not self._quiet:
                self._show(plan)
            raise CommandFailure(
                "denied",
                f"{plan.package.name}: a person has to say yes, and nobody is asked here: "
                "add --yes, with --only for a part of what it requests",
                3,
            )
        import anyio

        return anyio.run(self._asked, plan)

    def _show(self, plan: Plan) -> None:
        for line, style in review(plan, self._screen.narrowest):
            self._screen.say(line, style)

    async def _asked(self, plan: Plan) -> tuple[Request, ...] | None:
        from capbox.surfaces.cli.terminal import Terminal

        terminal = Terminal(self._screen)
        verb = "install" if plan.before is None else "update"
        async with terminal.question(review(plan, self._screen.narrowest)) as question:
            answer = await terminal.answer(question, f"{verb} it? {_CHOICES}", fresh=True)
        if (answer or "").lower() in ("y", "yes"):
            return plan.accepted
        if (answer or "").lower() in ("c", "choose"):
            return await self._chosen(plan, terminal)
        return None

    async def _chosen(self, plan: Plan, terminal: Terminal) -> tuple[Request, ...] | None:
        from capbox.tools.packages.review.requests import text
        from capbox.tools.packages.review.words import sentence

        accepted: list[Request] = []
        for one in plan.accepted:
            what = rows([(f"{text(one)}, to {sentence(one)}", "")], self._screen.narrowest)
            async with terminal.question(what) as question:
                said = await terminal.answer(question, "may it request that? [y/N]: ", fresh=True)
            if said is None:
                return None
            if said.lower() in ("y", "yes"):
                accepted.append(one)
        return tuple(accepted)
