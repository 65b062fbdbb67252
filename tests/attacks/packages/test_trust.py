"""Packages that somebody else made, or an older one: keys, signatures, versions, names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.attacks.packages import naive
from tests.attacks.packages.conftest import in_force
from tests.tools.packages.making import (
    ALICE,
    MALLORY,
    Person,
    blob,
    crafted,
    facts_of,
    honest,
    manifest,
    module,
    packed,
)

from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.artefact.package import put_signature, read_package
from capbox.tools.packages.installing.install import Workshop, install
from capbox.tools.packages.installing.plan import Wishes
from capbox.tools.packages.names import PackageName, Version
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.signatures.signature import (
    SIGNATURE,
    Signature,
    Statement,
    fingerprint,
    signature,
)

Refused = Callable[..., str]
EVIL = module("evil")


def key_of(layout: Layout) -> str:
    """Return the fingerprint under a package."""
    found = read_package(layout).signature
    assert found is not None
    return found.fingerprint


def naively(layout: Layout, tmp_path: Path, name: str = "hello") -> bytes:
    """Return the module that is there after the naive installer took this package."""
    naive.install(layout.folder, tmp_path / "naive")
    return (tmp_path / "naive" / f"{name}.wasm").read_bytes()


def test_another_key_is_refused_with_both_fingerprints(
    tmp_path: Path, shop: Workshop, refused: Refused
) -> None:
    true, _ = packed(tmp_path, manifest())
    install(shop, true.folder, Wishes(), Person())
    other, _ = packed(tmp_path, manifest(version="0.2.0"), EVIL, key=MALLORY)
    assert naively(other, tmp_path) == EVIL
    said = refused(other)
    assert key_of(true) in said and key_of(other) in said and key_of(true) != key_of(other)
    assert refused(other, Wishes(key=key_of(true))).endswith(f"not with {key_of(true)}")
    assert in_force(shop) == [("alice/hello", "0.1.0")]


def test_a_key_that_a_person_names_takes_the_place_of_the_known_one(
    tmp_path: Path, shop: Workshop, refused: Refused
) -> None:
    """What stands beside the refusal: a publisher has a new key, and told of it."""
    install(shop, packed(tmp_path, manifest())[0].folder, Wishes(), Person())
    new, _ = packed(tmp_path, manifest(version="0.2.0"), key=MALLORY)
    person = Person()
    install(shop, new.folder, Wishes(key=key_of(new)), person)
    assert len(person.asked) == 1, "another key is asked about"
    assert in_force(shop) == [("alice/hello", "0.2.0")]
    old, _ = packed(tmp_path, manifest(version="0.3.0"), key=ALICE)
    assert key_of(old) in refused(old)


def test_a_package_without_its_signature_is_refused(
    tmp_path: Path, shop: Workshop, refused: Refused
) -> None:
    install(shop, packed(tmp_path, manifest())[0].folder, Wishes(), Person())
    bare, _ = packed(tmp_path, manifest(version="0.2.0"), EVIL, key=None)
    assert naively(bare, tmp_path) == EVIL
    assert "is not signed, but alice is known" in refused(bare, Wishes(unsigned=True))


def test_a_package_that_nobody_signed_is_taken_only_as_such(
    tmp_path: Path, shop: Workshop, refused: Refused
) -> None:
    bare, _ = packed(tmp_path, manifest(), key=None)
    assert "anybody may have made it" in refused(bare, Wishes())
    install(shop, bare.folder, Wishes(unsigned=True), Person())
    assert in_force(shop) == [("alice/hello", "0.1.0")] and not shop.publishers.known()


def lent(tmp_path: Path, statement: Statement) -> Layout:
    """Make a package that bears a true signature of alice's, over another statement."""
    layout, package = packed(tmp_path, manifest(version="0.2.0"), EVIL, key=None)
    put_signature(layout, package, ALICE.sign(statement))
    return layout


@pytest.mark.parametrize("word", ["name", "version", "digest"])
def test_a_signature_over_something_else_is_refused(
    word: str, tmp_path: Path, refused: Refused
) -> None:
    _, true = packed(tmp_path, manifest(version="0.2.0"), EVIL, key=None)
    other = {
        "name": replace(true.statement, name=PackageName("alice", "other")),
        "version": replace(true.statement, version=Version("0.1.0")),
        "digest": replace(true.statement, digest="sha256:" + "0" * 64),
    }
    assert f"is over another {word}" in refused(lent(tmp_path, other[word]))


def test_a_forged_or_damaged_signature_is_no_missing_one(tmp_path: Path, refused: Refused) -> None:
    layout, package = packed(tmp_path, manifest())
    assert package.signature is not None
    evil, made = packed(tmp_path, manifest(), EVIL, key=None)
    forged = replace(package.signature, statement=made.statement)
    put_signature(evil, made, forged)
    assert "does not check" in refused(evil, Wishes(unsigned=True))
    listed = next(one for one in layout.entries() if one.artifact_type == SIGNATURE)
    blob(layout, listed).write_bytes(b"{}")
    assert "it was changed" in refused(layout, Wishes(unsigned=True))


def test_an_older_version_is_refused(tmp_path: Path, shop: Workshop, refused: Refused) -> None:
    """It was signed by the true publisher once, and has a hole that is known by now."""
    old, _ = packed(tmp_path, manifest(version="0.9.0"), EVIL)
    install(shop, packed(tmp_path, manifest(version="0.10.0"))[0].folder, Wishes(), Person())
    assert naively(old, tmp_path) == EVIL
    assert "0.9.0 is older than 0.10.0" in refused(old, Wishes())
    install(shop, old.folder, Wishes(downgrade=True), Person())
    assert in_force(shop) == [("alice/hello", "0.9.0")]


