"""What happens to shipments. A shipment's row lock decides every race: what was dispatched first stays dispatched, what was cancelled first stays."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert

from contracts.orders import ShipmentRequested
from shipping import lots
from shipping.asns.commands import announce_shipment
from shipping.booking import commands as bookings
from shipping.carriers import Carrier, active_carrier
from shipping.dates import moved
from shipping.departures import CancelAnswer, DispatchedLine
from shipping.labels.commands import next_sscc
from shipping.models import GONE, OPEN, Shipment, Wanted
from shipping.papers import ensure_complete, papers
from shipping.projections import settings
from shipping.refusals import NotInParts
from tailrace.core.errors import Invalid
from tailrace.core.ids import derived_id
from tailrace.core.values.custom_fields import checked
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers

NUMBERS = Numbers("shipment", "{series}-{number}")
"""Unless the company's template has another form, the shipments of an order count on from the order's own number, which is their series."""

Selected = TypeVar("Selected")


async def create(tx: Tx, asked: ShipmentRequested) -> None:
    """Make the shipment that an order asks for; nothing when it is there already."""
    if await tx.scalar(select(Shipment.id).where(Shipment.id == asked.shipment_id)) is None:
        numbers = NUMBERS.written_as((await settings.effective(tx)).numbering.get("shipment"))
        tx.add(Shipment.request(asked, await _number(tx, numbers, asked.number)))


async def describe(tx: Tx, shipment_id: UUID, match: int | None, values: Mapping[str, Any]) -> Shipment:
    """Say what the company's own fields of it are. What is required is asked for when it leaves. Raises WrongState, Invalid."""
    fields = (await settings.effective(tx)).fields.get("shipment", [])
    shipment = await tx.load(Shipment, shipment_id, match)
    shipment.describe(checked(values, [field.model_copy(update={"required": False}) for field in fields]))
    return shipment


async def hold(tx: Tx, order_id: UUID, reason: str) -> None:
    for shipment in await _lock_open(tx, order_id):
        shipment.hold(reason)


async def resume(tx: Tx, order_id: UUID) -> None:
    for shipment in await _lock_open(tx, order_id):
        shipment.resume()


async def cancel(tx: Tx, order_id: UUID, reservation_id: UUID | None, reason: str) -> None:
    """Cancel what has not left, of one reservation or of the whole order, and answer, also when there was nothing to do.

    The answer names what has left as well: once the open ones are locked, nothing more of it can.
    """
    open_ones = await _lock_open(tx, order_id, reservation_id)
    cancelled = [shipment.id for shipment in open_ones if shipment.cancel(reason)]
    for id in cancelled:
        await bookings.withdraw_all(tx, id, "The shipment was cancelled.")
    gone = await tx.scalars(_of_order(select(Shipment), order_id, reservation_id).where(Shipment.status.in_(GONE)))
    departed = [shipment.as_departure() for shipment in gone]
    answer = await _answer_of(tx, order_id)
    answer.give(cancelled, departed)


async def pick(tx: Tx, shipment_id: UUID, match: int | None, wanted: Wanted | None) -> Shipment:
    shipment = await tx.load(Shipment, shipment_id, match)
    shipment.pick(wanted)
    return shipment


async def pack(
    tx: Tx,
    shipment_id: UUID,
    match: int | None,
    wanted: Wanted,
    described: Mapping[str, Any],
    marks: Mapping[UUID, Mapping[str, Any]],
) -> Shipment:
    """Raises WrongState, TooMuch, Invalid, NumbersUsedUp."""
    shipment = await tx.load(Shipment, shipment_id, match)
    shipment.pack(wanted, {**described, "sscc": await next_sscc(tx)}, marks)
    return shipment


async def unpack(tx: Tx, shipment_id: UUID, match: int | None, package_id: UUID) -> None:
    """Raises WrongState, Unknown, and Booked while a carrier was told of the parcels."""
    shipment = await tx.load(Shipment, shipment_id, match)
    await bookings.ensure_none(tx, shipment)
    shipment.unpack(package_id)


async def split(tx: Tx, shipment_id: UUID, match: int | None, wanted: Wanted) -> Shipment:
    """Returns the new shipment. Raises NotInParts, WrongState, TooMuch, NothingLeft, Invalid."""
    said = await settings.effective(tx)
    # The number first: who makes several shipments holds the count, and then waits for this one.
    asked = await tx.find(Shipment, shipment_id)
    if said.shipping.in_parts is False:
        raise NotInParts(asked.number)
    number = await _number(tx, NUMBERS.written_as(said.numbering.get("shipment")), asked.order_number)
    shipment = await tx.load(Shipment, shipment_id, match)
    other = shipment.split(wanted, number)
    tx.add(other)
    return other


