"""The functions of WASI 0.2 that a component may import, each with its type in words.

Guarantees: two types have the same words only if they are the same type; WASI's own ones go by
their names, and a resource of another host by the beginning of its own. Pure. Does not: act (the
functions do), or give them away (`provided` does).
Source: the WIT packages wasi:io, cli, clocks, filesystem, random and http 0.2.
"""

from __future__ import annotations

from capbox.sandbox.component.side import Misuse
from capbox.sandbox.component.types import (
    Flags,
    Handle,
    ListOf,
    Record,
    Scalar,
    Signature,
    Text,
    Type,
    Variant,
)

# The error codes of wasi:filesystem, each with its name in C where preview 1 has one.
_CODES = """
access:EACCES would-block:EAGAIN already:EALREADY bad-descriptor:EBADF busy:EBUSY deadlock:EDEADLK
quota:EDQUOT exist:EEXIST file-too-large:EFBIG illegal-byte-sequence:EILSEQ in-progress:EINPROGRESS
interrupted:EINTR invalid:EINVAL io:EIO is-directory:EISDIR loop:ELOOP too-many-links:EMLINK
message-size:EMSGSIZE name-too-long:ENAMETOOLONG no-device:ENODEV no-entry:ENOENT no-lock:ENOLCK
insufficient-memory:ENOMEM insufficient-space:ENOSPC not-directory:ENOTDIR not-empty:ENOTEMPTY
not-recoverable:ENOTRECOVERABLE unsupported:ENOTSUP no-tty:ENOTTY no-such-device:ENXIO
overflow:EOVERFLOW not-permitted:EPERM pipe:EPIPE read-only:EROFS invalid-seek:ESPIPE
text-file-busy:ETXTBSY cross-device:EXDEV
"""
CODES = {code: c for code, _, c in (entry.partition(":") for entry in _CODES.split())}
_KIND = (
    "enum{unknown,block-device,character-device,directory,fifo,symbolic-link,regular-file,socket}"
)
_STAMPS = ",".join(
    f"{which}-timestamp:option<datetime>"
    for which in ("data-access", "data-modification", "status-change")
)
_HTTP_ERRORS = """
DNS-timeout DNS-error:record{rcode:option<string>,info-code:option<u16>} destination-not-found
destination-unavailable destination-IP-prohibited destination-IP-unroutable connection-refused
connection-terminated connection-timeout connection-read-timeout connection-write-timeout
connection-limit-reached TLS-protocol-error TLS-certificate-error
TLS-alert-received:record{alert-id:option<u8>,alert-message:option<string>} HTTP-request-denied
HTTP-request-length-required HTTP-request-body-size:option<u64> HTTP-request-method-invalid
HTTP-request-URI-invalid HTTP-request-URI-too-long HTTP-request-header-section-size:option<u32>
HTTP-request-header-size:option<field-size> HTTP-request-trailer-section-size:option<u32>
HTTP-request-trailer-size:field-size HTTP-response-incomplete
HTTP-response-header-section-size:option<u32> HTTP-response-header-size:field-size
HTTP-response-body-size:option<u64> HTTP-response-trailer-section-size:option<u32>
HTTP-response-trailer-size:field-size HTTP-response-transfer-coding:option<string>
HTTP-response-content-coding:option<string> HTTP-response-timeout HTTP-upgrade-failed
HTTP-protocol-error loop-detected configuration-error internal-error:option<string>
"""
# Types that have a name, shortest first: a longer one is written with the shorter ones.
_NAMES = {
    f"enum{{{','.join(CODES)}}}": "error-code",
    _KIND: "type",
    "record{seconds:u64,nanoseconds:u32}": "datetime",
    "variant{last-operation-failed:own<error>,closed}": "stream-error",
    "flags{symlink-follow}": "path-flags",
    "flags{create,directory,exclusive,truncate}": "open-flags",
    "flags{read,write,file-integrity-sync,data-integrity-sync,requested-write-sync,"
    "mutate-directory}": "flags",
    "variant{no-change,now,timestamp:datetime}": "new-time",
    "enum{normal,sequential,random,will-need,dont-need,no-reuse}": "advice",
    "record{lower:u64,upper:u64}": "hash",
    f"record{{type:type,link-count:u64,size:u64,{_STAMPS}}}": "stat",
    "record{type:type,name:string}": "directory-entry",
    "variant{get,head,post,put,delete,connect,options,trace,patch,other:string}": "method",
    "variant{HTTP,HTTPS,other:string}": "scheme",
    "variant{invalid-syntax,forbidden,immutable}": "header-error",
    "record{field-name:option<string>,field-size:option<u32>}": "field-size",
    f"variant{{{','.join(_HTTP_ERRORS.split())}}}": "http-error",
    "result<own<future-incoming-response>,http-error>": "promised",
}
_HTTP_RESOURCES = """
fields outgoing-request outgoing-body request-options future-incoming-response incoming-response
incoming-body future-trailers
"""
# Resources, each with the interface that it is of.
_RESOURCES = {
    **dict.fromkeys(("input-stream", "output-stream"), "wasi:io/streams"),
    **{"pollable": "wasi:io/poll", "error": "wasi:io/error"},
    **dict.fromkeys(("descriptor", "directory-entry-stream"), "wasi:filesystem/types"),
    **dict.fromkeys(_HTTP_RESOURCES.split(), "wasi:http/types"),
    **{"terminal-input": "wasi:cli/terminal-input", "terminal-output": "wasi:cli/terminal-output"},
}
_NAME_CHARS_MAX = 64
# A method takes its resource first, which is left out here.
_SIGNATURES = """
wasi:io/error
  error.to-debug-string -> string
wasi:io/poll
  pollable.ready -> bool
  pollable.block
  poll list<borrow<pollable>> -> list<u32>
wasi:io/streams
  input-stream.read u64 -> result<list<u8>,stream-error>
  input-stream.blocking-read u64 -> result<list<u8>,stream-error>
  input-stream.skip u64 -> result<u64,stream-error>
  input-stream.blocking-skip u64 -> result<u64,stream-error>
  input-stream.subscribe -> own<pollable>
  output-stream.check-write -> result<u64,stream-error>
  output-stream.write list<u8> -> result<_,stream-error>
  output-stream.blocking-write-and-flush list<u8> -> result<_,stream-error>
  output-stream.flush -> result<_,stream-error>
  output-stream.blocking-flush -> result<_,stream-error>
  output-stream.subscribe -> own<pollable>
  output-stream.write-zeroes u64 -> result<_,stream-error>
  output-stream.blocking-write-zeroes-and-flush u64 -> result<_,stream-error>
  output-stream.splice borrow<input-stream> u64 -> result<u64,stream-error>
  output-stream.blocking-splice borrow<input-stream> u64 -> result<u64,stream-error>
wasi:cli/environment
  get-environment -> list<tuple<string,string>>
  get-arguments -> list<string>
  initial-cwd -> option<string>
wasi:cli/exit
  exit result<_,_>
  exit-with-code u8
wasi:cli/stdin
  get-stdin -> own<input-stream>
wasi:cli/stdout
  get-stdout -> own<output-stream>
wasi:cli/stderr
  get-stderr -> own<output-stream>
wasi:cli/terminal-stdin
  get-terminal-stdin -> option<own<terminal-input>>
wasi:cli/terminal-stdout
  get-terminal-stdout -> option<own<terminal-output>>
wasi:cli/terminal-stderr
  get-terminal-stderr -> option<own<terminal-output>>
wasi:clocks/monotonic-clock
  now -> u64
  resolution -> u64
  subscribe-instant u64 -> own<pollable>
  subscribe-duration u64 -> own<pollable>
wasi:clocks/wall-clock
  now -> datetime
  resolution -> datetime
wasi:random/random
  get-random-bytes u64 -> list<u8>
  get-random-u64 -> u64
wasi:random/insecure
  get-insecure-random-bytes u64 -> list<u8>
  get-insecure-random-u64 -> u64
wasi:random/insecure-seed
  insecure-seed -> tuple<u64,u64>
wasi:filesystem/preopens
  get-directories -> list<tuple<own<descriptor>,string>>
wasi:filesystem/types
  filesystem-error-code borrow<error> -> option<error-code>
  descriptor.read-via-stream u64 -> result<own<input-stream>,error-code>
  descriptor.write-via-stream u64 -> result<own<output-stream>,error-code>
  descriptor.append-via-stream -> result<own<output-stream>,error-code>
  descriptor.advise u64 u64 advice -> result<_,error-code>
  descriptor.sync-data -> result<_,error-code>
  descriptor.get-flags -> result<flags,error-code>
  descriptor.get-type -> result<type,error-code>
  descriptor.set-size u64 -> result<_,error-code>
  descriptor.set-times new-time new-time -> result<_,error-code>
  descriptor.read u64 u64 -> result<tuple<list<u8>,bool>,error-code>
  descriptor.write list<u8> u64 -> result<u64,error-code>
  descriptor.read-directory -> result<own<directory-entry-stream>,error-code>
  descriptor.sync -> result<_,error-code>
  descriptor.create-directory-at string -> result<_,error-code>
  descriptor.stat -> result<stat,error-code>
  descriptor.stat-at path-flags string -> result<stat,error-code>
  descriptor.set-times-at path-flags string new-time new-time -> result<_,error-code>
  descriptor.link-at path-flags string borrow<descriptor> string -> result<_,error-code>
  descriptor.open-at path-flags string open-flags flags -> result<own<descriptor>,error-code>
  descriptor.readlink-at string -> result<string,error-code>
  descriptor.remove-directory-at string -> result<_,error-code>
  descriptor.rename-at string borrow<descriptor> string -> result<_,error-code>
  descriptor.symlink-at string string -> result<_,error-code>
  descriptor.unlink-file-at string -> result<_,error-code>
  descriptor.is-same-object borrow<descriptor> -> bool
  descriptor.metadata-hash -> result<hash,error-code>
  descriptor.metadata-hash-at path-flags string -> result<hash,error-code>
  directory-entry-stream.read-directory-entry -> result<option<directory-entry>,error-code>
wasi:http/types
  http-error-code borrow<error> -> option<http-error>
  [constructor]fields -> own<fields>
  [static]fields.from-list list<tuple<string,list<u8>>> -> result<own<fields>,header-error>
  fields.get string -> list<list<u8>>
  fields.has string -> bool
  fields.set string list<list<u8>> -> result<_,header-error>
  fields.delete string -> result<_,header-error>
  fields.append string list<u8> -> result<_,header-error>
  fields.entries -> list<tuple<string,list<u8>>>
  fields.clone -> own<fields>
  [constructor]outgoing-request own<fields> -> own<outgoing-request>
  outgoing-request.body -> result<own<outgoing-body>,_>
  outgoing-request.method -> method
  outgoing-request.set-method method -> result<_,_>
  outgoing-request.path-with-query -> option<string>
  outgoing-request.set-path-with-query option<string> -> result<_,_>
  outgoing-request.scheme -> option<scheme>
  outgoing-request.set-scheme option<scheme> -> result<_,_>
  outgoing-request.authority -> option<string>
  outgoing-request.set-authority option<string> -> result<_,_>
  outgoing-request.headers -> own<fields>
  outgoing-body.write -> result<own<output-stream>,_>
  [static]outgoing-body.finish own<outgoing-body> option<own<fields>> -> result<_,http-error>
  [constructor]request-options -> own<request-options>
  request-options.connect-timeout -> option<u64>
  request-options.set-connect-timeout option<u64> -> result<_,_>
  request-options.first-byte-timeout -> option<u64>
  request-options.set-first-byte-timeout option<u64> -> result<_,_>
  request-options.between-bytes-timeout -> option<u64>
  request-options.set-between-bytes-timeout option<u64> -> result<_,_>
  future-incoming-response.subscribe -> own<pollable>
  future-incoming-response.get -> option<result<result<own<incoming-response>,http-error>,_>>
  incoming-response.status -> u16
  incoming-response.headers -> own<fields>
  incoming-response.consume -> result<own<incoming-body>,_>
  incoming-body.stream -> result<own<input-stream>,_>
  [static]incoming-body.finish own<incoming-body> -> own<future-trailers>
  future-trailers.subscribe -> own<pollable>
  future-trailers.get -> option<result<result<option<own<fields>>,http-error>,_>>
wasi:http/outgoing-handler
  handle own<outgoing-request> option<own<request-options>> -> promised
"""


