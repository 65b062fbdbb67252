"""What wheels need of each other: `python -I -m capbox.tools.sdk.python.needs FOLDER FILE`.

By the parser of requirements within pip, for which it is a program of its own; FOLDER is as for
`alone`. FILE holds `{"asked": [REQUIREMENT], "wheels": [{"file", "name", "version", "needs"}]}`.
The answer is `{"needed": [NAME], "missing": {NAME: [REQUIREMENT, WHO]}}`, or `{"refused": [WHO,
REASON]}`: WHO is the file of a wheel, or "" for what was asked for.

Guarantees: conditions (`; python_version < "3.12"`) are those of the Python inside of the sandbox;
no address is among the answers. Does not: read wheels, or get any.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

# As CPython 3.12 for WASI says of itself.
_INSIDE = {
    "implementation_name": "cpython",
    "implementation_version": "3.12.0",
    "os_name": "posix",
    "platform_machine": "wasm32",
    "platform_python_implementation": "CPython",
    "platform_release": "0.0.0",
    "platform_system": "wasi",
    "platform_version": "0.0.0",
    "python_full_version": "3.12.0",
    "python_version": "3.12",
    "sys_platform": "wasi",
}


def main() -> None:
    """Answer FILE."""
    _, folder, file = sys.argv
    if folder:
        sys.path.append(folder)
    asked = json.loads(Path(file).read_text(encoding="utf-8"))
    sys.stdout.write(json.dumps(answer(asked["asked"], asked["wheels"])))


def answer(asked: list[str], wheels: list[dict[str, Any]]) -> dict[str, Any]:
    """Walk from what is asked for through what the wheels need, each with its extras."""
    requirements = import_module("pip._vendor.packaging.requirements")
    plain = import_module("pip._vendor.packaging.utils").canonicalize_name
    there = {plain(one["name"]): one for one in wheels}
    found: dict[str, list[tuple[Any, str]]] = {}
    left = [(text, "", "") for text in asked]
    walked = set(left)
    while left:
        text, who, extra = left.pop()
        try:
            one = requirements.Requirement(text)
            if one.marker is not None and not one.marker.evaluate({**_INSIDE, "extra": extra}):
                continue
        except (ValueError, RecursionError):
            return {"refused": [who, f"needs {text[:200]!r}, which is no requirement"]}
        name = plain(one.name)
        if one.url:
            # Attack: pip gets what an address names, and builds it, "wheels only" or not.
            return {"refused": [who, f"needs {name} from an address, {one.url}"]}
        found.setdefault(name, []).append((one.specifier, who))
        wheel = there.get(name, {"needs": [], "file": ""})
        more = {
            (need, wheel["file"], given)
            for need in wheel["needs"]
            for given in ("", *one.extras, *map(plain, one.extras))
        }
        left += more - walked
        walked |= more
    missing = {name: _wanted(name, of, there.get(name)) for name, of in sorted(found.items())}
    return {"needed": [*missing], "missing": {name: w for name, w in missing.items() if w}}


def _wanted(
    name: str, found: list[tuple[Any, str]], wheel: dict[str, Any] | None
) -> list[str] | None:
    """Return what to look for, and who needs it; None if it is there."""
    unmet = found
    if wheel is not None:
        fits = [one.contains(wheel["version"], prereleases=True) for one, _ in found]
        unmet = [one for one, fit in zip(found, fits, strict=True) if not fit]
    if not unmet:
        return None
    every = {str(one) for one, _ in found if str(one)}
    return [name + ",".join(sorted(every)), unmet[0][1]]


if __name__ == "__main__":
    main()