async def merge(tx: Tx, shipment_id: UUID, match: int | None, other_id: UUID) -> Shipment:
    """Returns the shipment with all of the other one in it, its files too. Raises Invalid for another one that is not there."""
    await tx.find(Shipment, shipment_id)
    if await tx.scalar(select(Shipment.id).where(Shipment.id == other_id)) is None:
        raise Invalid.field("/shipment_id", f"There is no shipment {other_id}.")
    # In the order of their ids, so that two merges at once do not wait for one another.
    first, second = sorted((shipment_id, other_id))
    locked = {id: await tx.load(Shipment, id, match if id == shipment_id else None) for id in (first, second)}
    locked[shipment_id].merge(locked[other_id])
    await papers.take_over(tx, other_id, shipment_id)
    return locked[shipment_id]


async def dispatch(
    tx: Tx,
    shipment_id: UUID,
    match: int | None,
    carrier_id: UUID | None,
    tracking_number: str | None,
    at: datetime | date | None,
) -> Shipment:
    """With whom it is booked, unless another carrier or number is named: then the booking is withdrawn.

    Raises Implausible, WrongState, Held, LotStopped, FieldMissing, HeatNumberMissing, CertificateMissing, and Invalid for a carrier that is not
    there or not active.
    """
    left_at = await moved(tx, at, "/dispatched_at")
    shipment = await tx.load(Shipment, shipment_id, match)
    booked = await bookings.confirmed(tx, shipment_id)
    if booked is not None and {carrier_id, tracking_number} <= {None, booked.carrier_id, booked.tracking_number}:
        carrier: Carrier | None = await tx.find(Carrier, booked.carrier_id)
        tracking_number = booked.tracking_number
    else:
        await bookings.withdraw_all(tx, shipment_id, "It left another way.")
        carrier = await active_carrier(tx, carrier_id) if carrier_id else None
    await lots.ensure_may_leave(tx, [line.lots for line in shipment.lines])
    await ensure_complete(tx, shipment)
    shipment.dispatch(await _count_dispatched(tx, shipment), left_at, carrier, tracking_number)
    await announce_shipment(tx, shipment)
    return shipment


async def deliver(
    tx: Tx, shipment_id: UUID, match: int | None, at: datetime | date | None, signed_by: str | None, note: str | None
) -> Shipment:
    """Raises Implausible, WrongState, and Invalid for a time before the dispatch."""
    shipment = await tx.load(Shipment, shipment_id, match)
    shipment.deliver(await moved(tx, at, "/delivered_at", shipment.dispatched_at), signed_by, note)
    return shipment


async def _number(tx: Tx, numbers: Numbers, order_number: str) -> str:
    """The next one. One that was counted in another form before is passed over."""

    async def taken(written: Collection[str]) -> Collection[str]:
        return list(await tx.scalars(select(Shipment.number).where(Shipment.number.in_(written))))

    return await numbers.next_free(tx, order_number, taken)


async def _lock_open(tx: Tx, order_id: UUID, reservation_id: UUID | None = None) -> Sequence[Shipment]:
    """The order's open shipments, locked. Asked again until none is new: one of them may have been split while we waited for its lock."""
    query = _of_order(select(Shipment.id), order_id, reservation_id).where(Shipment.status.in_(OPEN))
    locked: dict[UUID, Shipment] = {}
    while fresh := [id for id in await tx.scalars(query) if id not in locked]:
        for id in fresh:
            locked[id] = await tx.load(Shipment, id)
    return list(locked.values())


def _of_order(query: Select[Selected], order_id: UUID, reservation_id: UUID | None) -> Select[Selected]:
    query = query.where(Shipment.order_id == order_id).order_by(Shipment.id)
    return query if reservation_id is None else query.where(Shipment.reservation_id == reservation_id)


async def _answer_of(tx: Tx, order_id: UUID) -> CancelAnswer:
    id = derived_id(tx.tenant_id, "cancel-answer", order_id)
    if await tx.scalar(select(CancelAnswer.id).where(CancelAnswer.id == id)) is not None:
        return await tx.load(CancelAnswer, id)
    answer = CancelAnswer(id=id, order_id=order_id)
    tx.add(answer)
    return answer


async def _count_dispatched(tx: Tx, shipment: Shipment) -> dict[UUID, Decimal]:
    """Add this shipment to what has left of its order lines, under their locks. Returns what had left before, by order line."""
    leaving = {line.line_id: line.quantity for line in sorted(shipment.lines, key=lambda line: line.line_id)}
    rows = [
        {"tenant_id": tx.tenant_id, "line_id": line_id, "quantity": quantity} for line_id, quantity in leaving.items()
    ]
    added = insert(DispatchedLine).values(rows)
    totals = await tx.execute(
        added.on_conflict_do_update(
            index_elements=["tenant_id", "line_id"],
            set_={"quantity": DispatchedLine.quantity + added.excluded.quantity},
        ).returning(DispatchedLine.line_id, DispatchedLine.quantity)
    )
    return {row.line_id: row.quantity - leaving[row.line_id] for row in totals}
