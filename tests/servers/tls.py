"""Certificates of every kind for loopback servers, and the contexts to use them with.

    ca = CertificateMaker()
    with HttpServer(routes, tls=ca.valid("example.test", "127.0.0.1").context()) as server:
        ...  # a client trusts ca.pem

Guarantees: a certificate is wrong in exactly the one way its maker says, so that a refusal has one
reason. Does not: keep a private key longer than it takes to load it.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, both PEM."""

    pem: bytes
    key_pem: bytes

    def context(self) -> ssl.SSLContext:
        """Return what a server needs to present it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as place:
            both = Path(place) / "certificate.pem"
            both.write_bytes(self.pem + self.key_pem)
            context.load_cert_chain(both)
        return context


class CertificateMaker:
    """A certificate authority; the word without `certificate` means something else here."""

    def __init__(self, name: str = "capbox test CA", *, now: datetime | None = None) -> None:
        """Make its key and its own certificate; validity is counted from `now`."""
        self._now = now or datetime.now(UTC)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        builder = self._builder(self._name, self._name, self._key, (-_DAY, 30 * _DAY))
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True,
            content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        made = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = made.public_bytes(serialization.Encoding.PEM)

    def trusting(self) -> ssl.SSLContext:
        """Return what a client needs to trust this authority, and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.pem.decode())
        return context

    def valid(self, *names: str) -> Certificate:
        """Return a good certificate for host names and addresses."""
        return self._signed(names, (-_DAY, 10 * _DAY))

    def expired(self, *names: str) -> Certificate:
        """Return one that was good until an hour ago."""
        return self._signed(names, (-10 * _DAY, -timedelta(hours=1)))

    def not_yet(self, *names: str) -> Certificate:
        """Return one that will be good in an hour."""
        return self._signed(names, (timedelta(hours=1), 10 * _DAY))

    def wrong_name(self, *names: str) -> Certificate:
        """Return a good certificate for somebody else, whatever names were asked for."""
        return self.valid("somebody-else.test")

    def self_signed(self, *names: str) -> Certificate:
        """Return one that nobody but itself vouches for."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._signed(names, (-_DAY, 10 * _DAY), issuer=_named(names[0]), signer=key, key=key)

    def strangers(self, *names: str) -> Certificate:
        """Return one from another authority of the same name."""
        return CertificateMaker(now=self._now).valid(*names)

    def _signed(
        self,
        names: tuple[str, ...],
        between: tuple[timedelta, timedelta],
        *,
        issuer: x509.Name | None = None,
        signer: ec.EllipticCurvePrivateKey | None = None,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> Certificate:
        own = key or ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_named(names[0]), issuer or self._name, own, between)
        made = (
            builder.add_extension(
                x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(signer or self._key, hashes.SHA256())
        )
        return Certificate(
            made.public_bytes(serialization.Encoding.PEM),
            own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def _builder(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        between: tuple[timedelta, timedelta],
    ) -> x509.CertificateBuilder:
        public, issuers = key.public_key(), self._key.public_key()
        signer = public if subject == issuer else issuers
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now + between[0])
            .not_valid_after(self._now + between[1])
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False
            )
        )


BAD: Final[Mapping[str, Callable[..., Certificate]]] = {
    "expired": CertificateMaker.expired,
    "not yet valid": CertificateMaker.not_yet,
    "for another name": CertificateMaker.wrong_name,
    "self-signed": CertificateMaker.self_signed,
    "from a stranger": CertificateMaker.strangers,
}
"""Every way to be wrong: `make(maker, *names)`."""


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
