"""What is old enough moves out of the database: as one object for records in a row, sealed, locked where the store can, and proven by a head.

Two steps, each in a transaction of its own: which records an archive has is noted and committed; then its object is put and its contents leave
the database. A process that dies in between puts the same bytes under the same key again. Records and hashes stay where they are. Accesses at the
gateway are not archived, since their time is shorter; what was archived comes back by `restore`, and is deleted when its time is over and no hold
keeps it. Where the store locks objects, a hold is one there too (S3 legal hold): then the object stays although its time there is over.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from audit import trees
from audit.entries import entry_of
from audit.means import means_of
from audit.models import Archive, Content, Head, Hold, Record, Retention
from audit.pruning import policy, tomorrow
from audit.refusals import ArchiveDamaged, ArchiveUnderWay, NothingToArchive
from contracts.access import Accessed
from tailrace.db.database import Tx
from tailrace.messaging.timers import Timer
from tailrace.observability.logs import log
from tailrace.verify.archive import ARCHIVE_FORMAT, packed, unpacked
from tailrace.verify.evidence import FIRST
from tailrace.verify.merkle import inclusion

AT_MOST = 5_000
"""Records of one archive."""
_LEAST = timedelta(days=1)
_HELD_AT_ONCE = 50
"""Archives of which one transaction tells the store that they are held: two requests for each."""

archiving = Timer("schedule:audit.archiving")
archiving.actor = archiving.name


@archiving.due
async def archive_due(tx: Tx, key: UUID) -> None:
    """One step of the day's work, and again at once while there may be more."""
    more = await archive_some(tx, datetime.now(UTC))
    await archiving.set(tx, tx.tenant_id, datetime.now(UTC) if more else tomorrow())


async def archive_some(tx: Tx, now: datetime) -> bool:
    """Seal what was begun, or begin the next; when there is none, let go what is over. Says whether there may be more to do."""
    begun = await tx.scalar(select(Archive.id).where(Archive.sealed_at.is_(None)))
    if begun is not None:
        archive = await tx.load(Archive, begun)
        if archive.sealed_at is None:  # or somebody else has sealed it while this waited for its row
            await _seal(tx, archive, now)
        return True
    kept = await policy(tx)
    if kept.archive_days is not None and await _begin(tx, kept, now - timedelta(days=kept.archive_days), now):
        return True
    if await _mind_holds(tx) == _HELD_AT_ONCE:
        return True
    await _let_go(tx, kept, now)
    return False


async def mind_holds(tx: Tx) -> None:
    """A hold was placed or released: let the store know of it soon."""
    await archiving.hasten(tx, tx.tenant_id, datetime.now(UTC))


async def archive_before(tx: Tx, before: datetime, now: datetime) -> Archive:
    """Begin the next archive with what happened before then. Raises ArchiveUnderWay, NothingToArchive."""
    if await tx.scalar(select(Archive.id).where(Archive.sealed_at.is_(None)).limit(1)) is not None:
        raise ArchiveUnderWay("The one before is on its way to the store.")
    begun = await _begin(tx, await policy(tx), before, now)
    if begun is None:
        raise NothingToArchive("No signed record before then is outside the archive.")
    await archiving.set(tx, tx.tenant_id, now)
    return begun


async def _begin(tx: Tx, kept: Retention, before: datetime, now: datetime) -> Archive | None:
    await trees.locked(tx)  # one at a time: they count from each other
    newest = await tx.scalar(select(Head).order_by(Head.number.desc()).limit(1))
    last = await tx.scalar(select(Archive).order_by(Archive.number.desc()).limit(1))
    number, begin = (1, 0) if last is None else (last.number + 1, last.end)
    fresh = select(Record.position).where(Record.position >= begin, Record.occurred_at >= before)
    limit = await tx.scalar(fresh.order_by(Record.position).limit(1))
    signed = 0 if newest is None else newest.size
    end = min(begin + AT_MOST, signed, signed if limit is None else limit)
    if newest is None or end <= begin:
        return None
    span = Record.position >= begin, Record.position < end
    newest_at = (await tx.scalars(select(func.max(Record.occurred_at)).where(*span))).one()
    until = max(newest_at + timedelta(days=kept.days), now + _LEAST)
    archive = Archive.start(number, begin, end, newest.id, newest_at, until)
    tx.add(archive)
    return archive


async def _seal(tx: Tx, archive: Archive, now: datetime) -> None:
    head = await tx.find(Head, archive.head_id)
    before = await tx.scalar(select(Archive.sha256).where(Archive.number == archive.number - 1))
    proof = _Inclusion(archive.end - 1, head.size)
    first = {
        "format": ARCHIVE_FORMAT,
        "tenant": str(tx.tenant_id),
        "number": archive.number,
        "begin": archive.begin,
        "end": archive.end,
        "previous": before or FIRST,
        "head": head.statement,
        "keys": await means_of(tx).public_key(tx, head.statement["key"]),
        "path": [hash.hex() for hash in proof(await trees.nodes_for(tx, proof))],
    }
    data = await asyncio.to_thread(packed, first, iter([each async for each in _said(tx, archive)]))
    sealed = await means_of(tx).store.seal(archive.key, data, archive.kept_until)
    archive.seal(hashlib.sha256(data).hexdigest(), len(data), sealed.version, sealed.locked, now)
    await _evict(tx, archive)


