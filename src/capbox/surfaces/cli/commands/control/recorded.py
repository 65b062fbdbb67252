"""What the record of one run says of an access: grants, questions, answers, leases and refusals.

Does not: judge the record (`capbox audit verify` does), or know what is not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from capbox.authority.access import Access, ToolAccess
from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.authority.paths import HostPath, Layout
from capbox.engine.control.keeping import StoreAccess, selects
from capbox.messages import JsonObject
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.screen import Screen


@dataclass(frozen=True, slots=True)
class Recorded:
    """`grants` are those that cover the access, with where they come from.

    `decisions` are entries about it, by number; `allowed` says whether a grant covers it that was
    not revoked.
    """

    run: str
    access: str
    grants: tuple[tuple[str, str], ...]
    decisions: tuple[tuple[int, str], ...]
    allowed: bool

    def to_json(self) -> JsonObject:
        """Return the object that `why --run --json` prints."""
        return {
            "run": self.run,
            "access": self.access,
            "allowed": self.allowed,
            "grants": [{"grant": grant, "from": source} for grant, source in self.grants],
            "decisions": [{"seq": seq, "text": text} for seq, text in self.decisions],
        }

    def show(self, screen: Screen) -> None:
        """Print it for a person."""
        verdict = "a grant covers it" if self.allowed else "no grant that counts covers it"
        screen.line(f"{self.access}, in run {self.run}: {verdict}")
        for grant, source in self.grants:
            screen.paragraph(f"  {grant}: {source}", hang=2)
        for seq, text in self.decisions:
            screen.paragraph(f"{seq:>4}  {text}", hang=6)
        if not self.decisions:
            screen.say("nothing was decided about it by itself", "dim")


def recorded(entry: Entry, run: str, text: str) -> Recorded:
    """Read the record of a run. Raises CommandFailure and SettingsError."""
    from capbox.engine.control.explaining import read_access
    from capbox.store.journal import read
    from capbox.surfaces.cli.commands.audit import run_named

    directory = entry.home().state / "journal"
    name = run_named(run, directory)
    contents = [(record.seq, record.content or {}) for record in read(directory, name)]
    opened = contents[0][1] if contents else {}
    layout = Layout(HostPath(str(opened.get("workspace", "/"))))
    access = read_access(text, layout)
    revoked = {str(c.get("subject")) for _, c in contents if c.get("what") == "revocation"}
    root = str(opened.get("authority_id"))
    held = opened.get("authority")
    own = [
        (str(one), f"{root}#{number}", root, "held from the start")
        for number, one in enumerate(held if isinstance(held, list) else [])
    ]
    lent = [
        (str(c.get("subject")), f"{c.get('authority')}#0", str(c.get("authority")), _lent(seq, c))
        for seq, c in contents
        if c.get("what") == "lease"
    ]
    covering = [one for one in (*own, *lent) if _covers(one[0], access)]
    grants = tuple(
        (grant, f"{source}, as {name}" + (", and revoked" if {name, of} & revoked else ""))
        for grant, name, of, source in covering
    )
    allowed = any(not {name, of} & revoked for _, name, of, _ in covering)
    return Recorded(name, str(access), grants, _decisions(contents, access, covering), allowed)


def _lent(seq: int, content: JsonObject) -> str:
    return f"lent {content.get('result')} (entry {seq})"


def _covers(text: str, access: Access | StoreAccess) -> bool:
    grant = parse_grant(text)
    return isinstance(grant, Grant) and selects(grant, access)


def _names(access: Access | StoreAccess, subject: str) -> bool:
    """Say whether an entry is about this access; of a tool or function, with whatever values."""
    called = isinstance(access, ToolAccess) and subject.startswith(f"{access}(")
    return called or subject == str(access)


def _decisions(
    contents: Sequence[tuple[int, JsonObject]],
    access: Access | StoreAccess,
    covering: Sequence[tuple[str, str, str, str]],
) -> tuple[tuple[int, str], ...]:
    """Return the entries that are about the access, or end what covers it."""
    ids = {one for _, name, of, _ in covering for one in (name, of)}
    leases = {grant for grant, *_ in covering}
    found: list[tuple[int, str]] = []
    for seq, content in contents:
        subject, what = str(content.get("subject")), content.get("what")
        about = _names(access, subject) or (what == "lease" and subject in leases)
        if content.get("kind") == "decision" and (
            about or (what == "revocation" and subject in ids)
        ):
            found.append((seq, f"{what} {subject}: {content.get('result')}"))
    return tuple(found)
