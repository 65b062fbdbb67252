"""What installing or updating a package would mean, worked out before a person is asked.

Guarantees: no IO; what a rule forbids is an error here, with both sides of it. Whether a person has
to be asked is decided on what is requested: an update that requests nothing more is not asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from capbox.gate.manifest import Request
from capbox.tools.inspection.inspecting import Inspection
from capbox.tools.inspection.powers import unlinked
from capbox.tools.packages.artefact.package import Package
from capbox.tools.packages.installing.place import Installed
from capbox.tools.packages.names import looks_like, sentence_of, version
from capbox.tools.packages.problem import PackageError, refused
from capbox.tools.packages.review.requests import Difference, chosen, difference, kept, reduced
from capbox.tools.packages.review.untrusted import access
from capbox.tools.packages.review.words import importing
from capbox.tools.packages.signatures.publishers import First, Publisher, Trust, Unsigned, judge


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person typed: the key they expect, and what they allow.

    `only` None accepts all that is requested (or, in an update, what was accepted before).
    """

    key: str | None = None
    unsigned: bool = False
    downgrade: bool = False
    only: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is there: `taken` names of other tools, the publishers, the packages.

    `before` is what is installed under the name now, `requested` what that one requests, and
    `intact` says that it is as it was installed.
    """

    taken: Mapping[str, str]
    publishers: Mapping[str, Publisher]
    before: Installed | None = None
    requested: tuple[Request, ...] = ()
    intact: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A package, what would be accepted of its requests, and what a person should know.

    `readme` are the first lines of its publisher's, made harmless.
    """

    package: Package
    trust: Trust
    before: Installed | None
    difference: Difference
    accepted: tuple[Request, ...]
    warnings: tuple[str, ...]
    intact: bool = True
    readme: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Say whether this very package is in force, with the same requests accepted."""
        before = self.before
        return (
            before is not None
            and self.intact
            and before.digest == self.package.digest
            and before.key == self.package.key
            and set(before.requests) == set(self.accepted)
        )

    @property
    def asks(self) -> bool:
        """Say whether a person has to say yes."""
        if self.before is None or isinstance(self.trust, First | Unsigned):
            return True
        # What it newly requests would be accepted, unless a person has said what is.
        return difference(self.before.requests, self.accepted).wider


def plan(
    package: Package,
    found: Inspection,
    around: Surroundings,
    wishes: Wishes,
) -> Plan:
    """Work out what it means. Raises PackageError for what a rule forbids."""
    name, before = package.name, around.before
    owner = around.taken.get(name.tool)
    if owner is not None:
        raise refused(str(name), f"its tool {name.tool} has the name of {owner}, and may not")
    for reason in () if found.core is None else unlinked(found.core):
        raise PackageError(str(name), f"its module {sentence_of(reason)}, so it cannot run")
    trust = judge(
        name, package.signature, around.publishers, key=wishes.key, unsigned=wishes.unsigned
    )
    if before is not None and not wishes.downgrade:
        _refuse_older(package, before)
    requests = package.manifest.requests
    changed = difference(around.requested, requests)
    return Plan(
        package,
        trust,
        before,
        changed,
        _accepted(package, around, changed, wishes),
        _warnings(package, found, around),
        around.intact,
    )


def _accepted(
    package: Package, around: Surroundings, changed: Difference, wishes: Wishes
) -> tuple[Request, ...]:
    requests, before = package.manifest.requests, around.before
    if wishes.only is not None:
        return chosen(package.manifest, wishes.only, str(package.name))
    if before is None:
        return tuple(dict.fromkeys(requests))
    # What was not accepted of the older one stays so; what is new is what the question is about.
    new = (*changed.added, *(after for _, after in changed.widened))
    return reduced((*kept(before.requests, requests), *new))


def _refuse_older(package: Package, before: Installed) -> None:
    """Refuse a version before the installed one.

    Attack: an old version with a known hole, which its publisher did sign once.
    """
    old, new = before.release, package.version
    if new.key < old.key:
        raise refused(
            str(package.name),
            f"{new} is older than {old}, which is installed",
            "add --allow-downgrade if that is meant",
        )
    if new.key == old.key and package.digest != before.digest:
        raise refused(
            str(package.name),
            f"is another {version(before.version)} than the installed one ({before.digest})",
            "a version is published once; add --allow-downgrade to take it all the same",
        )


def _warnings(package: Package, found: Inspection, around: Surroundings) -> tuple[str, ...]:
    name, manifest = package.name, package.manifest
    warnings = [
        f"its tool {name.tool} looks like {other}, {owner}"
        for other, owner in around.taken.items()
        if looks_like(name.tool, other)
    ]
    warnings += [
        f"its namespace {name.namespace} looks like {other}, which is known here"
        for other in around.publishers
        if looks_like(name.namespace, other)
    ]
    counted = access(manifest)
    if counted != manifest.access:
        warnings.append(f"it says that its access is {manifest.access}, and counts as {counted}")
    return (*warnings, *importing(found, manifest.requests))
