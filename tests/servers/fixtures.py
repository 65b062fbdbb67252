"""The servers as fixtures: each test starts what it needs, and all of it ends with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

# Nothing is imported before a test asks for it: every pytest here loads this module.
if TYPE_CHECKING:
    from tests.servers.dns import DnsServer, Script
    from tests.servers.http import HttpServer
    from tests.servers.namespace import Namespace
    from tests.servers.registry import DockerRegistry
    from tests.servers.replies import Behaviour
    from tests.servers.tls import CertificateMaker


@pytest.fixture
def http_server() -> Iterator[Callable[..., HttpServer]]:
    """Start an HTTP server: `http_server({"/": reply(b"hello")}, tls=...)`."""
    from tests.servers.http import HttpServer

    with ExitStack() as stack:

        def start(routes: Mapping[str, Behaviour], **options: Any) -> HttpServer:
            return stack.enter_context(HttpServer(routes, **options))

        yield start


@pytest.fixture
def dns_server() -> Iterator[Callable[..., DnsServer]]:
    """Start a DNS server: `dns_server({"name.test": at("127.0.0.1")})`."""
    from tests.servers.dns import DnsServer

    with ExitStack() as stack:

        def start(table: Mapping[str, Script], **options: Any) -> DnsServer:
            return stack.enter_context(DnsServer(table, **options))

        yield start


@pytest.fixture(scope="session")
def certificates() -> CertificateMaker:
    """One certificate authority for all tests."""
    from tests.servers.tls import CertificateMaker

    return CertificateMaker()


@pytest.fixture
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    """Start Debian's registry, or skip where it is not installed."""
    from tests.servers.registry import PROGRAM, DockerRegistry, is_there

    if not is_there():
        pytest.skip(f"{PROGRAM} is missing: apt-get install {PROGRAM}")
    with DockerRegistry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def namespace() -> Callable[..., Namespace]:
    """Describe a network of its own, or skip where that is not allowed."""
    from tests.servers.namespace import Namespace

    def described(*addresses: str, **options: Any) -> Namespace:
        made = Namespace(addresses, **options)
        reason = made.why_not()
        if reason:
            pytest.skip(reason)
        return made

    return described
