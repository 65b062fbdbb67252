"""How an access reads, which grant it misses, and the flag that gives it."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.authority.access import (
    Access,
    EnvAccess,
    InvokeAccess,
    ModelAccess,
    ReadAccess,
    ToolAccess,
    WriteAccess,
    flag_for,
)
from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.authority.paths import GrantPath, HostPath, Layout, is_canonical
from capbox.authority.values.arguments import Argument, Given
from capbox.authority.web.places import FetchAccess, Origin

GIVEN = Given("a@b.example")
LAYOUT = Layout(HostPath("/home/u/project"))


@pytest.mark.parametrize(
    ("access", "text", "missing", "flag"),
    [
        (
            ReadAccess(GrantPath("/workspace/README.md")),
            "read /workspace/README.md",
            "read:/workspace/README.md",
            "--read README.md",
        ),
        (ReadAccess(GrantPath("/workspace")), "read /workspace", "read:/workspace", "--read ."),
        (
            WriteAccess(GrantPath("/workspace/a b")),
            "write /workspace/a b",
            'write:"/workspace/a b"',
            "--write 'a b'",
        ),
        (
            WriteAccess(GrantPath("/workspace/-rf")),
            "write /workspace/-rf",
            "write:/workspace/-rf",
            "--write ./-rf",
        ),
        (
            ReadAccess(GrantPath("/workspace/$(id)")),
            "read /workspace/$(id)",
            "read:/workspace/$(id)",
            "--read '$(id)'",
        ),
        (
            ReadAccess(GrantPath("/etc/passwd")),
            "read /etc/passwd",
            "read:/etc/passwd",
            "--read /etc/passwd",
        ),
        (
            ReadAccess(GrantPath("/home/u/project/x")),
            "read /home/u/project/x",
            "read:/home/u/project/x",
            "--read x",
        ),
        (EnvAccess("HOME"), "env HOME", "env:HOME", "--env HOME"),
        (ToolAccess("bash"), "tool bash", "tool:bash", "--grant tool:bash"),
        (InvokeAccess("mail"), "invoke mail", "invoke:mail", "--grant invoke:mail"),
        (
            InvokeAccess("mail", (Argument("to", "email", (GIVEN,)),)),
            "invoke mail(to=a@b.example)",
            "invoke:mail arg.to=a@b.example",
            "--grant 'invoke:mail arg.to=a@b.example'",
        ),
        (
            ToolAccess("send", (Argument("cc", "email"), Argument("to", "email", (GIVEN,)))),
            "tool send(to=a@b.example)",
            "tool:send arg.to=a@b.example",
            "--grant 'tool:send arg.to=a@b.example'",
        ),
        (
            ToolAccess("send", (Argument("to", "email"),)),
            "tool send()",
            "tool:send arg.to=in()",
            "--grant 'tool:send arg.to=in()'",
        ),
        (ModelAccess("a/b"), "model a/b", "model:a/b", "--grant model:a/b"),
        (
            FetchAccess("GET", Origin("https", "a.example", 443), "/x"),
            "fetch GET https://a.example/x",
            'fetch:"GET https://a.example/x"',
            "--fetch 'GET https://a.example/x'",
        ),
    ],
)
def test_an_access_says_what_it_is_and_what_is_missing(
    access: Access, text: str, missing: str, flag: str
) -> None:
    assert (str(access), access.missing, flag_for(access, LAYOUT)) == (text, missing, flag)


def test_accesses_of_different_kinds_on_one_target_are_different() -> None:
    path = GrantPath("/a")
    kinds = {
        ReadAccess(path),
        WriteAccess(path),
        EnvAccess("/a"),
        ToolAccess("/a"),
        InvokeAccess("/a"),
    }
    assert len(kinds) == 5


@given(st.text(min_size=1))
def test_the_missing_grant_covers_the_access_whatever_the_name(name: str) -> None:
    path = GrantPath(f"/workspace/{name}")
    if not is_canonical(path) or name.rsplit("/", 1)[-1] in ("*", "**"):
        return
    for access in (ReadAccess(path), WriteAccess(path)):
        grant = parse_grant(access.missing)
        assert isinstance(grant, Grant)
        assert grant.caveats == ()
        assert grant.path == path
        assert grant.selects(access)
        words = shlex.split(flag_for(access, LAYOUT))
        assert len(words) == 2
        assert not words[1].startswith("-")
