"""A signer with a fixed key, and a journal in a temporary directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from capbox.journal.head import Signer
from capbox.journal.log import Journal


@pytest.fixture
def signer() -> Signer:
    """A key that is the same in every test."""
    return Signer(b"k" * 32)


@pytest.fixture
def journal(tmp_path: Path, signer: Signer) -> Iterator[Journal]:
    """An open, empty journal."""
    opened = Journal(tmp_path / "journal", signer)
    yield opened
    opened.close()
