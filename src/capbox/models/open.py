"""From a specification to a model: `PROVIDER/NAME` or `scripted:FILE`.

Guarantees: what cannot be opened is a `ModelSpecError` that says what exists; provider libraries
(seconds to import) are loaded at the first request, not here. Does not: read the environment or any
configuration; catalog and key come in as arguments.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from capbox.broker.redact import SHORTEST, Redactor
from capbox.models.catalog.catalog import BUILT_IN, Catalog
from capbox.models.catalog.provider import Provider
from capbox.models.direct import DirectModel
from capbox.models.discreet import DiscreetModel
from capbox.models.model import Model
from capbox.models.providers.endpoint import Endpoint
from capbox.models.script import ScriptError, read_script
from capbox.models.scripted import ScriptedModel


@dataclass(frozen=True, slots=True)
class ModelSpecError:
    """Why a specification names no model that can be opened."""

    spec: str
    message: str

    def __str__(self) -> str:
        """Return the sentence for the person who wrote the specification."""
        return self.message


def open_model(
    spec: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    catalog: Catalog = BUILT_IN,
) -> Model | ModelSpecError:
    """Open the model that `spec` names.

    `base_url` replaces the provider's own address, which makes `openai/NAME` any server that speaks
    OpenAI Chat Completions; another address may need no key. A script file is read now.
    """
    if spec.startswith("scripted:"):
        return _scripted(spec, base_url)
    provider = provider_of(spec, catalog)
    if isinstance(provider, ModelSpecError):
        return provider
    problem = _problem(spec, provider, base_url, api_key)
    if problem is not None:
        return ModelSpecError(spec, problem)
    name = spec.partition("/")[2]
    override = catalog.override(provider, name)
    model = DirectModel(Endpoint(provider, name, base_url, api_key, override=override))
    if len((api_key or "").encode()) < SHORTEST:
        return model  # too short to be told from ordinary text, as no real key is
    return DiscreetModel(model, Redactor({provider.key: api_key or ""}))


def provider_of(spec: str, catalog: Catalog) -> Provider | ModelSpecError:
    """Return the provider that a specification names."""
    name, slash, model = spec.partition("/")
    if not slash or not model or not name:
        return ModelSpecError(spec, f"{spec!r} names no model: {_forms(catalog)}")
    found = catalog.provider(name)
    return found or ModelSpecError(spec, f"unknown provider {name!r}: {_forms(catalog)}")


def _forms(catalog: Catalog) -> str:
    names = ", ".join(catalog.providers)
    return f"a model is PROVIDER/NAME (PROVIDER: {names}) or scripted:FILE.json"


def _problem(
    spec: str, provider: Provider, base_url: str | None, api_key: str | None
) -> str | None:
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        return f"base URL {base_url!r} must start with http:// or https://"
    if base_url is None and provider.base_url is None:
        where = f"base_url under [providers.{provider.name}] in config.toml"
        return f"{provider.name} has no address that is everybody's: give --base-url, or {where}"
    if not api_key and base_url is None and provider.needs_key:
        return f"{spec} needs an API key: capbox login {provider.name}, or set {provider.key}"
    if provider.dialect == "google" and not _has_google():
        return f"{spec} needs Google's library: pip install 'capbox[google]'"
    return None


def _has_google() -> bool:
    try:
        return importlib.util.find_spec("google.genai") is not None
    except ModuleNotFoundError:
        return False


def _scripted(spec: str, base_url: str | None) -> Model | ModelSpecError:
    if base_url is not None:
        return ModelSpecError(spec, "a scripted model has no base URL")
    script = read_script(Path(spec.removeprefix("scripted:")))
    if isinstance(script, ScriptError):
        return ModelSpecError(spec, str(script))
    for number, reply in enumerate(script):
        if reply.fault is not None or reply.seconds is not None:
            fault = ScriptError(spec, number, "faults exist only behind `capbox fake-llm`")
            return ModelSpecError(spec, str(fault))
    return ScriptedModel(spec, script)
