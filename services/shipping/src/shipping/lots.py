"""The lots of a shipment: which ones it takes, and that none of them leaves that quality has stopped or that is past its last day.

What quality says is inventory's; here is a copy, as it was heard. What was stopped a moment ago and left all the same, inventory enters as it was.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.lots import LotQuantity
from shipping.projections import LotCopy, days
from shipping.refusals import LotStopped
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids

Rows = list[dict[str, Any]]


def split(rows: Rows, quantity: Decimal) -> tuple[list[LotQuantity], list[LotQuantity]]:
    """The first so much of these lots, and the rest; nothing of either for what is not tracked."""
    first: list[LotQuantity] = []
    rest: list[LotQuantity] = []
    for lot in (LotQuantity.model_validate(row) for row in rows):
        part = min(lot.quantity, quantity)
        quantity -= part
        first += [lot.model_copy(update={"quantity": part})] if part else []
        rest += [lot.model_copy(update={"quantity": lot.quantity - part})] if part < lot.quantity else []
    return first, rest


def joined(rows: Rows, others: Rows) -> list[LotQuantity]:
    """The lots of both, each once."""
    found: dict[UUID, LotQuantity] = {}
    for lot in (LotQuantity.model_validate(row) for row in (*rows, *others)):
        before = found.get(lot.lot_id)
        found[lot.lot_id] = (
            lot if before is None else before.model_copy(update={"quantity": before.quantity + lot.quantity})
        )
    return list(found.values())


def as_rows(lots: Iterable[LotQuantity]) -> Rows:
    return [lot.model_dump(mode="json") for lot in lots]


async def ensure_may_leave(tx: Tx, lines: Sequence[Rows]) -> None:
    """`lines`: the lots of each line. Raises LotStopped for one that is not released, or is past its last day today."""
    lots = [(position, LotQuantity.model_validate(row)) for position, rows in enumerate(lines) for row in rows]
    if not lots:
        return
    known = await by_ids(tx, LotCopy, {lot.lot_id for _, lot in lots})
    today = await days.today(tx) if any(lot.expires_on for _, lot in lots) else None
    for position, lot in lots:
        copy = known.get(lot.lot_id)
        if copy is not None and copy.status != "released":
            raise LotStopped(lot.number, "is on hold" if copy.status == "on_hold" else "is blocked", position)
        if today is not None and lot.expires_on is not None and lot.expires_on < today:
            raise LotStopped(lot.number, f"expired after {lot.expires_on.isoformat()}", position)
