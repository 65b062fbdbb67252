"""`capbox blast-radius`: the same answer in three forms, and an exit code that a build can use."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from capbox.authority.access import WriteAccess
from capbox.authority.paths import GrantPath, HostPath, Layout
from capbox.engine.home import Home
from capbox.engine.stored.grants import StoredGrants
from capbox.gate.approver import ask_request
from capbox.journal.event import Decided, RunClosed, RunOpened, run_id
from capbox.journal.head import Signer
from capbox.journal.log import Journal
from capbox.surfaces.cli.opening import Choice, Remembered, folder_key

WILD = "fetch:https://*.example.com"
ASKED = ("--read", ".", "--read", ".env", "--grant", WILD)
Capbox = Callable[..., object]


@pytest.fixture
def blast(capbox: Callable, workspace: Path) -> Callable:
    """Run `capbox blast-radius` in the workspace."""
    return lambda *arguments: capbox("blast-radius", "--workspace", workspace, *arguments)


def picture_of(page: str) -> ElementTree.Element:
    """Return the picture of a page, which must be well-formed."""
    (svg,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    return ElementTree.fromstring(svg)


def words(picture: ElementTree.Element) -> list[str]:
    """Return the words that a picture shows."""
    texts = picture.iter("{http://www.w3.org/2000/svg}text")
    return [text.text or "" for text in texts]


# --- the secret, the way out and what cuts it, in each form --------------------------------------


def test_text_names_the_secret_the_sink_and_the_cut(blast: Callable) -> None:
    done = blast(*ASKED)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[1] == f"high     .env (1 file, 6 bytes) -> {WILD}"
    cut = f"- ask=each cuts it (a person sees each request first): --grant '{WILD} ask=each'"
    assert {cut, "- leave out --read .env"} <= {line.strip() for line in lines}
    assert len(lines) <= 24, "one screen for a usual case"


def by_caveat(flow: dict) -> dict:
    """Return what cuts a flow by its caveat."""
    return {cut["caveat"]: cut for cut in flow["cuts"]}


def test_json_names_the_secret_the_sink_and_the_cut(blast: Callable) -> None:
    found = blast(*ASKED, "--json").json
    worst = found["flows"][0]
    assert worst["level"] == "high"
    assert worst["source"] == {"kind": "secret", "name": ".env", "grant": "read:/workspace/.env"}
    assert worst["sink"] == {"kind": "web", "name": WILD, "grant": WILD}
    assert by_caveat(worst)["ask=each"] == {
        "caveat": "ask=each",
        "why": "a person sees each request first",
        "grant": f"{WILD} ask=each",
        "flag": f"--grant '{WILD} ask=each'",
    }
    assert found["files"]["readable"] == {"files": 3, "bytes": 17}
    assert found["most"]["run"]["requests"] == 20_000
    assert {lint["code"] for lint in found["lint"]} == {"trifecta", "wildcard-host", "no-expiry"}


@pytest.mark.parametrize(
    ("given", "requests", "files"),
    [
        ((), 10_000, 100_000),
        (("--budget", "files=5,sink_calls=3"), 3, 5),
        (("--budget", "sink_calls=3", "--fetch", "https://b.example.com"), 6, 100_000),
        (("--budget", "sinks=1,sink_calls=3", "--fetch", "https://b.example.com"), 3, 100_000),
        (("--budget", "sinks=4,sink_calls=3", "--fetch", "https://*.b.example.com"), 12, 100_000),
    ],
)
def test_what_the_budget_leaves_of_files_and_receivers_bounds_the_run(
    blast: Callable, given: tuple[str, ...], requests: int, files: int
) -> None:
    found = blast("--write", ".", "--fetch", "https://a.example.com", *given, "--json").json
    run = found["most"]["run"]
    assert (run["requests"], run["files_created"]) == (requests, files)


def test_the_picture_names_the_secret_the_sink_and_the_cut(blast: Callable) -> None:
    shown = words(picture_of(blast(*ASKED, "--html").out))
    first = blast(*ASKED, "--json").json["flows"][0]["cuts"][0]["caveat"]
    assert {".env", WILD, f"high, {first} cuts it"} <= set(shown)


def test_a_cut_flow_is_dashed_with_the_caveats_name(blast: Callable) -> None:
    cut = ("--read", ".env", "--grant", f"{WILD} ask=each")
    picture = picture_of(blast(*cut, "--html").out)
    assert "cut by ask=each" in words(picture)
    kinds = [p.get("class") for p in picture.iter("{http://www.w3.org/2000/svg}path")]
    assert kinds == ["flow cut", "head cut"]
    assert blast(*cut, "--json").json["flows"][0]["cut_by"] == ["ask=each"]
    assert f"cut      .env (1 file, 6 bytes) -> {WILD} ask=each, cut by ask=each" in blast(*cut).out


def test_advice_that_is_taken_is_what_the_next_report_shows(blast: Callable) -> None:
    first = by_caveat(blast(*ASKED, "--json").json["flows"][0])["ask=each"]["grant"]
    again = blast("--read", ".", "--read", ".env", "--grant", first, "--json").json
    assert all(flow["cut_by"] == ["ask=each"] for flow in again["flows"])
    assert "trifecta" not in {lint["code"] for lint in again["lint"]}


# --- what is looked at ---------------------------------------------------------------------------


def test_without_a_grant_it_is_what_is_remembered_or_nothing(
    blast: Callable, workspace: Path, home: Home
) -> None:
    bare = blast("--json").json
    assert (bare["from"], bare["grants"][:1]) == ("nothing", ["tool:apply_patch"])
    assert bare["files"]["readable"] == {"files": 0, "bytes": 0}
    home.prepare()
    Remembered(home.state / "folders.json").put(folder_key(workspace), Choice("edit"))
    known = blast("--json").json
    assert (known["from"], known["files"]["writable"]["files"]) == ("remembered", 2)
    assert blast("--preset", "none", "--json").json["from"] == "flags"


def test_it_opens_no_file_and_changes_nothing(blast: Callable, workspace: Path, home: Home) -> None:
    for file in workspace.iterdir():
        file.chmod(0)
    before = {p: p.stat() for p in workspace.iterdir()}
    assert blast(*ASKED, "--write", ".").code == 0
    assert {p: p.stat() for p in workspace.iterdir()} == before
    assert not home.state.exists()


def test_a_run_on_record_is_shown_with_what_it_used(
    capbox: Callable, blast: Callable, workspace: Path
) -> None:
    call = ("call", "bash", "script=cat a.txt b.txt; cat .env", "--workspace", workspace)
    run = capbox(*call, "--read", ".", "--json").json["journal"]
    found = blast("--run", run, "--json").json
    assert found["from"] == f"run {run}"
    assert found["files"]["readable"] == {"files": 2, "bytes": 11}
    assert (found["used"]["calls"], found["used"]["read_files"]) == ([["bash", 1]], 2)
    assert found["most"] is None
    text = blast("--run", run[:-2]).out
    assert "used     bash 1x; 2 files read, 0 written, 0 deleted" in text
    assert "at most  its bounds are not on record" in text


def test_a_grant_of_a_run_whose_file_is_gone_is_left_out_and_said(
    capbox: Callable, blast: Callable, workspace: Path
) -> None:
    call = ("call", "read", "path=a.txt", "--workspace", workspace, "--json")
    run = capbox(*call, "--read", "a.txt", "--read", "b.txt").json["journal"]
    (workspace / "a.txt").unlink()
    found = blast("--run", run, "--json").json
    assert found["files"]["readable"]["files"] == 1
    assert any("a.txt: there is no such file" in note for note in found["notes"])


@pytest.fixture
def on_record(home: Home, workspace: Path) -> Callable[..., str]:
    """Write a run of these grants and decisions into the journal, under its key."""

    def write(grants: tuple[str, ...], *decisions: Decided, ended: bool = False) -> str:
        home.prepare()
        now = time.time()
        journal = Journal(home.state / "journal", Signer.load(home.state / "journal.key"))
        opened = RunOpened("uid 0", str(workspace), "a1", grants, (), (), now)
        run = journal.begin(run_id(now, b"0123456789"), opened)
        for decision in decisions:
            run.append(decision)
        if ended:
            run.close(RunClosed("done", now))
        journal.close()
        return run.run

    return write


def lease(grant: str, term: str = "for the run") -> Decided:
    """Return the entry of a lease."""
    return Decided("lease", grant, term, "call-1", "l1")


@pytest.mark.parametrize(
    ("decisions", "ended", "readable", "said"),
    [
        ((), False, 1, ""),
        ((lease("read:/workspace/b.txt"),), False, 2, ""),
        ((lease("read:/workspace/b.txt", "for this call"),), False, 1, "1 of its leases"),
        (
            (lease("read:/workspace/b.txt"), Decided("revocation", "l1", "")),
            False,
            1,
            "1 of its authorities were revoked",
        ),
        ((lease("read:/workspace/b.txt"), Decided("revocation", "a1", "")), False, 1, "revoked"),
        ((Decided("revocation", "a1", ""),), False, 0, "revoked"),
        # What has ended is shown as it began.
        ((lease("read:/workspace/b.txt"), Decided("revocation", "a1", "")), True, 2, "revoked"),
    ],
    ids=str,
)
def test_leases_count_and_what_was_revoked_counts_while_the_run_goes_on(
    decisions: tuple[Decided, ...],
    ended: bool,
    readable: int,
    said: str,
    on_record: Callable[..., str],
    blast: Callable,
) -> None:
    run = on_record(("read:/workspace/a.txt", "tool:read"), *decisions, ended=ended)
    found = blast("--run", run, "--json").json
    assert found["files"]["readable"]["files"] == readable
    assert any(said in note for note in found["notes"])


def test_what_expired_counts_for_a_run_that_has_ended(
    on_record: Callable[..., str], blast: Callable
) -> None:
    past = "read:/workspace/a.txt expires=2020-01-01T00:00:00Z"
    soon = "read:/workspace/b.txt expires=2999-01-01T00:00:00Z"
    run = on_record((past, soon), ended=True)
    assert blast("--run", run, "--json").json["files"]["readable"]["files"] == 1


def test_a_broken_record_is_not_believed(
    capbox: Callable, blast: Callable, workspace: Path, home: Home
) -> None:
    call = ("call", "read", "path=a.txt", "--read", ".", "--workspace", workspace, "--json")
    run = capbox(*call).json["journal"]
    with sqlite3.connect(home.state / "journal" / "journal.db") as database:
        database.execute("UPDATE entry SET body = replace(body, 'a.txt', 'b.txt') WHERE seq = 1")
    database.close()
    done = blast("--run", run)
    assert (done.code, done.out) == (1, "")
    assert f"the record of {run} is broken at entry 1" in done.err


def test_functions_secrets_models_and_control_files_are_told(blast: Callable) -> None:
    grants = ("--grant", "tool:send_email", "--secret", "GH@https://api.example.com")
    more = ("--write", ".vscode", "--env", "SECRET", "--model", "anthropic/some", "--grant", WILD)
    done = blast(*grants, *more, "--grant", "env:VALUE=hunter2")
    assert done.code == 0
    for line in (
        "calls    tool:send_email",
        "secret   GH, added to requests to https://api.example.com; never read",
        "model    anthropic/some; what a tool returns is sent to its provider",
        "env      VALUE, SECRET",
        "lint     control-file: write:/workspace/.vscode: ",
        "no children",
    ):
        assert line in done.out
    forms = (done.out, blast("--env", "VALUE=hunter2", "--json").out)
    forms += (blast("--env", "VALUE=hunter2", "--html").out,)
    assert not any("hunter2" in form for form in forms)


def test_what_config_toml_trusts_is_not_held_back_by_untainted(
    blast: Callable, workspace: Path, home: Home
) -> None:
    home.config.mkdir(parents=True)
    asked = ("--read", ".env", "--grant", f"{WILD} untainted", "--json")
    (home.config / "config.toml").write_text('trusted = ["/nonexistent"]')
    assert blast(*asked).json["flows"][0]["cut_by"] == ["untainted"]
    (home.config / "config.toml").write_text(f'trusted = ["{workspace}"]')
    assert blast(*asked).json["flows"][0]["cut_by"] == []


@pytest.fixture
def configure(home: Home) -> Callable[[str], None]:
    """Write the operator's config.toml."""

    def write(text: str) -> None:
        home.config.mkdir(parents=True, exist_ok=True)
        (home.config / "config.toml").write_text(text)

    return write


