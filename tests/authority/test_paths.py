"""Lexical rules on paths, and the layout that maps host, guest and grant paths."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.authority.paths import (
    GrantPath,
    GuestPath,
    HostPath,
    Inside,
    Layout,
    Outside,
    PathRefusal,
    Place,
    below,
    hostile_character,
    is_canonical,
    joined,
    normalise,
    quoted,
    under,
)

HOME = HostPath("/home/u/project")
CWD = GuestPath("/workspace/src")
LAYOUT = Layout(HOME, (Place(HostPath("/data/set"), GuestPath("/mnt/set")),))


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("/a/b", "/a/b", True),
        ("/a/b/c", "/a/b", True),
        ("/a/b2", "/a/b", False),
        ("/a", "/a/b", False),
        ("/a/b", "/", True),
        ("/", "/", True),
        ("/a/B", "/a/b", False),
    ],
)
def test_under_compares_whole_segments(path: str, root: str, expected: bool) -> None:
    assert under(path, root) is expected


segments = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1)


@given(st.lists(segments), segments, segments)
def test_a_longer_last_segment_is_never_under_the_shorter_one(
    front: list[str], name: str, more: str
) -> None:
    root = "/" + "/".join([*front, name])
    assert not under(root + more, root)
    assert under(f"{root}/{more}", root)
    assert joined(root, below(f"{root}/{more}", root)) == f"{root}/{more}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.txt", "/workspace/src/a.txt"),
        (".", "/workspace/src"),
        ("../b", "/workspace/b"),
        ("../../../../etc/passwd", "/etc/passwd"),
        ("//a//b/./c/", "/a/b/c"),
        ("/a/../b", "/b"),
        ("/", "/"),
        ("-rf", "/workspace/src/-rf"),
        ("~/x", "/workspace/src/~/x"),
        ("a b\"'$(id)", "/workspace/src/a b\"'$(id)"),
    ],
)
def test_a_path_is_resolved_lexically(text: str, expected: str) -> None:
    assert normalise(text, CWD) == expected


@pytest.mark.parametrize(
    "text", ["", "a\0b", "a\nb", "a\x7f", "a\u202eb", "a\u2066", "a\u200f", "\ud800", "a\u2028b"]
)
def test_a_path_that_could_deceive_is_refused(text: str) -> None:
    assert isinstance(normalise(text, CWD), PathRefusal)
    assert LAYOUT.locate(text, CWD) == normalise(text, CWD)


def test_characters_that_deceive_are_the_controls_separators_surrogates_and_bidi_marks() -> None:
    marks = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    kinds = ("Cc", "Cs", "Zl", "Zp")
    bad = [c for c in map(chr, range(0x10000)) if unicodedata.category(c) in kinds or c in marks]
    good = "".join(sorted({*map(chr, range(0x11000))} - {*bad}))
    assert hostile_character(good) is None
    assert [c for c in bad if hostile_character(f"ab{c}{c}") != 2] == []


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a", "a"),
        ("é=\\", "é=\\"),
        ("", '""'),
        ("é b", '"é b"'),
        ("a\u00a0b", '"a\u00a0b"'),
        ('a"b', r'"a\"b"'),
    ],
)
def test_a_text_is_quoted_where_a_reader_would_need_it(text: str, printed: str) -> None:
    assert quoted(text) == printed


@given(st.text(), st.sampled_from(["/workspace", "/", "/tmp/x"]))
def test_a_normalised_path_is_canonical_and_stays_the_same(text: str, cwd: str) -> None:
    path = normalise(text, GuestPath(cwd))
    if isinstance(path, str):
        assert is_canonical(path)
        assert normalise(path, GuestPath("/elsewhere")) == path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.txt", Inside(GuestPath("/workspace/src/a.txt"), GrantPath("/workspace/src/a.txt"))),
        ("/home/u/project/a", Inside(GuestPath("/workspace/a"), GrantPath("/workspace/a"))),
        ("/home/u/project2/a", Outside(GrantPath("/home/u/project2/a"))),
        ("/home/u", Outside(GrantPath("/home/u"))),
        ("/mnt/set/x", Inside(GuestPath("/mnt/set/x"), GrantPath("/data/set/x"))),
        ("/data/set/x", Inside(GuestPath("/mnt/set/x"), GrantPath("/data/set/x"))),
        ("/data/set2/x", Outside(GrantPath("/data/set2/x"))),
        ("/mnt/other/x", Outside(GrantPath("/mnt/other/x"))),
        ("/tmp/x", Inside(GuestPath("/tmp/x"), None)),
        ("/tmpx", Outside(GrantPath("/tmpx"))),
        ("../../etc/passwd", Outside(GrantPath("/etc/passwd"))),
    ],
)
def test_every_spelling_of_an_argument_is_located(text: str, expected: Inside | Outside) -> None:
    assert LAYOUT.locate(text, CWD) == expected


def test_a_workspace_below_the_host_tmp_is_the_workspace_and_not_scratch() -> None:
    layout = Layout(HostPath("/tmp/ws"))
    assert layout.locate("/tmp/ws/a", CWD) == Inside(
        GuestPath("/workspace/a"), GrantPath("/workspace/a")
    )
    assert layout.locate("/tmp/ws2/a", CWD) == Inside(GuestPath("/tmp/ws2/a"), None)


@pytest.mark.parametrize(
    ("guest", "host"),
    [
        ("/workspace/a", "/home/u/project/a"),
        ("/workspace", "/home/u/project"),
        ("/mnt/set/x", "/data/set/x"),
        ("/mnt/set2", None),
        ("/tmp/x", None),
        ("/workspace2", None),
        ("/", None),
    ],
)
def test_a_guest_path_has_the_host_path_of_its_mount(guest: str, host: str | None) -> None:
    assert LAYOUT.host_of(GuestPath(guest)) == host


def test_granted_host_paths_get_unique_names_and_nested_ones_share_a_mount() -> None:
    granted = ["/workspace/x", "/a/set", "/b/set", "/a/set/deep", "/home/u/project/in", "/c/set"]
    layout = Layout.of(HOME, map(GrantPath, granted))
    assert isinstance(layout, Layout)
    assert [(p.host, p.guest) for p in layout.mounts] == [
        ("/a/set", "/mnt/set"),
        ("/b/set", "/mnt/set-2"),
        ("/c/set", "/mnt/set-3"),
    ]
    assert layout.guest_of(GrantPath("/a/set/deep/x")) == "/mnt/set/deep/x"
    assert layout.guest_of(GrantPath("/a/other")) is None


def test_a_granted_path_below_another_shares_its_mount_whichever_is_first() -> None:
    for granted in [("/a/set/deep", "/a/set"), ("/a/set", "/a/set/deep"), ("/a/set", "/a/set")]:
        layout = Layout.of(HOME, map(GrantPath, granted))
        assert isinstance(layout, Layout)
        assert [(p.host, p.guest) for p in layout.mounts] == [("/a/set", "/mnt/set")]


def test_a_mapped_place_wins_over_the_name_made_up() -> None:
    place = Place(HostPath("/a/set"), GuestPath("/mnt/input"))
    layout = Layout.of(HOME, [GrantPath("/a/set"), GrantPath("/b/input")], [place])
    assert isinstance(layout, Layout)
    assert [(p.host, p.guest) for p in layout.mounts] == [
        ("/a/set", "/mnt/input"),
        ("/b/input", "/mnt/input-2"),
    ]


def test_the_root_of_the_host_gets_a_name() -> None:
    layout = Layout.of(HOME, [GrantPath("/")])
    assert isinstance(layout, Layout)
    assert [(p.host, p.guest) for p in layout.mounts] == [("/", "/mnt/root")]


def test_of_two_mounts_one_below_the_other_the_nearer_one_shows_a_path() -> None:
    whole, part = (
        Place(HostPath(h), GuestPath(g)) for h, g in (("/a", "/mnt/x"), ("/a/b", "/mnt/y"))
    )
    for mapped in [(whole, part), (part, whole)]:
        layout = Layout.of(HOME, [], mapped)
        assert isinstance(layout, Layout)
        assert layout.guest_of(GrantPath("/a/b/c")) == "/mnt/y/c"
        assert layout.guest_of(GrantPath("/a/bc")) == "/mnt/x/bc"


@pytest.mark.parametrize(
    ("workspace", "guest", "host", "grant"),
    [
        # What is below /workspace for the guest is there for a grant, wherever the host has it.
        ("/workspace/p", "/workspace/a", "/workspace/p/a", "/workspace/a"),
        ("/", "/workspace/a", "/a", "/workspace/a"),
        ("/w", "/workspace/a", "/w/a", "/workspace/a"),
        ("/w", "/w/a", None, None),
    ],
)
def test_a_guest_path_in_the_workspace_is_a_grant_path(
    workspace: str, guest: str, host: str | None, grant: str | None
) -> None:
    layout = Layout(HostPath(workspace))
    assert layout.host_of(GuestPath(guest)) == host
    assert layout.grant_of(GuestPath(guest)) == grant


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", True),
        ("/a/b", True),
        ("", False),
        ("a", False),
        ("/a/", False),
        ("//a", False),
        ("/a/../b", False),
        ("/a/.", False),
        ("/a\0", False),
    ],
)
def test_only_an_absolute_resolved_path_is_canonical(path: str, expected: bool) -> None:
    assert is_canonical(path) is expected


@pytest.mark.parametrize("guest", ["/workspace/x", "/mnt", "/mnt/", "/mnt/../etc", "/tmp", "x"])
def test_a_place_outside_mnt_is_refused(guest: str) -> None:
    place = Place(HostPath("/a"), GuestPath(guest))
    assert isinstance(Layout.of(HOME, [], [place]), PathRefusal)


@pytest.mark.parametrize(
    ("one", "other", "refused"),
    [
        ("/mnt/x", "/mnt/x", True),
        ("/mnt/x", "/mnt/x/y", True),
        ("/mnt/x/y/z", "/mnt/x", True),
        ("/mnt/x", "/mnt/xy", False),
        ("/mnt/d/x", "/mnt/d/y", False),
    ],
)
def test_two_host_paths_are_never_at_one_place_or_one_inside_the_other(
    one: str, other: str, refused: bool
) -> None:
    places = [Place(HostPath(h), GuestPath(g)) for h, g in (("/a", one), ("/b", other))]
    assert isinstance(Layout.of(HOME, [], places), PathRefusal) is refused


def test_a_name_made_up_is_never_above_a_mapped_place() -> None:
    place = Place(HostPath("/b"), GuestPath("/mnt/set/deep"))
    layout = Layout.of(HOME, [GrantPath("/a/set")], [place])
    assert isinstance(layout, Layout)
    assert layout.guest_of(GrantPath("/a/set/deep")) == "/mnt/set-2/deep"


hosts = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(lambda s: "/" + "/".join(s))
guests = hosts.map(lambda path: GuestPath("/mnt" + path))


@given(hosts, st.lists(hosts), st.lists(st.builds(Place, hosts.map(HostPath), guests)), hosts)
def test_what_a_guest_path_stands_for_on_the_host_is_what_the_grant_said(
    workspace: str, granted: list[str], mapped: list[Place], path: str
) -> None:
    layout = Layout.of(HostPath(workspace), map(GrantPath, granted), mapped)
    if isinstance(layout, Layout):
        guest = layout.guest_of(GrantPath(path))
        assert guest is None or layout.host_of(guest) == path
        assert guest is None or layout.grant_of(guest) == layout.canonical(path)
