"""The grammar: every form reads and prints canonically; the rest is refused with its place."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capbox.authority.caveats import (
    Ask,
    Bytes,
    Except,
    ExpiresAfter,
    ExpiresAt,
    Format,
    Header,
    Later,
    Rate,
    Untainted,
    Uses,
)
from capbox.authority.grant import (
    EnvSelector,
    Grant,
    LaterSelector,
    ModelSelector,
    NameSelector,
    PathSelector,
    SecretSelector,
    StoreSelector,
)
from capbox.authority.parse import GrantError, parse_caveat, parse_grant
from capbox.authority.paths import GrantPath
from capbox.authority.values.arguments import Among, Anything, Arg, AtMost, Grounded, Prefix
from capbox.authority.web.places import FetchSelector, Origin

WEB = FetchSelector((), "https", "a.example", (443, 443))


def on(path: str) -> PathSelector:
    return PathSelector(GrantPath(path))


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("read:/workspace/docs", Grant("read", on("/workspace/docs"))),
        ('write:"/a b"', Grant("write", on("/a b"))),
        ('read:"/a uses=9"', Grant("read", on("/a uses=9"))),
        ('read:"/a\\" uses=9"', Grant("read", on('/a" uses=9'))),
        ("read:/a\\b", Grant("read", on("/a\\b"))),
        ("read:/", Grant("read", on("/"))),
        ("env:NAME", Grant("env", EnvSelector("NAME"))),
        ("env:NAME=", Grant("env", EnvSelector("NAME", ""))),
        ("env:NAME=a=b", Grant("env", EnvSelector("NAME", "a=b"))),
        ('env:"NAME=a b"', Grant("env", EnvSelector("NAME", "a b"))),
        ("tool:bash", Grant("tool", NameSelector("bash"))),
        ("model:anthropic/*", Grant("model", ModelSelector("anthropic/*"))),
        ("read:/a uses=0", Grant("read", on("/a"), (Uses(0),))),
        ("read:/a expires=90s", Grant("read", on("/a"), (ExpiresAfter(90),))),
        ("read:/a expires=3650d", Grant("read", on("/a"), (ExpiresAfter(315_360_000),))),
        ("write:/a bytes=10MB", Grant("write", on("/a"), (Later("bytes", "10MB"),))),
        ("tool:a rate=1/s", Grant("tool", NameSelector("a"), (Rate(1, 1),))),
        ("invoke:a rate=10000/d", Grant("invoke", NameSelector("a"), (Rate(10_000, 86_400),))),
        ("read:/a expires=1970-01-01T00:00:01Z", Grant("read", on("/a"), (ExpiresAt(1000),))),
        (
            'read:/a except="*.pem,a b/**"',
            Grant("read", on("/a"), (Except(("*.pem", "a b/**")),)),
        ),
        ("spawn:3", Grant("spawn", LaterSelector("3"))),
        (
            "store:cache bytes=10MB",
            Grant("store", StoreSelector("cache"), (Bytes(10_000_000),)),
        ),
        ("exec:git ask=each", Grant("exec", LaterSelector("git"), (Later("ask", "each"),))),
        ("fetch:https://a.example", Grant("fetch", WEB)),
        (
            'fetch:"GET,HEAD https://a.example/v1/*" rate=10/min',
            Grant(
                "fetch",
                replace(WEB, methods=("GET", "HEAD"), path="/v1/", below=True, query=""),
                (Rate(10, 60),),
            ),
        ),
        ("fetch:https://a.example ask=each", Grant("fetch", WEB, (Ask(each=True),))),
        ("fetch:https://*.a.example", Grant("fetch", replace(WEB, host="*.a.example"))),
        (
            "secret:KEY@https://a.example header=Authorization",
            Grant(
                "secret",
                SecretSelector("KEY", Origin("https", "a.example", 443)),
                (Header("Authorization"),),
            ),
        ),
        (
            "invoke:mail arg.to=grounded untainted",
            Grant(
                "invoke",
                NameSelector("mail"),
                (Arg("to", Grounded()), Untainted()),
            ),
        ),
        (
            'tool:send arg.amount=max(12.5) arg.cc=in() arg.subject="Re: a" arg.to=in(a@b,c@d)',
            Grant(
                "tool",
                NameSelector("send"),
                (
                    Arg("amount", AtMost("12.5")),
                    Arg("cc", Among(())),
                    Arg("subject", Among(("Re: a",))),
                    Arg("to", Among(("a@b", "c@d"))),
                ),
            ),
        ),
        (
            r'tool:save arg.path=prefix(/workspace/out) arg.to="in(\"a b\",\"c,d\")" arg.url=any',
            Grant(
                "tool",
                NameSelector("save"),
                (
                    Arg("path", Prefix("/workspace/out")),
                    Arg("to", Among(("a b", "c,d"))),
                    Arg("url", Anything()),
                ),
            ),
        ),
    ],
)
def test_every_form_of_the_grammar_reads_and_prints_itself(text: str, grant: Grant) -> None:
    assert parse_grant(text) == grant
    assert str(grant) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("fs.read:/a", "read:/a"),
        ("fs.write:/a", "write:/a"),
        ("network:https://a.example:443", "fetch:https://a.example"),
        ("fetch:http://A.Example:80/p", "fetch:http://a.example/p"),
        ("fetch:https://a.example:8443", "fetch:https://a.example:8443"),
        ('fetch:"HEAD,GET,GET https://a.example"', 'fetch:"GET,HEAD https://a.example"'),
        ("read://a//./b/", "read:/a/b"),
        ('read:"/plain"', "read:/plain"),
        ("read:/a expires=600s", "read:/a expires=10m"),
        ("read:/a expires=48h", "read:/a expires=2d"),
        ("read:/a uses=2 expires=0s", "read:/a expires=0d uses=2"),
        ("read:/a   uses=2 ", "read:/a uses=2"),
        ("write:/a uses=1 except=b", "write:/a uses=1 except=b"),
        ("secret:K@https://a  format={}", "secret:K@https://a format={}"),
        (
            "fetch:https://a.example net=private ask=first bytes=1000B",
            "fetch:https://a.example ask=first bytes=1kB net=private",
        ),
        (
            "fetch:https://a.example except=10.0.0.0/8,https://a.example/x",
            "fetch:https://a.example except=https://a.example/x,10.0.0.0/8",
        ),
        ('read:"/a"  except="b"  uses=2', "read:/a uses=2 except=b"),
        (
            "read:/a rate=1/s uses=1 ask=each except=b expires=1s",
            "read:/a expires=1s uses=1 except=b ask=each rate=1/s",
        ),
        (
            "read:/a expires=2030-01-31T13:00:00.25+01:00",
            "read:/a expires=2030-01-31T12:00:00.250Z",
        ),
    ],
)
def test_other_spellings_print_canonically(text: str, canonical: str) -> None:
    grant = parse_grant(text)
    assert isinstance(grant, Grant)
    assert str(grant) == canonical
    assert parse_grant(canonical) == grant


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 0),
        ("read", 0),
        ("Read:/a", 0),
        (" read:/a", 0),
        ("delete:/a", 0),
        ("read:", 5),
        ("read:a", 5),
        ("read:*", 5),
        ("read:/*", 5),
        ("read:/a/*", 5),
        ("read:/a/b/*", 5),
        ("read:/a/**", 5),
        ("read:/a/../b", 5),
        ("read:/a\0", 7),
        ("read:/a\u202e", 7),
        ('read:"/a\\u0000"', 5),
        ('read:"/a\\u202e"', 5),
        ('read:"/a\\ud800"', 5),
        ('read:"/a', 5),
        ('read:"/a"uses=1', 9),
        ('read:/a"b', 5),
        ("read:/a\u00a0b", 5),
        ("read:/a b", 8),
        ("read:/a uses", 8),
        ("read:/a uses=", 13),
        ("read:/a uses=-1", 8),
        ("read:/a uses=01", 8),
        ("read:/a uses=\u0661", 8),
        ("read:/a uses=1 uses=2", 15),
        ("read:/a  =1", 9),
        ('read:"/a" "', 10),
        ('read:"/a"x uses=1', 9),
        ('read:"/a"X', 9),
        ("read:/a Uses=1", 8),
        ("read:/a expires=soon", 8),
        ("read:/a expires=2030-01-31T12:00:00", 8),
        ("read:/a expires=999999999999d", 8),
        ("read:/a expires=315360001s", 8),
        ("tool:a rate=10001/s", 7),
        ("read:/a except=", 15),
        ("read:/a except=../x", 8),
        ("read:/a except=a,,b", 8),
        ("read:/a except=a**", 8),
        ("read:/a except=/", 8),
        ("read:/a except=./x", 8),
        ("read:/a except=x,a\\", 8),
        ("tool:bash except=*", 10),
        ("read:/a bytes=1MB", 8),
        ("write:/a bytes=lots", 9),
        ("read:/a arg.x=1", 8),
        ("tool:a arg.x", 7),
        ("tool:a arg.1x=1", 7),
        ("tool:a arg.x.y=1", 7),
        ("tool:a arg.x=1 arg.x=2", 15),
        ("tool:a arg.x=in(a", 7),
        ("tool:a arg.x=in(a,)", 7),
        ("tool:a arg.x=in(,a)", 7),
        ("tool:a arg.x=in(a(b))", 7),
        ("tool:a arg.x=in(a)b", 7),
        ('tool:a arg.x="in(a b)"', 7),
        (f"tool:a arg.x=in({','.join('a' * 257)})", 7),
        (f"tool:a arg.x={'a' * 2001}", 7),
        ("tool:a arg.x=prefix()", 7),
        ("tool:a arg.x=prefix(a,b)", 7),
        ("tool:a arg.x=max()", 7),
        ("tool:a arg.x=max(50.0)", 7),
        ("tool:a arg.x=max(-1)", 7),
        ("tool:a arg.x=max(1e3)", 7),
        ("read:/a untainted=yes", 8),
        ("read:/a colour=red", 8),
        ("env:1NAME", 4),
        ("env:*", 4),
        ("tool:-rf", 5),
        ("tool:*", 5),
        ("model:*/x", 6),
        ("model:a*", 6),
        ('model:""', 6),
        ("spawn:many", 6),
        ("spawn:1000000", 6),
        ("exec:-x", 5),
        ("exec:git ask", 9),
        ("exec:git ask=never", 9),
        ("store:s bytes=1TB", 8),
        ("read:/a rate=1/week", 8),
        ("read:/a expires", 8),
        ("fetch:ftp://a", 6),
        ("fetch:a.example", 6),
        ("secret:KEY", 7),
        ("secret:1KEY@https://a.example", 7),
        ("secret:K@https://a header=X:Y", 19),
        ("secret:K@https://a header=Te", 19),
        ("secret:KEY@https://a/path", 7),
    ],
)
def test_what_is_not_a_grant_is_refused_with_its_place(text: str, place: int) -> None:
    error = parse_grant(text)
    assert isinstance(error, GrantError)
    assert (error.text, error.place) == (text, place)
    assert error.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "delete:/a",
            "a grant is ACTION:SELECTOR, and the actions are: "
            "read write fetch env secret tool invoke model spawn store exec",
        ),
        ("read:/a colour=red", "unknown caveat 'colour'; on read: there are except, expires, uses"),
        ("env:A colour=red", "unknown caveat 'colour'; on env: there are expires, uses"),
        ("tool:bash except=*", "except= does not apply to tool:"),
        ("env:A net=private", "net= does not apply to env:"),
        ("read:/a bytes=1", "bytes does not apply to read:"),
        ('read:"/a"X', "a quoted text ends at a space"),
    ],
)
def test_what_there_is_instead_is_told(text: str, message: str) -> None:
    error = parse_grant(text)
    assert isinstance(error, GrantError)
    assert error.message == message


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("{}" + "x" * 254, "{}" + "x" * 255),
        ("k {}", "k é{}"),
    ],
)
def test_the_text_around_a_secret_is_short_and_ascii(good: str, bad: str) -> None:
    assert parse_caveat("secret", "format", good) == Format(good)
    assert isinstance(parse_caveat("secret", "format", bad), str)


FRAMING = """host content-length transfer-encoding connection upgrade te trailer expect keep-alive
accept-encoding content-encoding cookie proxy-authorization"""


@pytest.mark.parametrize("name", FRAMING.split())
def test_a_secret_is_in_no_header_that_frames_or_routes_a_message(name: str) -> None:
    assert isinstance(parse_caveat("secret", "header", name), str)
    assert isinstance(parse_caveat("secret", "header", name.title()), str)
    assert parse_caveat("secret", "header", f"X-{name}") == Header(f"X-{name}")


@given(st.text())
@example('read:"\\ud800\\udc00"')
def test_parsing_never_raises(text: str) -> None:
    assert isinstance(parse_grant(text), Grant | GrantError)


@given(st.sampled_from(["read:", 'env:"A=', "fetch:", "model:", "write:/a "]), st.text())
def test_parsing_never_raises_after_a_known_action(head: str, tail: str) -> None:
    found = parse_grant(head + tail)
    if isinstance(found, Grant):
        assert parse_grant(str(found)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "fetch:https://a.test untaintd",
            "unknown caveat 'untaintd'; on fetch: there are "
            "ask, bytes, except, expires, net, rate, uses, untainted, public",
        ),
        (
            "tool:pay Arg.to=any",
            "unknown caveat 'Arg.to'; on tool: there are "
            "expires, rate, uses, arg.NAME, untainted, public",
        ),
        ("read:/a untaintd", "unknown caveat 'untaintd'; on read: there are except, expires, uses"),
        ("read:/a rate=1", "rate= takes N/s, N/min, N/h or N/d, N at most 10000"),
        ("store:cache bytes", "bytes needs a value: bytes=..."),
        ("exec:git ask=always", "ask= takes first or each"),
        ("tool:pay arg.to=max(50.00)", "arg.to '50.00' is spelt '50'"),
        ("tool:pay arg.to=max(x)", "arg.to takes max(AMOUNT) such as max(50) or max(12.5)"),
    ],
)
def test_a_caveat_that_is_none_is_told_what_there_is(text: str, said: str) -> None:
    found = parse_grant(text)
    assert isinstance(found, GrantError) and found.message == said
