"""From a specification to a model: `PROVIDER/NAME` or `scripted:FILE`.

Guarantees: what cannot be opened is a `ModelSpecError` that says what exists; provider libraries
(seconds to import) are loaded at the first request, not here. Does not: read the environment or any
configuration; a key comes in as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capbox.broker.redact import SHORTEST, Redactor
from capbox.models.direct import DirectModel
from capbox.models.discreet import DiscreetModel
from capbox.models.model import Model
from capbox.models.providers.endpoint import PROVIDERS, Endpoint
from capbox.models.script import ScriptError, read_script
from capbox.models.scripted import ScriptedModel

_FORMS = f"a model is PROVIDER/NAME (PROVIDER: {', '.join(PROVIDERS)}) or scripted:FILE.json"


@dataclass(frozen=True, slots=True)
class ModelSpecError:
    """Why a specification names no model that can be opened."""

    spec: str
    message: str

    def __str__(self) -> str:
        """Return the sentence for the person who wrote the specification."""
        return self.message


def open_model(
    spec: str, *, base_url: str | None = None, api_key: str | None = None
) -> Model | ModelSpecError:
    """Open the model that `spec` names.

    `base_url` replaces the provider's own address, which makes `openai/NAME` any server that speaks
    OpenAI Chat Completions; another address may need no key. A script file is read now.
    """
    if spec.startswith("scripted:"):
        return _scripted(spec, base_url)
    provider, slash, name = spec.partition("/")
    if not slash or not name or not provider:
        return ModelSpecError(spec, f"{spec!r} names no model: {_FORMS}")
    known = next((one for one in PROVIDERS if one == provider), None)
    if known is None:
        return ModelSpecError(spec, f"unknown provider {provider!r}: {_FORMS}")
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        return ModelSpecError(spec, f"base URL {base_url!r} must start with http:// or https://")
    if not api_key and base_url is None:
        name = f"{provider.upper()}_API_KEY"
        message = f"{spec} needs an API key: set {name}, or keep it: capbox secret set {name}"
        return ModelSpecError(spec, message)
    model = DirectModel(Endpoint(known, name, base_url, api_key))
    if len((api_key or "").encode()) < SHORTEST:
        return model  # too short to be told from ordinary text, as no real key is
    return DiscreetModel(model, Redactor({f"{provider.upper()}_API_KEY": api_key or ""}))


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
