"""Patch what the guests are compiled with: the modules and the Go runtime of overlay/patches.toml.

Guarantees that each patch is applied as often as it says, or the build stops and names it, and that
neither Go's module cache nor its installation is written to. Standard library only.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path

from toolchain import PLAIN, SCRATCH, TOOLBOX, Go, Missing, Say, run

PATCHED = SCRATCH / "patched"


def patched_modules(go: Go) -> str:
    """Copy the modules that patches.toml names, patch the copies, and give the flag to use them.

    Go's module cache cannot be overlaid. The copies have a fixed place below guests/.build, named
    relatively, because Go writes it into the module: no path of this machine gets into the bytes.
    """
    plan = tomllib.loads((TOOLBOX / "overlay" / "patches.toml").read_text())
    texts: dict[tuple[str, str], str] = {}
    folders = {module: module_folder(go, module) for module in plan["modules"]}
    for change in plan["file"]:
        texts[change["module"], change["path"]] = (TOOLBOX / "overlay" / change["with"]).read_text()
    for change in plan.get("folder", []):
        for source in sorted((TOOLBOX / "overlay" / change["with"]).glob("*.go")):
            texts[change["module"], f"{change['path']}/{source.name}"] = source.read_text()
    for change in plan.get("cut", []):
        key = change["module"], change["path"]
        text = texts.get(key) or (folders[change["module"]] / change["path"]).read_text()
        head, start, rest = text.partition(change["from"])
        end = change.get("to", "")
        tail = rest.partition(end)[2] if end else ""
        if not start or end not in rest:
            raise Missing(f"{'/'.join(key)}: nothing to cut ({change['why']})")
        texts[key] = head + change.get("new", "") + end + tail
    for change in plan["text"]:
        key = change["module"], change["path"]
        text = texts.get(key) or (folders[change["module"]] / change["path"]).read_text()
        times = change.get("times", 1)
        if text.count(change["old"]) != times:
            raise Missing(
                f"{'/'.join(key)}: the text of a patch occurs {text.count(change['old'])} times, "
                f"not {times}: {change['old']!r} ({change['why']})"
            )
        texts[key] = text.replace(change["old"], change["new"])
    mod = (TOOLBOX / "go.mod").read_text()
    PATCHED.mkdir(parents=True, exist_ok=True)
    for module, source in folders.items():
        copy = PATCHED / re.sub(r"[^a-z0-9.]+", "-", module)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(
            source, copy, ignore=shutil.ignore_patterns("testdata", "*_test.go", ".git*")
        )
        for (owner, path), text in texts.items():
            if owner == module:
                (copy / path).unlink(missing_ok=True)  # read-only in the cache, or a new file
                (copy / path).write_text(text)
        mod += f"\nreplace {module} => ../.build/patched/{copy.name}\n"
    (PATCHED / "go.mod").write_text(mod)
    shutil.copyfile(TOOLBOX / "go.sum", PATCHED / "go.sum")
    return f"-modfile={PATCHED / 'go.mod'}"


def frozen_runtime(go: Go, folder: Path, say: Say) -> list[str]:
    """Overlay Go's runtime so that a snapshot holds neither time nor randomness of this machine.

    Without it the module works the same but differs from build to build. A Go whose runtime reads
    otherwise, or that lies in the module cache, is used as it is, with a note.
    """
    root = Path(run([go.program, "env", "GOROOT"], PLAIN).strip())
    texts: dict[Path, str] = {}
    for change in tomllib.loads((TOOLBOX / "overlay" / "patches.toml").read_text())["goroot"]:
        path = root / change["path"]
        text = texts.get(path) or (path.read_text() if path.is_file() else "")
        if (
            text.count(change["old"]) != 1
            or Path(run([go.program, "env", "GOMODCACHE"], PLAIN).strip()) in path.parents
        ):
            say(
                f"{go.version} in {root} cannot be patched: "
                "the module will work, but not be reproducible"
            )
            return []
        texts[path] = text.replace(change["old"], change["new"])
    replaced = {}
    for path, text in texts.items():
        copy = folder / path.name
        copy.write_text(text)
        replaced[str(path)] = str(copy)
    (folder / "overlay.json").write_text(json.dumps({"Replace": replaced}))
    return [f"-overlay={folder / 'overlay.json'}"]


def module_folder(go: Go, module: str) -> Path:
    """Where Go keeps the module's sources; downloaded, and checked against go.sum, if need be."""
    return Path(json.loads(run([go.program, "mod", "download", "-json", module], PLAIN))["Dir"])
