"""What a head signs of each document: which record is its newest, and how many it has; so that the newest cannot be cut off unseen.

Documents are sorted into 65,536 buckets by the first 16 bits of their key, the SHA-256 of topic and id. A bucket's hash is over the keys and
standings in it, sorted; a Merkle tree over all buckets has the root that is signed. A proof is one whole bucket and 16 hashes: keys of random ids,
which tell nobody what else there is. It proves a standing, and proves as well that a document has none.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import rfc8785

from tailrace.verify.merkle import HASH, TILE, node_hash

BITS = 16
LEVELS = 2
"""Of tiles: 256 of them with the hashes of buckets, and one with their roots."""


class NotProven(Exception):
    """What is said of a document does not follow from the root that was signed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a document has come: its newest record by epoch and sequence, how many there are, and where in the log the newest stands."""

    topic: str
    document: str
    epoch: int
    sequence: int
    records: int
    last: int

    @property
    def key(self) -> bytes:
        return key_of(self.topic, self.document)

    def pair(self) -> bytes:
        """Key and hash, as its bucket has them."""
        return self.key + self.hash()

    def hash(self) -> bytes:
        said: dict[str, Any] = {
            "document": self.document,
            "epoch": self.epoch,
            "last": self.last,
            "records": self.records,
            "sequence": self.sequence,
            "topic": self.topic,
        }
        return hashlib.sha256(rfc8785.dumps(said)).digest()


@lru_cache(maxsize=256)
def _quoted(topic: str) -> str:
    return json.dumps(topic, ensure_ascii=False)


def pair_of(topic: str, document: UUID, epoch: int, sequence: int, records: int, last: int) -> bytes:
    """`Standing.pair` of what a log has itself, without the checks of a canonical form: a head is over thousands of them."""
    said = (
        f'{{"document":"{document}","epoch":{epoch},"last":{last},"records":{records},"sequence":{sequence},'
        f'"topic":{_quoted(topic)}}}'
    )
    return key_of(topic, str(document)) + hashlib.sha256(said.encode()).digest()


def key_of(topic: str, document: str) -> bytes:
    return hashlib.sha256(f"{topic}/{document}".encode()).digest()


def bucket_of(key: bytes) -> int:
    return int.from_bytes(key[:2], "big")


def bucket_hash(pairs: Iterable[bytes]) -> bytes:
    """Over the pairs of one bucket, whatever order they come in."""
    return hashlib.sha256(b"\x02" + b"".join(sorted(pairs))).digest()


def _empties() -> tuple[bytes, ...]:
    found = [bucket_hash(())]
    for _ in range(BITS):
        found.append(node_hash(found[-1], found[-1]))
    return tuple(found)


EMPTY = _empties()
"""The hash over nothing but empty buckets, by height."""


def blank(level: int) -> bytes:
    """A tile of a tree without documents."""
    return EMPTY[8 * level] * TILE


def with_hashes(tile: bytes, changed: Mapping[int, bytes]) -> bytes:
    """The tile, with other hashes at these places."""
    fresh = bytearray(tile)
    for place, hash in changed.items():
        fresh[place * HASH : (place + 1) * HASH] = hash
    return bytes(fresh)


def tile_root(tile: bytes) -> bytes:
    sha256, level = hashlib.sha256, tile
    while len(level) > HASH:  # two neighbours at a time: `merkle.node_hash` of both, without parting them first
        level = b"".join(
            [sha256(b"\x01" + level[at : at + 2 * HASH]).digest() for at in range(0, len(level), 2 * HASH)]
        )
    return level


def path_in(tile: bytes, place: int) -> list[bytes]:
    """The hashes beside the way from one place of a tile up to its root, the lowest first."""
    nodes, path = [tile[at : at + HASH] for at in range(0, len(tile), HASH)], []
    while len(nodes) > 1:
        path.append(nodes[place ^ 1])
        nodes = [node_hash(nodes[at], nodes[at + 1]) for at in range(0, len(nodes), 2)]
        place >>= 1
    return path


def root_over(standings: Iterable[Standing]) -> bytes:
    """The root over all documents there are."""
    buckets: dict[int, list[bytes]] = {}
    for standing in standings:
        buckets.setdefault(bucket_of(standing.key), []).append(standing.pair())
    nodes = {bucket: bucket_hash(pairs) for bucket, pairs in buckets.items()}
    for height in range(BITS):
        parents = {place >> 1 for place in nodes}
        empty = EMPTY[height]
        nodes = {at: node_hash(nodes.get(2 * at, empty), nodes.get(2 * at + 1, empty)) for at in parents}
    return nodes.get(0, EMPTY[BITS])


def follow(known: MutableMapping[tuple[str, str], Standing], entry: Mapping[str, Any]) -> None:
    """Let one more record count, in the order of the log."""
    at = (entry["topic"], entry["document"])
    before = known.get(at)
    many = 1 if before is None else before.records + 1
    known[at] = Standing(*at, entry["epoch"], entry["sequence"], many, entry["position"])


def proven(proof: Mapping[str, Any], topic: str, document: str, root: bytes) -> Standing:
    """The standing that a proof (`bucket`: pairs in hex, `path`: hashes in hex, `standing`) shows of a document. Raises NotProven."""
    said = proof["standing"]
    standing = Standing(topic, document, said["epoch"], said["sequence"], said["records"], said["last"])
    pairs = [bytes.fromhex(each) for each in proof["bucket"]]
    if not is_proven(pairs, [bytes.fromhex(each) for each in proof["path"]], standing.key, root):
        raise NotProven("what is said of the document is not in what was signed")
    if standing.pair() not in pairs:
        raise NotProven("the document's newest record is not the one that was signed")
    return standing


def is_proven(pairs: Sequence[bytes], path: Sequence[bytes], key: bytes, root: bytes) -> bool:
    """Whether these are the pairs of the bucket that a key belongs to."""
    keys = [pair[:HASH] for pair in pairs]
    if len(path) != BITS or len(set(keys)) != len(keys) or any(len(pair) != 2 * HASH for pair in pairs):
        return False
    node, place = bucket_hash(pairs), bucket_of(key)
    for other in path:
        node = node_hash(other, node) if place & 1 else node_hash(node, other)
        place >>= 1
    return node == root
