"""From a fresh interpreter to an image of it, and from the image to the one result of a call.

The guest is started once when it is built: it imports what most programs use and ends. Its memory
at that moment becomes the module's, so that every later start begins here, with all of it there.
"""

import gc
import json
import os
import sys

from _capbox import absent, early, lacking, seeding

APP = "/app"  # where the files of a tool are packed that an author wrote in Python
PACKAGES = "/packages"  # where wheels are that a person added to the tool `python`
IMAGED = 77  # the exit code of the first start

# What programs begin with, and how they fail.
_REHEARSED = 4 * ("import sys\nprint(1)", "f'{sum(n for n in range(3)):,}'", "1 / 0", "(")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

_imaged = False
_packed = False
_added = False
_answer = None


def main():
    """Prepare the image, or serve one call; both end the process."""
    global _imaged
    if _imaged:
        _say(_served())
    _imaged = True
    lacking.install()
    early.load()
    seeding.later()
    _prepare()
    gc.collect()
    gc.freeze()
    os._exit(IMAGED)


def _prepare():
    """Import what answers: the tool of an author, if there is one, else the tool `python`."""
    global _answer, _packed, _added
    _packed = os.path.isfile(f"{APP}/capbox_tool.py")
    _added = os.path.isdir(PACKAGES)
    if _packed:
        sys.path.append(APP)
        from capbox_tool import answer
    else:
        from _capbox.execute import answer

        absent.ADDED = True
        _rehearse(answer)
    _answer = answer


def _rehearse(answer):
    """Answer calls: what the interpreter learns by that, code and caches, stays in the image."""
    space, kept = vars(sys.modules["__main__"]), sys.path[:]
    before = dict(space)
    for code in _REHEARSED:
        arguments = {"code": code, "stdin": "", "args": []}
        call = {"cwd": "/", "arguments": arguments, "call": {"output_bytes_max": 1_000}}
        _encoded(answer(json.loads(json.dumps(call))))
        space.clear()
        space.update(before)
        sys.path[:] = kept


def _served():
    request = json.loads(_asked())
    # Directory and variables travel in the request; the image's own are from its making.
    for name, value in request.get("env", {}).items():
        os.environ[name] = value
    try:
        os.chdir(request["cwd"])
    except OSError:
        pass  # nothing of the workspace was granted
    # What a start sets anew, or what must not be the same each time.
    sys.dont_write_bytecode = True
    sys.path[:] = [entry for entry in sys.path if entry]
    if _packed:
        sys.path.append(APP)
    if _added:
        # Nothing of them is imported before, and the library and our own come first: what a wheel
        # brings runs in the programs that import it, and takes no other's place.
        sys.path.append(PACKAGES)
    seeding.anew()
    return _answer(request)


def _asked():
    parts = []
    while part := os.read(0, 1 << 16):
        parts.append(part)
    return b"".join(parts).decode()


def _encoded(result):
    return memoryview(_ENCODER.encode(result).encode(errors="replace"))


def _say(result):
    content = _encoded(result)
    while content:
        content = content[lacking.write(1, content) :]
    os._exit(0)
