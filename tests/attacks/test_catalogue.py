"""Every attack of the demo: it bites naive tools, and is contained, and by what is known.

As root and as an ordinary user, with each wall of the kernel up and down: the first wall, the host
of the guest, must hold alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from capbox.app import GUESTS
from capbox.surfaces.demo.attacks.catalogue import ATTACKS

STOPPED_BY: Mapping[str, str] = {
    "read-absolute": "gate: no grant",
    "read-dot-dot": "gate: no grant",
    "read-winding-path": "gate: no grant",
    "read-sibling": "gate: no grant",
    "read-sibling-absolute": "gate: no grant",
    "read-percent": "tool: not_found",
    "read-file-url": "tool: not_found",
    "read-tilde": "gate: excluded name",
    "read-variable": "gate: excluded name",
    "read-mount-guess": "host: no grant",
    "glob-outside": "gate: no grant",
    "grep-outside": "gate: no grant",
    "write-absolute": "gate: no grant",
    "write-dot-dot": "gate: no grant",
    "write-read-only": "gate: no grant",
    "edit-other-agent": "gate: no grant",
    "delete-outside": "host: no grant",
    "unpack-outside": "host: no grant",
    "link-file-out": "host: link leads out",
    "link-folder-out": "host: link leads out",
    "link-write-out": "host: link leads out",
    "link-append-out": "host: link leads out",
    "link-make-and-read": "host: link leads out",
    "link-for-a-person": "host: link leads out",
    "link-to-hidden": "host: link leads out",
    "hard-link-hidden": "host: excluded name",
    "hard-link-outside": "host: hard-linked file",
    "hard-link-make": "host: no hard links",
    "copy-hidden": "host: excluded name",
    "rename-hidden": "host: excluded name",
    "rename-parent": "absent: hidden there too",
    "rename-git": "host: excluded name",
    "hidden-plain": "gate: excluded name",
    "hidden-key": "host: excluded name",
    "hidden-search": "host: excluded name",
    "hidden-case": "gate: excluded name",
    "hidden-unicode": "gate: excluded name",
    "hidden-invisible": "gate: excluded name",
    "hidden-detour": "gate: excluded name",
    "name-nul": "gate: arguments",
    "name-as-grant": "gate: arguments",
    "name-with-caveat": "gate: no grant",
    "name-escapes": "gate: arguments",
    "value-as-flag": "tool: not_found",
    "value-as-pattern": "tool: not_found",
    "value-as-command": "absent: values stay values",
    "value-as-program": "absent: values stay values",
    "own-settings": "gate: never rule",
    "own-journal": "host: never rule",
    "own-journal-key": "host: never rule",
    # A checkout below /tmp does not exist for a guest, which has a /tmp of its own.
    "own-tools": "absent: a private /tmp" if GUESTS.is_relative_to("/tmp") else "host: no grant",
    "project-settings": "gate: no grant",
    "policy-file": "gate: excluded name",
    "tool-definitions": "gate: excluded name",
    "editor-settings": "gate: excluded name",
    "git-hook": "gate: excluded name",
    "git-config": "host: excluded name",
    "instructions": "gate: excluded name",
    "nobody-to-ask": "gate: no grant",
    "empty-grants": "gate: no grant",
    "empty-grants-script": "host: no grant",
    "script-read": "host: no grant",
    "script-chain": "host: no grant",
    "script-substitution": "host: no grant",
    "script-redirect": "host: no grant",
    "script-eval": "host: no grant",
    "script-program": "absent: no other programs",
    "state-directory": "host: no grant",
    "state-variables": "host: no grant",
    "environment": "absent: no such variable",
    "proc-environment": "gate: no grant",
    "proc-root": "gate: no grant",
    "proc-directory": "host: no grant",
    "network-loopback": "host: no grant",
    "network-metadata": "host: no grant",
    "network-udp": "host: no grant",
    "kill-parent": "absent: no processes",
    "background": "absent: no processes",
    "loop": "bound: time",
    "sleep": "bound: time",
    "fifo": "tool: not_a_file",
    "pattern": "absent: no backtracking",
    "device": "bound: time",
    "recursion": "bound: stack",
    "memory": "bound: memory",
    "output": "bound: output",
    "files": "bound: files_created",
    "folders": "bound: files_created",
    "disk": "bound: written",
    "disk-sparse": "bound: written",
    "arguments": "bound: memory",
    "descriptors": "absent: 64 open files",
    "tool-function": "gate: no such tool",
    "tool-spelling": "gate: no such tool",
    "tool-invisible": "gate: no such tool",
    "argument-directory": "gate: arguments",
    "argument-root": "gate: arguments",
    "argument-limit": "gate: arguments",
    "json-cut": "gate: arguments",
    "json-twice": "gate: arguments",
    "repetition": "gate: same call again",
}


@pytest.mark.parametrize("attack", [attack.id for attack in ATTACKS])
def test_an_attack_works_on_naive_tools(
    attack: str, user: str, bites: Callable[[str], Mapping[str, str | None]]
) -> None:
    assert bites(user)[attack] is not None


@pytest.mark.parametrize("attack", [attack.id for attack in ATTACKS])
def test_an_attack_is_contained(
    attack: str,
    user: str,
    walls: str,
    trials: Callable[[str, str], Mapping[str, list[str | None]]],
) -> None:
    assert trials(user, walls)[attack] == [STOPPED_BY[attack], None]


def test_every_attack_has_an_id_of_its_own_and_a_known_end() -> None:
    ids = [attack.id for attack in ATTACKS]
    assert (len(set(ids)), set(ids)) == (len(ids), set(STOPPED_BY))
