"""What the rules of one mount say about a name in it. Pure: no file is looked at.

Guarantees: an access is allowed only if one rule alone allows it under *every* name it is judged by
(the name as asked and the name of the opened object), so two narrow grants never add up. Does not:
know links, or record anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from capbox.authority.exclusions import Globs, State, compiled, folded
from capbox.sandbox.spec import Rule

READ, CHANGE, REPLACE, MOVE = range(4)
"""Read; make or remove a directory; write, make, move or delete anything else; move a directory."""

Verdict = tuple[int, int, int, int]
States = tuple[State, ...]

T = TypeVar("T")
MEMO_MAX = 16_384
MEMO_NAME_CHARS_MAX = 512  # a guest chooses names, so it must not choose how much is kept
# Attack: `.git` made as a *file* ("gitdir: elsewhere") sends a person's git to hooks that no
# pattern names.
REDIRECTS = frozenset({".git"})
# No pattern can name this component, so stepping with it shows what "any other name" would do.
_ANY_OTHER = "\x01"


class Judge:
    """The compiled rules of one mount. Names are relative to its root; "" is the root."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.plain = not any(rule.hidden or rule.protected for rule in rules)
        self._globs: list[Globs] = []
        starts: list[State] = []
        places: dict[tuple[tuple[str, ...], str], int] = {}
        for rule in rules:
            for patterns in (rule.hidden, rule.protected):
                if (patterns, rule.anchor) not in places:
                    places[patterns, rule.anchor] = len(starts)
                    self._globs.append(compiled(patterns))
                    starts.append(self._globs[-1].start(rule.anchor))
        # For each rule: may it write, and which automata hide and protect.
        self._rules = [
            (r.write, places[r.hidden, r.anchor], places[r.protected, r.anchor]) for r in rules
        ]
        self._hiding = sorted({hidden for _, hidden, _ in self._rules})
        self._start: States = tuple(starts)
        self._states: dict[str, States] = {"": self._start}
        self._verdicts: dict[str, Verdict] = {}
        read, change = self._verdict(self._start)
        self._root: Verdict = (read, change, change, change)

    def may_write(self) -> bool:
        """Say whether any rule allows writing at all."""
        return any(write for write, _, _ in self._rules)

    def verdict(self, name: str) -> Verdict:
        """Return, for each kind of access the set of rules (bits) that allow it."""
        if self.plain or not name:
            return self._root
        known = self._verdicts.get(name)
        if known is None:
            parent, _, last = name.rpartition("/")
            above = self.states(parent)
            states = self._step(above, last)
            # Attack: `mv .git x; mv planted .git` swaps what no write may touch. So a directory
            # that patterns go through, whose name leads elsewhere than any other, never moves.
            passage = states != self._step(above, _ANY_OTHER)
            read, change = self._verdict(states)
            replace = 0 if passage and folded(last) in REDIRECTS else change
            known = (read, change, replace, 0 if passage else change)
            if len(name) <= MEMO_NAME_CHARS_MAX:
                _remember(self._verdicts, name, known)
        return known

    def allows(self, kind: int, asked: str, real: str) -> bool:
        """Say whether one rule allows `kind` under both names."""
        if asked == real:
            return self.verdict(asked)[kind] != 0
        return self.verdict(asked)[kind] & self.verdict(real)[kind] != 0

    def states(self, name: str) -> States:
        """Return where the automata are at `name`; equal states judge everything below alike."""
        todo: list[str] = []
        rest = name
        while (known := self._states.get(rest)) is None:
            rest, _, last = rest.rpartition("/")
            todo.append(last)
        for last in reversed(todo):
            known = self._step(known, last)
        if todo and len(name) <= MEMO_NAME_CHARS_MAX:
            _remember(self._states, name, known)
            self._states[""] = self._start
        return known

    def shown(self, directory: str, names: Sequence[str]) -> Iterator[bool]:
        """Say for each of `names` in `directory` whether a listing may show it."""
        if any(not self._globs[i].patterns for i in self._hiding):
            return (True for _ in names)
        above = self.states(directory)
        visible = [self._globs[i].unmatched(above[i], names) for i in self._hiding]
        return map(any, zip(*visible, strict=True))

    def _step(self, states: States, component: str) -> States:
        return tuple(g.step(s, component) for g, s in zip(self._globs, states, strict=True))

    def _verdict(self, states: States) -> tuple[int, int]:
        read = change = 0
        matched = [g.matched(s) for g, s in zip(self._globs, states, strict=True)]
        for index, (write, hidden, protected) in enumerate(self._rules):
            if not matched[hidden]:
                read |= 1 << index
                if write and not matched[protected]:
                    change |= 1 << index
        return read, change


def _remember(memo: dict[str, T], name: str, value: T) -> None:
    if len(memo) >= MEMO_MAX:
        memo.clear()
    memo[name] = value
