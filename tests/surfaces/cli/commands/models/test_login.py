"""`capbox login` and `logout`: a key goes in when its provider takes it, and never comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from capbox.broker.secrets import SecretStore
from capbox.messages import Json
from capbox.models.fake_llm.server import FakeLlm

KEY = "sk-key-0123456789"


@pytest.fixture
def store(environ: Mapping[str, str]) -> SecretStore:
    """The store that a process with this environment uses."""
    return SecretStore(Path(environ["CAPBOX_HOME"], "state"), keyring=lambda: None)


def configure(environ: Mapping[str, str], url: str) -> None:
    """Have a provider `fake` at an address."""
    file = Path(environ["CAPBOX_HOME"], "config", "config.toml")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(f'[providers.fake]\nbase_url = "{url}"\n')


@pytest.mark.parametrize(
    ("status", "answer", "code", "kept", "said"),
    [
        (200, {"data": [{"id": "a"}, {"id": "b"}]}, 0, True, "fake takes it and lists 2 models"),
        (
            401,
            {"error": {"message": f"wrong: {KEY}"}},
            1,
            False,
            "capbox: fake: 401: wrong: [key]: fake does not take this key; another one: capbox"
            " login fake",
        ),
        (
            402,
            {"error": {"message": "Pay."}},
            0,
            True,
            "the key is right, but: fake: 402: Pay.: there is no credit left at fake",
        ),
        (404, {}, 0, True, "it could not be checked: fake: 404"),
        (500, {"error": {"message": "Oh."}}, 1, False, "capbox: fake: 500: Oh."),
    ],
)
def test_a_key_is_kept_if_its_provider_takes_it(
    process: Callable,
    store: SecretStore,
    environ: Mapping[str, str],
    httpserver: HTTPServer,
    status: int,
    answer: Json,
    code: int,
    kept: bool,
    said: str,
) -> None:
    configure(environ, httpserver.url_for("").rstrip("/"))
    httpserver.expect_request(
        "/models", headers={"authorization": f"Bearer {KEY}"}
    ).respond_with_json(answer, status=status)
    done = process("login", "fake", stdin=f"{KEY}\n")
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert store.get("FAKE_API_KEY") == (KEY if kept else None)
    assert KEY not in done.err


def test_without_a_network_nothing_is_kept_but_unchecked_it_may_be(
    process: Callable, store: SecretStore, environ: Mapping[str, str]
) -> None:
    with FakeLlm(()) as server:
        configured = f"{server.url}/v1"  # where nobody listens any more
    configure(environ, configured)
    done = process("login", "fake", stdin=KEY)
    assert (done.code, store.names()) == (1, ())
    assert f"{server.url} cannot be reached" in done.err
    assert process("login", "fake", "--no-check", stdin=KEY).code == 0
    assert store.get("FAKE_API_KEY") == KEY
    assert process("logout", "fake").err == "removed FAKE_API_KEY\n"
    assert store.names() == ()
    assert process("logout", "fake").err == "capbox: no key for fake is kept\n"


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (("nobody",), KEY, "there is no provider of that name; there are: anthropic"),
        ((KEY,), "", "there is no provider of that name; there are: anthropic"),
        (("openai", KEY), "", "a key is never an argument"),
        (("openai", f"--key={KEY}"), "", "a key is never an argument"),
        (("azure",), KEY, "azure has no address that is everybody's: set base_url under"),
        (("openai", "--no-check"), "", "no key came; nothing is kept"),
        (("openai",), "\n", "no key came; nothing is kept"),
        (("openai",), f"{KEY}\nx: y", "a key is one word of printable ASCII characters"),
        (("openai",), f"{KEY} {KEY}", "a key is one word of printable ASCII characters"),
        (("openai",), f"{KEY}é", "a key is one word of printable ASCII characters"),
    ],
)
def test_what_cannot_be_a_login_is_refused_and_not_repeated(
    process: Callable, store: SecretStore, arguments: tuple[str, ...], typed: str, said: str
) -> None:
    done = process("login", *arguments, stdin=typed)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert KEY not in done.err
    assert store.names() == ()


def test_a_key_in_the_environment_is_named_as_the_one_that_counts(
    process: Callable, store: SecretStore
) -> None:
    env = {"OPENAI_API_KEY": "another-key-0123"}
    done = process("login", "openai", "--no-check", stdin=KEY, env=env)
    assert done.code == 0
    assert "OPENAI_API_KEY is also set in the environment, which comes first" in done.err
    assert "another-key" not in done.err
