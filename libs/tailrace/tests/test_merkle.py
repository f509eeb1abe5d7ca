"""The tree over a log: roots as RFC 9162 defines them, proofs that hold for what is true and for nothing else."""

import hashlib
from functools import partial

import pytest

from tailrace.verify.merkle import (
    EMPTY_ROOT,
    HASH,
    TILE,
    Edge,
    Tiles,
    consistency,
    inclusion,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
    tiles_of,
)

LEAVES = [leaf_hash(str(number).encode()) for number in range(700)]
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 31, 255, 256, 257, 511, 512, 513, 700]


def defined(leaves: list[bytes]) -> bytes:
    """The root by RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(defined(leaves[:k]), defined(leaves[k:]))


def tiled(leaves: list[bytes]) -> dict[tuple[int, int], bytes]:
    tiles: dict[tuple[int, int], bytes] = {}
    edge = Edge()
    for leaf in leaves:
        for level, hash in enumerate(edge.append(leaf)):
            entry = (edge.size >> (8 * level)) - 1
            at = (level, entry // TILE)
            tiles[at] = tiles.get(at, b"") + hash
    return tiles


TILES = tiled(LEAVES)


def test_the_root_is_that_of_the_rfc() -> None:
    # The test vectors of certificate-transparency-go: leaves 0 to 7 of its `LeafInputs`.
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(each)) for each in inputs]
    assert root_of(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of(leaves[:2]).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert root_of(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", [0, *SIZES])
def test_the_root_is_what_the_definition_says(size: int) -> None:
    assert root_of(LEAVES[:size]) == defined(LEAVES[:size])


@pytest.mark.parametrize("size", SIZES)
def test_each_leaf_is_proven_and_no_other(size: int) -> None:
    node, root = Tiles(TILES), root_of(LEAVES[:size])
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        path = inclusion(node, index, size)
        assert is_included(LEAVES[index], index, size, path, root)
        assert not is_included(LEAVES[index + 1] if index + 1 < len(LEAVES) else LEAVES[0], index, size, path, root)
        assert not is_included(LEAVES[index], index, size, [*path, root], root)
        if size > 1:
            assert not is_included(LEAVES[index], (index + 1) % size, size, path, root)
            assert not is_included(LEAVES[index], index, size, path[:-1], root)


@pytest.mark.parametrize("size", SIZES)
def test_a_longer_log_continues_a_shorter_and_no_other(size: int) -> None:
    node, root = Tiles(TILES), root_of(LEAVES[:size])
    for old in {1, 2, 3, size // 2, size - 1, size} & set(range(1, size + 1)):
        proof = consistency(node, old, size)
        assert is_consistent(old, root_of(LEAVES[:old]), size, root, proof)
        assert not is_consistent(old, root_of(LEAVES[1 : old + 1]), size, root, proof)
        if old < size:
            assert not is_consistent(old, root_of(LEAVES[:old]), size, root_of([*LEAVES[: size - 1], root]), proof)
            assert not is_consistent(old, root_of(LEAVES[:old]), size, root, proof[:-1])


def test_a_proof_needs_few_tiles() -> None:
    needed = tiles_of(partial(inclusion, index=3, size=700))
    assert needed <= {(0, 0), (0, 2), (1, 0)}
    few = Tiles({at: TILES[at] for at in needed})
    assert is_included(LEAVES[3], 3, 700, inclusion(few, 3, 700), root_of(LEAVES))


def test_an_edge_goes_on_from_where_it_was_stored() -> None:
    edge = Edge()
    for leaf in LEAVES[:300]:
        edge.append(leaf)
    again = Edge.read(edge.size, edge.stored())
    for leaf in LEAVES[300:]:
        again.append(leaf)
    assert (again.size, again.root()) == (700, root_of(LEAVES))
    with pytest.raises(ValueError, match="complete subtrees"):
        Edge.read(3, b"\0" * HASH)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_what_is_not_in_the_log_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion(Tiles(TILES), index, size)
    assert not is_included(LEAVES[0], index, size, [], LEAVES[0])
