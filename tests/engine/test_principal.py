"""What a principal says in words becomes exactly these grants and places, or is refused whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.authority.paths import Place
from capbox.engine.principal import resolve
from capbox.engine.settings import Settings, SettingsError


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with files and links, beside one that is outside."""
    folder = tmp_path / "work"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "with space.txt").write_text("a")
    (folder / 'quote".txt').write_text("a")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "o.txt").write_text("o")
    (folder / "inward").symlink_to("sub")
    (folder / "outward").symlink_to(tmp_path / "outside")
    (tmp_path / "door").symlink_to(folder)
    return folder


def texts(settings: Settings) -> list[str]:
    """The grants that settings stand for, as canonical text."""
    return [str(grant) for grant in resolve(settings).grants]


@pytest.mark.parametrize(
    ("reads", "grant"),
    [
        ("a.txt", "read:/workspace/a.txt"),
        (".", "read:/workspace"),
        ("sub/../a.txt", "read:/workspace/a.txt"),
        ("/workspace/sub", "read:/workspace/sub"),
        ("with space.txt", 'read:"/workspace/with space.txt"'),
        ('quote".txt', 'read:"/workspace/quote\\".txt"'),
        ("{workspace}/a.txt", "read:/workspace/a.txt"),
        ("../outside", "read:{outside}"),
        ("{outside}/o.txt", "read:{outside}/o.txt"),
        ("inward", "read:/workspace/sub"),
        ("../door/a.txt", "read:/workspace/a.txt"),
    ],
)
def test_a_flag_path_counts_from_the_workspace(workspace: Path, reads: str, grant: str) -> None:
    outside = str(workspace.parent / "outside")
    filled = reads.replace("{workspace}", str(workspace)).replace("{outside}", outside)
    asked = texts(Settings(workspace, reads=(filled,)))
    assert asked == [grant.replace("{outside}", outside)]


