"""Names that a check takes for others: beside, through links, by a second name, in other roots."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.attacks.incidents.place import Case, Place
from tests.attacks.network.conftest import LOCAL

READ, WRITE = ("read:/workspace",), ("write:/workspace",)


async def reads_its_own(place: Place) -> bool:
    (result,) = await place.tries(READ, ("read", {"path": "notes.txt"}))
    return result.ok and "nothing in here" in result.content


async def writes_its_own(place: Place) -> bool:
    (result,) = await place.tries(WRITE, ("write", {"path": "new.txt", "content": "good"}))
    return result.ok and (place.folder / "new.txt").read_text() == "good"


def naive_prefix(place: Place) -> None:
    """The allowed directory is compared as a text."""
    place.beside("ws_secret/x", LOCAL)
    path = os.path.normpath(place.folder / "../ws_secret/x")
    assert path.startswith(str(place.folder))
    place.world.output = Path(path).read_text()


async def prefix(place: Place) -> None:
    secret = place.beside("ws_secret/x", LOCAL)
    paths = ("../ws_secret/x", str(secret), "/workspace_secret/x", "/workspace/../ws_secret/x")
    scripts = [("bash", {"script": f"cat {path}; cp {path} y; cat y"}) for path in paths]
    await place.tries(WRITE, *(("read", {"path": path}) for path in paths), *scripts)


def naive_symlink(place: Place) -> None:
    """Where the name cannot be resolved, its folder is checked, as it is spelt."""
    (place.folder / "l").symlink_to(place.outside.parent)
    path = place.folder / "l" / "new.txt"
    assert not path.exists() and str(path.parent).startswith(str(place.folder))
    path.write_text("planted")


async def symlink(place: Place) -> None:
    (place.folder / "l").symlink_to(place.outside.parent)
    (place.folder / "way").symlink_to("l")
    paths = ("l/new.txt", "l/outside.txt", "way/outside.txt", "l/../l/outside.txt")
    await place.tries(
        WRITE,
        *(("read", {"path": path}) for path in paths),
        *(("write", {"path": path, "content": "planted"}) for path in paths),
        ("bash", {"script": f"ln -s {place.outside} m; cat l/outside.txt m; echo x > l/new.txt"}),
    )


async def allowed_symlink(place: Place) -> bool:
    (place.folder / "inside").symlink_to("notes.txt")
    (found,) = await place.tries(READ, ("bash", {"script": "cat inside"}))
    return "nothing in here" in found.content


def naive_repositorys_link(place: Place) -> None:
    """The repository brings a link; its own name is inside."""
    place.beside(".ssh/id_rsa", LOCAL)
    link = place.folder / "docs.md"
    link.symlink_to("../.ssh/id_rsa")
    assert str(link.absolute()).startswith(str(place.folder))
    place.world.output = link.read_text()


async def repositorys_link(place: Place) -> None:
    key = place.beside(".ssh/id_rsa", LOCAL)
    (place.folder / "docs.md").symlink_to("../.ssh/id_rsa")
    (place.folder / "abs.md").symlink_to(key)
    (place.folder / "folder").symlink_to("../.ssh")
    script = "cat docs.md abs.md folder/id_rsa; grep -r . . ; cp -L docs.md y; cat y; tar c -h ."
    await place.tries(
        WRITE,
        ("read", {"path": "docs.md"}),
        ("read", {"path": "abs.md"}),
        ("grep", {"pattern": "sword", "path": "folder"}),
        ("bash", {"script": script}),
    )


def naive_hard_link(place: Place) -> None:
    """The host makes the link and looks only at the new name's rights."""
    kept = place.beside("ro/f", "as it was")
    (place.folder / "rw").mkdir()
    (place.folder / "rw" / "g").hardlink_to(kept)
    (place.folder / "rw" / "g").write_text("changed")


async def hard_link(place: Place) -> None:
    kept = place.beside("ro/f", "as it was")
    (place.folder / "rw").mkdir()
    (place.folder / "rw" / "there").hardlink_to(kept)
    ro = "/mnt/ro"
    script = f"""ln {ro}/f rw/g; echo changed > rw/g; echo changed >> rw/there
        cp -l {ro}/f rw/h; echo changed > rw/h; mv {ro}/f rw/i; echo changed > rw/i
        mv {ro} rw/j; echo changed > rw/j/f; sed -i s/was/changed/ rw/there"""
    await place.tries(
        (f"read:{kept.parent}", "write:/workspace/rw"),
        ("bash", {"script": script}),
        ("write", {"path": "rw/there", "content": "changed"}),
    )


async def allowed_hard_link(place: Place) -> bool:
    kept = place.beside("ro/f", "as it was")
    (place.folder / "rw").mkdir()
    grants = (f"read:{kept.parent}", "write:/workspace/rw")
    (done,) = await place.tries(grants, ("bash", {"script": "cp /mnt/ro/f rw/g; cat rw/g"}))
    return "as it was" in done.content


def naive_index(place: Place) -> None:
    """`index.add` takes a path as it comes; what is in the index can be read."""
    place.beside(".kube/config", LOCAL)
    shutil.copy(place.folder / "../.kube/config", place.folder / "index")
    place.world.output = (place.folder / "index").read_text()


async def index(place: Place) -> None:
    place.beside(".kube/config", LOCAL)
    up = "../.kube/config"
    script = f"cp {up} index; cat index; tar cf - {up}; zip -r i.zip ../.kube; ln -s {up} k; cat k"
    await place.tries(
        WRITE,
        ("bash", {"script": script}),
        ("read", {"path": up}),
        ("read", {"path": f"sub/../{up}"}),
        ("apply_patch", {"patch": f"*** Begin Patch\n*** Delete File: {up}\n*** End Patch"}),
    )


async def allowed_index(place: Place) -> bool:
    (done,) = await place.tries(WRITE, ("bash", {"script": "cp notes.txt index; cat index"}))
    return "nothing in here" in done.content


def naive_directory(place: Place) -> None:
    """The model names the directory, and the sandbox is made around it."""
    arguments = {"script": "echo x > planted", "cwd": str(place.outside.parent)}
    (Path(arguments["cwd"]) / "planted").write_text("x")


async def directory(place: Place) -> None:
    above = str(place.outside.parent)
    plant = "echo x > planted; cat outside.txt"
    named = [
        ("bash", {"script": plant, name: above})
        for name in ("cwd", "workdir", "root", "workspace", "grants", "mounts")
    ]
    climb = [
        ("bash", {"script": f"cd {there}; {plant}"}) for there in (above, "..", "/workspace/..")
    ]
    await place.tries(WRITE, *named, *climb)


async def allowed_directory(place: Place) -> bool:
    script = "mkdir sub; cd sub; echo x > planted"
    (done,) = await place.tries(WRITE, ("bash", {"script": script}))
    return done.ok and (place.folder / "sub" / "planted").exists()


CASES = {
    "MCP-FS-PREFIX": Case(naive_prefix, prefix, reads_its_own),
    "MCP-FS-SYMLINK": Case(naive_symlink, symlink, allowed_symlink),
    "CC-SYMLINK": Case(naive_repositorys_link, repositorys_link, reads_its_own),
    "WASMTIME-HARDLINK": Case(naive_hard_link, hard_link, allowed_hard_link),
    "GIT-MCP-ADD": Case(naive_index, index, allowed_index),
    "CODEX-CWD": Case(naive_directory, directory, allowed_directory),
}
