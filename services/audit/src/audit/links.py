"""Which document came of which, and which was made to help which, as the contracts say (`Event.comes_of`, `Event.serves`).

So a trace leads from an order over its quote to the opportunity and the lead, with the tasks and meetings that were for it: these were other people's
requests, on other days, and share no cause with the order.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, not_, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from audit.models import DocumentLink
from tailrace.db.among import among
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import Delivery

MOST = 200
"""Documents that one step of a trace adds at most."""


async def keep(tx: Tx, deliveries: Sequence[Delivery]) -> None:
    """What each document names by now; where it named something else before, that counts no more."""
    named = {each.meta.aggregate_id: each.event for each in deliveries}
    rows = {
        (id, to): {"tenant_id": tx.tenant_id, "document_id": id, "to_id": to, "comes_of": field in event.comes_of}
        for id, event in named.items()
        for field in (*event.serves, *event.comes_of)
        if (to := getattr(event, field)) is not None
    }
    link = DocumentLink
    stale = delete(link).where(link.document_id.in_(named))
    if rows:
        stale = stale.where(tuple_(link.document_id, link.to_id).not_in(list(rows)))
    await tx.execute(stale)
    if rows:
        fresh = insert(link).values(list(rows.values()))
        key = ["tenant_id", "document_id", "to_id"]
        kind = {"comes_of": fresh.excluded.comes_of}
        await tx.execute(fresh.on_conflict_do_update(index_elements=key, set_=kind))


async def led_to(tx: Tx, ids: Collection[UUID]) -> set[UUID]:
    """What these came of, and what was made to help them."""
    link = DocumentLink
    return await _ends(
        tx, and_(link.comes_of, among(link.document_id, ids)), and_(not_(link.comes_of), among(link.to_id, ids))
    )


async def came_of(tx: Tx, ids: Collection[UUID]) -> set[UUID]:
    """What came of these, and what they were made to help."""
    link = DocumentLink
    return await _ends(
        tx, and_(not_(link.comes_of), among(link.document_id, ids)), and_(link.comes_of, among(link.to_id, ids))
    )


async def _ends(tx: Tx, from_here: ColumnElement[bool], to_here: ColumnElement[bool]) -> set[UUID]:
    """The other ends of the links of both kinds."""
    link = DocumentLink
    query = select(link.document_id, link.to_id, from_here.label("from_here")).where(or_(from_here, to_here))
    rows = await tx.execute(query.order_by(link.document_id.desc(), link.to_id).limit(MOST))
    return {row.to_id if row.from_here else row.document_id for row in rows}


async def between(tx: Tx, ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """The links among these: each document with one that it names."""
    link = DocumentLink
    query = select(link.document_id, link.to_id).where(among(link.document_id, ids), among(link.to_id, ids))
    return [(row.document_id, row.to_id) for row in await tx.execute(query.order_by(link.document_id, link.to_id))]
