"""Components in text for the tests: small core modules, wired to the interfaces that they use."""

from __future__ import annotations

from capbox.sandbox.component.wasi import signatures

# What a test's core module may import, each with what it lowers to, as (module, name).
ERROR = """
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $failure))
"""
STREAMS = """
  (import "wasi:io/streams@0.2.3" (instance $streams
    (alias outer 1 $failure (type $f)) (export "error" (type $e (eq $f)))
    (export "input-stream" (type $in (sub resource)))
    (export "output-stream" (type $out (sub resource)))
    (type $s (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $se (eq $s)))
    (type $bytes (list u8))
    (type $read (result $bytes (error $se)))
    (type $done (result (error $se)))
    (export "[method]input-stream.blocking-read"
      (func (param "self" (borrow $in)) (param "len" u64) (result $read)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" $bytes) (result $done)))))
  (alias export $streams "input-stream" (type $in))
  (alias export $streams "output-stream" (type $out))
"""
STDIO = """
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $in (type $i)) (export "input-stream" (type $e (eq $i)))
    (export "get-stdin" (func (result (own $e))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $out (type $o)) (export "output-stream" (type $e (eq $o)))
    (export "get-stdout" (func (result (own $e))))))
"""
EXIT = """
  (import "wasi:cli/exit@0.2.0" (instance $exit
    (type $r (result)) (export "exit" (func (param "status" $r)))))
"""
MEMORY = """
  (core module $Memory (memory (export "memory") 2)
    (global $free (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.sub (local.get 2) (i32.const 1)))
        (i32.xor (i32.sub (local.get 2) (i32.const 1)) (i32.const -1))))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      (block $fits (loop $more
        (br_if $fits (i32.le_u (global.get $free) (i32.mul (memory.size) (i32.const 65536))))
        (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
        (br $more)))
      (local.get $at)))
  (core instance $memory (instantiate $Memory))
  (alias core export $memory "memory" (core memory $mem))
  (alias core export $memory "realloc" (core func $realloc))
"""


def command(body: str, *, more: str = "", imports: str = "", lowered: str = "") -> str:
    """A component with `wasi:cli/run`, whose core function `run` is `body`.

    It may call `$out` (pointer, length), which writes to standard output, and what is imported.
    `imports` are of the component, `lowered` what else its module is given, `more` lies in it.
    """
    return f"""(component {ERROR} {STREAMS} {STDIO} {EXIT} {imports} {MEMORY}
  (core func $get-stdin (canon lower (func $stdin "get-stdin")))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $hear (canon lower (func $streams "[method]input-stream.blocking-read")
    (memory $mem) (realloc $realloc)))
  (core func $say (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory $mem)))
  (core func $exit (canon lower (func $exit "exit")))
  (core module $Main
    (import "m" "memory" (memory 1))
    (import "w" "get-stdin" (func $get-stdin (result i32)))
    (import "w" "get-stdout" (func $get-stdout (result i32)))
    (import "w" "hear" (func $hear (param i32 i64 i32)))
    (import "w" "say" (func $say (param i32 i32 i32 i32)))
    (import "w" "exit" (func $exit (param i32)))
    {more}
    (func $out (param $at i32) (param $length i32)
      (call $say (call $get-stdout) (local.get $at) (local.get $length) (i32.const 16)))
    (func (export "run") (result i32) {body}))
  (core instance $main (instantiate $Main
    (with "m" (instance $memory))
    (with "w" (instance
      (export "get-stdin" (func $get-stdin)) (export "get-stdout" (func $get-stdout))
      (export "hear" (func $hear)) (export "say" (func $say)) (export "exit" (func $exit))
      {lowered}))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))"""


