"""A Merkle tree over a log that only grows (RFC 9162, section 2): its root, proofs that a leaf is in it, and that a longer log continues a shorter
one.

Nothing here reads or writes anything. A tree is kept in tiles (as C2SP's tlog-tiles does): level 0 has the hashes of the leaves, 256 to a tile, level
1 the roots of full tiles of level 0, and so on. Every other node follows from those.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

HASH = 32
"""Bytes of a hash (SHA-256)."""
TILE_HEIGHT = 8
TILE = 1 << TILE_HEIGHT
"""Hashes in a full tile."""
Node = tuple[int, int]
"""A complete subtree: how many levels it has below its root, and how many of its size stand before it."""
Tile = tuple[int, int]
"""Level and index of a tile."""
NodeHash = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = hashlib.sha256(b"").digest()


@dataclass(slots=True)
class Edge:
    """All that is needed of a tree to add to it: its size, and the roots of the complete subtrees that it consists of, the largest first."""

    size: int = 0
    roots: list[bytes] = field(default_factory=list)

    @classmethod
    def read(cls, size: int, stored: bytes) -> "Edge":
        """From the roots in a row. Raises ValueError when they cannot be of a tree of this size."""
        if len(stored) != size.bit_count() * HASH:
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees")
        return cls(size, [stored[at : at + HASH] for at in range(0, len(stored), HASH)])

    def stored(self) -> bytes:
        return b"".join(self.roots)

    def append(self, leaf: bytes) -> list[bytes]:
        """Add the hash of a leaf. What the tiles get by it: at level 0 the leaf, at level 1 the root of a tile that is full now, and so on."""
        written, size, node, level = [leaf], self.size, leaf, 0
        while size & 1:
            node = node_hash(self.roots.pop(), node)
            size >>= 1
            level += 1
            if level % TILE_HEIGHT == 0:
                written.append(node)
        self.roots.append(node)
        self.size += 1
        return written

    def root(self) -> bytes:
        if not self.roots:
            return EMPTY_ROOT
        node = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            node = node_hash(left, node)
        return node


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root of a tree with these hashes of leaves."""
    edge = Edge()
    for leaf in leaves:
        edge.append(leaf)
    return edge.root()


def inclusion(node: NodeHash, index: int, size: int) -> list[bytes]:
    """The path that proves the leaf at `index` to be in the tree of `size` leaves (RFC 9162, 2.1.3.1). Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    return _path(node, index, 0, size)


def consistency(node: NodeHash, old: int, size: int) -> list[bytes]:
    """The proof that the tree of `old` leaves is how that of `size` leaves began (RFC 9162, 2.1.4.1). Raises ValueError."""
    if not 0 < old <= size:
        raise ValueError(f"a tree of {size} leaves does not continue one of {old}")
    return _subproof(node, old, 0, size, whole=True)


def _path(node: NodeHash, index: int, begin: int, end: int) -> list[bytes]:
    if end - begin == 1:
        return []
    middle = begin + _split(end - begin)
    if index < middle:
        return [*_path(node, index, begin, middle), _range(node, middle, end)]
    return [*_path(node, index, middle, end), _range(node, begin, middle)]


def _subproof(node: NodeHash, old: int, begin: int, end: int, *, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [_range(node, begin, end)]
    middle = begin + _split(end - begin)
    if old <= middle:
        return [*_subproof(node, old, begin, middle, whole=whole), _range(node, middle, end)]
    return [*_subproof(node, old, middle, end, whole=False), _range(node, begin, middle)]


def _range(node: NodeHash, begin: int, end: int) -> bytes:
    """The root over the leaves from `begin` up to `end`, where `begin` is a multiple of the largest power of two in their number."""
    size = end - begin
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return node(height, begin >> height)
    middle = begin + _split(size)
    return node_hash(_range(node, begin, middle), _range(node, middle, end))


def _split(size: int) -> int:
    """The largest power of two that is smaller."""
    return 1 << ((size - 1).bit_length() - 1)


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a path proves a leaf (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, node = index, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(other, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, other)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the tree of `size` leaves continues that of `old` (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(other, first), node_hash(other, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, other)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == root


class Tiles:
    """The nodes of a tree, from tiles that are at hand."""

    def __init__(self, tiles: dict[Tile, bytes]) -> None:
        self._tiles = tiles
        self._known: dict[Node, bytes] = {}

    def __call__(self, height: int, index: int) -> bytes:
        """Raises KeyError when its tile is not at hand, or does not reach so far."""
        known = self._known.get((height, index))
        if known is not None:
            return known
        (level, tile), begin, count = _place(height, index)
        stored = self._tiles[level, tile][begin * HASH : (begin + count) * HASH]
        if len(stored) != count * HASH:
            raise KeyError((height, index))
        found = root_of(stored[at : at + HASH] for at in range(0, len(stored), HASH))
        self._known[height, index] = found
        return found


def tiles_of(nodes: Callable[[NodeHash], object]) -> set[Tile]:
    """Which tiles a proof is made of: `nodes` makes it, of whatever hashes it is given."""
    found: set[Tile] = set()

    def note(height: int, index: int) -> bytes:
        found.add(_place(height, index)[0])
        return EMPTY_ROOT

    nodes(note)
    return found


def _place(height: int, index: int) -> tuple[Tile, int, int]:
    """The tile that has a complete subtree's hashes, the first of them in it, and how many they are."""
    level, above = divmod(height, TILE_HEIGHT)
    first = index << above
    return (level, first >> TILE_HEIGHT), first % TILE, 1 << above
