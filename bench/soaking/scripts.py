"""Scripts for bash, each with the one right output and the files that it leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from bench.soaking.acts import Act, Stage, says
from bench.soaking.world import FILE_BYTES_MAX, SCRIPTED, Change, text
from capbox.messages import ToolResult

Piece = tuple[str, str, Change]
"""A line of script, what it prints, and what it changes."""


def change(stage: Stage) -> Act:
    """One to three changes of one's own files, one after the other."""
    names = [f"{stage.area}/{n}" for n in SCRIPTED]
    allowed = [n for n in names if stage.rights.permits(n, write=True)]
    if len(allowed) < 2:
        return probe(stage)
    now = {name: stage.files.known(name) for name in allowed}
    pieces: list[Piece] = []
    for _ in range(stage.rng.randint(1, 3)):
        piece = stage.rng.choice(_PIECES)(stage, now)
        now.update(piece[2])
        pieces.append(piece)
    script = "\n".join(p[0] for p in pieces) + "\necho done"
    printed = "".join(p[1] for p in pieces) + "done\n"
    steps = tuple(p[2] for p in pieces if p[2])
    return Act("bash", {"script": script}, says(printed), steps=steps)


Now = dict[str, bytes | None]


def _full(stage: Stage, now: Now) -> str | None:
    held = [name for name, content in now.items() if content]
    return stage.rng.choice(sorted(held)) if held else None


def _replace(stage: Stage, now: Now) -> Piece:
    name = stage.rng.choice(sorted(now))
    content = text(stage.rng, stage.area, stage.rng.randint(1, 20))
    return f"cat > {name} <<'END'\n{content.decode()}END", "", {name: content}


def _append(stage: Stage, now: Now) -> Piece:
    name = stage.rng.choice(sorted(now))
    before = now[name] or b""
    if len(before) > FILE_BYTES_MAX:
        return _replace(stage, now)
    line = text(stage.rng, stage.area, 1)
    return f"echo '{line.decode().strip()}' >> {name}", "", {name: before + line}


def _two(stage: Stage, now: Now) -> tuple[str, str] | None:
    source = _full(stage, now)
    targets = sorted(set(now) - {source})
    return None if source is None else (source, stage.rng.choice(targets))


def _copy(stage: Stage, now: Now) -> Piece:
    two = _two(stage, now)
    return (
        _replace(stage, now)
        if two is None
        else (f"cp {two[0]} {two[1]}", "", {two[1]: now[two[0]]})
    )


def _move(stage: Stage, now: Now) -> Piece:
    two = _two(stage, now)
    if two is None:
        return _replace(stage, now)
    return f"mv {two[0]} {two[1]}", "", {two[1]: now[two[0]], two[0]: None}


def _remove(stage: Stage, now: Now) -> Piece:
    name = stage.rng.choice(sorted(now))
    return f"rm -f {name}", "", {} if now[name] is None else {name: None}


def _sort(stage: Stage, now: Now) -> Piece:
    two = _two(stage, now)
    if two is None:
        return _replace(stage, now)
    content = b"".join(sorted((now[two[0]] or b"").splitlines(keepends=True)))
    return f"sort {two[0]} > {two[1]}", "", {two[1]: content}


def _reverse(stage: Stage, now: Now) -> Piece:
    two = _two(stage, now)
    if two is None:
        return _replace(stage, now)
    content = b"".join(reversed((now[two[0]] or b"").splitlines(keepends=True)))
    return f"tac < {two[0]} | tee {two[1]} | wc -l", f"{content.count(10)}\n", {two[1]: content}


def _substitute(stage: Stage, now: Now) -> Piece:
    name = _full(stage, now)
    content = b"" if name is None else now[name] or b""
    if name is None or not content:
        return _replace(stage, now)
    old = stage.rng.choice(content.split()[1::2]).decode()
    new = f"{stage.rng.getrandbits(32):08x}"
    return f"sed -i s/{old}/{new}/ {name}", "", {name: content.replace(old.encode(), new.encode())}


def _digest(stage: Stage, now: Now) -> Piece:
    name = _full(stage, now)
    if name is None:
        return _replace(stage, now)
    printed = f"{hashlib.sha256(now[name] or b'').hexdigest()}  {name}\n"
    return f"sha256sum {name}", printed, {}


def _create(stage: Stage, now: Now) -> Piece:
    name = stage.rng.choice(sorted(now))
    count = stage.rng.randint(1, 9)
    content = "".join(f"@{stage.area}@ {n:08x}\n" for n in range(1, count + 1)).encode()
    script = f'for n in $(seq 1 {count}); do printf "@{stage.area}@ %08x\\n" $n; done > {name}'
    return script, "", {name: content}


_PIECES: tuple[Callable[[Stage, Now], Piece], ...] = (
    *(_replace, _append, _append, _copy, _move, _remove),
    *(_sort, _reverse, _substitute, _digest, _create),
)


