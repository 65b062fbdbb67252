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
    for spec, base_url in zip(sys.argv[1::2], sys.argv[2::2]):
        model = open_model(spec, base_url=base_url, api_key="given-key")
        async for _event in model.stream(ModelRequest("", (UserMessage("Go."),))):
            pass

asyncio.run(main())
"""
SENT_TO = {
    "anthropic": "/v1/messages",
    "openai": "/chat/completions",
    "openai-responses": "/responses",
    "google": "/v1beta/models/m:streamGenerateContent",
}
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
    "GOOGLE_API_KEY": "ambient-key",
    "GEMINI_API_KEY": "ambient-key",
    "GOOGLE_GEMINI_BASE_URL": ELSEWHERE,
    "GOOGLE_GENAI_USE_VERTEXAI": "true",
    "GOOGLE_GENAI_USE_ENTERPRISE": "true",
    "GOOGLE_CLOUD_PROJECT": "ambient-key",
    "GOOGLE_GENAI_HTTP_CLIENT": "requests",
    "HTTP_PROXY": ELSEWHERE,
    "HTTPS_PROXY": ELSEWHERE,
    "ALL_PROXY": ELSEWHERE,
    "NO_PROXY": "",
    "SSL_CERT_FILE": "/nowhere",
}


def test_a_hostile_environment_changes_neither_address_nor_key_nor_headers(serve) -> None:
    server = serve([{"text": "x"}])
    openai_url = server.url + "/v1"
    specs = ("anthropic/m", server.url, "openai/m", openai_url, "openai-responses/m", openai_url)
    subprocess.run(
        [sys.executable, "-c", PROGRAM, *specs, "google/m", server.url], env=HOSTILE, check=True
    )
    anthropic, openai, responses, google = server.received
    assert anthropic.headers["x-api-key"] == "given-key"
    assert openai.headers["authorization"] == "Bearer given-key"
    assert responses.headers["authorization"] == "Bearer given-key"
    assert google.headers["x-goog-api-key"] == "given-key"
    for request in server.received:
        assert "ambient-key" not in str(request)


async def test_a_redirect_is_not_followed_with_the_key(
    httpserver: HTTPServer, provider: str
) -> None:
    httpserver.expect_request("/elsewhere").respond_with_data("caught")
    httpserver.expect_request(SENT_TO[provider]).respond_with_data(
        "", status=307, headers={"location": httpserver.url_for("/elsewhere")}
    )
    model = DirectModel(Endpoint(PROVIDERS[provider], "m", httpserver.url_for(""), "sk-secret-key"))
    with pytest.raises(ModelError) as raised:
        _ = [e async for e in model.stream(ModelRequest("", (UserMessage("Go."),)))]
    assert raised.value.kind == "provider"
    assert [request.path for request, _response in httpserver.log] == [SENT_TO[provider]]


def test_the_library_of_a_dialect_that_is_not_spoken_is_not_loaded() -> None:
    program = (
        "import sys, capbox.models.providers.exchange;"
        "print([one for one in ('anthropic', 'openai', 'google.genai') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
