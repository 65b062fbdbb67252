"""From a name to a connection: resolve once, and dial only addresses that were checked.

Guarantees: no proxy, whatever the environment says; TLS against the system's store and the
operator's extra authorities, with the name that was granted; every wait has a deadline. Does not:
decide which addresses may be dialled.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import ip_address
from pathlib import Path

import anyio
from anyio.abc import SocketStream
from anyio.streams.tls import TLSStream

from capbox.authority.web.addresses import Address, address_of
from capbox.authority.web.places import Origin, is_loopback
from capbox.broker.errors import NetworkError

RESOLVE_SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 10.0
_ADDRESSES_TRIED_MAX = 4
# X509_V_ERR_ of a self-signed certificate, alone or in a chain, and of an issuer nobody knows.
_UNKNOWN_SIGNER = frozenset({18, 19, 20, 21})
_TRUST = "; to trust who signed it, name its PEM file in [network] ca_files of config.toml"
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG"})

Connection = SocketStream | TLSStream
Resolver = Callable[[str, int], Awaitable[tuple[Address, ...]]]


async def system_addresses(host: str, port: int) -> tuple[Address, ...]:
    """Ask the system's resolver. Raises NetworkError."""
    try:
        with anyio.fail_after(RESOLVE_SECONDS_MAX):
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NetworkError("dns", f"{host} could not be resolved: {error.strerror}") from error
    except TimeoutError as error:
        raise NetworkError("dns", f"{host} could not be resolved in time") from error
    # A link-local answer carries its interface as `%eth0`, which no grant can name.
    texts = dict.fromkeys(str(place[0]).partition("%")[0] for *_, place in found)
    return tuple(map(ip_address, texts))


async def addresses_of(origin: Origin, resolve: Resolver) -> tuple[Address, ...]:
    """Return every address of the origin's host; a literal one is its own. Raises NetworkError."""
    literal = address_of(origin.host.strip("[]"))
    if literal is not None:
        return (literal,)
    found = await resolve(origin.host, origin.port)
    if not found:
        raise NetworkError("dns", f"{origin.host} has no address")
    if is_loopback(origin.host) and not all(one.is_loopback for one in found):
        raise NetworkError("dns", f"{origin.host} is not this machine, as its name says")
    return found


def tls_context(authorities: Iterable[Path]) -> ssl.SSLContext:
    """Return the context of every connection: the system's store and extra PEM files.

    Raises NetworkError for a file that is none.
    """
    # Not `create_default_context`, which reads SSL_CERT_FILE, SSL_CERT_DIR and SSLKEYLOGFILE: who
    # sets a variable would read every request, with its secrets.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    system = ssl.get_default_verify_paths()
    file, directory = Path(system.openssl_cafile), Path(system.openssl_capath)
    if file.is_file() or directory.is_dir():
        context.load_verify_locations(
            file if file.is_file() else None, directory if directory.is_dir() else None
        )
    for extra in authorities:
        try:
            context.load_verify_locations(extra)
        except OSError as error:
            reason = f"the authority {extra} cannot be read: {error.strerror or error}"
            raise NetworkError("tls", reason) from error
    return context


async def dial(
    origin: Origin, addresses: Sequence[Address], tls: ssl.SSLContext | None, seconds: float
) -> tuple[Connection, Address]:
    """Connect to the first of the checked `addresses` that answers, and say which one it was.

    `seconds` is for all of them. Raises NetworkError. The certificate must be for the origin's
    host, whatever the address.
    """
    reason: Exception = TimeoutError("no answer in time")
    tried = addresses[:_ADDRESSES_TRIED_MAX]
    for address in tried:
        try:
            with anyio.fail_after(seconds / len(tried)):
                stream = await anyio.connect_tcp(str(address), origin.port)
                return await _secured(stream, origin, tls), address
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
            reason = error
            if isinstance(error, ssl.SSLError):
                break  # another address of the same name would not make it more genuine
    raise _failure(origin, reason) from reason


async def _secured(stream: SocketStream, origin: Origin, tls: ssl.SSLContext | None) -> Connection:
    if tls is None:
        return stream
    name, done = origin.host.strip("[]"), False
    try:
        secured = await TLSStream.wrap(
            stream, hostname=name, ssl_context=tls, standard_compatible=False
        )
        done = True
    finally:
        if not done:
            await anyio.aclose_forcefully(stream)
    return secured


def _failure(origin: Origin, reason: Exception) -> NetworkError:
    match reason:
        case ssl.SSLCertVerificationError():
            message = f"the certificate of {origin.host} is not valid: {reason.verify_message}"
            return NetworkError("tls", message + _TRUST * (reason.verify_code in _UNKNOWN_SIGNER))
        case ssl.SSLError():
            hint = "; if it speaks no TLS, write http://" * (reason.reason in _NO_TLS)
            return NetworkError("tls", f"no TLS with {origin}: {reason.reason or reason}{hint}")
        case TimeoutError():
            return NetworkError("timeout", f"{origin} did not answer within the time to connect")
        case OSError(__cause__=ConnectionRefusedError()):
            return NetworkError("connect", f"{origin} refused the connection")
        case OSError():
            cause = reason.__cause__ if isinstance(reason.__cause__, OSError) else reason
            why = os.strerror(cause.errno) if cause.errno else cause.strerror or str(cause)
            return NetworkError("connect", f"no connection to {origin}: {why}")
        case _:
            return NetworkError("connect", f"{origin} closed the connection at once")
