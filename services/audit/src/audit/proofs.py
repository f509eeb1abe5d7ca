"""Bundles and exports: what somebody takes away, to check it later where nothing of ours runs."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select

from audit import heads, masking, trees
from audit.entries import entry_of
from audit.means import public_keys
from audit.models import Content, Document, Head, Record
from audit.refusals import NotSignedYet
from audit.views import BundleRecord, BundleView
from tailrace.core.errors import Invalid, Unknown
from tailrace.db.database import Tx
from tailrace.verify.evidence import BUNDLE_FORMAT, EXPORT_FORMAT
from tailrace.verify.merkle import consistency, inclusion

MOST = 5000
"""Records of a document that a bundle can have."""
_AT_ONCE = 1000


async def bundle(tx: Tx, document_id: UUID, topic: str | None, known: int | None, *, pii: bool) -> BundleView:
    """All records of a document, and what proves them. `known` is the size of a head from before. Raises Unknown, Invalid, NotSignedYet."""
    document = await _document(tx, document_id, topic)
    head = await heads.newest(tx)
    proof = None if head is None else await trees.standing_proof(tx, document.topic, document_id, head.size)
    if head is None or proof is None:
        raise NotSignedYet("No head covers the newest record of this document, or of one in its bucket, yet.")
    if document.records > MOST:
        raise Invalid.field("document_id", f"A bundle has at most {MOST} records; export the log.")
    if known is not None and not 0 < known <= head.size:
        raise Invalid.field("known_size", f"The log has {head.size} records that are signed.")
    rows = await _records(tx, document)
    proofs: list[Any] = [partial(_path, row[0].position, head.size) for row in rows]
    if known is not None:
        proofs.append(partial(_continuation, known, head.size))
    node = await trees.nodes_for(tx, *proofs)
    paths = [[hash.hex() for hash in proof(node)] for proof in proofs]
    return BundleView(
        format=BUNDLE_FORMAT,
        document=document_id,
        topic=document.topic,
        head=head.statement,
        keys=await public_keys(tx),
        standing=proof,
        records=[
            BundleRecord(entry=entry_of(record), path=path, **_content(record.type, content, pii=pii))
            for (record, content), path in zip(rows, paths, strict=False)
        ],
        continues={} if known is None else {str(known): paths[-1]},
    )


def _path(position: int, size: int, node: Any) -> list[bytes]:
    return inclusion(node, position, size)


def _continuation(known: int, size: int, node: Any) -> list[bytes]:
    return consistency(node, known, size)


async def _document(tx: Tx, document_id: UUID, topic: str | None) -> Document:
    narrowed = () if topic is None else (Document.topic == topic,)
    found = list(await tx.scalars(select(Document).where(Document.id == document_id, *narrowed)))
    if not found:
        raise Unknown("document", document_id)
    if len(found) > 1:
        raise Invalid.field("topic", f"Say which: {', '.join(sorted(each.topic for each in found))}.")
    return found[0]


async def _records(tx: Tx, document: Document) -> list[tuple[Record, Content | None]]:
    query = (
        select(Record, Content)
        .outerjoin(Content, Content.position == Record.position)
        .where(Record.document_id == document.id, Record.topic == document.topic)
        .order_by(Record.position)
    )
    return [(row[0], row[1]) for row in await tx.execute(query)]


async def ensure_known(tx: Tx, document_id: UUID) -> None:
    """A hold on what nobody knows would keep nothing, and nobody would see that. Raises Invalid."""
    if await tx.scalar(select(Document.id).where(Document.id == document_id).limit(1)) is None:
        raise Invalid.field("/document_id", "The log has no record of such a document.")


def _content(type: str, content: Content | None, *, pii: bool) -> dict[str, str | None]:
    if content is None or (not pii and masking.is_masked(type, content.data)):
        return {"salt": None, "data": None}
    try:
        return {"salt": content.salt.hex(), "data": content.data.decode()}
    except UnicodeDecodeError:  # JSON has no way to say it, and one such event is not to keep the log from being proven
        return {"salt": None, "data": None}


async def export(tx: Tx, *, pii: bool) -> AsyncIterator[dict[str, Any]]:
    """The newest head and the keys, then every record from the first on. Nothing, when no head is there yet."""
    head = await heads.newest(tx)
    if head is None:
        return
    yield {"format": EXPORT_FORMAT, "head": head.statement, "keys": await public_keys(tx)}
    for begin in range(0, head.size, _AT_ONCE):
        query = (
            select(Record, Content)
            .outerjoin(Content, Content.position == Record.position)
            .where(Record.position >= begin, Record.position < min(begin + _AT_ONCE, head.size))
            .order_by(Record.position)
        )
        for row in (await tx.execute(query)).all():
            yield {"entry": entry_of(row[0]), **_content(row[0].type, row[1], pii=pii)}
        tx.expunge_all()


async def head_of(tx: Tx, head_id: UUID) -> Head:
    """Raises Unknown."""
    return await tx.find(Head, head_id)
