"""docs/tools.md is what its generator prints, and the generator describes everything there is."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from capbox.gate.protocol import RESERVED

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The generator, loaded from its file."""
    spec = importlib.util.spec_from_file_location("tools_page", ROOT / "docs" / "generate_tools.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_generator_prints(generator: ModuleType) -> None:
    page = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
    assert page == generator.page(), "run: make docs"


def test_every_code_field_and_bound_has_its_sentence(generator: ModuleType) -> None:
    assert generator.missing() == set()
    assert {"not_found", "no_match", "invalid_pattern"} <= generator.guest_codes()
    assert set(generator.CODES) >= RESERVED


@pytest.mark.parametrize("table", ["CODES", "RESULT", "LIMITS"])
def test_what_is_not_described_is_an_error_and_no_gap(generator: ModuleType, table: str) -> None:
    described = getattr(generator, table)
    name = next(iter(described))
    sentence = described.pop(name)
    try:
        with pytest.raises(ValueError, match=name):
            generator.page()
    finally:
        described[name] = sentence
