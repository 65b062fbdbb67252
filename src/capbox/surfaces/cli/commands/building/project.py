"""`capbox tool new|build`: a folder for a tool of one's own, and its module.

Guarantees: what went wrong names the file and what to do; each step says the next one.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import JsonObject
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.sandbox.spec import Module
    from capbox.tools.sdk.building.toolchain import Workshop
    from capbox.tools.sdk.project import Project

Folder = Annotated[
    Path, typer.Argument(metavar="[DIR]", help="The folder of the tool.", show_default=False)
]


def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As agents will call it.")],
    *,
    lang: Annotated[
        str, typer.Option("--lang", metavar="python|javascript|c|zig|go|rust")
    ] = "python",
    as_json: AsJson = False,
) -> int:
    """Make a folder NAME with a small tool that works, to be changed into yours."""
    from capbox.tools.available import available
    from capbox.tools.sdk.project import LANGUAGES
    from capbox.tools.sdk.starting import start

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    language = next((one for one in LANGUAGES if one == lang), None)
    if language is None:
        raise usage(f"--lang {lang}: there are: {', '.join(LANGUAGES)}")
    taken = available(entry.guests(), entry.home().tools).tools.get(name)
    if taken is not None and taken.module.shipped:
        raise usage(f"{name} is the name of a tool that capbox brings; choose another one")
    with told():
        made = start(Path(name), name, language)
    if as_json:
        screen.json({"folder": name, "files": [str(path) for path in made]})
        return 0
    for path in made:
        screen.line(str(path))
    source = next(path for path in made if path.suffix in _SOURCES)
    screen.say(f"next: change {source}, then: capbox tool build {name}", "bold")
    return 0


_SOURCES = (".py", ".js", ".c", ".zig", ".go", ".rs")


def build(
    ctx: typer.Context,
    folder: Folder = Path(),
    *,
    get_toolchain: Annotated[
        bool,
        typer.Option("--get-toolchain", help="Get a compiler that is missing, without asking."),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Build the module of the tool in DIR (default: this folder)."""
    from capbox.tools.inspection.inspecting import InspectionError, inspect_folder
    from capbox.tools.sdk.building.keeping import in_use
    from capbox.tools.sdk.building.sources import keep, sources
    from capbox.tools.sdk.project import read_project

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    with told():
        project = read_project(folder)
        workshop = workshop_of(entry, screen, unasked=get_toolchain)
        before = sources(folder, project.language)
        with in_use(workshop.place):
            _make(project, workshop, entry, screen)
    found = inspect_folder(folder)
    if isinstance(found, InspectionError):
        raise failed(f"{found.where}: {found.message}")
    with told():
        keep(project, before, found.digest)
    if found.obstacles:
        raise failed(f"{project.built}: capbox cannot run it: it {'; it '.join(found.obstacles)}")
    if as_json:
        screen.json({"module": str(project.built), "size": found.size, "sha256": found.digest})
        return 0
    screen.line(f"{project.built}  {found.size:,} bytes  sha256 {found.digest}")
    screen.say(f"next: capbox tool test {shlex.quote(str(folder))}", "bold")
    return 0


def _make(project: Project, workshop: Workshop, entry: Entry, screen: Screen) -> None:
    import anyio

    from capbox.tools.sdk.building.compiled import compile_module

    match project.language:
        case "python":
            anyio.run(_pack, project, workshop, entry, screen)
        case "javascript":
            anyio.run(_pack_modules, project, workshop, entry, screen)
        case _:
            compile_module(project, workshop)


async def _pack(project: Project, workshop: Workshop, entry: Entry, screen: Screen) -> None:
    from capbox.sandbox.image.packing import SLOW, packed
    from capbox.sandbox.image.sections import PackingError
    from capbox.tools.sdk.building.keeping import INTERPRETERS
    from capbox.tools.sdk.project import BuildError
    from capbox.tools.sdk.python.packing import build as build_python

    async def pack(folders: Mapping[str, Path], target: Path) -> None:
        screen.say(f"packing {project.source} into CPython")
        base = entry.guests() / "cpython.wasm"
        try:
            await packed(base, folders, target, workshop.place / INTERPRETERS)
        except PackingError as error:
            said = str(error) if str(error) == SLOW else f"it could not be packed: {error}"
            raise BuildError(str(project.source), said) from error

    async def describe(folder: Path) -> JsonObject:
        return await described(folder, project.source, entry, screen)

    await build_python(project, workshop, pack, describe)


async def _pack_modules(project: Project, workshop: Workshop, entry: Entry, screen: Screen) -> None:
    from capbox.tools.sdk.javascript.packing import build as build_javascript

    async def describe(folder: Path) -> JsonObject:
        return await described(folder, project.source, entry, screen)

    screen.say(f"packing {project.source} into the JavaScript engine")
    await build_javascript(project, workshop, entry.guests() / "javascript.wasm", describe)


async def described(folder: Path, source: Path, entry: Entry, screen: Screen) -> JsonObject:
    """Return what the function in `folder` says of itself, in the sandbox and without any right.

    Raises BuildError.
    """
    from capbox.engine.settings import Settings
    from capbox.tools.folder import load_folder
    from capbox.tools.registry import RegistryError
    from capbox.tools.sdk.describing import SECONDS_MAX
    from capbox.tools.sdk.project import BuildError

    found = load_folder(folder)
    if isinstance(found, RegistryError):
        raise BuildError(found.where, found.message)
    engine = entry.open_engine(screen.say, False)
    engine.own = (found,)
    with tempfile.TemporaryDirectory(prefix="capbox-build-") as empty:
        settings = Settings(workspace=Path(empty), environ={})
        async with engine, entry.open_session(engine, settings, None) as session:
            result = await session.call(found.manifest.name, {})
    if result.data is None:
        _forget(found.module, entry)
        said = "it says nothing of itself" if result.error is None else result.error.message
        if result.error is not None and result.error.code == "time":
            said = f"what it does when it is loaded takes more than {SECONDS_MAX} seconds"
        raise BuildError(str(source), said)
    return result.data


def _forget(module: Module, entry: Entry) -> None:
    """Remove what was compiled of a module that is no tool: the next build makes another one."""
    from capbox.sandbox.cache import names

    for name in names(module):
        Path(entry.home().cache, "compiled", name).unlink(missing_ok=True)


def workshop_of(entry: Entry, screen: Screen, *, unasked: bool = False) -> Workshop:
    """Return where tools are built; a compiler that is missing is got if somebody agrees."""
    from capbox.tools.sdk.building.toolchain import Workshop

    home = entry.home()
    home.prepare()
    return Workshop(entry.environ, home.cache, screen.say, _agrees(screen, unasked=unasked))


def _agrees(screen: Screen, *, unasked: bool) -> Callable[[str], bool]:
    def ask(question: str) -> bool:
        import anyio

        from capbox.surfaces.cli.terminal import Terminal, is_terminal

        if unasked or not is_terminal():
            return unasked
        answer = anyio.run(lambda: Terminal(screen).ask(f"{question} [y/N] ", fresh=True))
        return (answer or "").lower() in ("y", "yes")

    return ask


@contextmanager
def told() -> Generator[None]:
    """Turn a BuildError of the block into the failure of the command."""
    from capbox.tools.sdk.project import BuildError

    try:
        yield
    except BuildError as error:
        raise failed(str(error)) from error


def failed(message: str) -> CommandFailure:
    """Return the failure of a command that could not make or check a tool."""
    return CommandFailure("build_failed", message, 1)