class _Inclusion:
    """The path of a record in the tree of so many."""

    def __init__(self, position: int, size: int) -> None:
        self._position, self._size = position, size

    def __call__(self, node: Any) -> list[bytes]:
        return inclusion(node, self._position, self._size)


async def _said(tx: Tx, archive: Archive) -> Any:
    """The records of an archive in order, with what they said but for accesses."""
    query = (
        select(Record, Content)
        .outerjoin(Content, (Content.position == Record.position) & (Record.type != Accessed.type))
        .where(Record.position >= archive.begin, Record.position < archive.end)
        .order_by(Record.position)
    )
    for record, content in (await tx.execute(query)).all():
        there = content is not None
        data = content.data.decode("utf-8", "surrogateescape") if there else None
        yield {"entry": entry_of(record), "salt": content.salt.hex() if there else None, "data": data}


async def content_of(tx: Tx, archive: Archive) -> bytes:
    """The object. Raises NotInTheArchive, ArchiveDamaged, StoreAway."""
    archive.ensure_there()
    assert archive.size is not None
    data = bytearray()
    async for chunk in await means_of(tx).store.read(archive.key, 0, archive.size):
        data += chunk
    if hashlib.sha256(data).hexdigest() != archive.sha256:
        raise ArchiveDamaged("The store has something else under its key: compare the hash with the log.")
    return bytes(data)


async def restore(tx: Tx, archive: Archive, until: datetime) -> None:
    """Have the contents in the database too, until then. Raises NotInTheArchive, ArchiveDamaged, StoreAway."""
    _, records = await asyncio.to_thread(unpacked, await content_of(tx, archive))
    rows = list(_contents(tx.tenant_id, records))
    if rows:
        await tx.execute(insert(Content).on_conflict_do_nothing(), rows)
    archive.restore(until)


def _contents(tenant_id: UUID, records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for record in records:
        if record["data"] is not None:
            data = record["data"].encode("utf-8", "surrogateescape")
            at = record["entry"]["position"]
            yield {"tenant_id": tenant_id, "position": at, "salt": bytes.fromhex(record["salt"]), "data": data}


async def archive_of(tx: Tx, position: int) -> UUID | None:
    """The archive that has what a record said."""
    there = Archive.sealed_at.is_not(None), Archive.deleted_at.is_(None)
    return await tx.scalar(select(Archive.id).where(Archive.begin <= position, Archive.end > position, *there))


async def _mind_holds(tx: Tx) -> int:
    """Let the store hold the locked archives that a hold keeps, and no others; how many that changed.

    What it did not take is tried again the next day.
    """
    other = select(Archive.id).where(
        Archive.sealed_at.is_not(None), Archive.deleted_at.is_(None), Archive.locked, Archive.held != _is_held()
    )
    changed = 0
    for id in list(await tx.scalars(other.order_by(Archive.id).limit(_HELD_AT_ONCE))):
        archive = await tx.load(Archive, id)
        if archive.store_version is None or archive.deleted_at is not None:
            continue
        if await means_of(tx).store.hold(archive.key, archive.store_version, on=not archive.held):
            archive.hold(not archive.held)
            changed += 1
        else:
            log.warning("the store did not take a legal hold", archive=str(id), on=not archive.held)
    # What is held no more may go at once.
    await tx.flush()
    return changed


async def _let_go(tx: Tx, kept: Retention, now: datetime) -> None:
    """What was restored leaves the database again, and objects whose time is over the store."""
    for archive in await tx.scalars(select(Archive).where(Archive.restored_until <= now)):
        await _evict(tx, archive)
    over = select(Archive.id).where(
        Archive.sealed_at.is_not(None),
        Archive.deleted_at.is_(None),
        Archive.kept_until <= now,
        Archive.newest_at <= now - timedelta(days=kept.days),
        ~Archive.held,
        ~_is_held(),
    )
    for id in list(await tx.scalars(over.order_by(Archive.id))):
        archive = await tx.load(Archive, id)
        if archive.deleted_at is not None:
            continue
        if await means_of(tx).store.unseal(archive.key, archive.store_version):
            archive.delete(now)
        else:
            log.warning("the store keeps an archive whose time is over", archive=str(id))


async def _evict(tx: Tx, archive: Archive) -> None:
    accesses = exists().where(Record.position == Content.position, Record.type == Accessed.type)
    here = Record.position == Content.position
    held = exists().where(
        here, Hold.released_at.is_(None), or_(Hold.document_id.is_(None), Hold.document_id == Record.document_id)
    )
    span = Content.position >= archive.begin, Content.position < archive.end
    going = delete(Content).where(*span, ~accesses, ~held)
    await tx.execute(going.execution_options(synchronize_session=False))


def _is_held() -> ColumnElement[bool]:
    """Whether a hold keeps any record of an archive."""
    among = (
        exists()
        .where(Record.document_id == Hold.document_id, Record.position >= Archive.begin, Record.position < Archive.end)
        .correlate(Hold, Archive)
    )
    return exists().where(Hold.released_at.is_(None), or_(Hold.document_id.is_(None), among))
