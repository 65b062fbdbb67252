"""Specifications of models: what opens, and what is said about the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from capbox.models.direct import DirectModel
from capbox.models.model import Model
from capbox.models.open import ModelSpecError, open_model
from capbox.models.providers.endpoint import Endpoint

LOCAL = "http://127.0.0.1:11434/v1"
NEEDS = "{0} needs an API key: set {1}, or keep it: capbox secret set {1}"
FORMS = "a model is PROVIDER/NAME (PROVIDER: anthropic, openai) or scripted:FILE.json"


@pytest.mark.parametrize(
    ("spec", "base_url", "api_key", "opened"),
    [
        (
            "anthropic/claude-sonnet-4-5",
            None,
            "k",
            DirectModel(Endpoint("anthropic", "claude-sonnet-4-5", None, "k")),
        ),
        ("anthropic/a", None, None, NEEDS.format("anthropic/a", "ANTHROPIC_API_KEY")),
        ("openai/gpt-5", None, "", NEEDS.format("openai/gpt-5", "OPENAI_API_KEY")),
        (
            "openai/meta-llama/llama-3",
            LOCAL,
            None,
            DirectModel(Endpoint("openai", "meta-llama/llama-3", LOCAL, None)),
        ),
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
