"""The two trees of a company in their tiles: over the records, and over the newest record of each document."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, LargeBinary, Row, Text, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from audit.models import Document, Log, Record, Tile
from tailrace.db.database import Tx
from tailrace.db.text_search.among import among
from tailrace.verify import documents
from tailrace.verify.documents import Standing
from tailrace.verify.merkle import HASH, TILE, TILE_HEIGHT, NodeHash, Tiles, tiles_of

RECORDS, DOCUMENTS = "records", "documents"
_AT_ONCE = 4096
"""Buckets whose documents are read at once."""

_FRESH = (
    func.unnest(
        bindparam("trees", type_=ARRAY(Text)),
        bindparam("levels", type_=ARRAY(BigInteger)),
        bindparam("numbers", type_=ARRAY(BigInteger)),
        bindparam("contents", type_=ARRAY(LargeBinary)),
    )
    .table_valued("tree", "level", "number", "hashes", name="fresh")
    .render_derived()
)
_tiles: Any = Tile.__table__
_insert = insert(_tiles).from_select(
    ["tenant_id", "tree", "level", "number", "hashes"], select(bindparam("tenant", type_=Tile.tenant_id.type), _FRESH)
)
_KEY = ["tenant_id", "tree", "level", "number"]
_LENGTHEN = _insert.on_conflict_do_update(
    index_elements=_KEY, set_={"hashes": _tiles.c.hashes.op("||")(_insert.excluded.hashes)}
)
_REPLACE = _insert.on_conflict_do_update(index_elements=_KEY, set_={"hashes": _insert.excluded.hashes})
_logs: Any = Log.__table__
_NEW_LOG = (
    insert(_logs)
    .values(size=0, newest=b"\x00" * HASH, edge=b"", signed=0, waiting=0, documents=0, tenant_id=bindparam("tenant"))
    .on_conflict_do_nothing()
)


async def locked(tx: Tx) -> Log:
    """The company's log, made when it is not there yet, locked until the transaction ends."""
    query = select(Log).with_for_update().execution_options(populate_existing=True)
    found = await tx.scalar(query)
    if found is None:
        await tx.execute(_NEW_LOG, {"tenant": tx.tenant_id})
        found = (await tx.scalars(query)).one()
    return found


class Growth:
    """What tiles get by records that are added one after the other."""

    def __init__(self) -> None:
        self._fresh: dict[tuple[int, int], bytearray] = {}

    def add(self, position: int, written: Sequence[bytes]) -> None:
        """What the record at a position wrote, by level (`merkle.Edge.append`)."""
        for level, hash in enumerate(written):
            entry = ((position + 1) >> (TILE_HEIGHT * level)) - 1
            self._fresh.setdefault((level, entry >> TILE_HEIGHT), bytearray()).extend(hash)

    async def write(self, tx: Tx) -> None:
        await _write(tx, _LENGTHEN, RECORDS, self._fresh)


async def _write(tx: Tx, statement: Any, tree: str, tiles: Mapping[tuple[int, int], bytes | bytearray]) -> None:
    at = sorted(tiles)
    given = {
        "tenant": tx.tenant_id,
        "trees": [tree] * len(at),
        "levels": [level for level, _ in at],
        "numbers": [index for _, index in at],
        "contents": [bytes(tiles[each]) for each in at],
    }
    if at:
        await tx.execute(statement, given)


async def _read(tx: Tx, tree: str, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    query = select(Tile.level, Tile.number, Tile.hashes).where(
        Tile.tree == tree, tuple_(Tile.level, Tile.number).in_(wanted)
    )
    return {(row.level, row.number): row.hashes for row in await tx.execute(query)}


async def nodes_for(tx: Tx, *proofs: Any) -> NodeHash:
    """The nodes that these proofs are made of: each a function of a NodeHash, as in `lambda node: inclusion(node, 3, 8)`."""
    wanted = set().union(*(tiles_of(proof) for proof in proofs))
    return Tiles(await _read(tx, RECORDS, sorted(wanted)))


async def renew_documents(tx: Tx, since: int) -> bytes:
    """Bring the tree over the documents up to their newest records, of which those from position `since` on are new to it; its root."""
    told = select(Record.topic, Record.document_id).where(Record.position >= since).distinct().subquery()
    theirs = (Document.topic == told.c.topic) & (Document.id == told.c.document_id)
    changed = sorted(await tx.scalars(select(Document.bucket).join(told, theirs).distinct()))
    hashes: dict[int, bytes] = {}
    for begin in range(0, len(changed), _AT_ONCE):
        some = changed[begin : begin + _AT_ONCE]
        pairs: dict[int, list[bytes]] = {bucket: [] for bucket in some}
        for row in await _standings(tx, some):
            said = row.topic, row.id, row.epoch, row.sequence, row.records, row.last
            pairs[row.bucket].append(documents.pair_of(*said))
        hashes |= {bucket: documents.bucket_hash(each) for bucket, each in pairs.items()}
    touched = sorted({bucket >> TILE_HEIGHT for bucket in hashes})
    old = await _read(tx, DOCUMENTS, [*((0, index) for index in touched), (1, 0)])
    fresh: dict[tuple[int, int], bytes] = {}
    roots: dict[int, bytes] = {}
    for index in touched:
        mine = {bucket % TILE: hash for bucket, hash in hashes.items() if bucket >> TILE_HEIGHT == index}
        fresh[0, index] = documents.with_hashes(old.get((0, index)) or documents.blank(0), mine)
        roots[index] = documents.tile_root(fresh[0, index])
    fresh[1, 0] = documents.with_hashes(old.get((1, 0)) or documents.blank(1), roots)
    await _write(tx, _REPLACE, DOCUMENTS, fresh)
    return documents.tile_root(fresh[1, 0])


async def _standings(tx: Tx, buckets: Sequence[int]) -> Sequence[Row[Any]]:
    """Of each document in these buckets the bucket, and what `documents.pair_of` takes."""
    at = Document.__table__.c
    columns: tuple[Any, ...] = (at.bucket, at.topic, at.id, at.epoch, at.sequence, at.records, at.last)
    return (await tx.execute(select(*columns).where(among(at.bucket, buckets)))).all()


async def standing_proof(tx: Tx, topic: str, document_id: UUID, signed: int) -> dict[str, Any] | None:
    """What proves how far a document had come at the newest head, which covers `signed` records; None where others have come since, in its bucket."""
    bucket = documents.bucket_of(documents.key_of(topic, str(document_id)))
    standings = [
        Standing(row.topic, str(row.id), row.epoch, row.sequence, row.records, row.last)
        for row in await _standings(tx, [bucket])
    ]
    mine = next((each for each in standings if (each.topic, each.document) == (topic, str(document_id))), None)
    if mine is None or any(each.last >= signed for each in standings):
        return None
    tile, place = divmod(bucket, TILE)
    tiles = await _read(tx, DOCUMENTS, [(0, tile), (1, 0)])
    path = [*documents.path_in(tiles[0, tile], place), *documents.path_in(tiles[1, 0], tile)]
    return {
        "standing": {"epoch": mine.epoch, "sequence": mine.sequence, "records": mine.records, "last": mine.last},
        "bucket": sorted(each.pair().hex() for each in standings),
        "path": [each.hex() for each in path],
    }
