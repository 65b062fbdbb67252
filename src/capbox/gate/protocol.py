"""The JSON that a tool and the gate exchange: one request in, one result out.

Guarantees: whatever a guest writes becomes a `Reply` or a sentence that says what is wrong with
it; anything but one result object is an error of the tool, never a success; no text is taken of
which two readers could make two things.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from capbox.authority.paths import WORKSPACE
from capbox.messages import Json, JsonObject

_KEYS = frozenset({"ok", "content", "data", "state", "error", "truncated"})
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
MESSAGE_BYTES_MAX = 4_000
DEPTH_MAX = 64

# What only the gate may say: a tool that claims one would pass its own failure off as ours.
RESERVED = frozenset(
    {
        *(
            "time",
            "fuel",
            "memory",
            "stack",
            "output",
            "written",
            "files_created",
            "effects",
            "operations",
            "revoked",
        ),
        *("unknown_tool", "tool_crashed", "tool_protocol", "sandbox_failed", "repeated"),
        *("stopped_by_person", "interrupted", "denied"),
    }
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A result as the guest gave it; `code` and `message` are empty when `ok`."""

    ok: bool
    content: str
    data: JsonObject | None
    state: JsonObject | None
    code: str
    message: str
    truncated: bool


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a request carries beside tool and arguments."""

    call_id: str
    env: Mapping[str, str]
    state: JsonObject | None
    wall_seconds: float
    output_bytes: int
    settings: JsonObject | None = None


def request_bytes(tool: str, arguments: JsonObject, envelope: Envelope) -> bytes:
    """Return the request. Raises ValueError, TypeError or RecursionError if it is not JSON."""
    request: dict[str, Json] = {
        "tool": tool,
        "arguments": arguments,
        "cwd": WORKSPACE,
        "env": envelope.env,
        "call": {
            "id": envelope.call_id,
            "deadline_ms": int(envelope.wall_seconds * 1000),
            "output_bytes_max": envelope.output_bytes,
        },
    }
    if envelope.settings is not None:
        request["settings"] = envelope.settings
    if envelope.state is not None:
        request["state"] = envelope.state
    return _ENCODER.encode(request).encode()


def parse_reply(stdout: bytes, output_bytes_max: int) -> Reply | str:
    """Read the guest's output; text beyond `output_bytes_max` bytes is cut and marked so."""
    try:
        found: object = _DECODER.decode(stdout.decode())
    except (ValueError, RecursionError):
        return "its output is not one JSON object"
    if not isinstance(found, dict):
        return "its output is not one JSON object"
    unknown = sorted(set(found) - _KEYS)
    if unknown:
        return f"its result has an unknown key {unknown[0][:64]!r}"
    ok, content, truncated = (
        found.get("ok"),
        found.get("content", ""),
        found.get("truncated", False),
    )
    data, state = found.get("data"), found.get("state")
    if not (isinstance(ok, bool) and isinstance(content, str) and isinstance(truncated, bool)):
        return "its result has no ok, or content of the wrong type"
    if not isinstance(data, _OBJECT_OR_NONE) or not isinstance(state, _OBJECT_OR_NONE):
        return "its data and state are not objects"
    if deeper(data, DEPTH_MAX) or deeper(state, DEPTH_MAX):
        return f"its data or state is nested deeper than {DEPTH_MAX} levels"
    if ok and "content" not in found:
        return "its result has no content"
    failure = _failure(found.get("error"), ok)
    if isinstance(failure, str):
        return failure
    kept = cut(content, output_bytes_max)
    return Reply(ok, kept, data, state, *failure, truncated or kept != content)


def parse_text(stdout: bytes, output_bytes_max: int) -> Reply:
    """Take the output of a foreign command as it is, but for bytes that are not UTF-8."""
    kept = cut(text := stdout.decode(errors="replace"), output_bytes_max)
    return Reply(True, kept, None, None, "", "", truncated=kept != text)


def strict_json(text: str) -> Json:
    """Return the value of a JSON text. Raises ValueError where two readers could take two.

    That is a key given twice, NaN and what is infinite to some, half of a surrogate pair, and
    nesting that some readers do not follow (`DEPTH_MAX`).
    """
    try:
        value: Json = _DECODER.decode(text)
        json.dumps(value, ensure_ascii=False).encode()
        deep = deeper(value, DEPTH_MAX)
    except UnicodeEncodeError:
        raise ValueError("it holds half of a surrogate pair") from None
    except RecursionError:
        deep = True
    if deep:
        raise ValueError(f"it is nested deeper than {DEPTH_MAX} levels")
    return value


def cut(text: str, bytes_max: int) -> str:
    """Return the longest prefix that fits; lone surrogates become question marks."""
    return text.encode(errors="replace")[:bytes_max].decode(errors="ignore")


def _failure(error: object, ok: bool) -> tuple[str, str] | str:
    if ok:
        return ("", "") if error is None else "its result is ok and has an error"
    if not isinstance(error, dict) or set(error) != {"code", "message"}:
        return "its result is not ok and has no error with code and message"
    code, message = error["code"], error["message"]
    if not isinstance(code, str) or not isinstance(message, str) or not _CODE.fullmatch(code):
        return "its error has no code and message"
    if code in RESERVED:
        return f"its error claims the code {code}, which is not a tool's to give"
    return code, cut(message, MESSAGE_BYTES_MAX)


def deeper(value: object, levels: int) -> bool:
    """Say whether `value` nests deeper: what is kept must be written and read again later."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return levels == 0 or any(deeper(item, levels - 1) for item in value)


def _finite(text: str) -> float:
    # `1e999` is a number to a JSON parser, and infinity to Python: it could not be written again.
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text[:64]} is too large a number")
    return value


def _int(text: str) -> int:
    # Attack: 4,000 digits, which are infinity to others: they refuse all that the number is in.
    _finite(text)
    return int(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            # Attack: whoever reads the record takes the first `to`, and the tool gets the last.
            raise ValueError(f"the key {json.dumps(key[:64])} is given twice")
        found[key] = value
    return found


_OBJECT_OR_NONE = (dict, type(None))
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_finite, parse_int=_int, object_pairs_hook=_unique
)
