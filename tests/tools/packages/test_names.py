"""Names of packages are two plain words, versions are ordered, look-alikes are seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from capbox.tools.packages.names import (
    PackageName,
    Version,
    is_version,
    looks_like,
    package_name,
    shown,
    version,
)
from capbox.tools.packages.problem import PackageError


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("alice/hello", True),
        ("a/b", True),
        ("alice-2/my_tool-3", True),
        (f"alice/{'x' * 64}", True),
        (f"alice/{'x' * 65}", False),
        (f"{'x' * 40}/hello", False),
        *(
            (text, False)
            for text in (
                *("", "alice", "alice/", "/hello", "alice/hello/more", "Alice/hello", "1a/b"),
                *("alice/-x", "alice/x-", "alice/x__y", "alice/x.y", "alice/x\n", "al ice/x"),
                *("alice/héllo", "аlice/hello", "alice/..", "../hello", "alice\\hello"),
            )
        ),
    ],
)
def test_a_name_is_two_plain_words(text: str, taken: bool) -> None:
    if taken:
        assert str(package_name(text)) == text
    else:
        with pytest.raises(PackageError, match="is no name of a package: it is NAMESPACE/TOOL"):
            package_name(text)


@given(some.text(max_size=30))
def test_whatever_is_taken_for_a_name_leads_nowhere(text: str) -> None:
    try:
        found = package_name(text)
    except PackageError:
        return
    assert found == PackageName(*text.split("/")) and text.isascii()
    assert not {".", "..", ""} & set(text.split("/"))


@pytest.mark.parametrize(
    "text",
    ["", "v1.0", "1.0.0.0.0", "01.0", "1.0+build", "1.0-", "1..0", "latest", "1.0-a..b", "1 .0",
     "1.0\n", "1." + "9" * 10, "1.0-" + "x" * 64],
)  # fmt: skip
def test_what_is_no_version_is_refused(text: str) -> None:
    assert not is_version(text)
    with pytest.raises(PackageError, match="is no version"):
        version(text)


def test_versions_are_in_order() -> None:
    """As semver.org orders them, which the one list here is in."""
    before = ["alpha", "alpha.1", "alpha.beta", "beta.2", "beta.11", "rc.1"]
    listed = ["0.0.9", *(f"0.1.0-{one}" for one in before), "0.1.0", "0.1.1", "0.2", "0.10.0", "1"]
    assert sorted(reversed(listed), key=lambda text: version(text).key) == listed
    assert version("1").key == version("1.0").key == version("1.0.0.0").key


PART = some.integers(0, 10**9 - 1).map(str)
VERSIONS = some.builds(
    lambda numbers, word: Version(".".join(numbers) + (f"-{word}" if word else "")),
    some.lists(PART, min_size=1, max_size=4),
    some.from_regex(r"([0-9A-Za-z]{1,4}(\.[0-9A-Za-z]{1,4}){0,2})?", fullmatch=True),
)


@given(VERSIONS, VERSIONS)
def test_any_two_versions_can_be_compared(one: Version, two: Version) -> None:
    assert (one.key < two.key) + (one.key == two.key) + (one.key > two.key) == 1
    assert version(one.text) == one


@pytest.mark.parametrize(
    ("name", "other", "alike"),
    [
        ("read", "read", False),
        ("raed", "read", True),
        ("rea", "read", True),
        ("reads", "read", True),
        ("bead", "read", True),
        ("re-ad", "read", True),
        ("gl0b", "glob", True),
        ("g1ob", "glob", True),
        ("gioh", "glob", False),
        ("rnath", "math", True),
        ("pyth0n", "python", True),
        ("write", "read", False),
        ("weather", "whether", False),
        ("a", "b", False),
        ("ls", "cs", False),
    ],
)
def test_a_name_that_could_be_taken_for_another_is_seen(name: str, other: str, alike: bool) -> None:
    assert (looks_like(name, other), looks_like(other, name)) == (alike, alike)


def test_what_a_stranger_wrote_is_shown_short_and_plain() -> None:
    assert shown("a\u202eb\x1b") == "a\\u202eb\\u001b"
    assert shown("x" * 100) == "x" * 80 + "..."
