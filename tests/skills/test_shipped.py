"""Each skill that capbox brings does what it says: followed step by step with the real tools."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.surfaces.cli.conftest import Capbox, capbox, entry

from capbox import app
from capbox.engine.home import Home
from capbox.engine.skills.shelf import shelf_of, shipped
from capbox.engine.skills.using import narrowed
from capbox.messages import Json
from capbox.tools.registry import load

__all__ = ["capbox", "entry"]
NAMES = ("code-review", "data-analysis", "release-notes", "research", "web-page")
LINES_MAX = 120
Follow = Callable[..., list[str]]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty workspace."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def follow(capbox: Capbox, work: Path, tmp_path: Path) -> Follow:
    """Run a task under a skill, the model making these calls; return what the tools answered."""

    def run(
        skill: str, task: str, *calls: tuple[str, Json], flags: tuple[str, ...] = ()
    ) -> list[str]:
        replies: list[Json] = [{"tool_calls": [{"name": n, "arguments": a}]} for n, a in calls]
        script = tmp_path / "script.json"
        script.write_text(json.dumps([*replies, {"text": "Done."}]))
        arguments = ("--workspace", work, "--model", f"scripted:{script}", "--stream-json", *flags)
        done = capbox("run", "--skill", skill, *arguments, "--", task)
        assert done.code == 0, done.out + done.err
        events = [json.loads(line) for line in done.out.splitlines()]
        ended = [event for event in events if event["type"] == "tool_finished"]
        assert len(ended) == len(calls)
        for event in ended:
            assert event["result"]["ok"], event["result"]["error"]
        return [event["result"]["content"] for event in ended]

    return run


def test_there_are_five_and_each_is_short_and_asks_only_for_tools_that_there_are(
    home: Home,
) -> None:
    shelf = shelf_of(home.config)
    assert tuple(one.name for one in shelf.skills) == NAMES and shelf.unusable == ()
    tools = load(app.GUESTS, shipped=True).tools
    for one in shelf.skills:
        assert narrowed(one, tools) == tuple(sorted(one.allowed_tools)), one.name
        assert len((shipped() / one.name / "SKILL.md").read_text().splitlines()) <= LINES_MAX
        assert one.license == "Apache-2.0" and one.argument_hint


def test_code_review_finds_the_line_and_proves_it(follow: Follow, work: Path) -> None:
    (work / "mean.awk").write_text("{ s += $1 }\nEND { print s / NR }\n")
    (work / "change.patch").write_text("--- a/mean.awk\n+++ b/mean.awk\n@@ -2 +2 @@\n-END {\n")
    review = (
        "# Review of mean.awk\n\nVERDICT: not ready: an empty file ends it.\n\n## Findings\n"
        "1. [high] mean.awk:2 An empty file divides by zero.\n   Fix: `if (NR)`.\n"
    )
    answers = follow(
        "code-review",
        "change.patch",
        ("tree", {}),
        ("read", {"path": "mean.awk"}),
        ("bash", {"script": "printf '' | awk -f mean.awk; echo status $?"}),
        ("grep", {"pattern": "NR", "mode": "content"}),
        ("write", {"path": "REVIEW.md", "content": review}),
        flags=("--write", "."),
    )
    assert "mean.awk" in answers[0] and "print s / NR" in answers[1]
    assert "division by zero" in answers[2] and "status 0" not in answers[2]
    assert "mean.awk:2" in answers[3].replace("\n2:", "mean.awk:2")
    assert (work / "REVIEW.md").read_text() == review


def test_data_analysis_profiles_with_its_own_script_and_reports(follow: Follow, work: Path) -> None:
    data = "month,region,eur\nmay,north,120\nmay,south,80\njune,north,NA\njune,north,NA\n"
    (work / "sales.csv").write_text(data)
    answers = follow(
        "data-analysis",
        "sales.csv 'How much by month?'",
        ("glob", {"pattern": "**/*.csv"}),
        ("bash", {"script": "bash /mnt/skills/data-analysis/scripts/profile.sh sales.csv"}),
        (
            "bash",
            {"script": 'awk -F, \'NR>1 && $3!="NA" {s[$1]+=$3} END {print s["may"]}\' sales.csv'},
        ),
        ("write", {"path": "analysis.md", "content": "# How much by month?\n\n**Answer.** 200\n"}),
        flags=("--read", ".", "--grant", "write:/workspace/analysis.md"),
    )
    assert answers[0].strip().endswith("sales.csv")
    assert answers[1].splitlines() == [
        "rows 4, columns 3, rows of another length 0, repeated rows 1",
        "month: 4 values, 0 empty, 2 distinct",
        "region: 4 values, 0 empty, 2 distinct",
        "eur: 2 values, 2 empty, 2 distinct, from 80 to 120, mean 100",
    ]
    assert answers[2].strip() == "200"
    assert (work / "sales.csv").read_text() == data


def test_the_script_of_a_skill_can_be_read_by_a_run_and_not_changed(
    capbox: Capbox, work: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script.json"
    write = {"path": "/mnt/skills/data-analysis/scripts/profile.sh", "content": "x"}
    script.write_text(
        json.dumps([{"tool_calls": [{"name": "write", "arguments": write}]}, {"text": "Done."}])
    )
    flags = ("--workspace", work, "--write", ".", "--model", f"scripted:{script}", "--json")
    done = capbox("run", "x", "--skill", "data-analysis", *flags)
    assert "write" in done.out and json.loads(done.out)["denied"]
    assert (shipped() / "data-analysis/scripts/profile.sh").read_text() != "x"


def test_release_notes_come_from_the_log_in_the_form_of_the_last_entry(
    follow: Follow, work: Path
) -> None:
    (work / "commits.txt").write_text("a1 Read empty files\nb2 Refactor\n")
    (work / "CHANGELOG.md").write_text("# Changes\n\n## 1.0.0 - 2026-01-01\n\n- First.\n")
    added = "## 1.0.1 - 2026-02-01\n\n- An empty file is no longer an error.\n\n"
    answers = follow(
        "release-notes",
        "1.0.1 commits.txt",
        ("read", {"path": "commits.txt"}),
        ("read", {"path": "CHANGELOG.md"}),
        ("bash", {"script": "date +%F"}),
        (
            "edit",
            {
                "path": "CHANGELOG.md",
                "edits": [{"old": "## 1.0.0", "new": f"{added}## 1.0.0"}],
            },
        ),
        flags=("--write", "."),
    )
    assert "Read empty files" in answers[0]
    assert (
        work / "CHANGELOG.md"
    ).read_text() == f"# Changes\n\n{added}## 1.0.0 - 2026-01-01\n\n- First.\n"


def test_web_page_passes_its_own_checks(follow: Follow, work: Path) -> None:
    (work / "about.md").write_text("Tea & cake <daily>\n")
    page = (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>Tea</title>\n<main><h1>Tea &amp; cake &lt;daily&gt;</h1>\n"
        '<a href="menu.html">Menu</a></main>\n</html>\n'
    )
    checks = (shipped() / "web-page/SKILL.md").read_text().split("```\n")[1]
    answers = follow(
        "web-page",
        "a page for the tea room",
        ("glob", {"pattern": "**/*.md"}),
        ("write", {"path": "index.html", "content": page}),
        ("bash", {"script": f"{checks}\ntrue"}),
        ("edit", {"path": "index.html", "edits": [{"old": "menu.html", "new": "about.md"}]}),
        flags=("--write", "."),
    )
    assert answers[2].splitlines() == ["1", "2", '7:href="menu.html"']
    assert "about.md" in (work / "index.html").read_text()


PAGE = "<html><title>Spec</title><body><p>The limit is 42 requests a minute.</p></body></html>"


class _Site(BaseHTTPRequestHandler):
    """A page, and a search that finds it."""

    def do_GET(self) -> None:
        host = f"http://{self.headers['Host']}"
        found = {"results": [{"title": "Spec", "url": f"{host}/spec", "content": "limit"}]}
        body = (json.dumps(found) if self.path.startswith("/search") else PAGE).encode()
        kind = "application/json" if self.path.startswith("/search") else "text/html"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """A server on loopback."""
    server = HTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_research_opens_what_it_cites(follow: Follow, work: Path, home: Home, site: str) -> None:
    home.config.mkdir(mode=0o700, parents=True)
    search = f'[search]\nurl = "{site}/search?q={{query}}&n={{count}}"\nresults = "results"\n'
    (home.config / "config.toml").write_text(search + 'link = "url"\ntext = "content"\n')
    (work / "notes.md").write_text("We assume 40 a minute.\n")
    report = f"# Limit?\n\n**Answer.** 42 a minute. [1]\n\n## Sources\n1. Spec. {site}/spec\n"
    answers = follow(
        "research",
        "How many requests a minute?",
        ("grep", {"pattern": "minute"}),
        ("search", {"query": "limit requests minute"}),
        ("fetch", {"url": f"{site}/spec"}),
        ("write", {"path": "research.md", "content": report}),
        flags=("--write", ".", "--fetch", site),
    )
    assert "notes.md" in answers[0]
    assert f"{site}/spec" in answers[1]
    assert "42 requests a minute" in answers[2]
    assert f"{site}/spec" in (work / "research.md").read_text()
