"""Specifications of models: what opens, and what is said about the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from capbox.models.catalog.catalog import Catalog
from capbox.models.catalog.configured import read_catalog
from capbox.models.catalog.table import PROVIDERS
from capbox.models.direct import DirectModel
from capbox.models.facts import Facts, facts_of
from capbox.models.model import Model
from capbox.models.open import ModelSpecError, open_model
from capbox.models.providers.endpoint import Endpoint

LOCAL = "http://127.0.0.1:11434/v1"
NEEDS = "{0} needs an API key: capbox login {1}, or set {2}"
FORMS = f"a model is PROVIDER/NAME (PROVIDER: {', '.join(PROVIDERS)}) or scripted:FILE.json"


@pytest.mark.parametrize(
    ("spec", "base_url", "api_key", "opened"),
    [
        (
            "anthropic/claude-sonnet-4-5",
            None,
            "k",
            DirectModel(Endpoint(PROVIDERS["anthropic"], "claude-sonnet-4-5", None, "k")),
        ),
        ("anthropic/a", None, None, NEEDS.format("anthropic/a", "anthropic", "ANTHROPIC_API_KEY")),
        ("openai/gpt-5", None, "", NEEDS.format("openai/gpt-5", "openai", "OPENAI_API_KEY")),
        (
            "openai/meta-llama/llama-3",
            LOCAL,
            None,
            DirectModel(Endpoint(PROVIDERS["openai"], "meta-llama/llama-3", LOCAL, None)),
        ),
        (
            "ollama/qwen3:8b",
            None,
            None,
            DirectModel(Endpoint(PROVIDERS["ollama"], "qwen3:8b", None, None)),
        ),
        (
            "azure/a",
            None,
            "k",
            "azure has no address that is everybody's: give --base-url, or base_url under"
            " [providers.azure] in config.toml",
        ),
        ("azure/a", LOCAL, "k", DirectModel(Endpoint(PROVIDERS["azure"], "a", LOCAL, "k"))),
        (
            "openai/a",
            "localhost:1",
            "k",
            "base URL 'localhost:1' must start with http:// or https://",
        ),
        ("opanai/gpt-5", None, "k", f"unknown provider 'opanai': {FORMS}"),
        ("gpt-5", None, "k", f"'gpt-5' names no model: {FORMS}"),
        ("openai/", None, "k", f"'openai/' names no model: {FORMS}"),
        ("", None, "k", f"'' names no model: {FORMS}"),
        ("scripted:none.json", LOCAL, None, "a scripted model has no base URL"),
    ],
)
def test_a_specification_opens_or_says_what_exists(
    spec: str, base_url: str | None, api_key: str | None, opened: Model | str
) -> None:
    expected = ModelSpecError(spec, opened) if isinstance(opened, str) else opened
    assert open_model(spec, base_url=base_url, api_key=api_key) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[{}, {]", "is not JSON: Expecting property name"),
        ('[{}, {"text": []}]', "entry 1: text must be a string"),
        ('[{"fault": "cut"}]', "entry 0: faults exist only behind `capbox fake-llm`"),
    ],
)
def test_a_bad_script_opens_nothing(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "script.json"
    file.write_text(text)
    error = open_model(f"scripted:{file}")
    assert isinstance(error, ModelSpecError)
    assert str(file) in str(error)
    assert said in str(error)


def test_no_repr_holds_the_key() -> None:
    assert "sk-1" not in repr(open_model("openai/gpt-5", api_key="sk-1"))


def test_opening_a_model_does_not_load_the_provider_libraries() -> None:
    program = (
        "import sys; from capbox.models.open import open_model;"
        "open_model('openai/a', api_key='k');"
        "sys.exit(any(m in sys.modules for m in ('pydantic_ai', 'openai', 'anthropic', 'httpx2')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_opening_a_model_gives_it_what_the_operator_knows_of_it() -> None:
    catalog = read_catalog(
        {"work": {"base_url": LOCAL, "needs_key": False}},
        {"work/large": {"context_tokens": 9, "thinking": True}},
    )
    assert isinstance(catalog, Catalog)
    large, small = (open_model(f"work/{name}", catalog=catalog) for name in ("large", "small"))
    assert facts_of(large) == Facts(context_tokens=9, thinking=True)
    assert facts_of(small) == Facts()
    assert isinstance(open_model("work/large"), ModelSpecError)
    with_key = open_model("work/large", api_key="sk-secret-key", catalog=catalog)
    assert facts_of(with_key) == facts_of(large)


def test_a_missing_extra_is_said_with_what_installs_it() -> None:
    program = (
        "import sys; sys.modules['google'] = None\n"
        "from capbox.models.open import open_model\n"
        "print(open_model('google/gemini-2.5-pro', api_key='k'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    said = "google/gemini-2.5-pro needs Google's library: pip install 'capbox[google]'"
    assert done.stdout == f"{said}\n"
