"""The operator's configuration is whole or refused: what it misspells is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.engine.operator import read_operator, read_rules
from capbox.engine.settings import SettingsError

URL = "https://search.example/search"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (f'url = "{URL}?q={{query}}&n={{count}}"', None),
        (f'url = "{URL}"\nbody = \'{{"q": "{{query}}", "more": {{}}}}\'', None),
        (
            f'url = "{URL}?q={{qurey}}"',
            "[search] url: unknown {qurey}; known are {query} and {count}",
        ),
        (
            f'url = "{URL}?q={{query}}"\nbody = "n={{cuont}}"',
            "[search] body: unknown {cuont}; known are {query} and {count}",
        ),
        (f'url = "{URL}?q=query"', "[search] needs {query} in url or body"),
        (f'url = "{URL}?n={{count}}"\nbody = "{{}}"', "[search] needs {query} in url or body"),
    ],
)
def test_what_stands_for_the_words_is_spelt_as_it_is_known(
    lines: str, reason: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[search]\n{lines}\nresults = "results"\n', encoding="utf-8")
    if reason is None:
        assert read_operator(file).search is not None
        return
    with pytest.raises(SettingsError) as error:
        read_operator(file)
    assert (error.value.reason, str(file) in str(error.value)) == (reason, True)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("reed /x", 'a rule is "read PATH" or "write PATH"'),
        ("read **/notes.txt", "the path of a rule is absolute, or starts with ~/"),
    ],
)
def test_a_never_rule_that_is_none_is_named_with_its_key(
    tmp_path: Path, rule: str, reason: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"never = ['{rule}']")
    with pytest.raises(SettingsError) as refused:
        read_rules(file, tmp_path)
    assert str(refused.value) == f"{file}: in never = [...]: {rule!r}: {reason}"
