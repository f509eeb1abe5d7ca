"""Which document came of which, and which was made to help which, as the contracts say (`Event.comes_of`, `Event.serves`).

So a trace leads from an order over its quote to the opportunity and the lead, with the tasks and meetings that were for it: these were other people's
requests, on other days, and share no cause with the order.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    delete,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from audit.models import DocumentLink
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


_link: Any = DocumentLink.__table__.c
_ids = any_(bindparam("ids", type_=ARRAY(Uuid)))


def _ends(from_here: ColumnElement[bool], to_here: ColumnElement[bool]) -> Select[Any]:
    """The other ends of the links of both kinds."""
    ends = select(case((from_here, _link.to_id), else_=_link.document_id)).where(or_(from_here, to_here))
    return ends.order_by(_link.document_id.desc(), _link.to_id).limit(MOST)


# Made once, since a trace asks them in each of its rounds.
_LED_TO = _ends(and_(_link.comes_of, _link.document_id == _ids), and_(not_(_link.comes_of), _link.to_id == _ids))
_CAME_OF = _ends(and_(not_(_link.comes_of), _link.document_id == _ids), and_(_link.comes_of, _link.to_id == _ids))
_BETWEEN = (
    select(_link.document_id, _link.to_id)
    .where(_link.document_id == _ids, _link.to_id == _ids)
    .order_by(_link.document_id, _link.to_id)
)


async def led_to(tx: Tx, ids: Collection[UUID]) -> set[UUID]:
    """What these came of, and what was made to help them."""
    return set(await tx.scalars(_LED_TO, {"ids": list(ids)}))


async def came_of(tx: Tx, ids: Collection[UUID]) -> set[UUID]:
    """What came of these, and what they were made to help."""
    return set(await tx.scalars(_CAME_OF, {"ids": list(ids)}))


async def between(tx: Tx, ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """The links among these: each document with one that it names."""
    return [(document, named) for document, named in await tx.execute(_BETWEEN, {"ids": list(ids)})]
