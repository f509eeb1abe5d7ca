"""Lots and serial numbers: one stream each, made when it first comes in, with the last day on which it may be used and what quality says of it.

What comes in of a tracked item names its lots, and so does what goes out. A serial number is one piece, for ever: it comes in once, and again only
when it has been away. Locks: stocks first, then lots.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from contracts.inventory import LOT, LotCreated, LotStatus, LotStatusChanged
from contracts.lots import LotQuantity
from inventory import waiting
from inventory.bodies import LotPart
from inventory.models import Base, Lot, LotStock, inventory_event
from inventory.projections import Goods, ItemCopy, dates, days
from inventory.refusals import LotDiffers, NothingNew, NotUsable, SerialKnown, plain
from inventory.stock import Place, StockItem
from tailrace.core.errors import Invalid, Refused, Stale, Unknown
from tailrace.core.events import Event
from tailrace.core.ids import derived_id
from tailrace.core.values.text import folded
from tailrace.db.database import Tx
from tailrace.db.event_streams import Stream

Origin = Literal["opening", "purchase", "production", "return", "count"]
_COMES_BACK: Collection[Origin] = ("return", "count")
_LOTS = Base.metadata.tables[Lot.__tablename__]
_fresh = insert(_LOTS)
_SHOW = _fresh.on_conflict_do_update(
    index_elements=["tenant_id", "id"],
    set_={name: _fresh.excluded[name] for name in ("number_key", "status", "reason", "decided_by", "version")}
    | {"updated_at": func.now()},
)


@dataclass(frozen=True, slots=True)
class Part:
    """So much of a lot, in base units, as somebody names it, and where in the request."""

    number: str
    quantity: Decimal
    expires_on: date | None
    status: LotStatus | None
    field: str


class LotState(BaseModel):
    item_id: UUID | None = None
    number: str = ""
    serial: bool = False
    expires_on: date | None = None
    status: LotStatus = "released"
    reason: str | None = None
    decided_by: str | None = None


class LotRecord(Stream[LotState]):
    """One lot of an item, or one piece under a serial number."""

    table = inventory_event
    events: ClassVar[Sequence[type[Event]]] = LOT

    @classmethod
    def initial(cls) -> LotState:
        return LotState()

    def apply(self, event: Any) -> None:
        match event:
            case LotCreated():
                said = event.model_dump(include={"item_id", "number", "serial", "expires_on", "status"})
                self.state = LotState(**said)
            case LotStatusChanged():
                state = self.state
                state.status, state.reason, state.decided_by = event.status, event.reason, event.decided_by

    def create(self, item: ItemCopy, number: str, expires_on: date | None, status: LotStatus) -> None:
        of_item = {"lot_id": self.id, "item_id": item.id, "number": number}
        serial = item.tracking == "serial"
        self.record(LotCreated(**of_item, serial=serial, expires_on=expires_on, status=status))

    def say(self, status: LotStatus, reason: str, decided_by: str | None) -> None:
        state = self.state
        said = {"lot_id": self.id, "item_id": state.item_id, "number": state.number, "previous": state.status}
        self.record(LotStatusChanged(**said, status=status, reason=reason, decided_by=decided_by))


async def ids_of(tx: Tx, item_id: UUID, parts: Sequence[Part]) -> list[UUID]:
    """The ids of the lots that are named, each in any spelling of its number; of a lot that is new, the one that it is to have.

    Lots from before that differ in spelling alone stay two: the one that is spelled like that is meant, or else the older one.
    """
    keys = [folded(part.number) for part in parts]
    query = select(Lot.id, Lot.number, Lot.number_key).where(Lot.item_id == item_id, Lot.number_key.in_(keys))
    there = (await tx.execute(query.order_by(Lot.created_at.desc(), Lot.id.desc()))).all()
    alike, exactly = {row.number_key: row.id for row in there}, {row.number: row.id for row in there}
    return [
        exactly.get(part.number) or alike.get(key) or _new_id(tx, item_id, key)
        for part, key in zip(parts, keys, strict=True)
    ]


def _new_id(tx: Tx, item_id: UUID, key: str) -> UUID:
    """The same for two who take in one lot at a time, so that one of them waits for the other."""
    return derived_id(tx.tenant_id, "lot", item_id, key)


def named(
    goods: Goods, item: ItemCopy, lots: Sequence[LotPart] | None, quantity: Decimal, unit: str | None
) -> list[Part]:
    """The lots that a request names, in base units; `quantity` is what they have to add up to. Raises Invalid with the field."""
    if item.tracking == "none":
        if lots:
            raise Invalid.field("/lots", f"{item.sku} is not tracked: it has no lots.")
        return []
    if not lots:
        raise Invalid.field("/lots", f"{item.sku} is tracked by {item.tracking}: say which.")
    parts: list[Part] = []
    for position, lot in enumerate(lots):
        field = f"/lots/{position}"
        part = goods.in_base_unit(item, lot.quantity, unit, field)
        if item.tracking == "serial" and part != 1:
            raise Invalid.field(
                f"{field}/quantity", f"{item.sku} has serial numbers: one piece each, in its base unit."
            )
        if any(folded(lot.number) == folded(one.number) for one in parts):
            raise Invalid.field(f"{field}/number", f"{lot.number} is named twice.")
        parts.append(Part(lot.number, part, lot.expires_on, lot.status, field))
    together = sum((part.quantity for part in parts), Decimal(0))
    if together != quantity:
        raise Invalid.field("/lots", f"The lots come to {plain(together)}, and the quantity is {plain(quantity)}.")
    return parts


async def come_in(tx: Tx, item: ItemCopy, parts: Sequence[Part], at: datetime, origin: Origin) -> list[LotQuantity]:
    """These come in: what is new is made. The stock that they come into is locked. Raises Invalid, LotDiffers, SerialKnown.

    What a customer sends back, and nothing else is there of, is on hold until somebody has looked at it, unless it is said what it is.
    """
    if not parts:
        return []
    ids = await ids_of(tx, item.id, parts)
    records = await tx.load_streams(LotRecord, ids)
    there = await _on_hand(tx, ids)
    moved: list[LotQuantity] = []
    for id, part in zip(ids, parts, strict=True):
        record, on_hand = records[id], there.get(id, Decimal(0))
        status = part.status or ("on_hold" if origin == "return" and not on_hand else None)
        if record.version == 0:
            record.create(item, part.number, await _last_day(tx, item, part, at), status or "released")
        else:
            _check_known(item, part, record.state, on_hand, origin)
            if status not in {None, record.state.status}:
                assert status is not None
                if on_hand:
                    said = f"Lot {part.number} is {record.state.status}, and {plain(on_hand)} of it are in stock."
                    raise LotDiffers(f"{said} Take in what is {status} as a lot of its own.", f"{part.field}/status")
                record.say(status, f"It came in as {status}.", tx.context.actor_id)
        expires_on = record.state.expires_on
        number = record.state.number
        moved.append(LotQuantity(lot_id=id, number=number, quantity=part.quantity, expires_on=expires_on))
    await show(tx, records.values())
    return moved


async def go_out(tx: Tx, stock: StockItem, parts: Sequence[Part], *, to_be_used: bool) -> list[LotQuantity]:
    """These go out of a stock, which is locked. `to_be_used`: only what quality has released, and what is still good. Raises Invalid, NotUsable."""
    if not parts:
        return []
    ids = await ids_of(tx, stock.place.item_id, parts)
    known = {row.id: row for row in await standing(tx, ids)}
    today = await days.today(tx) if to_be_used and any(row.expires_on for row in known.values()) else None
    moved: list[LotQuantity] = []
    for id, part in zip(ids, parts, strict=True):
        row = known.get(id)
        if row is None:
            raise Invalid.field(f"{part.field}/number", f"There is no lot {part.number} of this item.")
        if to_be_used and (why := unusable(row.status, row.expires_on, today)) is not None:
            raise NotUsable(part.number, why, f"{part.field}/number")
        moved.append(LotQuantity(lot_id=id, number=row.number, quantity=part.quantity, expires_on=row.expires_on))
    return moved


def unusable(status: LotStatus, expires_on: date | None, today: date | None) -> str | None:
    """Why such a lot may not be promised or used; None when it may. It is good to the end of its last day."""
    if status != "released":
        return "is on hold" if status == "on_hold" else "is blocked"
    if expires_on is not None and today is not None and expires_on < today:
        return f"expired after {expires_on.isoformat()}"
    return None


async def standing(tx: Tx, ids: Iterable[UUID]) -> Sequence[Any]:
    """id, number, status and last day of these lots, which stay so until the transaction ends: what quality says waits for it."""
    rows = select(Lot.id, Lot.number, Lot.status, Lot.expires_on).where(Lot.id.in_(list(ids)))
    return (await tx.execute(rows.order_by(Lot.id).with_for_update(read=True))).all()


async def decide(tx: Tx, id: UUID, match: int | None, status: LotStatus, reason: str) -> Lot:
    """What quality says from now on. What is released then goes to those who wait for it. Raises Unknown, Stale, NothingNew."""
    record = await tx.load_stream(LotRecord, id)
    if record.version == 0:
        raise Unknown("Lot", id)
    if match is not None and match != record.version:
        raise Stale(match, record.version)
    if status == record.state.status:
        raise NothingNew(record.state.number, status)
    record.say(status, reason, tx.context.actor_id)
    await show(tx, [record])
    if status == "released" and record.state.item_id is not None:
        lies = await tx.scalars(select(LotStock.warehouse_id).where(LotStock.lot_id == id))
        if places := [Place(record.state.item_id, warehouse_id) for warehouse_id in lies]:
            await waiting.wake_places(tx, places)
    return await tx.find(Lot, id)


async def show(tx: Tx, records: Iterable[LotRecord]) -> None:
    """Write the rows of these lots."""
    await tx.execute(_SHOW, [row_of(tx.tenant_id, record) for record in records])


def row_of(tenant_id: UUID, record: LotRecord) -> dict[str, Any]:
    of = {"tenant_id": tenant_id, "id": record.id, "number_key": folded(record.state.number)}
    return {**record.state.model_dump(), **of, "version": record.version}


async def _on_hand(tx: Tx, ids: Sequence[UUID]) -> Mapping[UUID, Decimal]:
    """How much there is of each, in all warehouses. Their streams are locked, so none comes in meanwhile."""
    held = select(LotStock.lot_id, func.sum(LotStock.quantity)).where(LotStock.lot_id.in_(ids))
    return {row[0]: row[1] for row in await tx.execute(held.group_by(LotStock.lot_id))}


async def _last_day(tx: Tx, item: ItemCopy, part: Part, at: datetime) -> date | None:
    """The last day of a new lot: as it is said, or by the item's shelf life from the company's day on which it came. Raises Invalid, Implausible."""
    if not item.expires:
        if part.expires_on is not None:
            raise Invalid.field(f"{part.field}/expires_on", f"{item.sku} does not expire.")
        return None
    if part.expires_on is not None:
        came = await days.day_of(tx, at)
        await dates.check_last_day(tx, "expiry", part.expires_on, came, f"{part.field}/expires_on")
        return part.expires_on
    if item.shelf_life_days is None:
        raise Invalid.field(f"{part.field}/expires_on", f"{item.sku} expires: say the last day of lot {part.number}.")
    return await days.day_of(tx, at) + timedelta(days=item.shelf_life_days)


def _check_known(item: ItemCopy, part: Part, state: LotState, on_hand: Decimal, origin: Origin) -> None:
    if part.expires_on not in {None, state.expires_on}:
        known = state.expires_on.isoformat() if state.expires_on else "no day"
        raise LotDiffers(f"The last day of lot {part.number} is {known}.", f"{part.field}/expires_on")
    if item.tracking == "serial":
        refusal: Refused | None = None
        if on_hand:
            refusal = SerialKnown(part.number, "is in stock", f"{part.field}/number")
        elif origin not in _COMES_BACK:
            refusal = SerialKnown(part.number, "came in before; it can only come back", f"{part.field}/number")
        if refusal is not None:
            raise refusal
