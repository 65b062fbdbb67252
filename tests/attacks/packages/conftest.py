"""A workshop of its own for each attack, and what it holds afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tools.packages.making import Person, workshop

from capbox.engine.home import Home
from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.installing.install import Workshop, install
from capbox.tools.packages.installing.place import Installed
from capbox.tools.packages.installing.plan import Wishes
from capbox.tools.packages.problem import PackageError


@pytest.fixture
def shop(home: Home) -> Workshop:
    """What installs in this test."""
    return workshop(home)


@pytest.fixture
def refused(shop: Workshop) -> Callable[..., str]:
    """Try to install a layout for somebody who says yes to everything; return why not.

    Nothing may be left of it.
    """

    def attempt(layout: Layout | Path, wishes: Wishes | None = None) -> str:
        before = state(shop)
        folder = layout.folder if isinstance(layout, Layout) else layout
        with pytest.raises(PackageError) as caught:
            install(shop, folder, wishes or Wishes(unsigned=True), Person())
        assert state(shop) == before, "a refused package has left something"
        return str(caught.value)

    return attempt


def state(shop: Workshop) -> tuple[object, ...]:
    """Return all that installing could change."""
    files = {
        str(path.relative_to(shop.place.root)): path.read_bytes()
        for path in sorted(shop.place.root.rglob("*"))
        if path.is_file()
    }
    files.pop("packages.lock", None)
    return files, dict(shop.publishers.known())


def in_force(shop: Workshop) -> list[tuple[str, str]]:
    """Return names and versions of what is installed."""
    found = shop.place.installed()
    return [(one.name, one.version) for one in found if isinstance(one, Installed)]