CODES = tuple(signatures.CODES)
_AT = '(param "self" (borrow $d))'
FILES = f"""
  (import "wasi:filesystem/types@0.2.0" (instance $files
    (export "descriptor" (type $d (sub resource)))
    (type $code (enum {" ".join(f'"{code}"' for code in CODES)}))
    (export "error-code" (type $ec (eq $code)))
    (type $p (flags "symlink-follow")) (export "path-flags" (type $pf (eq $p)))
    (type $o (flags "create" "directory" "exclusive" "truncate"))
    (export "open-flags" (type $of (eq $o)))
    (type $f (flags "read" "write" "file-integrity-sync" "data-integrity-sync"
      "requested-write-sync" "mutate-directory"))
    (export "descriptor-flags" (type $df (eq $f)))
    (type $bytes (list u8)) (type $got (tuple $bytes bool))
    (type $opened (result (own $d) (error $ec))) (type $done (result (error $ec)))
    (type $read (result $got (error $ec))) (type $wrote (result u64 (error $ec)))
    (export "[method]descriptor.open-at" (func {_AT} (param "path-flags" $pf)
      (param "path" string) (param "open-flags" $of) (param "flags" $df) (result $opened)))
    (export "[method]descriptor.read" (func {_AT} (param "length" u64) (param "offset" u64)
      (result $read)))
    (export "[method]descriptor.write" (func {_AT} (param "buffer" $bytes) (param "offset" u64)
      (result $wrote)))
    (export "[method]descriptor.unlink-file-at" (func {_AT} (param "path" string) (result $done)))
    (export "[method]descriptor.rename-at" (func {_AT} (param "old-path" string)
      (param "new-descriptor" (borrow $d)) (param "new-path" string) (result $done)))
    (export "[method]descriptor.symlink-at" (func {_AT} (param "old-path" string)
      (param "new-path" string) (result $done)))
    (export "[method]descriptor.link-at" (func {_AT} (param "old-path-flags" $pf)
      (param "old-path" string) (param "new-descriptor" (borrow $d)) (param "new-path" string)
      (result $done)))))
  (alias export $files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $d)) (export "descriptor" (type $e (eq $d)))
    (type $entry (tuple (own $e) string)) (type $entries (list $entry))
    (export "get-directories" (func (result $entries)))))
"""
_METHODS = {
    "open-at": "i32 i32 i32 i32 i32 i32 i32",
    "read": "i32 i64 i64 i32",
    "write": "i32 i32 i32 i64 i32",
    "unlink-file-at": "i32 i32 i32 i32",
    "rename-at": "i32 i32 i32 i32 i32 i32 i32",
    "symlink-at": "i32 i32 i32 i32 i32 i32",
    "link-at": "i32 i32 i32 i32 i32 i32 i32 i32",
}
_FILES_LOWERED = "".join(
    f'(core func $f-{name} (canon lower (func $files "[method]descriptor.{name}") '
    "(memory $mem) (realloc $realloc)))"
    for name in _METHODS
)
_FILES_IMPORTED = "".join(
    f'(import "w" "{name}" (func ${name} (param {params})))' for name, params in _METHODS.items()
)
_FILES_GIVEN = "".join(f'(export "{name}" (func $f-{name}))' for name in _METHODS)
CREATE, DIRECTORY, EXCLUSIVE, TRUNCATE = 1, 2, 4, 8
READ, WRITE = 1, 2


def files(body: str, *texts: str) -> str:
    """A command with files: `body` may call the methods, `$root`, `$open` and `$tell`.

    Its `texts` lie one after the other from 1024 on, `at(n, texts)` says where. `$tell` ends the
    run and writes a byte: 255 for a result at 64 that is ok, else its error code.
    """
    data = "".join(
        f'(data (i32.const {at}) "{t}")' for t, at in zip(texts, _places(texts), strict=True)
    )
    more = f"""{_FILES_IMPORTED} (import "w" "get-directories" (func $dirs (param i32)))
    (import "m" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    {data}
    (func $root (result i32) (call $dirs (i32.const 48)) (i32.load (i32.load (i32.const 48))))
    (func $tell (param $code i32)
      (i32.store8 (i32.const 0) (i32.const 255))
      (if (i32.load8_u (i32.const 64))
        (then (i32.store8 (i32.const 0) (i32.load8_u (local.get $code)))))
      (call $out (i32.const 0) (i32.const 1)) (call $exit (i32.const 0)))
    (func $open (param $at i32) (param $length i32) (param $how i32) (param $flags i32) (result i32)
      (call $open-at (call $root) (i32.const 1) (local.get $at) (local.get $length)
        (local.get $how) (local.get $flags) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then (call $tell (i32.const 68))))
      (i32.load (i32.const 68)))"""
    lowered = f'{_FILES_GIVEN} (export "get-directories" (func $get-directories))'
    canon = f"""{_FILES_LOWERED}
      (core func $get-directories (canon lower (func $preopens "get-directories")
        (memory $mem) (realloc $realloc)))"""
    # What is lowered needs the memory, which `command` makes after the imports.
    made = command(f"{body} (i32.const 0)", more=more, imports=FILES, lowered=lowered)
    return made.replace("(core module $Main", f"{canon} (core module $Main")


def at(number: int, texts: tuple[str, ...]) -> str:
    """Where text `number` lies, and how long it is, as two constants."""
    return f"(i32.const {_places(texts)[number]}) (i32.const {len(texts[number].encode())})"


def _places(texts: tuple[str, ...]) -> list[int]:
    return [1024 + sum(len(t.encode()) for t in texts[:n]) for n in range(len(texts))]


def importing(name: str, kind: str, params: str = "", result: str = "") -> str:
    """A component whose command calls one imported function, whose type is `kind`."""
    return command(
        f"(call $f {params}) {'drop' if result else ''} (i32.const 0)",
        more=f'(import "w" "f" (func $f {result}))',
        imports=f"""(import "{name.partition(".")[0]}" (instance $i
          (export "{name.partition(".")[2]}" (func {kind}))))
          (core func $f (canon lower (func $i "{name.partition(".")[2]}")))""",
        lowered='(export "f" (func $f))',
    )