@pytest.mark.parametrize(
    ("more", "subject"),
    [
        ({"reads": ("missing.txt",)}, "read:/workspace/missing.txt"),
        ({"writes": ("missing/new.txt",)}, "write:/workspace/missing/new.txt"),
        ({"writes": ("missing/",)}, "missing/"),
        ({"writes": ("/workspace/missing/",)}, "/workspace/missing/"),
        ({"writes": ("a.txt/",)}, "a.txt/"),
        ({"reads": ("outward/o.txt",)}, "read:/workspace/outward/o.txt"),
        ({"writes": ("outward/new.txt",)}, "write:/workspace/outward/new.txt"),
        ({"grants": ("read:a.txt",)}, "read:a.txt"),
        ({"grants": ("read:/workspace/../x",)}, "read:/workspace/../x"),
        ({"grants": ("reads:/workspace",)}, "reads:/workspace"),
        ({"grants": ("",)}, ""),
        ({"preset": "yolo"}, "--preset"),
        ({"maps": ("/nowhere=/mnt/x",)}, "--map /nowhere=/mnt/x"),
        ({"maps": ("sub=/elsewhere/x",)}, "/elsewhere/x"),
        ({"maps": ("sub=/mnt/../x",)}, "/mnt/../x"),
        ({"maps": ("sub=/mnt/x", "../outside=/mnt/x")}, "/mnt/x"),
        ({"maps": ("=/mnt/x",)}, "--map =/mnt/x"),
        ({"maps": ("sub=/mnt/x:rx",)}, "--map sub=/mnt/x:rx"),
        ({"maps": ("sub=/mnt/x:rw:rw",)}, "--map sub=/mnt/x:rw:rw"),
        ({"env": ("UNSET",)}, "--env UNSET"),
        ({"env": ("A B",)}, "--env A B"),
        ({"env": ("A B=3",)}, "--env A B=3"),
        ({"env": ("=x",)}, "--env =x"),
        ({"secrets": ("A@https://a.example", "B@https://a.example")}, "secret:B@https://a.example"),
        (
            {
                "grants": (
                    "secret:A@https://a.test header=X",
                    "secret:B@https://a.test header=x",
                )
            },
            "secret:B@https://a.test header=x",
        ),
    ],
)
def test_one_word_that_cannot_be_granted_refuses_all(
    workspace: Path, more: dict[str, tuple[str, ...]], subject: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        resolve(Settings(workspace, **{"reads": ("a.txt",), **more}))
    assert refused.value.subject == subject


def test_two_secrets_go_to_one_origin_in_headers_of_their_own(workspace: Path) -> None:
    texts = ("secret:A@https://a.example", "secret:B@https://a.test header=X-Key")
    other = "secret:A@https://b.example"
    found = resolve(Settings(workspace, grants=(*texts, other, texts[0])))
    assert tuple(map(str, found.grants)) == (*texts, other)


@pytest.mark.parametrize(
    ("grant", "twins"),
    [
        ("read:{above}", ["read:/workspace"]),
        ("write:{above} expires=5m", ["write:/workspace expires=5m"]),
        ("read:/", ["read:/workspace"]),
        ("read:{above} uses=1", []),
        ("read:{above} except=*.log", []),
        ("read:{above}/outside", []),
    ],
)
def test_a_grant_above_the_workspace_covers_it_by_its_own_name_too(
    workspace: Path, grant: str, twins: list[str]
) -> None:
    filled = grant.replace("{above}", str(workspace.parent))
    assert texts(Settings(workspace, grants=(filled,))) == [filled, *twins]


@pytest.mark.parametrize("path", ["/workspace", "/workspace/sub"])
def test_a_grant_in_the_workspace_grants_nothing_above_it(workspace: Path, path: str) -> None:
    assert texts(Settings(workspace, reads=(path,))) == [f"read:{path}"]


@pytest.mark.parametrize("name", ["missing", "a.txt"])
def test_a_workspace_is_a_directory(workspace: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="not a directory"):
        resolve(Settings(workspace / name))


def test_a_workspace_with_control_characters_in_its_path_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad\nname").mkdir()
    with pytest.raises(SettingsError, match="control characters"):
        resolve(Settings(tmp_path / "bad\nname"))


def test_a_workspace_behind_a_link_is_the_folder_itself(workspace: Path) -> None:
    asked = resolve(Settings(workspace.parent / "door"))
    assert asked.layout.workspace == str(workspace)


def test_a_link_swapped_after_resolving_changes_nothing(workspace: Path) -> None:
    asked = resolve(Settings(workspace, reads=("inward",)))
    (workspace / "inward").unlink()
    (workspace / "inward").symlink_to("/etc")
    assert [str(grant) for grant in asked.grants] == ["read:/workspace/sub"]


@pytest.mark.parametrize("name", ["new.txt", "sub/new.txt"])
def test_a_file_may_be_granted_for_writing_before_it_exists(workspace: Path, name: str) -> None:
    assert texts(Settings(workspace, writes=(name,))) == [f"write:/workspace/{name}"]


@pytest.mark.parametrize(("suffix", "action"), [("", "read"), (":ro", "read"), (":rw", "write")])
def test_a_map_grants_what_it_shows_and_shows_it_there(
    workspace: Path, suffix: str, action: str
) -> None:
    outside = str(workspace.parent / "outside")
    asked = resolve(Settings(workspace, maps=(f"../outside=/mnt/there{suffix}",)))
    assert [str(grant) for grant in asked.grants] == [f"{action}:{outside}"]
    assert asked.layout.mounts == (Place(outside, "/mnt/there"),)


def test_a_host_path_with_an_equals_sign_can_be_mapped(workspace: Path) -> None:
    (workspace.parent / "a=b").mkdir()
    asked = resolve(Settings(workspace, maps=("../a=b=/mnt/there",)))
    assert asked.layout.mounts == (Place(str(workspace.parent / "a=b"), "/mnt/there"),)


def test_two_outside_folders_of_one_name_get_two_places(workspace: Path) -> None:
    for parent in ("one", "two"):
        (workspace.parent / parent / "docs").mkdir(parents=True)
    asked = resolve(Settings(workspace, reads=("../one/docs", "../two/docs")))
    assert [place.guest for place in asked.layout.mounts] == ["/mnt/docs", "/mnt/docs-2"]


def test_the_value_of_a_bare_variable_stays_out_of_the_grant(workspace: Path) -> None:
    """Grants stand in the journal and in the prompt; a value from the host must not."""
    asked = texts(Settings(workspace, env=("KEY", "MODE=a b"), environ={"KEY": "hunter2"}))
    assert asked == ["env:KEY", 'env:"MODE=a b"']


def test_the_same_grant_twice_is_one(workspace: Path) -> None:
    settings = Settings(workspace, reads=("a.txt",), grants=("read:/workspace/a.txt",))
    assert texts(settings) == ["read:/workspace/a.txt"]


@pytest.mark.parametrize(
    ("folder", "refused"),
    [("home/.config", True), ("home/.config/nvim", False), ("repo/.git", True), ("repo", False)],
)
def test_a_workspace_that_hides_what_its_files_are_is_refused(
    tmp_path: Path, folder: str, refused: bool
) -> None:
    """Seen from ~/.config, the token in gh/hosts.yml has an innocent name."""
    workspace = tmp_path / folder
    workspace.mkdir(parents=True)
    if refused:
        with pytest.raises(SettingsError, match="choose one above it"):
            resolve(Settings(workspace=workspace))
    else:
        assert resolve(Settings(workspace=workspace)).layout.workspace == str(workspace)


@pytest.mark.parametrize("empty", [Settings(reads=("",)), Settings(writes=("",))])
def test_an_empty_path_is_refused_and_is_not_the_workspace(empty: Settings) -> None:
    """It is what an unset shell variable leaves."""
    with pytest.raises(SettingsError, match="empty"):
        resolve(empty)