CEILING = 'ceiling = ["read:/workspace/.env", "fetch:https://x.example.org"]\n'
ALLOW = '[policy]\nallow = ["read:/workspace/.env", "fetch:https://x.example.org"]\n'


@pytest.mark.parametrize(
    ("text", "given", "holds"),
    [
        (CEILING, ("--preset", "auto"), True),
        (CEILING, ("--preset", "none"), False),
        (CEILING, ("--preset", "auto", "--ceiling", "read:/workspace/.env"), False),
        ("", ("--preset", "auto", "--ceiling", "write:/workspace"), False),
        (ALLOW, ("--read", "a.txt"), False),  # the ceiling has the workspace, without its .env
        (CEILING + ALLOW, ("--read", "a.txt"), True),
        (CEILING + ALLOW.replace("allow", "ask"), ("--read", "a.txt"), False),
        (CEILING + ALLOW.replace("allow", "deny"), ("--preset", "auto"), False),
        (CEILING + ALLOW.replace("allow", "ask"), ("--preset", "auto"), True),
    ],
    ids=str,
)
def test_what_is_lent_without_a_question_counts(
    text: str,
    given: tuple[str, ...],
    holds: bool,
    configure: Callable[[str], None],
    blast: Callable,
    tmp_path: Path,
) -> None:
    configure(text)
    rules = tmp_path / "never.toml"
    rules.write_text('never = ["flow secret -> web"]')
    done = blast(*given, "--assert", rules)
    assert done.code == (1 if holds else 0)
    if holds:
        assert "note     lent without a question by" in done.out


