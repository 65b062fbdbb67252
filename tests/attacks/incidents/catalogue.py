"""The published incidents with agents and their tools that capbox answers for: one row each.

`attacks` are those of the demo that make the same mistake bite; they are tried as root and as an
ordinary user, with each wall of the kernel up and down (test_catalogue.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.attacks.incidents.cases import approvals, commands, files, labels, network, settings
from tests.attacks.incidents.place import Case


@dataclass(frozen=True)
class Incident:
    """`reference` is where it was published, `cause` what the root of it was."""

    reference: str
    cause: str
    attacks: tuple[str, ...] = ()


INCIDENTS: Mapping[str, Incident] = {
    "MCP-FS-PREFIX": Incident(
        "CVE-2025-53110",
        "startswith() as a directory check: /srv/ws and /srv/ws_secret",
        ("read-sibling", "read-sibling-absolute"),
    ),
    "MCP-FS-SYMLINK": Incident(
        "CVE-2025-53109",
        "a link was resolved after the check, whose error path looked at the folder alone",
        ("link-folder-out", "link-make-and-read"),
    ),
    "CC-SYMLINK": Incident(
        "CVE-2026-39861",
        "the sandbox checked a path's text and followed a repository's link",
        ("link-file-out",),
    ),
    "WASMTIME-HARDLINK": Incident(
        "RUSTSEC-2026-0188",
        "a hard link or rename moves a read-only object into a writable directory",
        ("hard-link-make", "hard-link-outside", "hard-link-hidden", "rename-parent"),
    ),
    "CURSOR-CASE": Incident(
        "CVE-2025-59944",
        "the check of a protected file was case sensitive, the file system not",
        ("hidden-case", "hidden-unicode", "hidden-invisible"),
    ),
    "CURSOR-MCPJSON": Incident(
        "CVE-2025-54135",
        "the agent may write the file that defines its own tools, which counts unasked",
        ("tool-definitions",),
    ),
    "CURSOR-MCPOISON": Incident(
        "CVE-2025-54136",
        "an approval was bound to a tool's name, and what it names was changed later",
        ("own-tools",),
    ),
    "COPILOT-YOLO": Incident(
        "CVE-2025-53773",
        "the agent writes the settings that approve everything",
        ("editor-settings", "policy-file"),
    ),
    "CODEX-DOTENV": Incident(
        "CVE-2025-61260",
        "a project's .env moved the configuration, whose commands ran at the start",
        ("project-settings",),
    ),
    "CC-HOOKS": Incident(
        "CVE-2025-59536",
        "hooks in a project's settings ran before anybody was asked to trust it",
        ("project-settings", "git-hook"),
    ),
    "CC-BASEURL": Incident(
        "CVE-2026-21852",
        "a project's setting moved the model's address, and the key went there",
    ),
    "GEMINI-TRUST": Incident(
        "GHSA-wpqr-6v78-jr5g",
        "without a terminal the workspace was trusted, and the list of tools ignored",
        ("nobody-to-ask",),
    ),
    "GEMINI-CHAIN": Incident(
        "gemini-cli #11510",
        "a list of commands was compared with the first one only",
        ("script-chain", "script-substitution", "script-redirect"),
    ),
    "CURSOR-BUILTIN": Incident(
        "CVE-2026-22708",
        "a list of programs left out built-ins, which poison the environment of those listed",
        ("state-variables", "script-eval"),
    ),
    "CC-DNS": Incident(
        "CVE-2025-55284",
        "ping and nslookup needed no yes, and carried data out in names",
    ),
    "SRT-NUL": Incident(
        "Claude Code up to 2.1.89",
        "attacker.test\\0.allowed.com ends well, and the C library reads up to the NUL",
    ),
    "SRT-EMPTY": Incident(
        "CVE-2025-66479",
        "an empty list of hosts meant every host",
        ("empty-grants", "empty-grants-script"),
    ),
    "COWORK-API": Incident(
        "PromptArmor, 2026-01",
        "an allowed host has many tenants: the attacker's own key takes the files",
    ),
    "ECHOLEAK": Incident(
        "CVE-2025-32711",
        "an image or reference in the output was fetched, by way of an allowed proxy",
    ),
    "GH-MCP": Incident(
        "Invariant, 2025-05",
        "public issue, private repository, public pull request, all with one token",
    ),
    "SUPABASE-MCP": Incident(
        "2025-07",
        "a ticket had secrets selected and inserted where its writer could see them",
    ),
    "MCP-REMOTE": Incident(
        "CVE-2025-6514",
        "a URL that a server had named was given to a shell",
        ("value-as-command",),
    ),
    "MCP-INSPECTOR": Incident(
        "CVE-2025-49596",
        "a control port on localhost that asked nobody who they are",
    ),
    "GIT-MCP-INIT": Incident(
        "CVE-2025-68143, 68144, 68145",
        "git_init anywhere, and an argument that was taken for a flag (--output)",
        ("value-as-flag", "value-as-pattern"),
    ),
    "GIT-MCP-ADD": Incident(
        "CVE-2026-27735",
        "index.add('../../.kube/config'): what may be added may then be read",
        ("read-dot-dot", "write-dot-dot"),
    ),
    "POSTMARK-MCP": Incident(
        "npm postmark-mcp 1.0.16",
        "an update of an approved tool sent a copy of every mail to its maker",
    ),
    "FIGMA-MCP": Incident(
        "CVE-2025-53967",
        "an argument went into child_process.exec",
        ("value-as-command", "value-as-program"),
    ),
    "TOOL-DESC-POISON": Incident(
        "WhatsApp MCP, 2025-04",
        "a tool's description gives orders, and shadows another tool",
        ("tool-function", "tool-spelling", "tool-invisible"),
    ),
    "CODEX-CWD": Incident(
        "CVE-2025-59532",
        "the directory that the model named became what may be written",
        ("argument-directory", "argument-root"),
    ),
    "CROSS-AGENT": Incident(
        "2025-09",
        "one agent writes another one's settings",
        ("edit-other-agent", "instructions"),
    ),
    "TWO-TICKETS": Incident(
        "firstops, 2026",
        "an attack in two harmless steps, with a file between two sessions",
    ),
}

CASES: Mapping[str, Case] = {
    **files.CASES,
    **settings.CASES,
    **commands.CASES,
    **network.CASES,
    **approvals.CASES,
    **labels.CASES,
}
