"""One engine for all cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.play import Boxes

from capbox.engine.home import Home


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Boxes]:
    """Give what plays cases; its boxes share one engine."""
    place = tmp_path_factory.mktemp("conformance")
    with Boxes(Home(place / "config", place / "state", cache), place) as opened:
        yield opened
