"""Which lots come back: of a tracked item, some of those that left with the shipment and are still with the customer.

A piece with a serial number is named, since another one of the same line would be taken for it. The shipment is locked: of two returns of one line,
the second sees what the first has kept.
"""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, tuple_

from contracts.lots import LotQuantity
from shipping.lines import ShipmentLine
from shipping.lots import as_rows, split
from shipping.models import Shipment
from shipping.projections import SerialCopy
from shipping.returns.bodies import VerdictBody
from shipping.returns.models import ReturnShipment, ReturnShipmentLine
from tailrace.core.errors import Invalid, NotYetKnown
from tailrace.core.values.money import plain_decimal
from tailrace.core.values.text import folded
from tailrace.core.values.units import check_decimals
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids

_Part = tuple[UUID, UUID]
"""A shipment, and a line of its order."""


async def chosen(tx: Tx, shipment: ReturnShipment, said: Sequence[VerdictBody]) -> list[list[LotQuantity]]:
    """Which lots each of these is: those that it names, or else the first ones that left. None of what is not tracked.

    Raises Invalid, NotYetKnown.
    """
    lines = {line.id: line for line in shipment.lines}
    out = await _out(tx, {lines[each.return_line_id].part for each in said if each.return_line_id in lines})
    pieces = await _pieces(tx, out.values())
    found: list[list[LotQuantity]] = [[] for _ in said]
    # What is named is no more to be had by what is not.
    for place in sorted(range(len(said)), key=lambda at: said[at].lots is None):
        each = said[place]
        line = lines.get(each.return_line_id)
        if line is None:
            continue
        left = out.get(line.part, [])
        if each.lots is not None:
            found[place] = _named(left, line, each, pieces, f"/lines/{place}/lots")
        elif each.verdict != "send_back":
            found[place] = _first(left, each.quantity, pieces, f"/lines/{place}/lots")
        out[line.part] = without(left, found[place])
    return found


def without(lots: Iterable[LotQuantity], gone: Iterable[LotQuantity]) -> list[LotQuantity]:
    """What is left of these."""
    less: dict[UUID, Decimal] = {}
    for one in gone:
        less[one.lot_id] = less.get(one.lot_id, Decimal(0)) + one.quantity
    left = [one.model_copy(update={"quantity": one.quantity - less.get(one.lot_id, Decimal(0))}) for one in lots]
    return [one for one in left if one.quantity > 0]


def _named(
    left: Sequence[LotQuantity], line: ReturnShipmentLine, said: VerdictBody, pieces: Collection[UUID], field: str
) -> list[LotQuantity]:
    assert said.lots is not None
    found: list[LotQuantity] = []
    for at, one in enumerate(said.lots):
        check_decimals(one.quantity, line.unit or line.sku, line.decimals, f"{field}/{at}/quantity")
        lot = next((each for each in left if folded(each.number) == folded(one.number)), None)
        if lot is None or lot.quantity < one.quantity:
            much = plain_decimal(lot.quantity) if lot else "nothing"
            raise Invalid.field(f"{field}/{at}", f"Of {one.number}, {much} left with this shipment and is not back.")
        if any(each.lot_id == lot.lot_id for each in found):
            raise Invalid.field(f"{field}/{at}/number", "This lot is named twice.")
        if lot.lot_id in pieces and one.quantity != 1:
            raise Invalid.field(f"{field}/{at}/quantity", f"{lot.number} is one piece: it comes back whole.")
        found.append(lot.model_copy(update={"quantity": one.quantity}))
    if sum(one.quantity for one in found) != said.quantity:
        raise Invalid.field(field, f"They add up to another quantity than {plain_decimal(said.quantity)}.")
    return found


def _first(left: Sequence[LotQuantity], quantity: Decimal, pieces: Collection[UUID], field: str) -> list[LotQuantity]:
    if quantity < sum(one.quantity for one in left) and any(one.lot_id in pieces for one in left):
        numbers = ", ".join(one.number for one in left[:10])
        raise Invalid.field(field, f"Say which pieces these are, of those that are with the customer: {numbers}.")
    return split(as_rows(left), quantity)[0]


async def _out(tx: Tx, parts: Collection[_Part]) -> dict[_Part, list[LotQuantity]]:
    """What of each line left with its shipment, by lot, and was not kept by a return since; in the order in which it left."""
    shipments = {shipment_id for shipment_id, _ in parts}
    await tx.execute(select(Shipment.id).where(Shipment.id.in_(shipments)).order_by(Shipment.id).with_for_update())
    whose = (ShipmentLine.shipment_id, ShipmentLine.line_id)
    left = select(*whose, ShipmentLine.lots).where(tuple_(*whose).in_(parts))
    found = {
        (shipment_id, line_id): [LotQuantity.model_validate(row) for row in rows]
        for shipment_id, line_id, rows in await tx.execute(left)
    }
    of = (ReturnShipmentLine.shipment_id, ReturnShipmentLine.line_id)
    much = ReturnShipmentLine.restocked + ReturnShipmentLine.scrapped
    kept = select(*of, much, ReturnShipmentLine.lots).where(tuple_(*of).in_(parts))
    for shipment_id, line_id, quantity, rows in await tx.execute(kept):
        part, lots = (shipment_id, line_id), [LotQuantity.model_validate(row) for row in rows]
        out = without(found.get(part, []), lots)
        # A process of the release before says no lots: what it kept are the first ones, and so inventory has it.
        found[part] = split(as_rows(out), quantity - sum(one.quantity for one in lots))[1]
    return found


async def _pieces(tx: Tx, lines: Iterable[Sequence[LotQuantity]]) -> Collection[UUID]:
    """Which of these lots are pieces with serial numbers. Raises NotYetKnown for one of which nothing was heard yet."""
    asked = {one.lot_id: one for lots in lines for one in lots}
    known = await by_ids(tx, SerialCopy, asked)
    for id, one in asked.items():
        if id not in known:
            # A copy that is new hears of the lots that left before it was there.
            raise NotYetKnown("/lines", f"It is not known here yet whether {one.number} is one piece.")
    return {id for id, copy in known.items() if copy.serial}
