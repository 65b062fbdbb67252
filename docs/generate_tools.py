"""Print docs/tools.md: `make docs`, or `python docs/generate_tools.py > docs/tools.md`.

Tools, arguments, requests and limits are read from the manifests and the code. The sentences about
fields and codes are written here; what has none, or is gone, is an error (`missing`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from capbox.authority.limits import Limits
from capbox.gate.manifest import Manifest, ManifestError, Request, parse_manifest
from capbox.gate.protocol import RESERVED
from capbox.messages import Denial, Effect, Json, JsonObject, Spent, ToolResult

ROOT = Path(__file__).resolve().parents[1]
TOOLBOX = ROOT / "guests" / "toolbox"
MANIFESTS = sorted((ROOT / "guests").glob("*/manifests/*.toml"), key=lambda path: path.name)
SOURCES = ("*.go", "abi/**/*.go", "browse/**/*.go", "files/**/*.go", "shell/**/*.go")

HEAD = """# The tools

This page is generated (`make docs`). What bash can run is in [shell.md](shell.md).

A call is a tool and one JSON object: `capbox call read '{"path": "a.txt"}' --read .`, in Python
`box.call("read", path="a.txt")`, or what a model asks for. Paths are relative to `/workspace` or
absolute, at most 4,096 bytes and 255 a name. A tool has no authority of its own: it works with what
the run was granted, cut to what it asks for. A path that it names is decided before it starts, and
every access again when it happens.

