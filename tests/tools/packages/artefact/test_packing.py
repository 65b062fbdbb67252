"""A folder is packed to one digest, whatever the machine and the moment; nothing else goes in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.tools.packages.making import ALICE, facts_of, manifest, module, tool

from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.artefact.package import put_signature, read_package
from capbox.tools.packages.artefact.packing import pack
from capbox.tools.packages.problem import PackageError

TEXT = manifest(required=["read:*"], optional=["fetch:https://a.example"])


def test_the_same_folder_gives_the_same_digest(tmp_path: Path) -> None:
    first = tool(tmp_path, TEXT, readme="# Hello\n")
    (first / "notes.txt").write_text("not a part of it")
    second = tmp_path / "elsewhere"
    second.mkdir()
    for name in ("hello.wasm", "README.md", "tool.toml"):  # another order, another time
        shutil.copyfile(first / name, second / name)
        os.utime(second / name, (1, 1))
        (second / name).chmod(0o600)
    outs = [tmp_path / "one", tmp_path / "two"]
    digests = set()
    for folder, out in zip((first, second), outs, strict=True):
        out.mkdir()
        digests.add(pack(folder, "alice", out)[1].digest)
    assert len(digests) == 1
    files = [
        {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
        for out in outs
    ]
    assert files[0] == files[1] and len(files[0]) == 7
    assert not any(b"not a part of it" in content for content in files[0].values())


def test_another_byte_or_namespace_is_another_digest(tmp_path: Path) -> None:
    folder = tool(tmp_path, TEXT)
    digests = [pack(folder, space, tmp_path)[1].digest for space in ("alice", "bob")]
    (folder / "hello.wasm").write_bytes(module("other"))
    digests.append(pack(folder, "alice", tmp_path)[1].digest)
    (folder / "README.md").write_text("new")
    digests.append(pack(folder, "alice", tmp_path)[1].digest)
    assert len(set(digests)) == 4


def test_a_signature_stays_with_the_same_content_and_is_not_replaced_by_other(
    tmp_path: Path,
) -> None:
    folder = tool(tmp_path, TEXT)
    layout, package = pack(folder, "alice", tmp_path)
    signed = put_signature(layout, package, ALICE.sign(package.statement))
    again = pack(folder, "alice", tmp_path)[1]
    assert (again.digest, again.signature) == (package.digest, signed.signature)
    (folder / "README.md").write_text("new")
    with pytest.raises(PackageError, match="is signed, and has other content") as refused:
        pack(folder, "alice", tmp_path)
    assert "raise the version" in str(refused.value)
    assert read_package(layout).signature == signed.signature
    assert not list(tmp_path.glob(".*"))
    (folder / "tool.toml").write_text(manifest(version="0.2.0"))
    assert pack(folder, "alice", tmp_path)[1].signature is None


def test_a_damaged_package_is_replaced(tmp_path: Path) -> None:
    folder = tool(tmp_path, TEXT)
    layout, package = pack(folder, "alice", tmp_path)
    put_signature(layout, package, ALICE.sign(package.statement))
    (layout.folder / "index.json").write_text("{}")
    assert pack(folder, "alice", tmp_path)[1].digest == read_package(layout).digest
    assert read_package(layout).signature is None


def test_a_package_is_read_as_it_was_packed(tmp_path: Path) -> None:
    layout, package = pack(tool(tmp_path, TEXT, readme="# Hello\n"), "alice", tmp_path)
    assert layout.folder == tmp_path / "hello-0.1.0.oci"
    assert read_package(Layout(layout.folder)).digest == package.digest
    assert (str(package.name), str(package.version)) == ("alice/hello", "0.1.0")
    assert (package.text, package.signature) == (TEXT, None)
    assert layout.read(package.artefact.config).startswith(b'{"access":"none"')
    assert facts_of(TEXT)["requests"] == {
        "required": ["read:*"],
        "optional": ["fetch:https://a.example"],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (manifest(version="one"), "is no version"),
        (manifest("hello__you"), "is no name of a package"),
        (manifest(required=["all:*"]), "requests.required"),
        (manifest(description="x" * 70_000), "its description and requests have over 65,536 bytes"),
    ],
)
def test_what_could_not_be_installed_is_not_packed(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=said):
        pack(tool(tmp_path, text), "alice", tmp_path)
    assert not list(tmp_path.glob("*.oci")) and not list(tmp_path.glob(".*"))


def test_links_and_other_files_are_not_packed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3")
    folder = tool(tmp_path, TEXT)
    (folder / "README.md").symlink_to(secret)
    assert pack(folder, "alice", tmp_path)[1].artefact.readme is None
    (folder / "hello.wasm").unlink()
    (folder / "hello.wasm").symlink_to(secret)
    with pytest.raises(PackageError, match="is a link"):
        pack(folder, "alice", tmp_path)


def test_what_is_no_package_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "hello-0.1.0.oci").mkdir()
    (tmp_path / "hello-0.1.0.oci" / "mine").write_text("kept")
    with pytest.raises(PackageError, match="is there, and is no package: move it away"):
        pack(tool(tmp_path, TEXT), "alice", tmp_path)
    assert (tmp_path / "hello-0.1.0.oci" / "mine").read_text() == "kept"
