"""The operator's providers and models: what is read, and what refuses all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.engine.operator import read_operator
from capbox.engine.settings import SettingsError
from capbox.models.catalog.catalog import BUILT_IN, Catalog
from capbox.models.catalog.configured import read_catalog
from capbox.models.catalog.override import Override
from capbox.models.catalog.provider import Provider
from capbox.models.catalog.table import OPENAI_URL, PROVIDERS

URL = "https://llm.example.com/v1"


@pytest.mark.parametrize(
    ("name", "table", "provider"),
    [
        ("my-work", {"base_url": URL}, Provider("my-work", "openai-chat", URL, "MY_WORK_API_KEY")),
        (
            "work",
            {"base_url": URL, "dialect": "anthropic", "key": "K", "needs_key": False},
            Provider("work", "anthropic", URL, "K", needs_key=False),
        ),
        # What capbox knows stays, but the prices and the check of another address.
        (
            "openai",
            {"dialect": "openai-responses"},
            Provider("openai", "openai-responses", OPENAI_URL, "OPENAI_API_KEY", prices="openai"),
        ),
        (
            "openrouter",
            {"base_url": URL, "stall_seconds": 90},
            Provider("openrouter", "openai-chat", URL, "OPENROUTER_API_KEY", stall_seconds=90.0),
        ),
        ("azure", {"base_url": URL}, Provider("azure", "openai-chat", URL, "AZURE_OPENAI_API_KEY")),
    ],
)
def test_a_provider_is_added_or_changed(
    name: str, table: dict[str, object], provider: Provider
) -> None:
    catalog = read_catalog({name: table}, {})
    assert isinstance(catalog, Catalog)
    assert catalog.provider(name) == provider
    others = {key: one for key, one in catalog.providers.items() if key != name}
    assert others == {key: one for key, one in PROVIDERS.items() if key != name}


def test_a_models_numbers_are_read() -> None:
    table = {"context_tokens": 5, "images": True, "input_usd": 1, "output_usd": 2.5}
    catalog = read_catalog({}, {"ollama/qwen3:8b": table})
    assert isinstance(catalog, Catalog)
    override = Override(context_tokens=5, images=True, input_usd=1.0, output_usd=2.5)
    assert catalog.override(PROVIDERS["ollama"], "qwen3:8b") == override
    assert catalog.override(PROVIDERS["ollama"], "qwen3") == Override()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[providers.x]\nkey = "K"', "line 1: [providers.x] needs base_url"),
        ('[providers.openai]\nurl = "https://x"', "line 2: [providers.openai] has no key 'url'"),
        ('[providers.x]\nbase_url = "x"', "line 2: [providers.x] base_url starts with http"),
        ('[providers.x]\nbase_url = "http://a:b@x"', "[providers.x] base_url holds no user"),
        ("[providers.openai]\nbase_url = 7", "line 2: [providers.openai] base_url is a text"),
        (
            '[providers.openai]\ndialect = "openai"',
            "line 1: [providers.openai] dialect is one of anthropic, openai-chat",
        ),
        ('[providers.openai]\nkey = "A-B"', "line 2: [providers.openai] key is the name of a key"),
        (
            "[providers.openai]\nneeds_key = 1",
            "line 2: [providers.openai] needs_key is true or false",
        ),
        ("[providers.openai]\nstall_seconds = 0", "line 2: [providers.openai] stall_seconds"),
        ("[providers.openai]\nstall_seconds = inf", "line 2: [providers.openai] stall_seconds"),
        ('[providers."A B"]\nbase_url = "https://x"', "line 1: [providers.A B]: a name has"),
        ("providers = 7", "line 1: [providers] is a table"),
        ("[providers]\nopenai = 7", "line 2: [providers.openai] is a table"),
        ("[models]\nx = 7", "line 2: [models.x] is a table"),
        ("[models.gpt]\nimages = true", 'line 1: [models."gpt"]: a model is'),
        ('[models."x/y"]\nimages = true', "line 1: [models.\"x/y\"]: there is no provider 'x'"),
        (
            '[models."openai/y"]\ncontext = 1',
            "line 2: [models.\"openai/y\"] has no key 'context'; there are: context_tokens",
        ),
        ('[models."openai/y"]\ncontext_tokens = 0', "context_tokens is a whole number above 0"),
        ('[models."openai/y"]\ncontext_tokens = true', "context_tokens is a whole number above 0"),
        ('[models."openai/y"]\nimages = "yes"', "images is true or false"),
        ('[models."openai/y"]\ninput_usd = 1', "prices need both input_usd and output_usd"),
        ('[models."openai/y"]\ninput_usd = -1', "input_usd is dollars for a million tokens"),
        ('[models."openai/y"]\ninput_usd = nan', "input_usd is dollars for a million tokens"),
    ],
)
def test_anything_unknown_refuses_all_of_it_and_names_its_line(
    text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        read_operator(file)
    assert said in str(raised.value)


def test_without_tables_the_catalog_is_the_built_in_one(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('never = ["read ~/.ssh"]')
    assert read_operator(file).catalog == BUILT_IN == read_catalog({}, {})
