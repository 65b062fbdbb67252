"""What a path grant leaves out: globs as an automaton over path components, and the two lists.

A glob without "/" matches at any depth; with "/" it is anchored to the root of matching, unless it
starts with `**/`. `*` and `?` stay within a component (a backslash makes them literal), `**` is
any number of components. What is below a match is matched too. Names are compared after NFC and
case folding, without invisible format characters, so no spelling that some file system takes for
the same name escapes (CVE-2025-59944).

Guarantees: equal states give equal verdicts for every suffix, so a directory may be renamed
between places of equal state without judging what is below it. An `anchor` is a path that the
grant itself names: matches of it, or above it, do not count; matches below it do.
Does not: look at files. Links and hard links are the sandbox's to resolve.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

State = frozenset[int]
MATCHED: State = frozenset({-1})
_ROWS_MAX = 1024
_END = "/"  # after the components of each pattern: no component is one
_SPECIAL = re.compile(r"[*?\\]")

# Characters that case-folding file systems (ext4, f2fs, tmpfs) ignore in names: Unicode's
# Default_Ignorable_Code_Point, and every other format character.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# Neither read nor write: environments, private keys, credential files, capbox's own state.
HIDDEN: tuple[str, ...] = (
    *(".env*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.ppk", "*.kdbx"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".ssh", ".gnupg", ".password-store"),
    *(".netrc", "_netrc", ".npmrc", ".yarnrc.yml", ".pypirc", ".pgpass", ".my.cnf", ".htpasswd"),
    *(".git-credentials", ".vault-token", ".dockercfg", ".terraformrc", ".boto", ".s3cfg"),
    *(".aws", ".azure", ".kube", "**/.docker/config.json", "**/.config/gcloud", "**/.config/gh"),
    *("**/.cargo/credentials*", "**/.gem/credentials", "**/.m2/settings*.xml", "**/.config/op"),
    *("application_default_credentials.json", "service-account*.json", "service_account*.json"),
    *("**/.config/capbox", "**/.local/state/capbox", "**/.cache/capbox"),
)

# Read but not write: what a person's git, editor, shell or other agents would act upon later.
# `commondir` and `gitdir` send git to another configuration; submodules and worktrees have theirs.
PROTECTED: tuple[str, ...] = (
    *("**/.git/**/config", "**/.git/**/config.worktree", "**/.git/**/hooks", "**/.git/info"),
    *("**/.git/modules/**/info", "**/.git/**/commondir", "**/.git/**/gitdir", ".gitconfig"),
    # All of .git: without its HEAD, git would take the directory above for a bare repository, and
    # run what a `config` there says. What a grant of .git itself still leaves out stands above.
    *(".git", "*.git/config", "*.git/hooks", "*.git/info"),
    *("**/.config/git", ".husky", ".githooks"),
    *(".vscode", ".idea", ".zed", ".fleet", ".vs", ".devcontainer", ".devcontainer.json", ".helix"),
    *("*.code-workspace", ".exrc", ".emacs", ".emacs.d", ".ideavimrc", "**/.config/nvim"),
    *("**/.config/helix", ".gdbinit", ".lldbinit", ".tmux.conf", "**/.cargo/config*", ".yarnrc"),
    *("*.sublime-project", ".vim", ".vimrc", ".nvimrc", ".nvim.lua", ".lvimrc", ".dir-locals*.el"),
    *(".pre-commit-config.yaml", "lefthook*.yml", "lefthook*.yaml", "lefthook*.toml"),
    *("lefthook*.json", ".lefthook*", "**/.hg/hgrc", ".kilocode", ".rules", "WARP.md"),
    *(".claude", ".claude.json", "CLAUDE.md", "CLAUDE.local.md", ".codex", "AGENTS.md", ".agent"),
    *("AGENTS.override.md", ".agents", ".cursor", ".cursorrules", ".gemini", "GEMINI.md", ".qwen"),
    *(".aider*", ".windsurf", ".windsurfrules", ".cline", ".clinerules", ".roo", ".continue"),
    *(
        "**/.github/copilot-instructions.md",
        "**/.github/instructions",
        ".goose",
        ".goosehints",
        ".opencode",
        "opencode.json*",
    ),
    *(".amp", ".kiro", ".junie", ".trae", ".crush", "crush.json", ".openhands", ".copilot"),
    *(".mcp.json", "mcp.json", "capbox.toml", ".capbox", ".bashrc", ".bash_*", ".profile"),
    *(".zshrc", ".zshenv", ".zprofile", ".zlogin", ".zlogout", ".cshrc", ".tcshrc"),
    *(".kshrc", ".login", ".xprofile", ".xinitrc", ".xsession*", "**/.config/fish"),
    *("**/.config/autostart", "**/.config/systemd"),
)


@dataclass(frozen=True, slots=True)
class _Row:
    """How one state steps: a name that no pattern can mean goes to `otherwise`.

    It is none of `exact`, begins and ends with none of `heads` and `tails`, and is not `wild`.
    """

    exact: frozenset[str]
    heads: tuple[str, ...]
    tails: tuple[str, ...]
    wild: re.Pattern[str] | None
    otherwise: State

    def concerns(self, name: str) -> bool:
        """Say whether a pattern may mean the folded `name`."""
        return (
            name in self.exact
            or name.startswith(self.heads)
            or name.endswith(self.tails)
            or (self.wild is not None and self.wild.fullmatch(name) is not None)
        )


class Globs:
    """A set of globs, compiled once; states are plain values, hashable and comparable."""

    __slots__ = ("_parts", "_rows", "_start", "patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        """Compile; the order and repetition of patterns do not matter."""
        self.patterns = frozenset(map(_normal, patterns))
        parts: list[str] = []
        begins: list[int] = []
        for pattern in sorted(self.patterns):
            begins.append(len(parts))
            parts += [*pattern.removeprefix("/").split("/"), _END]
        self._parts = tuple(parts)
        self._start = frozenset(begins)
        self._rows: dict[State, _Row] = {}

    def start(self, anchor: str = "") -> State:
        """Return the state at `anchor` (components joined by "/"), whose own matches are lifted."""
        state = self._start
        for component in filter(None, anchor.split("/")):
            state, _ = self._next(state, component)
        return state

    def step(self, state: State, component: str) -> State:
        """Return the state one component further down."""
        if state == MATCHED:
            return state
        after, ended = self._next(state, component)
        return MATCHED if ended else after

    def unmatched(self, state: State, names: Iterable[str]) -> list[bool]:
        """Say for each of many names whether one step with it leads elsewhere than to a match."""
        if state == MATCHED:
            return [False for _ in names]
        concerns = (self._rows.get(state) or self._row(state)).concerns
        return [not concerns(folded(n)) or self.step(state, n) != MATCHED for n in names]

    def matched(self, state: State) -> bool:
        """Say whether the path that led here, or a directory above it, is matched."""
        return state == MATCHED

    def match_of(self, relative_path: str, anchor: str = "") -> str | None:
        """Return the shortest part of `relative_path` (below `anchor`) that is matched, if any."""
        state = self.start(anchor)
        components = [c for c in relative_path.split("/") if c]
        for count, component in enumerate(components, 1):
            state = self.step(state, component)
            if state == MATCHED:
                return "/".join(components[:count])
        return None

    def matches(self, relative_path: str, anchor: str = "") -> bool:
        """Say whether `relative_path` (below `anchor`) is matched."""
        return self.match_of(relative_path, anchor) is not None

    def residual(self, relative_path: str) -> frozenset[str] | None:
        """Return the patterns that say the same seen from `relative_path`; None if it is matched.

        They are in the normal form of `patterns`.
        """
        state = self._start
        for component in filter(None, relative_path.split("/")):
            state = self.step(state, component)
        if state == MATCHED:
            return None
        return frozenset(self._rest(position) for position in state)

    def _rest(self, position: int) -> str:
        return _rooted(self._parts[position : self._parts.index(_END, position)])

    def _next(self, state: State, component: str) -> tuple[State, bool]:
        """Return what follows, and whether a pattern ends with this component."""
        row, name = self._rows.get(state) or self._row(state), folded(component)
        if not row.concerns(name):
            return row.otherwise, False
        after: set[int] = set()
        ended = False
        for position in state:
            if self._parts[position] == "**":
                after.add(position)
                position += 1
            if _component(self._parts[position]).fullmatch(name):
                if self._parts[position + 1] == _END:
                    ended = True
                else:
                    after.add(position + 1)
        return frozenset(after), ended

    def _row(self, state: State) -> _Row:
        stay = frozenset(p for p in state if self._parts[p] == "**")
        exact, heads, tails, other = set[str](), set[str](), set[str](), set[str]()
        for part in {self._parts[p + 1 if p in stay else p] for p in state}:
            head, *more = _SPECIAL.split(part)
            if not more:
                exact.add(part)
            elif head:
                heads.add(head)
            elif more[-1]:
                tails.add(more[-1])
            else:
                other.add(_regex(part))
        wild = re.compile("|".join(other), re.DOTALL) if other else None
        row = _Row(frozenset(exact), tuple(heads), tuple(tails), wild, stay)
        # A guest chooses the names that it makes, so it must not choose how much is kept here.
        if len(self._rows) >= _ROWS_MAX:
            self._rows.clear()
        self._rows[state] = row
        return row


@lru_cache(maxsize=256)
def compiled(patterns: tuple[str, ...]) -> Globs:
    """Return the automaton of `patterns`, compiled at most once while it is in use."""
    return Globs(patterns)


def folded(name: str) -> str:
    """Return the form in which two spellings of one file name are equal; never an empty one."""
    if name.isascii():
        return name.lower()
    visible = _IGNORABLE.sub("", name) or name
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", visible).casefold())


def literal(relative_path: str) -> str:
    """Return the anchored glob that matches exactly this path."""
    return "/" + re.sub(r"([*?\\])", r"\\\1", relative_path)


def rebased(glob: str, anchor: str) -> str:
    """Return the glob that means, seen from above, what `glob` means at `anchor`."""
    return f"{literal(anchor)}/{_normal(glob).removeprefix('/')}" if anchor else glob


def _normal(pattern: str) -> str:
    """Return the one spelling of a glob: folded, its anchoring explicit, no `**` at the end."""
    parts = [folded(part) for part in pattern.removeprefix("/").split("/")]
    if "/" not in pattern:
        parts.insert(0, "**")
    kept = [part for before, part in pairwise(["", *parts]) if not before == part == "**"]
    if kept[-1] == "**":
        # Everything below a directory: a match is sticky, so one more component says the same,
        # and a grant that names what is there lifts it.
        kept[-1] = "*"
    return _rooted(kept)


def _rooted(parts: Sequence[str]) -> str:
    return ("" if parts[0] == "**" else "/") + "/".join(parts)


@lru_cache(maxsize=1024)
def _component(part: str) -> re.Pattern[str]:
    return re.compile(_regex(part), re.DOTALL)


def _regex(part: str) -> str:
    """Translate one component; atomic groups keep matching linear for hostile names."""
    pieces = re.findall(r"\\.|\\$|[*?]|[^*?\\]+", part, re.DOTALL)
    runs = [""]
    for piece in pieces:
        if piece == "*":
            runs.append("")
        elif piece == "?":
            runs[-1] += "."
        else:
            runs[-1] += re.escape(piece.removeprefix("\\") or piece)
    first, *more = runs
    if not more:
        return f"(?:{first})"
    middle = "".join(f"(?>.*?{run})" for run in more[:-1])
    return f"(?:{first}{middle}.*{more[-1]})"