def test_a_policy_file_counts_as_it_does_in_a_run(
    configure: Callable[[str], None], blast: Callable, home_folder: Path
) -> None:
    configure(CEILING)
    file = home_folder / "policy.toml"
    file.write_text(ALLOW)
    found = blast("--policy", file, "--json").json
    assert [f["source"]["name"] for f in found["flows"] if f["level"] == "high"] == [".env"]
    refused = blast("--run", "x", "--policy", file)
    assert (refused.code, "leave out the others" in refused.err) == (2, True)


def test_what_was_approved_for_always_counts(
    blast: Callable,
    workspace: Path,
    home: Home,
    configure: Callable[[str], None],
    tmp_path: Path,
) -> None:
    home.prepare()
    rules = tmp_path / "never.toml"
    rules.write_text('never = ["write out.txt"]')
    assert blast("--assert", rules).code == 0
    access = WriteAccess(GrantPath("/workspace/out.txt"))
    asked = ask_request(access, run="r", tool="write", tool_digest="d", host=None, arguments="{}")
    kept = StoredGrants(home.grants, lambda: 5.0)
    assert kept.keep(asked, Layout(HostPath(str(workspace)))) is None
    done = blast("--assert", rules)
    assert (done.code, "is for always: write:/workspace/out.txt" in done.out) == (1, True)
    assert blast("--preset", "none", "--assert", rules).code == 1
    (workspace / "other").mkdir()
    assert blast("--workspace", workspace / "other", "--assert", rules).code == 0
    assert blast("--ceiling", "read:/workspace", "--assert", rules).code == 0
    configure('[policy]\ndeny = ["write:/workspace/out.txt"]')
    assert blast("--assert", rules).code == 0


