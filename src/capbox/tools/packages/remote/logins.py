"""Which secret is for which registry: `--login SECRET` and `--login HOST[:PORT]=SECRET`.

Guarantees: a secret is for one registry, which a person has typed: beside it, or as the place of
the package. What a lock file, a record or a registry says never leads to a secret. Does not: read
one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from capbox.tools.packages.names import shown
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.remote.reference import Reference, Registry, Source, registry

_FORM = "--login HOST[:PORT]=SECRET, as in --login ghcr.io=GHCR"


def logins(given: Iterable[str], typed: Source | None) -> Mapping[Registry, str]:
    """Return the name of a secret for each registry; `typed` is the place that a person typed.

    Raises PackageError (usage).
    """
    found: dict[Registry, str] = {}
    for one in given:
        host, named, secret = one.rpartition("=")
        where = _named(host, one) if named else _typed(one, typed)
        if where in found:
            raise _usage(one, f"there are two for {where}", "one secret for a registry")
        found[where] = secret
    return found


def _named(host: str, given: str) -> Registry:
    try:
        return registry(host, host).usual
    except PackageError as error:
        raise _usage(given, "names no registry", _FORM) from error


def _typed(secret: str, typed: Source | None) -> Registry:
    """Return the registry that was typed.

    Attack: a secret for whoever is asked: the registry of a lock file that came with a project, or
    of a package that was installed once.
    """
    if not isinstance(typed, Reference):
        raise _usage(secret, "no registry is typed here, so say which one it is for", _FORM)
    return typed.registry.usual


def _usage(given: str, reason: str, fix: str) -> PackageError:
    return PackageError(f"--login {shown(given)}", reason, fix, kind="usage")
