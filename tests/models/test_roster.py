"""The models of one user: which key opens what."""

from __future__ import annotations

import pytest

from capbox.broker.secrets import SecretError
from capbox.models.catalog.catalog import BUILT_IN
from capbox.models.catalog.table import PROVIDERS
from capbox.models.model import Model
from capbox.models.open import ModelSpecError
from capbox.models.roster import KeyPlace, Roster

NAME = "MISTRAL_API_KEY"
URL = "http://127.0.0.1:1/v1"


def roster(environ: dict[str, str], secrets: dict[str, str]) -> Roster:
    return Roster(environ, secrets.get, lambda: BUILT_IN)


@pytest.mark.parametrize(
    ("environ", "secrets", "place", "key"),
    [
        ({NAME: "from-environ"}, {NAME: "from-secrets"}, "environment", "from-environ"),
        ({}, {NAME: "from-secrets"}, "secret", "from-secrets"),
        ({NAME: ""}, {NAME: "from-secrets"}, "secret", "from-secrets"),
        ({"OPENAI_API_KEY": "another"}, {}, "none", None),
    ],
)
def test_a_key_is_the_environments_else_the_secret_of_its_name(
    environ: dict[str, str], secrets: dict[str, str], place: KeyPlace, key: str | None
) -> None:
    here = roster(environ, secrets)
    assert here.place(PROVIDERS["mistral"]) == place
    opened = here.open("mistral/some-model")
    assert isinstance(opened, ModelSpecError) == (key is None)
    assert here.key(PROVIDERS["mistral"]) == key


@pytest.mark.parametrize(
    ("spec", "base_url", "opens"),
    [
        ("ollama/some-model", None, True),
        ("mistral/some-model", URL, True),
        ("mistral/some-model", None, False),
        ("__import__/x", URL, False),
        ("mistral", None, False),
        ("scripted:none.json", None, False),
    ],
)
def test_what_needs_no_key_opens_without_one(spec: str, base_url: str | None, opens: bool) -> None:
    opened: Model | ModelSpecError = roster({}, {}).open(spec, base_url)
    assert isinstance(opened, ModelSpecError) != opens


def test_secrets_that_cannot_be_read_are_said_and_not_taken_for_none() -> None:
    def broken(name: str) -> str | None:
        raise SecretError("secrets.json", "it is damaged", "mend it")

    opened = Roster({}, broken, lambda: BUILT_IN).open("mistral/some-model")
    assert str(opened) == "secrets.json: it is damaged: mend it"


def test_no_repr_holds_a_key() -> None:
    assert "from-environ" not in repr(roster({NAME: "from-environ"}, {}))
