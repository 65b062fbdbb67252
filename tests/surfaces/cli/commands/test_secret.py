"""`capbox secret`: a value goes in, and never comes out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from capbox.broker.secrets import SecretStore
from capbox.engine.home import Home
from capbox.messages import Json
from capbox.models.fake_llm.plan import PlannedReply, plan_of
from capbox.models.fake_llm.server import FakeLlm
from capbox.models.script import ScriptError, parse_script

VALUE = "sk-value-0123456789"


def store_of(environ: Mapping[str, str]) -> SecretStore:
    """The store that a process with this environment uses."""
    return SecretStore(Path(environ["CAPBOX_HOME"], "state"), keyring=lambda: None)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (VALUE, VALUE),
        (f"{VALUE}\n", VALUE),
        (f"{VALUE}\r\n", VALUE),
        (f"{VALUE} {VALUE}", f"{VALUE} {VALUE}"),
    ],
)
def test_a_value_from_a_pipe_is_kept_without_its_line_end(
    process: Callable, environ: Mapping[str, str], typed: str, kept: str
) -> None:
    done = process("secret", "set", "TOKEN", stdin=typed)
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("TOKEN is kept in an encrypted file; whoever can read ")
    assert VALUE not in done.err
    assert store_of(environ).get("TOKEN") == kept


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "TOKEN: the value is too short or too long: it has 8 to 16,384 characters"),
        ("1234567\n", "TOKEN: the value is too short or too long: it has 8 to 16,384 characters"),
        (f"{VALUE}\n\n", "TOKEN: the value has a control character: set it without"),
        (f"{VALUE}\nX: y", "TOKEN: the value has a control character: set it without"),
        (f"{VALUE}\udcff", "the value on standard input is not UTF-8"),
        ("x" * 200_000, "TOKEN: the value is too short or too long: it has 8 to 16,384 characters"),
    ],
)
def test_a_value_that_cannot_be_kept_is_refused_unseen(
    process: Callable, environ: Mapping[str, str], typed: str, said: str
) -> None:
    done = process("secret", "set", "TOKEN", stdin=typed)
    assert (done.code, done.out, done.err) == (2, "", f"capbox: {said}\n")
    assert store_of(environ).names() == ()


@pytest.mark.parametrize(
    "arguments",
    [
        ("TOKEN", VALUE),
        ("TOKEN", f"--{VALUE}"),
        ("TOKEN", f"--value={VALUE}"),
        ("TOKEN", "--", VALUE),
        (f"-{VALUE}", "TOKEN", VALUE),
        ("TOKEN", VALUE, "--json"),
        (f"TOKEN={VALUE}",),
        (VALUE,),
        (f"--{VALUE}",),
    ],
)
def test_a_value_as_an_argument_is_refused_and_not_repeated(
    process: Callable, environ: Mapping[str, str], arguments: tuple[str, ...]
) -> None:
    done = process("secret", "set", *arguments, stdin=VALUE)
    assert done.code == 2
    assert VALUE not in done.out + done.err
    said = "the value of a secret is never an argument" if len(arguments) > 1 else "no name"
    assert said in done.out + done.err
    assert store_of(environ).names() == ()


def test_a_person_types_a_value_unseen(person: Callable, environ: Mapping[str, str]) -> None:
    someone = person("secret", "set", "TOKEN")
    someone.waits_for("value of TOKEN (not shown): ")
    someone.types(f"{VALUE}\n")
    code, screen = someone.leaves()
    assert (code, VALUE in screen) == (0, False)
    assert "TOKEN is kept in an encrypted file" in screen
    assert store_of(environ).get("TOKEN") == VALUE


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\x04", 2)])
def test_a_person_who_types_none_keeps_nothing(
    person: Callable, environ: Mapping[str, str], key: str, code: int
) -> None:
    someone = person("secret", "set", "TOKEN")
    someone.waits_for("(not shown): ")
    someone.types(key)
    assert someone.leaves()[0] == code
    assert store_of(environ).names() == ()


def test_a_list_has_names_and_the_place_and_no_values(capbox: Callable, home: Home) -> None:
    nothing = capbox("secret", "list")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "no secret is kept yet\n")
    home.prepare()
    store = SecretStore(home.state, keyring=lambda: None)
    store.set("B", VALUE)
    store.set("A", VALUE)
    listed = capbox("secret", "list")
    assert (listed.code, listed.out) == (0, "A\nB\n")
    assert listed.err == f"kept {store.describe()}\n"
    assert capbox("secret", "list", "--json").json == {
        "secrets": ["A", "B"],
        "kept": store.describe(),
    }


def test_a_secret_is_removed_once(capbox: Callable, home: Home) -> None:
    home.prepare()
    store = SecretStore(home.state, keyring=lambda: None)
    store.set("A", VALUE)
    assert (capbox("secret", "remove", "A").code, store.names()) == (0, ())
    again = capbox("secret", "remove", "A")
    assert (again.code, again.out) == (2, "")
    assert again.err == "capbox: there is no secret of that name; see: capbox secret list\n"


@pytest.mark.parametrize("arguments", [("list",), ("list", "--json"), ("remove", "A")])
def test_a_store_that_cannot_be_read_is_an_exit_code(
    arguments: tuple[str, ...], capbox: Callable, home: Home
) -> None:
    home.prepare()
    (home.state / "secrets.json").write_text("{")
    done = capbox("secret", *arguments)
    assert done.code == 2
    said = json.loads(done.out)["error"]["message"] if "--json" in arguments else done.err
    assert "secrets.json: it is damaged, or not of this version; it is kept as it is" in said


def test_secrets_are_not_put_where_others_can_come_in(process: Callable, environ: Mapping) -> None:
    state = Path(environ["CAPBOX_HOME"], "state")
    state.mkdir(parents=True)
    state.chmod(0o755)
    done = process("secret", "set", "TOKEN", stdin=VALUE)
    assert (done.code, "is open to others: run chmod 700" in done.err) == (2, True)
    assert list(state.iterdir()) == []


SEARCH = """env; set; cat /proc/*/environ; cat "$1"; ls -a ~ /; find / -name 'secrets*'"""


@pytest.mark.parametrize(
    ("environment", "kept", "used"),
    [
        (None, None, None),
        ("key-of-environment", None, "key-of-environment"),
        (None, VALUE, VALUE),
        ("", VALUE, VALUE),
        ("key-of-environment", VALUE, "key-of-environment"),
    ],
)
def test_a_models_key_is_the_environments_or_a_secret_and_no_guest_finds_it(
    process: Callable,
    environ: Mapping[str, str],
    environment: str | None,
    kept: str | None,
    used: str | None,
) -> None:
    store = store_of(environ)
    if kept is not None:
        assert process("secret", "set", "OPENAI_API_KEY", stdin=kept).code == 0
    script = SEARCH.replace("$1", str(store.file.with_name("secrets.key")))
    calls = [{"name": "bash", "arguments": {"script": script}}]
    with FakeLlm(planned([{"tool_calls": calls}, {"text": "done"}])) as server:
        flags = ("--model", "openai/m", "--base-url", f"{server.url}/v1", "--preset", "edit")
        env = {} if environment is None else {"OPENAI_API_KEY": environment}
        done = process("run", "Go.", *flags, "--json", env=env)
        requests = list(server.received)
    assert (done.code, done.json["outcome"], len(requests)) == (0, "completed", 2)
    sent = {request.headers.get("authorization") for request in requests}
    assert sent == ({f"Bearer {used}"} if used else sent - {f"Bearer {VALUE}"})
    found = str(requests[-1].body)
    assert "PATH=" in found
    for value in filter(None, (environment, kept)):
        assert value not in found + done.out + done.err


def test_a_store_that_cannot_be_read_is_said_before_a_model_is_asked(
    process: Callable, environ: Mapping[str, str]
) -> None:
    process("secret", "set", "OPENAI_API_KEY", stdin=VALUE)
    store_of(environ).file.write_text("{")
    for env, said in (({}, "secrets.json: it is damaged"), ({"OPENAI_API_KEY": "k"}, "")):
        with FakeLlm(planned([{"text": "done"}])) as server:
            done = process(
                *("run", "Go.", "--model", "openai/m", "--base-url", f"{server.url}/v1"), env=env
            )
            asked = len(server.received)
        assert (done.code, asked) == ((2, 0) if said else (0, 1))
        assert said in done.err


def planned(replies: list[Json]) -> tuple[PlannedReply, ...]:
    """Return what a fake server is to reply."""
    script = parse_script(json.dumps(replies), "script.json")
    assert not isinstance(script, ScriptError), script
    plan = plan_of(script, "script.json")
    assert not isinstance(plan, ScriptError), plan
    return plan


@pytest.mark.parametrize("words", [[VALUE], ["list", VALUE], ["remove", "KEY", VALUE]])
def test_a_value_in_the_wrong_place_is_not_printed(capbox: Callable, words: list[str]) -> None:
    done = capbox("secret", *words)
    assert done.code == 2
    assert VALUE not in done.out + done.err
