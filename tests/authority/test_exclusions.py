"""The automaton of exclusions, against a naive reference, and the two lists."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.authority.exclusions import HIDDEN, PROTECTED, Globs, folded, literal, rebased

HIDING, GUARDING = Globs(HIDDEN), Globs(PROTECTED)


def reference(pattern: str, path: str, anchor: str = "") -> bool:
    """Match the obvious way: some prefix of the path, longer than the anchor, is the glob."""
    body = pattern.removeprefix("/")
    if "/" not in pattern and body != "**":
        body = f"**/{body}"
    while "**/**" in body:
        body = body.replace("**/**", "**")
    if body.endswith("**"):
        body = body.removesuffix("**") + "*"
    names = [c for c in f"{anchor}/{path}".split("/") if c]
    first = len([c for c in anchor.split("/") if c]) + 1
    return any(
        _same([p for p in body.split("/") if p], names[:n]) for n in range(first, len(names) + 1)
    )


def _same(parts: list[str], names: list[str]) -> bool:
    if not parts:
        return not names
    if parts[0] == "**":
        return any(_same(parts[1:], names[n:]) for n in range(len(names) + 1))
    return bool(names) and _one(parts[0], names[0]) and _same(parts[1:], names[1:])


def _one(part: str, name: str) -> bool:
    text = re.escape(part.casefold()).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(text, name.casefold(), re.DOTALL) is not None


names = st.text("abA.", min_size=1, max_size=3).filter(lambda n: n not in (".", ".."))
paths = st.lists(names, min_size=1, max_size=5).map("/".join)
parts = st.text("ab*?.", min_size=1, max_size=3).filter(lambda p: "**" not in p)
globs = st.lists(parts | st.just("**"), min_size=1, max_size=4).map("/".join)
patterns = globs | globs.map("/".__add__)
anchors = paths | st.just("")


@given(st.lists(patterns, max_size=4), paths, anchors)
def test_the_automaton_agrees_with_the_reference(chosen: list[str], path: str, anchor: str) -> None:
    expected = any(reference(pattern, path, anchor) for pattern in chosen)
    assert Globs(chosen).matches(path, anchor) is expected


@given(st.lists(patterns, max_size=4), anchors, st.lists(names, max_size=5))
def test_many_names_are_judged_as_each_alone(
    chosen: list[str], directory: str, many: list[str]
) -> None:
    automaton = Globs(chosen)
    state = walk(automaton, directory)
    alone = [not automaton.matched(automaton.step(state, name)) for name in many]
    assert automaton.unmatched(state, many) == alone


@given(st.lists(patterns, min_size=1, max_size=4), anchors, anchors, paths)
def test_equal_states_give_equal_verdicts_below(
    chosen: list[str], one: str, other: str, suffix: str
) -> None:
    automaton = Globs(chosen)
    if walk(automaton, one) == walk(automaton, other):
        assert automaton.matches(join(one, suffix)) is automaton.matches(join(other, suffix))


@given(st.lists(patterns, min_size=1, max_size=4), anchors, paths)
def test_the_residual_patterns_say_the_same_from_below(
    chosen: list[str], above: str, path: str
) -> None:
    residual = Globs(chosen).residual(above)
    assert (residual is None) is (above != "" and Globs(chosen).matches(above))
    if residual is not None:
        assert Globs(residual).matches(path) is Globs(chosen).matches(join(above, path))
        assert Globs(residual).patterns == residual


@given(patterns, paths, paths)
def test_a_rebased_glob_means_above_what_it_meant_below(glob: str, anchor: str, path: str) -> None:
    assert Globs([rebased(glob, anchor)]).matches(path, anchor) is Globs([glob]).matches(path)


@given(st.lists(st.text(min_size=1).filter(lambda n: "/" not in n), min_size=1), paths)
def test_a_literal_matches_its_path_and_what_is_below_only(parts: list[str], other: str) -> None:
    path = "/".join(parts)
    automaton = Globs([literal(path)])
    assert automaton.matches(path)
    assert automaton.matches(f"{path}/x")
    assert automaton.matches(other) is f"{folded(other)}/".startswith(f"{folded(path)}/")


def walk(automaton: Globs, path: str) -> frozenset[int]:
    state = automaton.start()
    for component in filter(None, path.split("/")):
        state = automaton.step(state, component)
    return state


def join(above: str, path: str) -> str:
    return f"{above}/{path}" if above else path


@pytest.mark.parametrize(
    ("path", "hidden", "protected"),
    [
        (".env", True, False),
        ("env", False, False),
        (".ENV.local", True, False),
        ("src/deep/.env.production", True, False),
        ("src/.env/inner", True, False),
        ("my.env", False, False),
        ("id_rsa", True, False),
        ("keys/server.PEM", True, False),
        ("server.pem.md", False, False),
        (".aws/credentials", True, False),
        (".config/gh/hosts.yml", True, False),
        (".config/ghostty", False, False),
        (".git/config", False, True),
        (".git/HEAD", False, True),
        ("bare.git/config", False, True),
        ("bare.git/notes", False, False),
        (".e\ufe0fnv", True, False),
        (".e\u3164nv", True, False),
        (".GIT/Config", False, True),
        ("sub/.git/hooks/pre-commit", False, True),
        (".git/modules/lib/hooks/post-checkout", False, True),
        (".git/worktrees/w/commondir", False, True),
        (".g\u200cit/hooks", False, True),
        (".git/info/attributes", False, True),
        ("config", False, False),
        ("hooks/pre-commit", False, False),
        (".vscode/tasks.json", False, True),
        ("AGENTS.md", False, True),
        ("docs/agents.md", False, True),
        ("capbox.toml", False, True),
        (".devcontainer.json", False, True),
        ("lefthook-local.toml", False, True),
        ("sub/.hg/hgrc", False, True),
        (".hg/store/data", False, False),
        (".cargo/config.toml", False, True),
        (".github/instructions/a.md", False, True),
        (".github/workflows/ci.yml", False, False),
        ("capbox.toml.md", False, False),
        ("\u017frc", False, False),
    ],
)
def test_the_lists_hold_against_other_spellings(path: str, hidden: bool, protected: bool) -> None:
    assert (HIDING.matches(path), GUARDING.matches(path)) == (hidden, protected)


HIDES = """.env.local a.pem a.key a.p12 a.pfx a.jks a.keystore a.ppk a.kdbx id_rsa id_dsa.pub
id_ecdsa id_ed25519_sk .ssh/config .gnupg/x .password-store/x .netrc _netrc .npmrc .yarnrc.yml
.pypirc .pgpass .my.cnf .htpasswd .git-credentials .vault-token .dockercfg .terraformrc .boto
.s3cfg .aws/config .azure/x .kube/config .docker/config.json .config/gcloud/x .config/gh/x
.cargo/credentials.toml .gem/credentials .m2/settings-security.xml .config/op/x
application_default_credentials.json service-account-1.json service_account.json .config/capbox/x
.local/state/capbox/x .cache/capbox/x"""
GUARDS = """.gitconfig .git/HEAD .config/git/config .husky/x .githooks/x .vscode/x .idea/x .zed/x
.fleet/x .vs/x .devcontainer/x .devcontainer.json .helix/x a.code-workspace .exrc .emacs .emacs.d/x
.ideavimrc .config/nvim/x .config/helix/x .gdbinit .lldbinit .tmux.conf .cargo/config.toml .yarnrc
a.sublime-project .vim/x .vimrc .nvimrc .nvim.lua .lvimrc .dir-locals-2.el .pre-commit-config.yaml
lefthook.yml lefthook.yaml lefthook-local.toml lefthook.json .lefthook/x .hg/hgrc .kilocode/x
.rules WARP.md .claude/x .claude.json CLAUDE.md CLAUDE.local.md .codex/x AGENTS.md .agent/x
AGENTS.override.md .agents/x .cursor/x .cursorrules .gemini/x GEMINI.md .qwen/x .aider.conf.yml
.windsurf/x .windsurfrules .cline/x .clinerules .roo/x .continue/x .github/copilot-instructions.md
.github/instructions/x .goose/x .goosehints .opencode/x opencode.jsonc .amp/x .kiro/x .junie/x
.trae/x .crush/x crush.json .openhands/x .copilot/x .mcp.json mcp.json capbox.toml .capbox/x
.bashrc .bash_profile .profile .zshrc .zshenv .zprofile .zlogin .zlogout .cshrc .tcshrc .kshrc
.login .xprofile .xinitrc .xsessionrc .config/fish/x .config/autostart/x .config/systemd/x"""
# Of a repository that a grant names, and of bare ones, which are looked for at the root alone.
GIT = """config modules/m/config config.worktree hooks/pre-commit info/attributes modules/m/info/x
worktrees/w/commondir worktrees/w/gitdir"""
BARE = "b.git/config b.git/hooks/x b.git/info/x"


def test_every_name_on_the_lists_is_kept_at_any_depth() -> None:
    for prefix in ("", "sub/deep/"):
        hidden, guarded = ([prefix + name for name in text.split()] for text in (HIDES, GUARDS))
        assert [path for path in hidden if not HIDING.matches(path)] == []
        assert [path for path in guarded if not GUARDING.matches(path)] == []
        assert [path for path in guarded if HIDING.matches(path)] == []
    assert [path for path in GIT.split() if not GUARDING.matches(path, "sub/.git")] == []
    assert [path for path in GIT.split() if GUARDING.matches(path, "sub/git")] == []
    assert [path for path in BARE.split() if not GUARDING.matches(path)] == []
    assert [path for path in BARE.split() if GUARDING.matches(f"sub/{path}")] == []


@pytest.mark.parametrize(
    ("glob", "matched", "other"),
    [
        (r"\*", "*", "a"),
        (r"a\*b*", "a*bc", "axbc"),
        (r"*\*", "x*", "x"),
        (r"?\?", "a?", "ab"),
        (r"*\bc", "abc", "ab"),
        (r"a\/b", "a\\/b", "a/b"),
        (r"\\", "\\", "\\\\"),
        ("*b*", "abc", "ac"),
        ("*b*c", "abxc", "abcx"),
        ("*a?", "xab", "xa"),
        ("*b*c*", "abbcd", "acb"),
        ("a?c", "abc", "ac"),
        ("**", "a", ""),
        # A name of nothing visible is a name: it is not the folder that it is in.
        ("/\u200b", "\u200b", "a"),
        ("/\u200b", "\u200b", "\u200c"),
        ("a/\u200b", "a/\u200b", "a"),
        ("\u200b", "a/\u200b", "a"),
    ],
)
def test_a_glob_matches_what_it_spells(glob: str, matched: str, other: str) -> None:
    assert Globs([glob]).matches(matched)
    assert not Globs([glob]).matches(other)


@pytest.mark.parametrize(
    ("path", "anchor", "expected"),
    [
        ("", ".env", False),
        ("x", ".env", False),
        ("x/.env", ".env", True),
        (".env", "src", True),
        ("gcloud/x", ".config", True),
        ("x", ".config/gcloud", False),
    ],
)
def test_naming_a_path_lifts_what_kept_it_and_nothing_else(
    path: str, anchor: str, expected: bool
) -> None:
    assert HIDING.matches(path, anchor) is expected


def test_each_glob_of_several_matches_and_so_does_all_that_is_below_it() -> None:
    automaton = Globs(["a", "/b/c", "*.pem"])
    told = {
        "a": "a",
        "b/c": "b/c",
        "x/y.pem/z": "x/y.pem",
        "x/a/b": "x/a",
        "b": None,
        "x/b/c": None,
    }
    assert {path: automaton.match_of(path) for path in told} == told
    state = walk(automaton, "x/a/b/c")
    assert automaton.matched(state)
    assert automaton.step(state, "y") == state
    assert not automaton.matched(walk(automaton, "x/b/c"))
    assert automaton.unmatched(state, ["y"]) == [False]
    assert automaton.unmatched(walk(automaton, "b"), ["c", "d", "a"]) == [False, True, False]


@pytest.mark.parametrize(
    ("glob", "normal"),
    [
        ("a", "**/a"),
        ("/a", "/a"),
        ("a/B", "/a/b"),
        ("**/a", "**/a"),
        ("**", "/*"),
        ("a/**", "/a/*"),
        ("**/**/a", "**/a"),
        ("a/**/**/b", "/a/**/b"),
    ],
)
def test_a_glob_has_one_spelling(glob: str, normal: str) -> None:
    assert Globs([glob]).patterns == Globs([normal]).patterns == {normal}
    assert Globs([glob]).residual("") == {normal}


def test_a_hook_stays_protected_below_a_grant_that_names_its_directory() -> None:
    assert GUARDING.matches("hooks/pre-commit", ".git")
    assert not GUARDING.matches("pre-commit", ".git/hooks")


def test_renaming_a_parent_changes_the_state_only_where_verdicts_change() -> None:
    assert walk(GUARDING, "src") == walk(GUARDING, "lib/deep")
    assert walk(GUARDING, ".git") != walk(GUARDING, "git")


@pytest.mark.parametrize("name", ["\u00e9", "STRASSE", "\u212a", "A\u0301", "a\u200bb"])
def test_spellings_of_one_name_fold_alike(name: str) -> None:
    for form in ("NFC", "NFD"):
        assert folded(unicodedata.normalize(form, name)) == folded(name)
    assert folded(name.upper()) == folded(name.lower())


def test_a_guest_cannot_make_the_automaton_keep_ever_more_states() -> None:
    automaton = Globs([f"**/{c}/**/x" for c in "abcdefghijklmnop"])
    for number in range(1_200):
        state = automaton.start()
        for bit, char in enumerate("abcdefghijklmnop"):
            if number >> bit & 1:
                state = automaton.step(state, char)
        automaton.step(state, "y")
        assert len(automaton._rows) <= 1_024


def test_many_stars_do_not_make_matching_explode() -> None:
    assert not Globs(["*a" * 40 + "*b"]).matches("a" * 255)
