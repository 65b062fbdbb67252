"""The list of models: what a provider answers, and what every failure of it is called."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer

from capbox.messages import Json
from capbox.models.catalog.table import PROVIDERS
from capbox.models.model import ErrorKind, ModelError
from capbox.models.providers.endpoint import Endpoint
from capbox.models.providers.listing import listed

KEY = "sk-secret-key"
PATHS = {
    "anthropic": "/v1/models",
    "google": "/v1beta/models",
    "openai": "/models",
    "openai-responses": "/models",
}
INVALID_KEY: Json = {
    "error": {
        "code": 400,
        "message": "API key not valid.",
        "status": "INVALID_ARGUMENT",
        "details": [{"reason": "API_KEY_INVALID"}],
    }
}
LOGIN = "{0} does not take this key; another one: capbox login {0}"
CREDIT = "there is no credit left at {0}; add some there, or take another"


async def test_each_dialect_lists_its_models(serve, connect, provider: str) -> None:
    assert await listed(connect(serve([])).endpoint) == ("some-model",)


def at(httpserver: HTTPServer, provider: str) -> Endpoint:
    return Endpoint(PROVIDERS[provider], "", httpserver.url_for("").rstrip("/"), KEY)


@pytest.mark.parametrize(
    ("provider", "status", "answer", "kind", "said"),
    [
        (
            "anthropic",
            401,
            {"type": "error", "error": {"type": "x", "message": f"no {KEY}"}},
            "authentication",
            f"anthropic: 401: no [key]: {LOGIN.format('anthropic')}",
        ),
        (
            "google",
            400,
            INVALID_KEY,
            "authentication",
            f"google: 400: API key not valid.: {LOGIN.format('google')}",
        ),
        ("openai", 403, {}, "authentication", f"openai: 403: {LOGIN.format('openai')}"),
        (
            "openai",
            429,
            {"error": {"message": "Pay.", "code": "insufficient_quota"}},
            "quota",
            f"openai: 429: Pay.: {CREDIT.format('openai')}",
        ),
        (
            "openai",
            402,
            {"error": "Pay."},
            "quota",
            f"openai: 402: Pay.: {CREDIT.format('openai')}",
        ),
        ("openai", 429, {"error": {"message": "Slow."}}, "rate_limit", "openai: 429: Slow."),
        ("openai", 404, {}, "invalid_request", "openai: 404"),
        ("openai", 500, {"error": {"message": "Oh."}}, "provider", "openai: 500: Oh."),
        # Not followed: the key would travel on.
        ("openai", 307, {}, "provider", "openai: 307"),
        ("openai", 200, {"data": 7}, "provider", "openai: the answer is no list of models"),
        ("google", 200, {"data": []}, "provider", "google: the answer is no list of models"),
    ],
)
async def test_a_failure_has_its_kind_and_says_what_to_do(
    httpserver: HTTPServer, provider: str, status: int, answer: Json, kind: ErrorKind, said: str
) -> None:
    httpserver.expect_request(PATHS[provider]).respond_with_json(answer, status=status)
    with pytest.raises(ModelError) as raised:
        await listed(at(httpserver, provider))
    assert (raised.value.kind, str(raised.value)) == (kind, said)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('{"data": [{"id": "b"}, {"id": "a"}, {"id": "a"}]}', ("a", "b")),
        ('{"data": [7, {"id": 7}, {}, {"id": "a"}]}', ("a",)),
        ('{"data": [{"id": "' + "x" * 201 + '"}]}', ()),
        ('{"data": [{"id": "half \\ud800"}]}', ("half ?",)),
        # A name is printed, and kept in the list that is remembered.
        (f'{{"data": [{{"id": "models/a{KEY}b"}}, {{"id": "{KEY}"}}]}}', ("[key]", "a[key]b")),
    ],
)
async def test_only_what_can_be_a_name_is_one(
    httpserver: HTTPServer, body: str, names: tuple[str, ...]
) -> None:
    httpserver.expect_request("/models").respond_with_data(body, content_type="application/json")
    assert await listed(at(httpserver, "openai")) == names


@pytest.mark.parametrize("body", ["<html>", "[" * 100_000, "[]", ""])
async def test_an_answer_that_is_no_json_object_is_an_error(
    httpserver: HTTPServer, body: str
) -> None:
    httpserver.expect_request("/models").respond_with_data(body)
    with pytest.raises(ModelError, match="no list of models"):
        await listed(at(httpserver, "openai"))


async def test_where_anybody_may_read_the_list_the_key_is_checked_elsewhere(
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request("/models").respond_with_json({"data": [{"id": "a"}]})
    httpserver.expect_request("/key").respond_with_json({}, status=401)
    provider = replace(PROVIDERS["openrouter"], base_url=httpserver.url_for("").rstrip("/"))
    assert provider.check == "key"
    with pytest.raises(ModelError, match="does not take this key"):
        await listed(Endpoint(provider, "", None, KEY))


async def test_no_server_and_a_silent_one_are_told_apart(serve) -> None:
    server = serve([])
    server.__exit__(None, None, None)
    with pytest.raises(ModelError) as gone:
        await listed(Endpoint(PROVIDERS["openai"], "", f"{server.url}/v1", KEY))
    assert gone.value.kind == "connection"
    assert f"{server.url} cannot be reached" in str(gone.value)
