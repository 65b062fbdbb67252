"""A wildcard never spans the hosts of strangers."""

from __future__ import annotations

import pytest

from capbox.authority.web.places import FetchSelector, parse_fetch
from capbox.authority.web.suffixes import is_public_suffix


@pytest.mark.parametrize(
    ("suffix", "below"),
    [
        ("com", "example.com"),
        ("co.uk", "example.co.uk"),
        ("github.io", "someone.github.io"),
        ("s3.amazonaws.com", "bucket.s3.amazonaws.com"),
        ("herokuapp.com", "app.herokuapp.com"),
        ("pages.dev", "site.pages.dev"),
        ("kawasaki.jp", "city.kawasaki.jp"),
        ("any.kawasaki.jp", "a.any.kawasaki.jp"),
        ("ck", "www.ck"),
        ("internal", "corp.internal"),
        ("localhost", "app.localhost"),
        ("local", "printer.local"),
        ("xn--p1ai", "example.xn--p1ai"),
        ("xn--55qx5d.cn", "example.xn--55qx5d.cn"),
    ],
)
def test_a_public_suffix_takes_no_wildcard_and_what_is_below_does(suffix: str, below: str) -> None:
    assert is_public_suffix(suffix) and not is_public_suffix(below)
    assert isinstance(parse_fetch(f"https://*.{suffix}"), str)
    assert isinstance(parse_fetch(f"https://*.{below}"), FetchSelector)
    assert isinstance(parse_fetch(f"https://{below}"), FetchSelector)
