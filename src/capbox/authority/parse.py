"""Reading the text of a grant: the whole grammar, nothing ignored, errors with their place.

    grant    = action ":" selector { " " caveat }
    caveat   = key [ "=" value ]
    selector, value = word | JSON string

Guarantees: never raises, whatever the text; what is inside a quoted name is never read as a
caveat; control and bidi characters are refused, escaped or not. Does not: mint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from capbox.authority.caveats import (
    EPOCH,
    SIZES,
    UNITS,
    WINDOWS,
    Ask,
    Bytes,
    Caveat,
    Except,
    ExceptPlaces,
    ExpiresAfter,
    ExpiresAt,
    Format,
    Header,
    Later,
    Net,
    Public,
    Rate,
    Untainted,
    Uses,
)
from capbox.authority.grant import (
    Action,
    EnvSelector,
    Grant,
    LaterSelector,
    ModelSelector,
    NameSelector,
    PathSelector,
    SecretSelector,
    Selector,
    StoreSelector,
)
from capbox.authority.paths import GrantPath, hostile_character
from capbox.authority.values.arguments import Arg
from capbox.authority.values.parse import parse_test
from capbox.authority.web.addresses import PRIVATE, Network, network_of
from capbox.authority.web.places import FetchSelector, is_loopback, parse_fetch, parse_origin

_ALIASES: dict[str, Action] = {"fs.read": "read", "fs.write": "write", "network": "fetch"}
_ORDER = ("expires", "uses", "except")
_ALL: frozenset[str] = frozenset()
_CALLS = frozenset({"tool", "invoke"})
_DECODER = json.JSONDecoder()
_KEY = re.compile(r"(?=[^ ])([^ =]*)(=?)")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


@dataclass(frozen=True, slots=True)
class GrantError:
    """A text that is not a grant: `place` is the index of the character where it goes wrong."""

    text: str
    place: int
    message: str

    def __str__(self) -> str:
        return f"{self.text!r}, character {self.place + 1}: {self.message}"


def parse_grant(text: str) -> Grant | GrantError:
    """Return the grant that `text` says, its caveats in canonical order."""
    hostile = hostile_character(text)
    if hostile is not None:
        return GrantError(text, hostile, "control and bidi characters are refused")
    head, colon, _ = text.partition(":")
    action = _ALIASES.get(head) or next((a for a in _SELECTORS if a == head), None)
    if action is None or not colon:
        known = " ".join(_SELECTORS)
        return GrantError(text, 0, f"a grant is ACTION:SELECTOR, and the actions are: {known}")
    place = len(head) + 1
    word = _word(text, place)
    if isinstance(word, GrantError):
        return word
    value, end = word
    selector = _SELECTORS[action](value)
    if isinstance(selector, str):
        return GrantError(text, place, selector)
    caveats = _caveats(text, end, action)
    return caveats if isinstance(caveats, GrantError) else Grant(action, selector, caveats)


def _caveats(text: str, place: int, action: Action) -> tuple[Caveat, ...] | GrantError:
    found: dict[str, Caveat] = {}
    while begins := _KEY.search(text, place):
        key, value, place = begins[1], None, begins.end()
        if begins[2]:
            word = _word(text, place)
            if isinstance(word, GrantError):
                return word
            value, place = word
        caveat = parse_caveat(action, key, value)
        if isinstance(caveat, str):
            return GrantError(text, begins.start(), caveat)
        if key in found:
            return GrantError(text, begins.start(), f"{key} is given twice")
        found[key] = caveat
    return tuple(found[key] for key in sorted(found, key=_rank))


def _rank(key: str) -> tuple[int, str]:
    return (_ORDER.index(key) if key in _ORDER else len(_ORDER), key)


def _word(text: str, place: int) -> tuple[str, int] | GrantError:
    """Read one word or JSON string at `place`; return it and where it ends."""
    if text.startswith('"', place):
        try:
            decoded, end = _DECODER.raw_decode(text, place)
        except ValueError:
            return GrantError(text, place, "this quoted text is not a JSON string")
        if text[end : end + 1].strip(" "):
            return GrantError(text, end, "a quoted text ends at a space")
        # "\u0000" is harmless as text and hostile once decoded.
        if hostile_character(str(decoded)) is not None:
            return GrantError(text, place, "control and bidi characters are refused")
        return str(decoded), end
    word, _, _ = text[place:].partition(" ")
    if not word:
        return GrantError(text, place, "a value is missing here")
    if '"' in word or any(map(str.isspace, word)):
        return GrantError(text, place, "a value with spaces or quotes is written as a JSON string")
    return word, place + len(word)


def _path(value: str) -> Selector | str:
    if not value.startswith("/"):
        return "a path in a grant is absolute: /workspace/..., or a host path"
    segments = [s for s in value.split("/") if s not in ("", ".")]
    if ".." in segments:
        return "a path in a grant does not hold `..`"
    if segments[-1:] in (["*"], ["**"]):
        return "a path covers everything below it: leave out the last `*`"
    return PathSelector(GrantPath("/" + "/".join(segments)))


def _env(value: str) -> Selector | str:
    name, equals, content = value.partition("=")
    if not _VARIABLE.fullmatch(name):
        return "env: takes NAME or NAME=VALUE"
    return EnvSelector(name, content if equals else None)


def _name(value: str) -> Selector | str:
    if not _NAME.fullmatch(value):
        return "a name is letters, digits and _ . : / -, and does not start with a sign"
    return NameSelector(value)


def _model(value: str) -> Selector | str:
    *front, last = value.split("/")
    if not value or any("*" in s for s in front) or ("*" in last and last != "*"):
        return "model: takes PROVIDER/NAME; `*` only as the whole last segment"
    return ModelSelector(value)


def _secret(value: str) -> Selector | str:
    name, _, text = value.partition("@")
    if not _VARIABLE.fullmatch(name):
        return "secret: takes NAME@https://HOST"
    origin = parse_origin(text)
    if isinstance(origin, str):
        return f"secret: takes NAME@https://HOST; {origin}"
    if origin.scheme == "http" and not is_loopback(origin.host):
        return "a secret goes over https only, or to this machine: anyone on the way reads http"
    return SecretSelector(name, origin)


def _count(value: str) -> Selector | str:
    known = re.fullmatch(r"0|[1-9][0-9]{0,5}", value)
    return LaterSelector(value) if known else "spawn: takes a number of children"


def _store(value: str) -> Selector | str:
    known = re.fullmatch("[a-z][a-z0-9_-]{0,63}", value)
    return (
        StoreSelector(value) if known else "store: takes a name of small letters, digits, _ and -"
    )


def _later_name(value: str) -> Selector | str:
    name = _name(value)
    return name if isinstance(name, str) else LaterSelector(value)


_SELECTORS: dict[Action, Callable[[str], Selector | str]] = {
    "read": _path,
    "write": _path,
    "fetch": parse_fetch,
    "env": _env,
    "secret": _secret,
    "tool": _name,
    "invoke": _name,
    "model": _model,
    "spawn": _count,
    "store": _store,
    "exec": _later_name,
}

_LONGEST_SECONDS = 3_650 * 86_400
_NUMBER = r"(0|[1-9][0-9]{0,11})"
RATE_MAX = 10_000  # each is remembered for as long as its window lasts
# Keys of requests that no mechanism enforces elsewhere yet: where they apply (none listed: to all).
_LATER = {"bytes": frozenset({"write"}), "rate": _ALL, "ask": _ALL}
_ARGUMENT = re.compile(r"arg\.[A-Za-z_][A-Za-z0-9_]{0,63}")
# Of a header that the broker may set: none that frames or routes a message.
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_FRAMING = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"),
        *("expect", "keep-alive", "accept-encoding", "content-encoding", "cookie"),
    }
)


def parse_caveat(action: str, key: str, value: str | None) -> Caveat | str:
    """Return one caveat of a grant of `action`, or a sentence that says what is wrong with it."""
    if _ARGUMENT.fullmatch(key):
        if action not in _CALLS:
            return f"{key}= does not apply to {action}:"
        test = f"needs a value: {key}=..." if value is None else parse_test(value)
        return f"{key} {test}" if isinstance(test, str) else Arg(key.removeprefix("arg."), test)
    label = _LABELS.get(key)
    if label is not None:
        return label if value is None else f"{key} takes no value"
    parser = _PARSERS.get((action, key)) or _PARSERS.get(("", key))
    if parser is not None:
        return f"{key} needs a value: {key}=..." if value is None else parser(value)
    if key not in _LATER:
        labelled = action in _CALLS or action == "fetch"
        known = any(key == name for _, name in _PARSERS)
        if known:
            return f"{key}= does not apply to {action}:"
        there = sorted({name for of, name in _PARSERS if of in ("", action)})
        there += [*(["arg.NAME"] if action in _CALLS else []), *(_LABELS if labelled else [])]
        return f"unknown caveat {key!r}; on {action}: there are {', '.join(there)}"
    if _LATER[key] and action not in _LATER[key]:
        return f"{key} does not apply to {action}:"
    wrong = _PARSERS["fetch", key](value or "")
    return wrong if isinstance(wrong, str) else Later(key, value or "")


def _parse_uses(value: str) -> Caveat | str:
    known = re.fullmatch(_NUMBER, value)
    return Uses(int(value)) if known else "uses= takes a whole number"


def _parse_bytes(value: str) -> Caveat | str:
    found = re.fullmatch(_NUMBER + "(B|kB|MB|GB)?", value)
    if found is None:
        return "bytes= takes a size such as 500kB or 10MB"
    return Bytes(int(found[1]) * SIZES[found[2] or "B"])


def _parse_rate(value: str) -> Caveat | str:
    found = re.fullmatch(_NUMBER + "/(s|min|h|d)", value)
    if found is None or int(found[1]) > RATE_MAX:
        return f"rate= takes N/s, N/min, N/h or N/d, N at most {RATE_MAX}"
    return Rate(int(found[1]), WINDOWS[found[2]])


def _parse_ask(value: str) -> Caveat | str:
    return Ask(value == "each") if value in ("first", "each") else "ask= takes first or each"


def _parse_net(value: str) -> Caveat | str:
    if value == "private":
        return Net(PRIVATE)
    networks = tuple(map(network_of, value.split(",")))
    found = tuple(network for network in networks if network is not None)
    if len(found) < len(networks):
        return "net= takes private, or networks ADDRESS/BITS without host bits"
    return Net(found)


def _parse_header(value: str) -> Caveat | str:
    if _HEADER.fullmatch(value) is None:
        return "header= takes the name of a header"
    if value.lower() in _FRAMING or value.lower().startswith("proxy-"):
        return f"header= may not be {value}, which frames or routes the message"
    return Header(value)


def _parse_format(value: str) -> Caveat | str:
    if value.count("{}") != 1 or len(value) > 256 or not value.isascii():
        return "format= takes ASCII text in which {} stands once, for the secret"
    return Format(value)


def _parse_expires(value: str) -> Caveat | str:
    relative = re.fullmatch(_NUMBER + "([smhd])", value)
    if relative:
        seconds = int(relative[1]) * UNITS[relative[2]]
        return ExpiresAfter(seconds) if seconds <= _LONGEST_SECONDS else "expires= is at most 3650d"
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            return "expires= needs a time zone: 2030-01-31T12:00:00Z"
        moment = moment.astimezone(UTC)  # the calendar ends at year 9999, in UTC too
    except (ValueError, OverflowError):
        return "expires= takes 30s, 10m, 2h, 7d or a timestamp such as 2030-01-31T12:00:00Z"
    return ExpiresAt((moment - EPOCH) // timedelta(milliseconds=1))


def _parse_places(value: str) -> Caveat | str:
    places: list[FetchSelector] = []
    networks: list[Network] = []
    for text in value.split(","):
        network = network_of(text)
        if network is not None:
            networks.append(network)
            continue
        place = parse_fetch(text)
        if isinstance(place, str):
            return f"except= takes URLs and networks, not {text!r}: {place}"
        places.append(place)
    return ExceptPlaces(tuple(places), tuple(networks))


def _parse_except(value: str) -> Caveat | str:
    globs = tuple(value.split(","))
    for glob in globs:
        segments = glob.removeprefix("/").split("/")
        if any(s in ("", ".", "..") for s in segments):
            return f"except= takes globs such as *.pem,private/**, not {glob!r}"
        if any("**" in s and s != "**" for s in segments) or glob.endswith("\\"):
            return f"except= takes ** only as a whole segment, not {glob!r}"
    return Except(globs)


_LABELS: dict[str, Caveat] = {caveat.key: caveat for caveat in (Untainted(), Public())}
_PARSERS: dict[tuple[str, str], Callable[[str], Caveat | str]] = {
    ("", "expires"): _parse_expires,
    ("", "uses"): _parse_uses,
    ("tool", "rate"): _parse_rate,
    ("invoke", "rate"): _parse_rate,
    ("read", "except"): _parse_except,
    ("write", "except"): _parse_except,
    ("fetch", "except"): _parse_places,
    ("fetch", "bytes"): _parse_bytes,
    ("store", "bytes"): _parse_bytes,
    ("fetch", "rate"): _parse_rate,
    ("fetch", "ask"): _parse_ask,
    ("fetch", "net"): _parse_net,
    ("secret", "header"): _parse_header,
    ("secret", "format"): _parse_format,
}