On the command line the object may be words: `path=a.txt limit=3`, where `code=@FILE` is the text
of a file of yours, `code=@-` that of standard input (UTF-8, at most 16 MB), and `@@` begins a text
with `@`. You name that file, so it takes no grant. A script that passes on the words of others
gives them as JSON (`capbox call write - <call.json`), in which `@` is a letter like any.
"""

LIMITS = {
    "wall_seconds": ("`--timeout`", "time from start to end"),
    "fuel": ("`--fuel`", "instructions of WebAssembly; none: not counted"),
    "memory_bytes": ("`--memory` (MB)", "memory of the guest"),
    "stack_bytes": ("`--stack`", "stack of the guest"),
    "output_bytes": ("`--output`", "what the answer may hold"),
    "written_bytes": ("`--limit`", "written to files outside `/tmp`"),
    "files_created": ("`--limit`", "files, folders and links made"),
    "open_files": ("`--limit`", "files open at once"),
    "tmp_bytes": ("`--limit`", "what `/tmp` of the run may hold; beyond it writes fail"),
    "requests": ("`--limit`", "requests to the network, each step of a redirect counted"),
    "body_bytes": ("`--limit`", "what one response may hold, decoded"),
}

RESULT = {
    "ok": "whether the tool did what was asked; false has an `error`",
    "content": "the text for the reader, a person or a model",
    "data": "what the text says, as an object of the tool's own; null if there is none",
    "error": "null, or `code` and `message`",
    "denied": "each access that was refused, also inside a script: "
    + ", ".join(f"`{f.name}`" for f in fields(Denial)),
    "effects": "each file that was read or changed, recorded before it happened: "
    + ", ".join(f"`{f.name}`" for f in fields(Effect)),
    "spent": "what was used: " + ", ".join(f"`{f.name}`" for f in fields(Spent)),
    "truncated": "whether content was cut to the bound on output",
    "journal": "the run in whose journal the call is (`capbox audit show`)",
    "sources": "where it comes from, `secret:` for what is confidential: see governance-labels.md",
}

CODES = {
    "unknown_tool": "there is no such tool",
    "invalid_arguments": "an argument is missing, unknown or of the wrong kind",
    "denied": "a grant is missing: `denied` names it, and the flag that would give it",
    "repeated": "a model made the same call again and again with the same result",
    "stopped_by_person": "the person who was asked ended the run",
    "time": "the bound on time ended the call",
    "fuel": "the bound on instructions ended the call",
    "memory": "the bound on memory ended the call",
    "stack": "the bound on the stack ended the call",
    "output": "far more output than the bound",
    "written": "more bytes written to files than allowed",
    "effects": "more changes than one call may have on record; go on in another call",
    "operations": "the network was asked for more often than one call may; go on in another call",
    "files_created": "more files made than the bound",
    "revoked": "the authority was revoked while the call ran",
    "interrupted": "the caller interrupted it, or closed the box",
    "tool_crashed": "the tool ended abnormally",
    "tool_protocol": "the tool answered what is no result",
    "sandbox_failed": "capbox could not run it to its end, or could not record it",
    "invalid_patch": "the patch cannot be read, or does not fit; nothing was changed",
    "not_found": "no such file; or the workspace itself is gone",
    "exists": "something else has this name",
    "is_directory": "a file is expected",
    "not_a_directory": "a part of the path is a file",
    "not_a_file": "a device, pipe or socket",
    "not_text": "edit works on text",
    "no_match": "the old text does not occur; nothing matches the selector",
    "not_unique": "the old text occurs several times",
    "changed": "the file was changed meanwhile; nothing was edited",
    "too_large": "edit takes smaller files; a response is larger than its bound",
    "invalid_pattern": "the pattern cannot be read",
    "permission_denied": "the host's own permissions, or a read-only disk; a refused request",
    "no_space": "the disk, or the run's `/tmp`, is full",
    "link_loop": "symbolic links lead in a circle",
    "io": "the host's disk failed",
    "http_status": "the server answered with an error, whose text follows",
    "binary": "what came is no text; save_to keeps it as a file",
    "invalid_json": "what came is no JSON",
    "invalid_selector": "the CSS selector cannot be read",
    "dns": "the host has no address",
    "connect": "no connection to the server",
    "tls": "the server's certificate is not valid, or it speaks no TLS",
    "timeout": "the server did not answer in time",
    "limit": "a call may make no more requests",
    "protocol": "the server's answer is broken",
    "redirects": "too many redirects, or one that cannot be followed",
    "secret": "a secret for this origin has no value, or one that no header can carry",
    "encoding": "the body cannot be decoded",
    "not_configured": "search needs settings of the operator",
    "invalid_answer": "the search engine's answer is not as configured",
    "internal": "a bug of the tool",
    "invalid_request": "a bug of capbox",
}
# Reserved words of the gate come from the code too; what a guest says is found in its sources.
_GUEST_CODE = re.compile(r'(?:\bFail\(|&refusal\{)"([a-z_]+)"')


def guest_codes() -> set[str]:
    """Return every error code that the sources of the tools name."""
    sources = (path for pattern in SOURCES for path in TOOLBOX.glob(pattern))
    own = (path for path in sources if not path.name.endswith("_test.go"))
    return {code for path in own for code in _GUEST_CODE.findall(path.read_text(encoding="utf-8"))}


def missing() -> set[str]:
    """Return which field or code has no sentence here, or a sentence and no existence."""
    codes = {*RESERVED, *guest_codes()}
    results = set(ToolResult(ok=True, content="").to_json())
    return (codes ^ set(CODES)) | (results ^ set(RESULT)) | (_bounds() ^ set(LIMITS))


def page() -> str:
    """Return the whole page. Raises ValueError for what is described wrongly."""
    wrong = missing()
    if wrong:
        raise ValueError(f"docs/generate_tools.py does not describe: {', '.join(sorted(wrong))}")
    parts = [HEAD, *(_tool(manifest) for manifest in manifests()), _limits(), _result(), _codes()]
    return "\n".join(parts)


def manifests() -> Iterator[Manifest]:
    """Yield the manifests of the tools that are shipped, in the order of their names."""
    for path in MANIFESTS:
        manifest = parse_manifest(path.read_text(encoding="utf-8"), path.name)
        if isinstance(manifest, ManifestError):
            raise ValueError(f"{manifest.where}: {manifest.message}")
        yield manifest


def _tool(manifest: Manifest) -> str:
    asks = [f"{_request(r)} (required)" for r in manifest.required]
    asks += [_request(r) for r in manifest.optional]
    named = [f"`{path.argument}` ({path.kind})" for path in manifest.paths]
    lines = [
        f"## {manifest.name}\n",
        _text(manifest.description) + "\n",
        "| argument | type | meaning |\n| --- | --- | --- |",
        *_arguments(manifest.schema.document, ""),
        f"\nAsks for: {', '.join(asks)}.",
        f"Decided before it starts: {', '.join(named) or 'nothing'}.\n",
    ]
    return "\n".join(lines)


def _text(text: Json) -> str:
    """Return a sentence of a manifest, with nothing in it that Markdown would read."""
    return re.sub(r"([*|<])", r"\\\1", str(text or "").strip())


def _request(request: Request) -> str:
    what = request.path or request.name or "all that the run holds"
    return f"{request.kind}: {what}"


def _arguments(schema: JsonObject, above: str) -> Iterator[str]:
    properties, required = schema.get("properties"), schema.get("required")
    needed = required if isinstance(required, list) else []
    for name, about in properties.items() if isinstance(properties, Mapping) else ():
        if not isinstance(about, Mapping):
            continue
        must = " (required)" if name in needed else ""
        yield f"| `{above}{name}`{must} | {_type(about)} | {_text(about.get('description'))} |"
        items = about.get("items")
        if isinstance(items, Mapping):
            yield from _arguments(items, f"{above}{name}[].")


def _type(about: Mapping[str, Json]) -> str:
    choice = about.get("enum")
    if isinstance(choice, list):
        return " or ".join(f"`{one}`" for one in choice)
    bounds = {
        "minimum": "at least {}",
        "maximum": "at most {}",
        "minLength": "not empty",
        "maxLength": "at most {} characters",
        "minItems": "at least {}",
        "maxItems": "at most {}",
    }
    told = [text.format(about[key]) for key, text in bounds.items() if key in about]
    return ", ".join([str(about.get("type")), *told])


def _bounds() -> set[str]:
    return {field.name for field in fields(Limits)}


def _limits() -> str:
    rows = [
        f"| `{field.name}` | {_number(getattr(Limits(), field.name))} | {flag} | {what} |"
        for field in fields(Limits)
        for flag, what in (LIMITS[field.name],)
    ]
    head = (
        "## Limits\n\nEvery bound of one call, for every tool. A principal sets them "
        "(`Limits(...)` in Python, the flag on the command line); a manifest and a model can only "
        "lower them.\n\n| bound | default | flag | what |\n| --- | --- | --- | --- |"
    )
    return "\n".join([head, *rows, ""])


def _number(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,.0f}" if isinstance(value, int) else f"{value:g}"


def _result() -> str:
    rows = [f"| `{name}` | {what} |" for name, what in RESULT.items()]
    head = "## The result\n\nThe same for every tool; `--json` prints it.\n"
    return "\n".join([head, "| field | what |\n| --- | --- |", *rows, ""])


def _speaker(code: str) -> str:
    both = code in ("invalid_arguments", "not_found")
    return "both" if both else "capbox" if code in RESERVED else "the tool"


def _codes() -> str:
    rows = [f"| `{code}` | {_speaker(code)} | {what} |" for code, what in CODES.items()]
    head = (
        "## Error codes\n\nThose that capbox gives cannot be claimed by a tool. A script that ends "
        "with another status than 0 is `ok`; its status is in `data.exit_code`.\n"
    )
    return "\n".join([head, "| code | said by | when |\n| --- | --- | --- |", *rows, ""])


if __name__ == "__main__":
    sys.stdout.write(page())
