"""The operator's written answers: deny over allow over ask, and nothing that is not understood."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.authority.access import Access, EnvAccess, ReadAccess, ToolAccess, WriteAccess
from capbox.authority.grant import Grant
from capbox.authority.paths import GrantPath
from capbox.authority.web.places import FetchAccess, Origin, doubt_of
from capbox.engine.approvers.policy import Policy, policy_of, read_policy
from capbox.engine.home import Home
from capbox.engine.session import Session
from capbox.engine.settings import SettingsError
from capbox.gate.approver import No, Once

OpenSession = Callable[..., Session]
RULES = """
[policy]
allow = ["read:/workspace", "write:/workspace/out uses=3", "tool:bash",
         "fetch:https://api.example.com rate=10/min"]
ask = ["write:/workspace/ask", "read:/workspace/private"]
deny = ["read:/workspace/private", "write:/workspace/out/fixed", 'fetch:https://api.example.com/admin']
"""


def policy(text: str) -> Policy:
    import tomllib

    return policy_of(tomllib.loads(text)["policy"], Path("p.toml"), text)


def read(path: str) -> Access:
    return ReadAccess(GrantPath(f"/workspace/{path}"))


def write(path: str) -> Access:
    return WriteAccess(GrantPath(f"/workspace/{path}"))


def fetch(path: str, method: str = "GET") -> Access:
    origin = Origin("https", "api.example.com", 443)
    return FetchAccess(method, origin, path, doubt=doubt_of(path))


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        (read("a"), "read:/workspace"),
        (read("private/x"), "the operator's policy denies read:/workspace/private"),
        (read("PRIVATE/x"), "the operator's policy denies read:/workspace/private"),
        (write("private/x"), "the operator's policy denies read:/workspace/private"),
        (read("privateer"), "read:/workspace"),
        (write("out/x"), "write:/workspace/out uses=3"),
        (read("out/fixed"), "read:/workspace"),
        (write("out/fixed"), "the operator's policy denies write:/workspace/out/fixed"),
        (write("ask/x"), "ask"),
        (write("x"), "no rule of the operator's policy allows it"),
        (ToolAccess("bash"), "tool:bash"),
        (ToolAccess("edit"), "no rule of the operator's policy allows it"),
        (EnvAccess("HOME"), "no rule of the operator's policy allows it"),
        (fetch("/v1"), "fetch:https://api.example.com rate=10/min"),
        (fetch("/admin"), "the operator's policy denies fetch:https://api.example.com/admin"),
        (fetch("/ADMIN/"), "the operator's policy denies fetch:https://api.example.com/admin"),
        (fetch("/%61dmin"), "the operator's policy denies fetch:https://api.example.com/admin"),
        (
            fetch("/x/..%2fadmin"),
            "the operator's policy denies fetch:https://api.example.com/admin",
        ),
    ],
)
def test_each_access_has_one_answer(access: Access, expected: str) -> None:
    decided = policy(RULES).decide(access)
    assert (str(decided) if isinstance(decided, Grant) else decided) == expected


def test_what_no_rule_names_is_asked_only_where_that_is_said() -> None:
    assert policy(RULES + 'unmatched = "ask"').decide(write("x")) == "ask"
    assert policy(RULES + 'unmatched = "deny"').decide(write("x")) != "ask"
    assert policy("[policy]").decide(read("a")) == "no rule of the operator's policy allows it"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no [policy]"),
        ("x = 1\n[policy]", "line 1: unknown key 'x'"),
        ("[policy]\n\nalow = []", "line 3: [policy] has no key 'alow'; there are: allow, ask"),
        ("[policy]\nallow = 'read:/workspace'", "line 2: allow is a list of grants"),
        ("[policy]\nallow = [1]", "line 2: allow is a list of grants"),
        ("[policy]\ndeny = [\n'read:/a',\n'raed:/b']", "line 4: deny: 'raed:/b': at character 1"),
        ("[policy]\ndeny = ['read:/a uses=1']", "line 2: deny: 'read:/a uses=1': only allow takes"),
        ("[policy]\nask = ['read:/a expires=1h']", "only allow takes caveats"),
        ("[policy]\nallow = ['spawn:3']", "line 2: allow: spawn: is not supported yet"),
        ("[policy]\nunmatched = 'allow'", 'line 2: unmatched is "deny" or "ask", not'),
        ("policy = 3", "[policy] is a table"),
        ("[policy", "cannot be read"),
    ],
)
def test_a_file_that_is_not_understood_is_refused_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(SettingsError) as refused:
        read_policy(tmp_path / "p.toml")
    assert message in str(refused.value)


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(RULES)
    assert read_policy(file).allow
    file.chmod(0o666)
    with pytest.raises(SettingsError, match="may write it"):
        read_policy(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_policy(tmp_path / "missing.toml")


async def test_a_policy_answers_without_a_person_and_before_one(
    open_session: OpenSession, approver: type, tmp_path: Path, records: object
) -> None:
    file = tmp_path / "p.toml"
    file.write_text("[policy]\nallow=['read:/workspace']\nask=['write:/workspace']")
    async with open_session(policy=file) as session:
        alone = [
            await session.call("read", {"path": "a.txt"}),
            await session.call("read", {"path": "b.txt"}),
            await session.call("write", {"path": "c.txt", "content": "x"}),
        ]
    person = approver(Once(), No())
    async with open_session(policy=file, approver=person) as session:
        beside = [
            await session.call("read", {"path": "a.txt"}),
            await session.call("write", {"path": "c.txt", "content": "x"}),
            await session.call("write", {"path": "d.txt", "content": "x"}),
        ]
    assert [result.ok for result in (*alone, *beside)] == [True, True, False, True, True, False]
    assert "nobody is there" in alone[2].denied[0].reason
    assert [q.grant for q in person.questions] == [
        "write:/workspace/c.txt",
        "write:/workspace/d.txt",
    ]
    answers = [e["result"] for e in records.entries(alone[0].journal) if e.get("what") == "answer"]
    assert answers == ["yes, by the rule read:/workspace", "No"]


async def test_what_the_operator_denies_stays_denied_whoever_answers(
    open_session: OpenSession, approver: type, tmp_path: Path, home: Home
) -> None:
    home.config.mkdir(parents=True, exist_ok=True)
    (home.config / "config.toml").write_text(
        "[policy]\ndeny=['read:/workspace/a.txt']\nunmatched='ask'"
    )
    (tmp_path / "p.toml").write_text("[policy]\nallow=['read:/workspace']")
    person = approver(Once())
    async with open_session(approver=person) as session:
        asked = [await session.call("read", {"path": name}) for name in ("a.txt", "b.txt")]
    async with open_session(policy=tmp_path / "p.toml") as session:
        ruled = [await session.call("read", {"path": name}) for name in ("a.txt", "b.txt")]
    assert [result.ok for result in (*asked, *ruled)] == [False, True, False, True]
    async with open_session() as session:
        assert not (await session.call("read", {"path": "b.txt"})).ok


@pytest.mark.parametrize("where", ["workspace", "granted"])
async def test_a_policy_that_the_run_could_write_is_refused(
    open_session: OpenSession, workspace: Path, tmp_path: Path, where: str
) -> None:
    """Attack: what works there today says what tomorrow's run may do."""
    (tmp_path / "granted").mkdir()
    file = (workspace if where == "workspace" else tmp_path / "granted") / "p.toml"
    file.write_text("[policy]\nallow=['write:/workspace']")
    grants = () if where == "workspace" else (f"write:{tmp_path}/granted",)
    with pytest.raises(SettingsError, match=r"write it|writes it"):
        open_session(*grants, policy=file)
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    with pytest.raises(SettingsError, match=r"write it|writes it"):
        open_session(*grants, policy=link)
