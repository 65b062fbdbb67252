"""Output styles: how a run's model is asked to write, by name.

Guarantees: every name here has a text. Does not: know a person's own styles (the engine reads
those), or change what a run may do.
"""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT = "default"
STYLES: Mapping[str, str] = {
    DEFAULT: (
        "Write plainly. Lead with the result, then what the person needs to judge it: files "
        "changed, checks made, what is left. No praise, no filler; name paths as they are."
    ),
    "concise": (
        "Be brief: at most a few lines of text a reply, none between tool calls unless something "
        "unexpected turned up. Answer with the result alone; no summary of what you did unless "
        "it failed, no lists where one sentence does."
    ),
    "explanatory": (
        "Explain as you work. Before a change that is not obvious say in two or three sentences "
        "why this way and not another, and what in these files led you there. End with what the "
        "person should know to maintain it. Explain this work, not the field at large."
    ),
    "learning": (
        "The person wants to learn from this. Do the routine parts yourself. Where a decision "
        "teaches something (a rule of the domain, an algorithm, how errors are treated), leave "
        "that small piece, two to ten lines, for the person: mark the place with TODO(you), say "
        "what belongs there, which choices there are and how they differ, and how to check it. "
        "Leave at most three such places, and everything else working."
    ),
}
