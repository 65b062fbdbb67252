"""From a fresh interpreter to an image of it, and from the image to the one result of a call.

The guest is started once when it is built: it imports what most programs use and ends. Its memory
at that moment becomes the module's, so that every later start begins here, with all of it there.
"""

import gc
import json
import os
import sys

from _capbox import absent, early, lacking

APP = "/app"  # where the files of a tool are packed that an author wrote in Python
PACKAGES = "/packages"  # where wheels are that a person added to the tool `python`
IMAGED = 77  # the exit code of the first start

_imaged = False
_packed = False
_added = False
_answer = None


def main(hook):
    """Prepare the image, or serve one call; both end the process."""
    global _imaged
    if _imaged:
        _forget(hook)
        _say(_served())
    _imaged = True
    lacking.install()
    early.load()
    _prepare()
    gc.collect()
    gc.freeze()
    os._exit(IMAGED)


def _forget(hook):
    """Take the audit hook away: each event would cost the program a call of it."""
    for holder in gc.get_referrers(hook):
        if type(holder) is list and hook in holder:
            holder.remove(hook)


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
    _answer = answer


def _served():
    request = json.load(sys.stdin)
    # Directory and variables travel in the request; the image's own are from its making.
    os.environ.update(request.get("env", {}))
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
    sys.modules["random"].seed()
    return _answer(request)


def _say(result):
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    content = memoryview(text.encode(errors="replace"))
    while content:
        content = content[lacking.write(1, content) :]
    os._exit(0)
