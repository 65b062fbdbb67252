"""Provider-neutral values that cross module boundaries: messages, tool calls and tool results.

Guarantees: every value is frozen and holds no IO; `ToolResult.to_json` has the field names that
`capbox call --json` documents. Does not: interpret content, or decide anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
JsonObject = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that a model or a person asks for; `malformed` holds arguments that are no JSON."""

    id: str
    name: str
    arguments: JsonObject
    malformed: str | None = None


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request that was sent: `address` is the one dialled, with port; `status` None: no answer.

    Bytes are those of the bodies, milliseconds those from the connection to the end of the body.
    """

    method: str
    address: str
    status: int | None
    sent_bytes: int
    received_bytes: int
    wall_ms: int
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect on the world: `path` as the guest names it, `host_path` as the host does.

    Of action fetch `path` is the canonical URL, `bytes` those received, `request` what was sent.
    """

    action: str
    path: str
    host_path: str | None
    bytes: int
    request: HttpRequest | None = None


@dataclass(frozen=True, slots=True)
class Denial:
    """One refused access, the grant that would allow it, and the CLI flag that gives that grant."""

    access: str
    reason: str
    missing: str | None
    flag: str | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What one call used: milliseconds of wall clock, fuel units (None when not metered), bytes."""

    wall_ms: int = 0
    fuel: int | None = None
    memory_bytes: int = 0
    output_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ToolFailure:
    """Why a call is not ok: a stable code and a sentence for the reader."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of one tool call, whatever happened; never an exception.

    `sources` say where its text comes from: `workspace:/workspace/a.txt`, `web:https://a.example`,
    `secret:NAME` for what is confidential.
    """

    ok: bool
    content: str
    data: JsonObject | None = None
    error: ToolFailure | None = None
    denied: tuple[Denial, ...] = ()
    effects: tuple[Effect, ...] = ()
    spent: Spent = field(default_factory=Spent)
    truncated: bool = False
    journal: str | None = None
    sources: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object, its keys in the documented order."""
        return {
            "ok": self.ok,
            "content": self.content,
            "data": self.data,
            "error": None
            if self.error is None
            else {"code": self.error.code, "message": self.error.message},
            "denied": [
                {"access": d.access, "reason": d.reason, "missing": d.missing, "flag": d.flag}
                for d in self.denied
            ],
            "effects": [
                {
                    "action": e.action,
                    "path": e.path,
                    "host_path": e.host_path,
                    "bytes": e.bytes,
                    **({} if e.request is None else {"request": asdict(e.request)}),
                }
                for e in self.effects
            ],
            "spent": {
                "wall_ms": self.spent.wall_ms,
                "fuel": self.spent.fuel,
                "memory_bytes": self.spent.memory_bytes,
                "output_bytes": self.spent.output_bytes,
            },
            "truncated": self.truncated,
            "journal": self.journal,
            "sources": list(self.sources),
        }


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one model reply; cached input is counted apart from `input_tokens`."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def total(self) -> int:
        """Return how many tokens it is altogether."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
        )

    def __add__(self, other: Usage) -> Usage:
        """Return the field-wise sum."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


@dataclass(frozen=True, slots=True)
class Attachment:
    """An image or a PDF beside a text: `media_type` as in `image/png`, `content` its bytes."""

    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserMessage:
    """Text from the principal."""

    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """One whole reply of a model.

    `signature` is what its provider wants back with it, unread: signed or encrypted thinking.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    thinking: str = ""
    signature: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """A tool result as the model reads it; `sources` as in `ToolResult`."""

    call_id: str
    name: str
    content: str
    is_error: bool
    sources: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class SummaryMessage:
    """What stands, in a request, for everything before it but the last `kept` messages.

    `sources` are those of all that it sums up: a summary of a stranger's words is a stranger's.
    """

    text: str
    kept: int
    sources: tuple[str, ...] = ()


Message = UserMessage | AssistantMessage | ToolMessage | SummaryMessage
