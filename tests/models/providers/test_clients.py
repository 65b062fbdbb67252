"""The SDKs' clients take everything from their arguments and nothing from the environment."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pytest_httpserver import HTTPServer

from capbox.messages import UserMessage
from capbox.models.catalog.table import PROVIDERS
from capbox.models.direct import DirectModel
from capbox.models.model import ModelError, ModelRequest
from capbox.models.providers.endpoint import Endpoint

PROGRAM = """
import asyncio, sys
from capbox.messages import UserMessage
from capbox.models.model import ModelRequest
from capbox.models.open import open_model

async def main():
    for spec, base_url in zip(("anthropic/m", "openai/m"), sys.argv[1:]):
        model = open_model(spec, base_url=base_url, api_key="given-key")
        async for _event in model.stream(ModelRequest("", (UserMessage("Go."),))):
            pass

asyncio.run(main())
"""
ELSEWHERE = "http://127.0.0.1:9"  # the discard port, where nothing listens
HOSTILE = {
    "ANTHROPIC_API_KEY": "ambient-key",
    "ANTHROPIC_AUTH_TOKEN": "ambient-key",
    "ANTHROPIC_BASE_URL": ELSEWHERE,
    "ANTHROPIC_CUSTOM_HEADERS": "x-extra: ambient-key\nx-api-key: ambient-key",
    "OPENAI_API_KEY": "ambient-key",
    "OPENAI_ADMIN_KEY": "ambient-key",
    "OPENAI_BASE_URL": ELSEWHERE,
    "OPENAI_ORG_ID": "ambient-key",
    "OPENAI_PROJECT_ID": "ambient-key",
    "OPENAI_CUSTOM_HEADERS": "x-extra: ambient-key\nauthorization: Bearer ambient-key",
    "HTTP_PROXY": ELSEWHERE,
    "HTTPS_PROXY": ELSEWHERE,
    "ALL_PROXY": ELSEWHERE,
    "NO_PROXY": "",
    "SSL_CERT_FILE": "/nowhere",
}


def test_a_hostile_environment_changes_neither_address_nor_key_nor_headers(serve) -> None:
    server = serve([{"text": "x"}])
    subprocess.run(
        [sys.executable, "-c", PROGRAM, server.url, server.url + "/v1"], env=HOSTILE, check=True
    )
    anthropic, openai = server.received
    assert anthropic.headers["x-api-key"] == "given-key"
    assert openai.headers["authorization"] == "Bearer given-key"
    for request in server.received:
        assert "ambient-key" not in str(request)


async def test_a_redirect_is_not_followed_with_the_key(
    httpserver: HTTPServer, provider: str
) -> None:
    httpserver.expect_request("/elsewhere").respond_with_data("caught")
    for path in ("/v1/messages", "/chat/completions"):
        httpserver.expect_request(path).respond_with_data(
            "", status=307, headers={"location": httpserver.url_for("/elsewhere")}
        )
    model = DirectModel(Endpoint(PROVIDERS[provider], "m", httpserver.url_for(""), "sk-secret-key"))
    with pytest.raises(ModelError) as raised:
        _ = [e async for e in model.stream(ModelRequest("", (UserMessage("Go."),)))]
    assert raised.value.kind == "provider"
    assert [request.path for request, _response in httpserver.log] in (
        ["/v1/messages"],
        ["/chat/completions"],
    )
