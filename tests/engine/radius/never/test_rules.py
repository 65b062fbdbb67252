"""The language of rules: what is one, and that everything else is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.authority.paths import HostPath
from capbox.engine.radius.never.rules import (
    FileRule,
    FlowRule,
    HostRule,
    LintRule,
    MostRule,
    NameRule,
    RuleError,
    parse_rule,
    read_rules,
)
from capbox.engine.settings import SettingsError

HOME = HostPath("/home/me")


@pytest.mark.parametrize(
    ("text", "write", "base", "pattern"),
    [
        ("read **/.env", False, "anywhere", ".env"),
        ("read .env", False, "anywhere", ".env"),
        ("read *.pem", False, "anywhere", "*.pem"),
        ("read src/*.py", False, "workspace", "/src/*.py"),
        ("read src/**", False, "workspace", "/src"),
        ("read src/", False, "anywhere", "src"),
        ("write **", True, "anywhere", "/*"),
        ("write ~/.ssh/**", True, "/", "/home/me/.ssh"),
        ("write ~", True, "/", "/home/me"),
        ("read /etc/**", False, "/", "/etc"),
        ("read /**/.env", False, "anywhere", ".env"),
        ("read a b/**", False, "workspace", "/a b"),
    ],
)
def test_a_rule_on_files(text: str, write: bool, base: str, pattern: str) -> None:
    rule = parse_rule(text, HOME)
    assert isinstance(rule, FileRule), rule
    assert (rule.watch.write, rule.watch.base) == (write, base)
    globs = {p.removeprefix("**/") for p in rule.watch.globs.patterns}
    assert globs == {pattern}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("fetch *", HostRule("fetch *", (), "*")),
        ("fetch *.Example.com", HostRule("fetch *.Example.com", (), "*.example.com")),
        ("fetch POST,PUT *", HostRule("fetch POST,PUT *", ("POST", "PUT"), "*")),
        ("fetch 10.0.0.1", HostRule("fetch 10.0.0.1", (), "10.0.0.1")),
        ("fetch [::1]", HostRule("fetch [::1]", (), "::1")),
        ("flow secret -> web", FlowRule("flow secret -> web", "secret", "web")),
        ("flow any->any", FlowRule("flow any->any", "any", "any")),
        ("env *TOKEN*", NameRule("env *TOKEN*", "env", "*TOKEN*")),
        ("tool send_email", NameRule("tool send_email", "tool", "send_email")),
        ("money > 5", MostRule("money > 5", "money", 5.0)),
        ("seconds >0.5", MostRule("seconds >0.5", "seconds", 0.5)),
        ("lint trifecta", LintRule("lint trifecta", "trifecta")),
    ],
)
def test_other_rules(text: str, rule: object) -> None:
    assert parse_rule(text, HOME) == rule


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", 0, "a rule begins with one of"),
        (
            "reads x",
            0,
            "a rule begins with one of: read write fetch flow env secret tool invoke model lint; ",
        ),
        ("read", 5, "a glob is such as"),
        ("read ", 5, "a glob is such as"),
        ("read a/../b", 5, "a glob is such as"),
        ("write a//b", 6, "a glob is such as"),
        ("read a**b", 5, "** stands for whole components only"),
        ("read x\\", 5, "** stands for whole components only"),
        ("fetch", 6, "fetch takes * or a host"),
        ("fetch https://x.example.com", 6, "fetch takes * or a host"),
        ("fetch post *", 6, "'post' is no method"),
        ("fetch PSOT *", 6, "'PSOT' is no method"),
        ("fetch GET,PSOT api.example.com", 6, "'PSOT' is no method"),
        ("fetch CONNECT *", 6, "'CONNECT' is no method"),
        ("fetch ANY *", 6, "'ANY' is no method; as in: fetch POST,PUT *; every method is: fetch *"),
        ("flow secret", 5, "a flow is SOURCE -> SINK"),
        ("flow secrets -> web", 5, "no such source: 'secrets'"),
        ("flow secret -> net", 15, "no such sink: 'net'"),
        ("env", 4, "env takes one name"),
        ("env A B", 4, "env takes one name"),
        ("money 5", 6, "money takes > and a number"),
        ("money < 5", 6, "money takes > and a number"),
        ("money >= 20", 6, "money takes > and a number"),
        ("money > much", 7, "after > a number is expected"),
        ("money > 1e9", 7, "after > a number is expected"),
        ("lint nosuch", 5, "there is no such warning"),
        ("read \u202ex", 5, "control and bidi characters"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(text: str, place: int, said: str) -> None:
    found = parse_rule(text, HOME)
    assert isinstance(found, RuleError), found
    assert found.place == place
    assert found.message.startswith(said)


def test_without_a_home_there_is_no_tilde() -> None:
    found = parse_rule("read ~/.ssh", None)
    assert isinstance(found, RuleError) and "HOME" in found.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("never = []", "never is a list of rules"),
        ("", "never is a list of rules"),
        ("never = 'read x'", "never is a list of rules"),
        ("never = [1]", "never is a list of rules"),
        ("never = ['read x']\nnevr = []", "unknown key 'nevr'"),
        ("never = ['read x', 'raed y']", "rule 2, 'raed y', character 1: a rule begins with"),
        ("never = [", "cannot be read"),
        (f"never = {['read x'] * 201}", "more than 200 rules"),
    ],
)
def test_a_file_that_is_not_understood_is_refused(content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "never.toml"
    file.write_text(content)
    with pytest.raises(SettingsError) as refused:
        read_rules(file, HOME)
    assert refused.value.reason.startswith(said), refused.value.reason
    assert str(file) in refused.value.subject


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_rules(tmp_path / "never.toml", HOME)
