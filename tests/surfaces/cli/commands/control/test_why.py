"""`capbox why`: the decision, the chain behind it, and what a record says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.engine.home import Home


@pytest.mark.parametrize(
    ("access", "flags", "code", "told"),
    [
        ("read a.txt", ["--read", "."], 0, "read /workspace/a.txt: allowed by read:/workspace"),
        ("read /workspace/a.txt", ["--write", "."], 0, "allowed by write:/workspace"),
        ("read a.txt", [], 3, "denied: no grant covers it"),
        ("write a.txt", ["--read", "."], 3, "read:/workspace: covers reading only"),
        ("read b.txt", ["--read", "a.txt"], 3, "read:/workspace/a.txt: does not cover it"),
        ("read .env", ["--read", "."], 3, "excluded: .env is kept from every grant"),
        ("read .env", ["--read", ".env"], 0, "allowed by read:/workspace/.env"),
        ("read a.txt", ["--grant", "read:/workspace uses=0"], 3, "used up (uses=0)"),
        ("read a.txt", ["--grant", "read:/workspace expires=0s"], 3, "expired"),
        ("write a.txt", ["--preset", "edit"], 0, "allowed by write:/workspace"),
        ("fetch GET https://a.example/x", ["--fetch", "https://a.example"], 0, "allowed by fetch:"),
        (
            "fetch https://a.example/x",
            ["--fetch", "POST https://a.example"],
            3,
            "does not cover it",
        ),
        ("fetch GET https://a.example/%2e%2e/x", ["--fetch", "https://a.example/y"], 3, "dot"),
        ("env SECRET", ["--env", "SECRET"], 0, "allowed by env:SECRET"),
        ("env OTHER", ["--env", "SECRET"], 3, "env:SECRET: does not cover it"),
        ("tool bash", ["--grant", "tool:bash"], 0, "allowed by tool:bash"),
        ("tool bash", [], 0, "allowed by tool:bash"),
        ("tool edit", ["--grant", "tool:bash"], 0, "allowed by tool:edit"),
        ("tool write", ["--preset", "read-only"], 3, "to allow it: --grant tool:write"),
        (
            "tool write",
            ["--preset", "read-only", "--grant", "tool:write"],
            0,
            "allowed by tool:write",
        ),
        ("tool pay", ["--grant", "tool:pay"], 0, "allowed by tool:pay"),
        ("read ../b.txt", ["--read", "."], 3, "/b.txt: denied: no grant covers it"),
        ("model x/y", [], 3, "to allow it: --grant model:x/y"),
        ("invoke pay", ["--grant", "invoke:pay uses=1"], 0, "allowed by invoke:pay uses=1"),
        ("invoke pay", ["--grant", "tool:pay"], 3, "--grant invoke:pay"),
        ("model x/y", ["--grant", "model:x/*"], 0, "allowed by model:x/*"),
        ("write /store/x/a", ["--grant", "store:x"], 0, "allowed by store:x"),
        ("write /store/x/a", ["--write", "."], 3, "to allow it: --grant store:x\n"),
        ("write /store/x/a", ["--grant", "store:y"], 3, "store:y: does not cover it"),
        ("read /store/x", ["--grant", "store:x expires=0s"], 3, "store:x expires="),
        ("read /store/x", ["--grant", "store:x bytes=1MB"], 0, "to tools that request it"),
        ("store x", ["--grant", "store:x"], 0, "store x: allowed by store:x"),
        ("store x", [], 3, "no grant of store:x"),
        ("write /stores/x", [], 3, "to allow it: --write /stores/x"),
        ("write /store/X", [], 3, "to allow it: --write /store/X"),
    ],
)
def test_the_decision_and_what_each_grant_says(
    capbox: Callable, workspace: Path, access: str, flags: list[str], code: int, told: str
) -> None:
    done = capbox("why", *access.split(" "), "--workspace", workspace, *flags)
    assert (done.code, told in done.out) == (code, True), done.out + done.err


@pytest.mark.parametrize(
    ("access", "told"),
    [
        ("read", "is no access"),
        ("look a.txt", "is no access"),
        ("tool bsh", "tool bsh: there is no such tool; there are: apply_patch, bash, "),
        ("read /tmp/x", "scratch"),
        ("fetch ftp://x/", "only http:// and https://"),
        ("fetch TRACE https://x.example/", "never sent"),
        ("read a\x1bb", "control or bidi"),
        ("store ../x", "../x: is no name of a store"),
    ],
)
def test_what_is_no_access_is_refused(
    capbox: Callable, home_folder: Path, access: str, told: str
) -> None:
    done = capbox("why", access, "--workspace", home_folder)
    assert (done.code, told in done.err) == (2, True), done.err


def test_a_never_rule_is_named_and_the_chain_is_in_the_json(
    capbox: Callable, workspace: Path, home: Home
) -> None:
    home.config.mkdir(parents=True, exist_ok=True)
    (home.config / "config.toml").write_text(f'never = ["read {workspace}/b.txt"]')
    refused = capbox("why", "read", "b.txt", "--workspace", workspace, "--read", ".", "--json").json
    assert refused["reason"].startswith("never rule")
    found = capbox("why", "read", "a.txt", "--workspace", workspace, "--read", ".", "--json").json
    (authority,) = found["authorities"]
    assert found == {
        "access": "read /workspace/a.txt",
        "allowed": True,
        "by": "read:/workspace",
        "grants": [f"{authority}#0"],
        "authorities": [authority],
        "reason": "",
        "considered": [{"grant": "read:/workspace", "verdict": "allows it"}],
        "flag": None,
    }


def test_a_record_is_told(capbox: Callable, workspace: Path) -> None:
    at = ("--workspace", workspace)
    held = capbox("call", "read", "path=a.txt", *at, "--read", ".", "--json").json["journal"]
    refused = capbox("call", "read", "path=a.txt", *at, "--json").json["journal"]
    yes = capbox("why", "read", "a.txt", "--run", held)
    no = capbox("why", "read", "a.txt", "--run", refused, "--json")
    assert (yes.code, no.code) == (0, 3)
    assert yes.out.startswith(f"read /workspace/a.txt, in run {held}: a grant covers it\n")
    assert "  read:/workspace: held from the start, as " in yes.out
    assert [one["text"] for one in no.json["decisions"]] == [
        "denial read /workspace/a.txt: no grant covers it"
    ]
    assert capbox("why", "read", "a.txt", "--run", held, "--read", ".").code == 2
    assert capbox("why", "read", "a.txt", "--run", "nothing").code == 2


def test_questions_answers_leases_and_revocations_are_told(
    process: Callable, background: Callable, workspace: Path
) -> None:
    script = "script=: > started; while :; do :; done"
    policy = workspace.parent / "p.toml"
    policy.write_text('[policy]\nallow = ["read:/workspace"]')
    process("call", "read", "path=a.txt", "--policy", str(policy))
    (run,) = [one["run"] for one in process("audit", "list", "--json").json]
    lent = process("why", "read", "/workspace/a.txt", "--run", run)
    running = background("call", "bash", script, "--write", ".")
    while not (workspace / "started").exists():
        assert running.poll() is None
    (listed,) = process("ps", "--json").json["runs"]
    process("revoke", listed["run"])
    running.communicate()
    revoked = process("why", "write", "started", "--run", listed["run"])
    assert (lent.code, revoked.code) == (0, 3)
    assert "read:/workspace: lent for the run (entry 3), as " in lent.out.replace("\n  ", " ")
    for said in ("ask read /workspace/a.txt: ", "answer read /workspace/a.txt: yes, by the rule"):
        assert said in lent.out
    assert "and revoked" in revoked.out
    assert "revocation " in revoked.out


def test_a_path_that_climbs_is_that_of_this_machine_as_with_read(
    capbox: Callable, workspace: Path
) -> None:
    beside = workspace.parent / "beside"
    beside.write_text("x")
    at = ("--workspace", workspace)
    refused = capbox("why", "read", "../beside", *at, "--json").json
    assert refused["access"] == f"read {beside}" and refused["flag"] == f"--read {beside}"
    held = capbox("why", "read", "../beside", *at, "--read", "../beside", "--json").json
    assert held["by"] == f"read:{beside}"
    assert capbox("why", "read", f"../{workspace.name}/a.txt", *at, "--read", ".").code == 0