def test_auto_without_a_ceiling_is_refused_as_in_a_run(blast: Callable) -> None:
    done = blast("--preset", "auto")
    assert (done.code, "needs to be told what" in done.err) == (2, True)


# --- rules ---------------------------------------------------------------------------------------


@pytest.fixture
def never(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of rules."""

    def write(*rules: str) -> Path:
        file = tmp_path / "never.toml"
        file.write_text(f"never = {json.dumps(rules)}")
        return file

    return write


def test_a_broken_rule_exits_1_with_what_breaks_it(
    blast: Callable, never: Callable[..., Path]
) -> None:
    rules = never("flow secret -> web", "read **/.env", "money > 20")
    done = blast(*ASKED, "--assert", rules)
    assert done.code == 1
    assert done.out.splitlines()[1:4] == [
        f"broken   never flow secret -> web: .env -> {WILD}",
        "broken   never read **/.env: .env",
        "rules    1 of 3 kept",
    ]
    as_json = blast(*ASKED, "--assert", rules, "--json")
    assert as_json.code == 1
    assert as_json.json["assert"] == [
        {"rule": "flow secret -> web", "broken": True, "by": f".env -> {WILD}"},
        {"rule": "read **/.env", "broken": True, "by": ".env"},
        {"rule": "money > 20", "broken": False, "by": None},
    ]
    page = blast(*ASKED, "--assert", rules, "--html")
    assert page.code == 1
    assert "broken: never read **/.env: .env" in page.err
    assert "<code>read **/.env</code>" in page.out


def test_a_variable_needs_no_value_where_nothing_is_run(blast: Callable) -> None:
    done = blast("--env", "NOT_SET_HERE_TOKEN", "--json").json
    assert "env:NOT_SET_HERE_TOKEN" in done["grants"]
    assert [one["code"] for one in done["lint"]] == ["credential-variable"]


def test_rules_that_are_kept_exit_0(blast: Callable, never: Callable[..., Path]) -> None:
    done = blast("--read", ".", "--assert", never("flow secret -> web", "read **/.env"))
    assert (done.code, "rules    2 of 2 kept" in done.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--assert", "/nonexistent.toml"), "cannot be read"),
        (("--html", "--json"), "exclude each other"),
        (("--out", "x.html"), "--out needs --html"),
        (("--html", "--out", "/nonexistent/x.html"), "No such file or directory"),
        (("--run", "x", "--read", "."), "leave out the others"),
        (("--run", "nosuch"), "there is no run nosuch"),
        (("--run", ""), "there is no run"),
        (("--grant", "fetch:https://*.com"), "public suffix"),
        (("--grant", "exec:git"), "not supported yet"),
        (("--tool", "nosuch"), "there is no such tool"),
        (("--preset", "nosuch"), "unknown preset"),
        (("--read", "nosuch"), "there is no such file"),
    ],
)
def test_what_cannot_be_shown_exits_2(
    arguments: tuple[str, ...], said: str, blast: Callable
) -> None:
    done = blast(*arguments)
    assert done.code == 2
    assert said in (done.json["error"]["message"] if "--json" in arguments else done.err)


def test_a_rule_that_is_not_understood_exits_2_with_its_place(
    blast: Callable, never: Callable[..., Path]
) -> None:
    done = blast("--assert", never("read x", "flow secrets -> web"))
    assert done.code == 2
    assert "rule 2, 'flow secrets -> web', character 6: no such source" in done.err


# --- names of others -----------------------------------------------------------------------------

HOSTILE = {
    "<script>alert(1).pem": "script",
    '"><img src=x onerror=alert(1)>.key': "img",
    "a\x1b[2Jb.pem": "escape",
    "a\u202ecod.pem": "bidi",
    "a\nhigh     made up -> nowhere.pem": "line end",
}


def test_a_hostile_name_is_only_text_in_every_form(blast: Callable, workspace: Path) -> None:
    for name in HOSTILE:
        (workspace / name).write_text("x")
    place = "\"'><svg onload=1>&amp;"
    (workspace / place).mkdir()
    (workspace / place / "x").write_text("x")
    grants = ("--read", ".", "--write", place, "--read", '"><img src=x onerror=alert(1)>.key')
    grants += ("--grant", "tool:f")
    text, page = blast(*grants), blast(*grants, "--html")
    assert (text.code, page.code) == (0, 0)
    assert not any(mark in text.out + page.out for mark in ("\x1b", "\u202e"))
    assert not any(line.startswith("high     made up") for line in text.out.splitlines())
    assert "<script" not in page.out and "<img" not in page.out
    assert page.out.count("<svg") == 1
    picture = picture_of(page.out)
    assert {place, '"><img src=x onerror=alert(1)>.key'} <= set(words(picture))
    assert not any(key.startswith("on") for one in picture.iter() for key in one.attrib)


def test_the_page_takes_nothing_from_elsewhere(blast: Callable) -> None:
    page = blast(*ASKED, "--html").out
    assert "default-src 'none'" in page
    loaded = re.findall(r"""<(?:script|link|img|iframe|object|a)\b|url\(|@import|\bsrc=""", page)
    assert loaded == []


def test_a_page_is_written_to_a_file(blast: Callable, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    done = blast(*ASKED, "--html", "--out", file)
    assert (done.code, done.out) == (0, "")
    assert file.read_text() == blast(*ASKED, "--html").out


def test_links_that_lead_out_and_files_with_other_names_are_told(
    blast: Callable, workspace: Path
) -> None:
    (workspace / "away").symlink_to("/etc/hostname")
    (workspace / "twin.txt").hardlink_to(workspace / "a.txt")
    said = "links    leading out, and not followed: away; 2 files with other names"
    assert said in blast("--read", ".").out
    (workspace / "away").unlink()
    (workspace / "twin.txt").unlink()
    assert "\nlinks " not in blast("--read", ".").out


def test_help_has_an_example_and_the_exit_codes(capbox: Callable) -> None:
    shown: Mapping[str, str] = {"out": " ".join(capbox("blast-radius", "--help").out.split())}
    for said in ("capbox blast-radius --read . --read .env", "Exit codes: 0 shown, 1", "--assert"):
        assert said in shown["out"]
