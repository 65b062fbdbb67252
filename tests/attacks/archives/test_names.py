"""Names of members that would drive the terminal of who lists them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.attacks.archives.hostile import MARK, OpenSession, Place, entry, tar_of, unpacked, zip_of


@pytest.mark.parametrize(
    ("make", "script"),
    [
        (tar_of(entry("a\x1b[2Jb")), "tar tf ../evil; tar xvf ../evil"),
        (zip_of(("a\x1b[2Jb", MARK, 0o100644)), "unzip -l ../evil; unzip -o ../evil"),
    ],
    ids=["tar", "zip"],
)
async def test_a_name_drives_no_terminal(
    make: Callable[[Place], bytes], script: str, place: Place, open_session: OpenSession
) -> None:
    data = make(place)
    assert b"\x1b[2J" in data
    (place.work / "evil").write_bytes(data)
    found = await unpacked(place, script, open_session)
    assert "a" in found.content
    assert "\x1b" not in found.content
