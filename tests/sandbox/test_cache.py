"""The compile cache: private, complete, and compiled once."""

# ruff: noqa: ASYNC240 - small local files, and polling for what has no event

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from capbox.authority.paths import HostPath
from capbox.sandbox.cache import CacheError, CompileCache, CompileError
from capbox.sandbox.engine import EngineKey
from capbox.sandbox.spec import Job, Module

PLAIN, DEEP, METERED = (
    EngineKey(False, 1 << 20),
    EngineKey(False, 2 << 20),
    EngineKey(True, 1 << 20),
)
WAT = '(module (func (export "_start")))'


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "new" / "cache"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def cache(directory: Path, said: list[str]) -> CompileCache:
    return CompileCache(HostPath(str(directory)), said.append)


@pytest.fixture
def module(job: Callable[..., Job]) -> Module:
    return job(WAT).module


async def test_a_module_is_compiled_once_for_each_engine_that_needs_other_code(
    cache: CompileCache, directory: Path, said: list[str], module: Module
) -> None:
    paths: dict[EngineKey, HostPath] = {}

    async def one(key: EngineKey) -> None:
        paths[key] = await cache.compiled(module, key)

    async with anyio.create_task_group() as tasks:
        for key in (PLAIN, DEEP, METERED, PLAIN):
            tasks.start_soon(one, key)
    assert paths[PLAIN] == paths[DEEP] != paths[METERED]
    assert said == [f"compiling {Path(module.path).name} (once; some seconds)"] * 2
    assert sorted(map(str, directory.iterdir())) == sorted(set(paths.values()))
    assert {f.stat().st_mode & 0o777 for f in directory.iterdir()} == {0o600}
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (cache.clear(), list(directory.iterdir())) == (2, [])


async def test_two_caches_of_one_process_may_compile_the_same_module(
    directory: Path, module: Module
) -> None:
    caches = [CompileCache(HostPath(str(directory)), lambda line: None) for _ in range(3)]
    paths: list[HostPath] = []

    async def one(cache: CompileCache) -> None:
        paths.append(await cache.compiled(module, PLAIN))

    async with anyio.create_task_group() as tasks:
        for cache in caches:
            tasks.start_soon(one, cache)
    assert paths == [str(only) for only in directory.iterdir()] * 3


async def test_what_is_no_webassembly_is_the_tools_fault_and_leaves_nothing(
    cache: CompileCache, directory: Path, job: Callable[..., Job]
) -> None:
    with pytest.raises(CompileError, match=r"could not be compiled: it is not WebAssembly"):
        await cache.compiled(job("garbage").module, PLAIN)
    assert list(directory.iterdir()) == []


async def test_another_file_than_the_one_that_was_asked_for_is_not_compiled(
    cache: CompileCache, directory: Path, module: Module
) -> None:
    for wrong in (replace(module, digest="0" * 64), replace(module, path=HostPath("/nowhere"))):
        with pytest.raises(CacheError, match="could not be compiled"):
            await cache.compiled(wrong, PLAIN)
    assert list(directory.iterdir()) == []


async def test_a_planted_link_is_replaced_and_not_followed(
    cache: CompileCache, module: Module, tmp_path: Path
) -> None:
    path = Path(await cache.compiled(module, PLAIN))
    path.rename(tmp_path / "planted")
    path.symlink_to(tmp_path / "planted")
    assert Path(await cache.compiled(module, PLAIN)) == path
    assert not path.is_symlink()


DIRECTORIES: dict[str, tuple[Callable[[Path], object], str]] = {
    "open to others": (lambda d: (d.mkdir(0o755, parents=True), d.chmod(0o755)), "chmod 700"),
    "open to a group": (lambda d: (d.mkdir(0o710, parents=True), d.chmod(0o710)), "chmod 700"),
    "a link": (lambda d: (d.parent.mkdir(), d.symlink_to("/tmp")), "not a directory of this user"),
    "a file": (lambda d: (d.parent.mkdir(), d.touch()), "cannot be made"),
    "below a file": (lambda d: d.parent.touch(), "cannot be made"),
}


@pytest.mark.parametrize("name", DIRECTORIES)
async def test_a_directory_that_others_could_write_is_refused(
    name: str, cache: CompileCache, directory: Path, module: Module
) -> None:
    prepare, message = DIRECTORIES[name]
    prepare(directory)
    with pytest.raises(CacheError, match=message):
        await cache.compiled(module, PLAIN)


async def test_a_directory_of_another_user_is_refused(
    cache: CompileCache, directory: Path, module: Module
) -> None:
    if os.geteuid():
        pytest.skip("only root can give a directory away")
    directory.mkdir(0o700, parents=True)
    os.chown(directory, 65534, 65534)
    with pytest.raises(CacheError, match="not a directory of this user"):
        await cache.compiled(module, PLAIN)


def test_clearing_takes_halves_of_killed_compilers_along(
    cache: CompileCache, directory: Path
) -> None:
    assert cache.clear() == 0
    directory.mkdir(0o700, parents=True)
    (directory / "x.1.part").touch()
    (directory / "note.txt").touch()
    assert (cache.clear(), [f.name for f in directory.iterdir()]) == (1, ["note.txt"])