def probe(stage: Stage) -> Act:
    """Try to read one file and to write one that is not one's own."""
    source, target = stage.any_path(), stage.any_path()
    if source.startswith("a") and not source.startswith(f"{stage.area}/"):
        source = stage.rng.choice(sorted(stage.files.constant))
    may = stage.rights.permits(source)
    if stage.rights.permits(target, write=True):
        target = "secret/new.txt"
    content = (stage.files.known(source) if may else None) or b""
    there = may and stage.files.known(source) is not None
    tries = f"{{ echo @{stage.area}@ > {target}; }} 2>/dev/null; echo rc=$?"
    script = f"cat {source} 2>/dev/null; echo rc=$?; {tries}"
    wanted = f"{content.decode()}rc={0 if there else 1}\nrc=1\n"

    def check(result: ToolResult) -> str | None:
        if not any(denial.access.startswith("write ") for denial in result.denied):
            return f"the refused write of {target} is not in denied: {result.denied}"
        return says(wanted)(result)

    return Act("bash", {"script": script}, check)


def show(stage: Stage) -> Act:
    """Print two of one's files."""
    names = [n for n in (stage.own(), stage.own()) if stage.rights.permits(n)]
    held = [n for n in names if stage.files.known(n) is not None]
    if not held:
        return compute(stage)
    wanted = b"".join(stage.files.known(n) or b"" for n in held).decode()
    return Act("bash", {"script": f"cat {' '.join(held)}"}, says(wanted))


def compute(stage: Stage) -> Act:
    """Work without any file."""
    a, b = stage.rng.randint(1, 999), stage.rng.randint(1, 999)
    pieces = (
        (f"echo $(({a} * {b} + 1))", f"{a * b + 1}\n"),
        (f"seq 1 {a} | awk '{{s += $1}} END {{print s}}'", f"{a * (a + 1) // 2}\n"),
        (f"printf '%s\\n' {b} {a} 5 | sort -n | tail -n 1", f"{max(a, b, 5)}\n"),
        (f"jq -n '{a} + {b}'", f"{a + b}\n"),
        (f"head -c {a} /dev/zero | wc -c", f"{a}\n"),
        (
            f"f() {{ local x=$1; ((x > 0)) && f $((x - 1)) || echo end{b}; }}; f {a % 50}",
            f"end{b}\n",
        ),
        (f"echo {a} | rev | tr 0-9 a-j", f"{str(a)[::-1].translate(_LETTERS)}\n"),
    )
    script, wanted = stage.rng.choice(pieces)
    return Act("bash", {"script": script}, says(wanted))


_LETTERS = str.maketrans("0123456789", "abcdefghij")


def remember(stage: Stage) -> Act:
    """Keep something for later calls: a variable of bash, or a file in /tmp."""
    name, value = f"k{stage.rng.randint(0, 3)}", f"{stage.rng.getrandbits(40):x}"
    if stage.rng.random() < 0.5:
        return Act("bash", {"script": f"{name}={value}"}, says(""), keeps=((name, value),))
    script = f"echo {value} > /tmp/{name}"
    return Act("bash", {"script": script}, says(""), keeps=((f"/tmp/{name}", value),))


def recall(stage: Stage) -> Act:
    """Ask for what an earlier call of this life kept, and nothing of another life."""
    if not stage.kept and stage.muddled:
        return compute(stage)
    if not stage.kept:
        script = 'echo "[$k0$k1$k2$k3]"; ls /tmp'
        return Act("bash", {"script": script}, says("[]\n"))
    name = stage.rng.choice(sorted(stage.kept))
    script = f"cat {name}" if name.startswith("/") else f'echo "${name}"'
    return Act("bash", {"script": script}, says(f"{stage.kept[name]}\n"))


SCRIPTS = (change, change, change, probe, probe, show, compute, remember, recall)
HARMLESS = (show, compute)
"""Scripts that may run beside each other: they change nothing and remember nothing."""


def slow(stage: Stage) -> Act:
    """Change a file in several steps over a tenth of a second, so that it can be cut short."""
    name = f"{stage.area}/{SCRIPTED[0]}"
    if not stage.rights.permits(name, write=True):
        return Act(
            "bash", {"script": "for n in 1 2 3 4 5; do sleep 0.02; done; echo b"}, says("b\n")
        )
    content, steps = b"", list[Change]()
    for line in text(stage.rng, stage.area, 5).splitlines(keepends=True):
        content += line
        steps.append({name: content})
    lines = " ".join(f"'{line}'" for line in content.decode().splitlines())
    script = f'rm -f {name}; for x in {lines}; do echo "$x" >> {name}; sleep 0.02; done; echo b'
    return Act("bash", {"script": script}, says("b\n"), steps=({name: None}, *steps))