def test_another_artefact_under_the_same_version_is_refused(
    tmp_path: Path, shop: Workshop, refused: Refused
) -> None:
    install(shop, packed(tmp_path, manifest())[0].folder, Wishes(), Person())
    again, _ = packed(tmp_path, manifest(), EVIL)
    assert "is another 0.1.0 than the installed one" in refused(again, Wishes())


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["read", "bash", "todo", "ask_user", "skill", "python"])
def test_a_tool_never_has_the_name_of_a_tool_of_capbox(
    name: str, tmp_path: Path, refused: Refused
) -> None:
    layout, _ = packed(tmp_path, manifest(name), EVIL)
    assert naively(layout, tmp_path, name) == EVIL
    assert "has the name of a tool" in refused(layout)


def test_a_tool_never_has_the_name_of_another_publishers(
    tmp_path: Path, shop: Workshop, refused: Refused
) -> None:
    install(shop, packed(tmp_path, manifest())[0].folder, Wishes(), Person())
    other, _ = packed(tmp_path, manifest(), EVIL, key=MALLORY, namespace="mallory")
    assert "has the name of the tool of alice/hello" in refused(other)


@pytest.mark.parametrize(
    "name", ["../../etc", "alice/../bob", "аlice/hello", "alice/hello\u202e", "ALICE/hello", "/x"]
)
def test_a_name_that_is_a_path_or_hides_something_is_refused(
    name: str, tmp_path: Path, refused: Refused
) -> None:
    text = manifest()
    layout = crafted(tmp_path / "p.oci", honest(text), {**facts_of(text), "name": name})
    said = refused(layout)
    assert "is no name of a package" in said and said.isprintable()


def test_facts_of_another_name_than_the_tool_has_are_refused(
    tmp_path: Path, refused: Refused
) -> None:
    text = manifest("evil")
    layout = crafted(tmp_path / "p.oci", honest(text), {**facts_of(text), "name": "alice/hello"})
    assert "its tool is named evil, not hello" in refused(layout)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("raed", "read"),
        ("reed", "read"),
        ("gl0b", "glob"),
        ("ba-sh", "bash"),
        ("searchh", "search"),
    ],
)
def test_a_name_that_looks_like_another_is_shown(
    name: str, other: str, tmp_path: Path, shop: Workshop
) -> None:
    person = Person(yes=False)
    layout, _ = packed(tmp_path, manifest(name))
    with pytest.raises(Exception, match="was refused"):
        install(shop, layout.folder, Wishes(), person)
    (plan,) = person.asked
    assert any(f"{name} looks like {other}" in one for one in plan.warnings)


def test_a_namespace_that_looks_like_a_known_one_is_shown(tmp_path: Path, shop: Workshop) -> None:
    install(shop, packed(tmp_path, manifest())[0].folder, Wishes(), Person())
    layout, _ = packed(tmp_path, manifest("mirror"), key=MALLORY, namespace="a1ice")
    person = Person()
    install(shop, layout.folder, Wishes(), person)
    assert person.asked[0].warnings == (
        "its namespace a1ice looks like alice, which is known here",
    )
    assert fingerprint(shop.publishers.known()["alice"].key) != key_of(layout)


PRIME = 2**255 - 19
Point = tuple[int, int]


def added(one: Point, other: Point) -> Point:
    """Add two points of edwards25519 (RFC 8032, 5.1.4)."""
    (a, b), (c, d) = one, other
    part = -121_665 * pow(121_666, -1, PRIME) * a * b * c * d
    return (
        (a * d + c * b) * pow(1 + part, -1, PRIME) % PRIME,
        (b * d + a * c) * pow(1 - part, -1, PRIME) % PRIME,
    )


def weak_keys() -> set[bytes]:
    """Return each spelling of each point of small order: those of one of order 8, eight times."""
    y = 2707385501144840649318225287225658788936804267575313519463743609750303402022
    square = (y * y - 1) * pow(-121_665 * pow(121_666, -1, PRIME) * y * y + 1, -1, PRIME) % PRIME
    root = pow(square, (PRIME + 3) // 8, PRIME)
    x = root if root * root % PRIME == square else root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    points = [(0, 1)]
    for _ in range(7):
        points.append(added(points[-1], (x, y)))
    assert len(set(points)) == 8 and added(points[-1], (x, y)) == (0, 1)
    spelt = {y for _, one in points for y in (one, one + PRIME) if y < 1 << 255}
    return {(y | sign << 255).to_bytes(32, "little") for y in spelt for sign in (0, 1)}


def openssl_takes(made: Signature) -> bool:
    """Say whether the library takes a signature."""
    try:
        Ed25519PublicKey.from_public_bytes(made.key).verify(made.signature, made.statement.bytes)
    except InvalidSignature:
        return False
    return True


def test_a_key_that_fits_every_package_is_refused() -> None:
    """OpenSSL takes such a key: what nobody signed would check, as anything."""
    nobodys = (1).to_bytes(32, "little") + bytes(32)
    statement = Statement(PackageName("alice", "hello"), Version("1.0"), "sha256:" + "0" * 64)
    keys, fitting = weak_keys(), 0
    assert len(keys) == 14
    for key in keys:
        for number in range(64):
            expected = replace(statement, version=Version(f"{number}.0"))
            made = Signature(expected, key, nobodys)
            fitting += openssl_takes(made)
            with pytest.raises(PackageError, match="is with a key that fits other packages too"):
                signature(made.to_bytes(), expected)
    assert fitting > 64
