"""Which secrets go with a request, and how the guest's own credentials give way to them.

Guarantees: a value goes to exactly the origin of its grant; every secret that a run holds is known
to its redactor before its first request, so that no answer can hold one that was sent later; where
a run was given a secret for an origin, the guest's own credentials never go there, not even once
that grant has ended. Does not: decide whether the request may be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import anyio

from capbox.authority.authority import Minted
from capbox.authority.grant import SecretSelector
from capbox.authority.web.places import FetchAccess
from capbox.broker.errors import NetworkError
from capbox.broker.headers import Headers, without_credentials, without_reshaping
from capbox.broker.network import Network
from capbox.broker.secrets import SecretError
from capbox.gate.runner import Tool
from capbox.gate.seat import Held, Seat


@dataclass(slots=True, eq=False)
class Credentials:
    """The secrets of one call of `tool`. `unset` are names without a value, and why."""

    seat: Seat
    tool: Tool
    network: Network
    unset: dict[str, str] = field(default_factory=dict)

    def of(self, access: FetchAccess, held: Held) -> tuple[Minted, ...]:
        """Return the secrets that go with the request, one for each header.

        Raises NetworkError for one without a value.
        """
        requests = tuple(r for r in self.tool.manifest.requests if r.kind == "secret")
        found: dict[str, Minted] = {}
        for minted, selector in _secrets(held.holding.live(held.standing)):
            if selector.origin != access.origin:
                continue
            if selector.name in self.unset:
                raise NetworkError("secret", self.unset[selector.name])
            if any(r.name in (None, str(selector)) for r in requests):
                found.setdefault(minted.grant.header_for("")[0].lower(), minted)
        return tuple(found.values())

    async def fetch(self, held: Held) -> bool:
        """Fetch every value that the run may use and does not have yet; say whether any was due."""
        due = {
            selector.name
            for authority in held.holding.authorities
            for _, selector in _secrets(authority.grants)
            if selector.name not in self.seat.secrets and selector.name not in self.unset
        }
        for name in sorted(due):
            try:
                # In a thread: a keyring may ask a person for its password, for as long as it likes.
                value = await anyio.to_thread.run_sync(
                    self.network.secret, name, abandon_on_cancel=True
                )
            except SecretError as error:
                self.unset[name] = str(error)
            else:
                self._keep(name, value)
        return bool(due)

    def _keep(self, name: str, value: str | None) -> None:
        if value is None:
            self.unset[name] = f"the secret {name} is not set: run capbox secret set {name}"
        elif not value.isascii():
            self.unset[name] = f"the secret {name} cannot be sent: it holds more than ASCII"
        else:
            self.seat.keep_secret(name, value)

    def headers(
        self, access: FetchAccess, held: Held, secrets: tuple[Minted, ...], given: Headers
    ) -> Headers:
        """Return the guest's headers with the secrets, and without what is not its to give."""
        if self.seat.redactor.knows_any:
            # To every origin: one may hand on what another was sent, in a log or to an accomplice.
            given = without_reshaping(given)
        everything = (g for authority in held.holding.authorities for g in authority.grants)
        if not any(selector.origin == access.origin for _, selector in _secrets(everything)):
            return given
        pairs = tuple(
            one.grant.header_for(self.seat.secrets[selector.name])
            for one, selector in _secrets(secrets)
        )
        return (*pairs, *without_credentials(given, (name for name, _ in pairs)))

    @staticmethod
    def names(secrets: tuple[Minted, ...]) -> tuple[str, ...]:
        """Return the names of the secrets."""
        return tuple(selector.name for _, selector in _secrets(secrets))


def _secrets(grants: Iterable[Minted]) -> Iterator[tuple[Minted, SecretSelector]]:
    for minted in grants:
        if isinstance(minted.grant.selector, SecretSelector):
            yield minted, minted.grant.selector
