"""`capbox models`: providers, what their models take and cost, and what a server lists."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from capbox.engine.home import Home
from capbox.models.fake_llm.server import FakeLlm
from capbox.surfaces.cli.entry import Entry


def configure(home: Home, text: str) -> None:
    home.prepare()
    (home.config / "config.toml").write_text(text)


def test_every_provider_is_listed_with_whether_there_is_a_key(
    capbox: Callable, entry: Entry, home: Home
) -> None:
    home.prepare()
    entry.secrets().set("MISTRAL_API_KEY", "sk-secret-key")
    done = capbox("models")
    assert done.code == 0
    lines = {line.split()[0]: " ".join(line.split()) for line in done.out.splitlines()}
    assert lines["mistral"] == "mistral kept MISTRAL_API_KEY https://api.mistral.ai/v1"
    assert lines["xai"] == "xai missing XAI_API_KEY https://api.x.ai/v1"
    assert lines["ollama"] == "ollama not needed OLLAMA_API_KEY http://127.0.0.1:11434/v1"
    assert lines["azure"] == "azure missing AZURE_OPENAI_API_KEY (yours)"
    listed = {one["name"]: one for one in capbox("models", "--json").json["providers"]}
    assert listed["mistral"] == {
        "name": "mistral",
        "dialect": "openai-chat",
        "base_url": "https://api.mistral.ai/v1",
        "key_name": "MISTRAL_API_KEY",
        "needs_key": True,
        "key": "secret",
    }
    assert "sk-secret-key" not in done.out + done.err + str(listed)


def test_the_models_of_a_provider_are_listed_with_what_the_operator_knows(
    capbox: Callable, home: Home
) -> None:
    configure(
        home,
        '[models."anthropic/claude-opus-4-1"]\ninput_usd = 1\noutput_usd = 2\n'
        '[models."anthropic/my-own"]\ncontext_tokens = 9000\n',
    )
    found = {one["name"]: one for one in capbox("models", "anthropic", "--json").json["models"]}
    assert found["anthropic/claude-opus-4-1"] == {
        "name": "anthropic/claude-opus-4-1",
        "context_tokens": 200_000,
        "output_tokens": 32_000,
        "input_usd": 1.0,
        "output_usd": 2.0,
        "images": True,
        "pdfs": True,
        "thinking": True,
    }
    assert found["anthropic/claude-sonnet-4-5"]["input_usd"] == 3.0
    assert found["anthropic/my-own"]["context_tokens"] == 9_000
    lines = capbox("models", "anthropic").out.splitlines()
    (own,) = (line for line in lines if "my-own" in line)
    assert own.split() == ["anthropic/my-own", "9,000", "?", "?", "?"]
    (opus,) = (line for line in lines if "claude-opus-4-1" in line)
    assert opus.endswith("images, PDFs, thinking")


def test_a_server_is_asked_only_when_told_to(capbox: Callable, home: Home) -> None:
    with FakeLlm(()) as server:
        configure(home, f'[providers.fake]\nbase_url = "{server.url}/v1"\nneeds_key = false\n')
        unasked = capbox("models", "fake")
        assert (unasked.code, unasked.out) == (0, "")
        assert "it may be asked: --ask" in unasked.err
        asked = capbox("models", "fake", "--ask", "--json")
    assert [one["name"] for one in asked.json["models"]] == ["fake/some-model"]
    gone = capbox("models", "fake", "--ask")
    assert gone.code == 1
    assert f"{server.url} cannot be reached" in gone.err


@pytest.mark.parametrize("word", ["antropic", "sk-something-that-is-a-key"])
def test_an_unknown_provider_is_refused_and_not_repeated(capbox: Callable, word: str) -> None:
    done = capbox("models", word)
    assert (done.code, done.out) == (2, "")
    assert "there is no provider of that name; there are: anthropic, openai" in done.err
    assert word not in done.err
