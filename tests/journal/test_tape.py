"""What a replay needs besides the journal: kept in order, named by its mark, bounded, closed."""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from capbox.engine.replay.kept import ReplayError, taped
from capbox.journal.event import RunId
from capbox.journal.tape import Tape

RUN = RunId("20260101-000000-run")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the tape of the run is."""
    return tmp_path / "replay" / f"{RUN}.tape"


def tape(file: Path, bytes_max: int = 1_000) -> Tape:
    """Make a tape; pruning is noted by a file beside it."""
    return Tape(file, bytes_max, lambda: (file.parent.parent / "pruned").touch())


def read(file: Path, mark: str) -> list[tuple[object, bytes]]:
    """Read it back: kind and body of each record."""
    return [(one.kind, one.body) for one in taped(file.parent, RUN, mark)]


def test_what_was_kept_is_read_back_up_to_the_mark(file: Path) -> None:
    one = tape(file)
    assert one.mark() == "" and not file.exists()
    one.append({"kind": "call"}, b"a\nb")
    mark = one.mark()
    one.append({"kind": "later"})
    assert read(file, mark) == [("call", b"a\nb")]
    assert read(file, one.mark()) == [("call", b"a\nb"), ("later", b"")]
    content = file.read_bytes()
    assert one.mark() == f"{len(content)}:{sha256(content).hexdigest()}"
    assert (file.parent.parent / "pruned").exists()


def test_it_is_closed_to_others_and_never_written_over(file: Path) -> None:
    old = os.umask(0)
    try:
        one = tape(file)
        one.append({"kind": "call"})
        assert one.mark()
    finally:
        os.umask(old)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    another = tape(file)
    another.append({"kind": "forged"})
    assert another.mark() == ""
    assert b"forged" not in file.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.replace(b"one", b"two"),
        lambda content: content[:-1],
        lambda content: b"",
        lambda content: content[len(content) // 2 :] + content[: len(content) // 2],
    ],
    ids=["changed", "cut off", "emptied", "reordered"],
)
def test_a_tape_that_is_not_what_its_mark_names_is_refused(file: Path, change) -> None:  # type: ignore[no-untyped-def]
    one = tape(file)
    one.append({"kind": "call"}, b"one")
    one.append({"kind": "call"}, b"three")
    mark = one.mark()
    assert len(read(file, mark)) == 2
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(ReplayError, match="it was changed, or cut off") as raised:
        read(file, mark)
    assert raised.value.forged


def test_a_link_in_its_place_is_not_followed(file: Path, tmp_path: Path) -> None:
    one = tape(file)
    one.append({"kind": "call"})
    assert one.mark()
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReplayError, match="cannot be read"):
        read(file, one.mark())


def test_what_does_not_fit_ends_it_and_says_so(file: Path) -> None:
    one = tape(file, bytes_max=200)
    one.append({"kind": "call"}, b"a" * 100)
    one.append({"kind": "call"}, b"b" * 100)
    one.append({"kind": "call"})
    mark = one.mark()
    assert [kind for kind, _ in read(file, mark)] == ["call", "full"]
    assert file.stat().st_size < 250


def test_what_is_no_json_is_not_kept_and_ends_nothing(file: Path) -> None:
    one = tape(file)
    for header in ({"x": float("nan")}, {"x": object()}):
        assert not one.append(header)  # type: ignore[arg-type]
    assert one.append({"kind": "call"})
    assert read(file, one.mark()) == [("call", b"")]


def test_nothing_is_written_before_it_is_named_unless_it_is_much(file: Path) -> None:
    one = tape(file, bytes_max=1 << 20)
    one.append({"kind": "call"})
    assert not file.exists()
    one.append({"kind": "http"}, b"a" * (1 << 17))
    assert file.stat().st_size > 1 << 17
    assert one.mark().startswith(f"{file.stat().st_size}:")


def test_a_tape_that_cannot_be_written_ends_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "replay").write_text("a file, where the folder would be")
    one = tape(tmp_path / "replay" / "x.tape")
    one.append({"kind": "call"})
    assert one.mark() == ""
