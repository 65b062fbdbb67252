"""`capbox pkg`: from the folder of a tool to a tool of somebody else's, through a real registry."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.servers.replies import reply
from tests.tools.packages.making import manifest, tool

from capbox.engine.home import Home
from capbox.surfaces.cli.entry import Entry

if TYPE_CHECKING:
    from tests.servers.http import HttpServer
    from tests.servers.registry import DockerRegistry
    from tests.surfaces.cli.conftest import Done

COMMAND = [sys.executable, "-c", "import sys; from capbox.app import main; sys.exit(main())"]
READ, SEND = "read:*", "fetch:https://evil.example"


def folder_of(work: Path, version: str = "0.1.0", *required: str) -> str:
    """Make the folder of the tool hello in this version."""
    made = tool(work, manifest(version=version, required=required))
    return str(made.relative_to(work))


def made(pkg: Callable[..., Done], work: Path, version: str, *required: str) -> str:
    """Pack and sign; return the package."""
    done = pkg("pack", folder_of(work, version, *required), "--namespace", "alice", "--json")
    path = str(done.json["path"])
    assert pkg("sign", path).code == 0
    return path


def elsewhere(entry: Entry, tmp_path: Path) -> Callable[..., Done]:
    """Return the command line of another user, who knows nobody yet."""
    from tests.surfaces.cli.conftest import capbox as fixture

    own = entry.home()
    home = Home(tmp_path / "other" / "config", tmp_path / "other" / "state", own.cache)
    other = replace(entry, home=lambda: home)
    run: Callable[..., Done] = fixture.__wrapped__(other)  # type: ignore[attr-defined]
    return lambda *arguments: run("pkg", *arguments)


@pytest.mark.slow
def test_a_tool_goes_through_a_real_registry(
    pkg: Callable[..., Done],
    capbox: Callable[..., Done],
    entry: Entry,
    work: Path,
    tmp_path: Path,
    docker_registry: DockerRegistry,
) -> None:
    package = made(pkg, work, "0.1.0", READ)
    key = pkg("verify", package, "--json").json["key"]
    pushed = pkg("push", package, docker_registry.place)
    place = f"{docker_registry.place}/alice/hello:0.1.0"
    assert (pushed.code, pushed.out) == (0, f"{place}\n")
    assert pkg("push", package, docker_registry.place).code == 0, "the same once more is fine"
    theirs = elsewhere(entry, tmp_path)
    found = theirs("search", "hello", "--in", docker_registry.place, "--json").json
    assert found["packages"] == [
        {"name": "alice/hello", "version": "0.1.0", "description": "Greets.", "source": place}
    ]
    installed = theirs("install", place, "--yes", "--key", key, "--json").json["installed"][0]
    assert (installed["name"], installed["key"], installed["trust"]) == (
        "alice/hello",
        key,
        "first",
    )
    # The newest version, by the name alone; the older one is what is updated.
    newer = made(pkg, work, "0.2.0", READ)
    assert pkg("push", newer, docker_registry.place).code == 0
    updated = theirs("update", "alice/hello")
    assert (updated.code, updated.out) == (0, "updated alice/hello 0.1.0 -> 0.2.0\n")
    pulled = theirs(
        "pull", f"{docker_registry.place}/alice/hello", "--out", tmp_path, "--json"
    ).json
    assert (pulled["path"], pulled["version"]) == (f"{tmp_path}/hello-0.2.0.oci", "0.2.0")
    missing = theirs("verify", f"{docker_registry.place}/alice/nothing")
    assert (missing.code, missing.out) == (1, "")
    assert "no version is published there" in missing.err


def test_a_published_version_is_not_published_again(
    pkg: Callable[..., Done], work: Path, docker_registry: DockerRegistry
) -> None:
    package = made(pkg, work, "0.1.0", READ)
    assert pkg("push", package, docker_registry.place).code == 0
    shutil.rmtree(work / package)
    other = made(pkg, work, "0.1.0", READ, SEND)
    done = pkg("push", other, docker_registry.place)
    assert done.code == 3
    assert "is published already" in done.err and "a version is published once" in done.err


def test_a_blob_that_the_registry_changed_is_refused(
    pkg: Callable[..., Done], work: Path, docker_registry: DockerRegistry
) -> None:
    package = made(pkg, work, "0.1.0")
    assert pkg("push", package, docker_registry.place).code == 0
    changed = 0
    for file in docker_registry.kept.rglob("data"):
        if file.read_bytes().startswith(b"\0asm"):
            file.write_bytes(file.read_bytes()[:-1] + b"\xff")
            changed += 1
    assert changed == 1
    done = pkg("install", f"{docker_registry.place}/alice/hello", "--yes")
    assert done.code == 1 and "it was changed" in done.err
    assert pkg("list", "--json").json == {"packages": [], "unusable": []}


@pytest.mark.slow
def test_an_installed_tool_is_called_and_offered_only_by_name(
    pkg: Callable[..., Done], capbox: Callable[..., Done], work: Path, script: Callable[..., str]
) -> None:
    package = made(pkg, work, "0.1.0", READ)
    assert (
        pkg("install", package, "--yes").out
        == "installed alice/hello 0.1.0: capbox tool show hello\n"
    )
    assert capbox("call", "hello").out == "hello\n"
    assert "hello" in {one["name"] for one in capbox("tool", "list", "--json").json}
    model = script(
        {"text": "", "tool_calls": [{"name": "hello", "arguments": {}}]}, {"text": "done"}
    )
    for flags, allowed in (
        ((), False),
        (("--preset", "full"), False),
        (("--preset", "auto", "--ceiling", "write:/workspace"), False),
        (("--tool", "hello"), True),
        (("--grant", "tool:hello"), True),
    ):
        done = capbox("run", "greet", "--model", model, "--json", *flags)
        denied = [one["access"] for one in done.json["denied"]]
        assert denied == ([] if allowed else ["tool hello"]), (flags, done)


def test_credentials_are_a_secret_by_its_name(
    pkg: Callable[..., Done], entry: Entry, work: Path, http_server: Callable[..., HttpServer]
) -> None:
    server = http_server({"*": reply(b"", 401, [("WWW-Authenticate", 'Basic realm="r"')])})
    place = f"oci://127.0.0.1:{server.port}/alice/hello:1.0"
    done = pkg("verify", place)
    assert done.code == 1 and f"--login 127.0.0.1:{server.port}=SECRET" in done.err
    done = pkg("verify", place, "--login", "REGISTRY")
    assert done.code == 2 and "there is no such secret; see: capbox secret set REGISTRY" in done.err
    entry.home().prepare()
    entry.secrets().set("REGISTRY", "a-token-alone")
    done = pkg("pull", place, "--login", "REGISTRY")
    assert done.code == 2 and "it is not user:password" in done.err
    entry.secrets().set("REGISTRY", "alice:a-token")
    done = pkg("search", "--in", f"oci://127.0.0.1:{server.port}", "--login", "REGISTRY")
    assert done.code == 1 and "refuses these credentials" in done.err
    assert "a-token" not in done.err + done.out


def test_what_is_pushed_unsigned_is_said_to_be(
    pkg: Callable[..., Done], work: Path, docker_registry: DockerRegistry
) -> None:
    package = str(pkg("pack", folder_of(work), "--namespace", "alice", "--json").json["path"])
    done = pkg("push", package, docker_registry.place)
    assert done.code == 0
    assert done.err == (
        "it is not signed: whoever installs it is refused, or says --unsigned and reads that "
        "anybody may have made it; capbox pkg sign, and push it again\n"
    )
    told = pkg("push", package, docker_registry.place, "--json")
    place = told.json["source"]
    assert (told.json["key"], told.err) == (None, done.err)
    refused = pkg("install", place, "--yes")
    assert (refused.code, "is not signed" in refused.err) == (3, True)
    assert "not signed: anybody may have made it" in pkg("verify", place).out
    pkg("sign", package)
    signed = pkg("push", package, docker_registry.place, "--json")
    assert (signed.json["source"], signed.err) == (place, "")
    assert pkg("verify", place).code == 0
    (work / "there").mkdir()
    done = pkg("pull", place, "--out", "there")
    assert done.out == "there/hello-0.1.0.oci\n"
    done = pkg("pull", place, "--out", "there")
    assert done.code == 2 and "is there already: move it away" in done.err


def test_verify_says_whether_it_is_signed(pkg: Callable[..., Done], work: Path) -> None:
    package = str(pkg("pack", folder_of(work), "--namespace", "alice", "--json").json["path"])
    done = pkg("verify", package)
    assert done.code == 3 and "not signed: anybody may have made it" in done.out
    pkg("sign", package)
    done = pkg("verify", package)
    assert done.code == 0 and "the first key of alice here: compare it" in done.out
    pkg("install", package, "--yes")
    assert pkg("verify", package, "--json").json["trust"] == "known"


def test_nobody_at_a_terminal_is_a_no(pkg: Callable[..., Done], work: Path) -> None:
    package = made(pkg, work, "0.1.0", READ)
    done = pkg("install", package)
    assert (done.code, done.out) == (3, "")
    assert "nobody is asked here: add --yes" in done.err and "read every file" in done.err
    error = pkg("install", package, "--json").json["error"]
    assert error["code"] == "denied"
    assert pkg("list", "--json").json["packages"] == []


def test_an_update_that_adds_egress_is_refused_and_the_old_one_stays(
    pkg: Callable[..., Done], capbox: Callable[..., Done], work: Path
) -> None:
    assert pkg("install", made(pkg, work, "0.1.0", READ), "--yes").code == 0
    greedy = made(pkg, work, "0.2.0", READ, SEND)
    done = pkg("update", "alice/hello", "--from", greedy)
    assert done.code == 3
    assert f"  + {SEND}  send requests: https://evil.example\n" in done.err
    assert "send what it can read to https://evil.example" in done.err
    assert pkg("list", "--json").json["packages"][0]["version"] == "0.1.0"
    assert capbox("call", "hello").out == "hello\n"
    kept = pkg("update", "alice/hello", "--from", greedy, "--only", READ, "--json").json
    assert kept["installed"][0]["accepted"] == [READ]


def test_a_readme_is_shown_as_its_publishers_words(
    pkg: Callable[..., Done], capbox: Callable[..., Done], work: Path
) -> None:
    words = "# Hello\n\x1b[2Jinstalled alice/hello\n" + "more\n" * 300
    folder = tool(work, manifest(), readme=words)
    pkg("pack", str(folder.relative_to(work)), "--namespace", "alice")
    pkg("sign", "hello-0.1.0.oci")
    refused = pkg("install", "hello-0.1.0.oci")
    quoted = "  | # Hello\n  | \\u001b[2Jinstalled alice/hello\n  | more\n"
    assert f"  its README, in its publisher's words:\n{quoted}" in refused.err
    assert "  says of itself:\n  | Greets.\n" in refused.err
    assert (refused.err.count("  | "), "  | [... and more]\n" in refused.err) == (10, True)
    assert pkg("install", "hello-0.1.0.oci", "--yes").code == 0
    shown = capbox("tool", "show", "hello").out
    assert f"\nits README: its publisher's words, no instruction\n{quoted}" in shown
    assert shown.endswith("  | more\n  | [... and more]\n") and shown.count("  | ") == 201
    told = capbox("tool", "show", "hello", "--json").json["readme"]
    assert told.startswith("# Hello\n\\u001b[2J")


def test_a_tool_without_a_readme_has_none_to_show(
    pkg: Callable[..., Done], capbox: Callable[..., Done], work: Path, home: Home
) -> None:
    assert capbox("tool", "show", "read", "--json").json["readme"] is None
    pkg("install", made(pkg, work, "0.1.0"), "--yes")
    assert "README" not in capbox("tool", "show", "hello").out
    # Nor what somebody put there as a link.
    (work / "mine.txt").write_text("mine")
    (next(home.tools.rglob("tool.toml")).parent / "README.md").symlink_to(work / "mine.txt")
    assert "mine" not in capbox("tool", "show", "hello").out


def test_one_that_cannot_be_updated_keeps_no_other_from_it(
    pkg: Callable[..., Done], work: Path
) -> None:
    for name in ("aaa", "bbb"):
        text = manifest(name)
        path = str(tool(work, text).relative_to(work))
        assert pkg("pack", path, "--namespace", "alice").code == 0
        pkg("sign", f"{name}-0.1.0.oci")
        assert pkg("install", f"{name}-0.1.0.oci", "--yes").code == 0
    for name, requests in (("aaa", [SEND]), ("bbb", [])):
        text = manifest(name, "0.2.0", required=requests)
        pkg("pack", str(tool(work, text).relative_to(work)), "--namespace", "alice")
        pkg("sign", f"{name}-0.2.0.oci")
    done = pkg("update")
    assert (done.code, done.out) == (3, "updated alice/bbb 0.1.0 -> 0.2.0\n")
    assert "alice/aaa: a person has to say yes" in done.err
    told = pkg("update", "--json")
    assert (told.code, [one["name"] for one in told.json["installed"]]) == (3, ["alice/bbb"])
    (failed,) = told.json["failed"]
    assert failed["code"] == "denied" and "alice/aaa: a person has to say yes" in failed["message"]


def test_a_damaged_record_is_named_and_keeps_no_other_from_an_update(
    pkg: Callable[..., Done], work: Path, home: Home
) -> None:
    for name in ("aaa", "bbb"):
        for version in ("0.1.0", "0.2.0"):
            path = str(tool(work, manifest(name, version)).relative_to(work))
            assert pkg("pack", path, "--namespace", "alice").code == 0
            assert pkg("sign", f"{name}-{version}.oci").code == 0
        assert pkg("install", f"{name}-0.1.0.oci", "--yes").code == 0
    record = home.tools / "alice" / "aaa" / "installed.json"
    record.write_text("{")
    done = pkg("update")
    assert (done.code, done.out) == (1, "updated alice/bbb 0.1.0 -> 0.2.0\n")
    assert f"capbox: {record}: is damaged" in done.err
    assert "capbox pkg remove alice/aaa, and install it again" in done.err
    assert pkg("update", "alice/aaa").code == 1
    assert pkg("update", "alice/bbb").out == "alice/bbb 0.2.0 is installed already\n"
    assert pkg("remove", "alice/bbb").code == 0
    done = pkg("update")
    assert (done.code, "no package is installed" in done.err) == (1, False)


def test_what_a_run_could_do_leaves_an_unnamed_tool_out(
    pkg: Callable[..., Done], capbox: Callable[..., Done], work: Path
) -> None:
    pkg("install", made(pkg, work, "0.1.0", READ), "--yes")
    assert capbox("why", "tool hello").code == 3
    assert capbox("why", "tool hello", "--grant", "tool:hello").code == 0
    assert capbox("why", "tool bash").code == 0
    automatic = ("--preset", "auto", "--ceiling", "read:/workspace")
    for flags, there in (
        ((), False),
        (automatic, False),
        (("--tool", "hello"), True),
        ((*automatic, "--tool", "hello"), True),
    ):
        text = capbox("blast-radius", "--json", *flags).out
        assert ("hello" in text) == there, text


def test_a_lock_file_installs_exactly_what_it_pins(
    pkg: Callable[..., Done], entry: Entry, work: Path, tmp_path: Path
) -> None:
    package = made(pkg, work, "0.1.0", READ)
    pkg("install", package, "--yes")
    assert pkg("lock").out == "wrote capbox.lock: 1 package\n"
    theirs = elsewhere(entry, tmp_path)
    assert theirs("lock", "--check").code == 1
    assert theirs("install", "--locked", "--yes").code == 0
    assert theirs("lock", "--check").out == "capbox.lock fits what is installed\n"
    text = Path("capbox.lock").read_text()
    digest = json.loads(text.partition("digest = ")[2].partition("\n")[0])
    Path("capbox.lock").write_text(text.replace(digest, "sha256:" + "0" * 64))
    done = elsewhere(entry, tmp_path / "third")("install", "--locked", "--yes")
    assert done.code == 1 and "capbox.lock pins the digest sha256:000" in done.err
    assert pkg("install").code == pkg("install", package, "--locked").code == 2


def test_nothing_found_is_a_code(pkg: Callable[..., Done], work: Path) -> None:
    made(pkg, work, "0.1.0")
    assert pkg("search", "GREETS").code == 0
    done = pkg("search", "weather")
    assert (done.code, done.out) == (1, "") and "has these words" in done.err
    assert (pkg("search", "weather", "--json").code, pkg("search", "x", "--json").json) == (
        1,
        {"packages": [], "unfinished": None},
    )


def test_a_search_that_ends_early_says_so(
    pkg: Callable[..., Done], work: Path, http_server: Callable[..., HttpServer]
) -> None:
    listed = json.dumps({"repositories": [f"alice/t{number}" for number in range(51)]})
    server = http_server({"/v2/_catalog": reply(listed.encode())})
    done = pkg("search", "--in", f"oci://127.0.0.1:{server.port}")
    assert (done.code, "(only 50 of 51 packages were asked for)" in done.err) == (1, True)


def test_remove_takes_it_away(
    pkg: Callable[..., Done], capbox: Callable[..., Done], work: Path
) -> None:
    pkg("install", made(pkg, work, "0.1.0"), "--yes")
    assert pkg("remove", "alice/hello").out == "removed alice/hello\n"
    assert pkg("remove", "alice/hello").code == pkg("remove", "hello").code == 2
    assert capbox("call", "hello").code == 2
    assert "no package is installed" in pkg("list").err


def test_a_damaged_package_is_listed_as_such(
    pkg: Callable[..., Done], capbox: Callable[..., Done], work: Path, home: Home
) -> None:
    pkg("install", made(pkg, work, "0.1.0"), "--yes")
    next(home.tools.rglob("tool.toml")).write_text(manifest(required=["write:*"]))
    done = pkg("list")
    assert done.code == 1 and "was changed since it was installed: capbox pkg install" in done.err
    (problem,) = pkg("list", "--json").json["unusable"]
    assert "was changed" in problem["message"]
    assert capbox("tool", "list").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("pack", "nowhere", "--namespace", "alice"), 1, "this is not the folder of a tool"),
        (("pack", "{tool}", "--namespace", "Alice"), 2, "is no name of a package"),
        (("sign", "nowhere.oci"), 1, "cannot be read"),
        (("verify", "nowhere.oci"), 2, "is no package: a package is a folder"),
        (("install", "https://a.example/x"), 2, "oci://HOST[:PORT]/NAMESPACE/TOOL"),
        (("install", "oci://localhost:1/alice/hello:1.0", "--yes"), 1, "cannot be reached"),
        (("push", "nowhere.oci", "oci://localhost:1"), 1, "cannot be read"),
        (("update", "--only", "read:*"), 2, "are for one package: name it"),
        (("update", "alice/none"), 2, "is not installed"),
        (("search", "x", "--in", "nowhere"), 2, "is no folder"),
        (("lock", "--check"), 2, "is not there: capbox pkg lock"),
    ],
)
def test_what_cannot_be_done_says_why(
    arguments: tuple[str, ...], code: int, said: str, pkg: Callable[..., Done], work: Path
) -> None:
    given = [one.format(tool=folder_of(work)) if "{" in one else one for one in arguments]
    done = pkg(*given)
    assert (done.code, done.out) == (code, "") and said in done.err
    error = pkg(*given, "--json").json["error"]
    assert said in error["message"]


# --- a person at a terminal --------------------------------------------------------------------


def typed(
    work: Path, environ: Mapping[str, str], answers: bytes, *arguments: str
) -> tuple[int, str]:
    """Run a command at a terminal where somebody types each answer when a question ends."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=work, env=environ, stdin=terminal, stdout=terminal,
        stderr=terminal, start_new_session=True,
    ) as running:  # fmt: skip
        os.close(terminal)
        seen, lines = b"", answers.splitlines(keepends=True)
        while True:
            try:
                piece = os.read(controller, 65_536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            seen += piece
            if lines and seen.endswith((b"[N]o: ", b"[y/N]: ")):
                os.write(controller, lines.pop(0))
        running.wait()
    os.close(controller)
    return running.returncode, seen.decode().replace("\r\n", "\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "code", "accepted"),
    [
        (b"y\n", 0, [READ, SEND]),
        (b"c\ny\nn\n", 0, [READ]),
        (b"c\nn\nn\n", 0, []),
        (b"n\n", 3, None),
        (b"\n", 3, None),
        (b"what?\n", 3, None),
    ],
)
def test_a_person_says_yes_no_or_to_what(
    answers: bytes,
    code: int,
    accepted: list[str] | None,
    pkg: Callable[..., Done],
    work: Path,
    environ: Mapping[str, str],
) -> None:
    package = made(pkg, work, "0.1.0", READ, SEND)
    ended, shown = typed(work, environ, answers, "pkg", "install", package)
    assert ended == code, shown
    assert "at worst, if a run grants all of that, it could\n  send what it can read to" in shown
    done = subprocess.run(
        [*COMMAND, "pkg", "list", "--json"], cwd=work, env=environ, capture_output=True, check=True
    )
    listed = json.loads(done.stdout)["packages"]
    assert [one["accepted"] for one in listed] == ([] if accepted is None else [accepted])
