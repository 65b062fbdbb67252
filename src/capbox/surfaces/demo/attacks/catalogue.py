"""Every attack of the demo, in the order in which it is shown."""

from __future__ import annotations

from capbox.surfaces.demo.attack import Attack
from capbox.surfaces.demo.attacks import (
    commands,
    control,
    files,
    links,
    names,
    protocol,
    resources,
)

CHAPTERS: tuple[tuple[str, tuple[Attack, ...]], ...] = (
    ("Files outside the grant", files.ATTACKS),
    ("Links and renames", links.ATTACKS),
    ("Names", names.ATTACKS),
    ("The control plane", control.ATTACKS),
    ("Commands, environment, network", commands.ATTACKS),
    ("Resources", resources.ATTACKS),
    ("The call itself", protocol.ATTACKS),
)

ATTACKS: tuple[Attack, ...] = tuple(attack for _, chapter in CHAPTERS for attack in chapter)