def _table() -> dict[str, tuple[str, str]]:
    """Return, by the name that a component imports, our method and the type in words."""
    found: dict[str, tuple[str, str]] = {}
    interface = ""
    for line in _SIGNATURES.strip().splitlines():
        if not line.startswith(" "):
            interface = line
            continue
        name, _, words = line.strip().partition(" ")
        kind, _, bare = name.rpartition("]")
        resource, dot, method = bare.partition(".")
        ours = f"{interface.rpartition('/')[2]}_{name}"
        if kind:
            ours = f"new_{bare}" if kind == "[constructor" else f"{resource}_{method}"
        elif dot:
            words = f"borrow<{resource}> {words}".rstrip()
            name, ours = f"[method]{name}", f"{resource}_{method}"
        found[f"{interface}.{name}"] = ours.replace("-", "_"), words
    return found


FUNCTIONS = _table()


def shown(signature: Signature) -> str:
    """Return a signature in words: parameters, and `->` before a result."""
    words = [described(kind) for _, kind in signature.params]
    result = [] if signature.result is None else ["->", described(signature.result)]
    return " ".join([*words, *result])


def described(kind: Type) -> str:
    """Return a type in words, WASI's own by their names."""
    text = _words(kind)
    return _NAMES.get(text, text)


def _words(kind: Type) -> str:
    match kind:
        case Scalar():
            return kind.name
        case Text():
            return "string"
        case ListOf():
            return f"list<{described(kind.item)}>"
        case Record(named=False):
            return f"tuple<{','.join(described(k) for _, k in kind.fields)}>"
        case Record():
            return f"record{{{','.join(f'{n}:{described(k)}' for n, k in kind.fields)}}}"
        case Flags():
            return f"flags{{{','.join(kind.names)}}}"
        case Handle():
            return f"{'own' if kind.own else 'borrow'}<{_resource(kind.resource.name)}>"
        case Variant(form="option"):
            return f"option<{_case(kind.cases[1][1])}>"
        case Variant(form="result"):
            return f"result<{','.join(_case(k) for _, k in kind.cases)}>"
        case Variant():
            cases = (n if k is None else f"{n}:{described(k)}" for n, k in kind.cases)
            return f"{kind.form}{{{','.join(cases)}}}"
        case _:
            raise Misuse("a type that is not supported")


def _case(kind: Type | None) -> str:
    return "_" if kind is None else described(kind)


def _resource(name: str) -> str:
    interface, _, short = name.rpartition(".")
    # Attack: a thousand handles of a resource whose name has a megabyte.
    return short if _RESOURCES.get(short) == interface else f"?{name[:_NAME_CHARS_MAX]}"
