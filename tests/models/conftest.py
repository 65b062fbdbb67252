"""A fake server on loopback for the tests of models."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from capbox.messages import Json
from capbox.models.catalog.table import PROVIDERS
from capbox.models.direct import DirectModel
from capbox.models.fake_llm.plan import plan_of
from capbox.models.fake_llm.server import FakeLlm
from capbox.models.providers.endpoint import Endpoint
from capbox.models.script import ScriptError, parse_script

Serve = Callable[[list[Json]], FakeLlm]
BASES = {"anthropic": "", "google": "", "openai": "/v1", "openai-responses": "/v1"}
Connect = Callable[[FakeLlm], DirectModel]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a fake server from a script; it stops after the test."""
    with ExitStack() as stack:

        def start(entries: list[Json]) -> FakeLlm:
            script = parse_script(json.dumps(entries), "script.json")
            assert not isinstance(script, ScriptError), script
            plan = plan_of(script, "script.json")
            assert not isinstance(plan, ScriptError), plan
            return stack.enter_context(FakeLlm(plan))

        yield start


@pytest.fixture(params=["anthropic", "openai", "openai-responses", "google"])
def provider(request: pytest.FixtureRequest) -> str:
    """Each provider."""
    return request.param


@pytest.fixture
def connect(provider: str) -> Connect:
    """Open a model of the provider at a fake server."""

    def connected(server: FakeLlm, stall_seconds: float = 20.0) -> DirectModel:
        base_url = server.url + BASES[provider]
        return DirectModel(
            Endpoint(PROVIDERS[provider], "some-model", base_url, "sk-secret-key", stall_seconds)
        )

    return connected
