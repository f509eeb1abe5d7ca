"""The stock of one item in one warehouse, as its events add up: open layers, what left without being there, and how much is spoken for.

What is not reserved may be taken by anybody, what is reserved by its reservation alone. Nothing goes below zero but by policy, and then layers
still hold all that is reserved: the rest of the issue is a shortfall, which what comes in next has to cover. Who holds how much is the reservations'
own state; here is the sum, so that this state stays small however many they are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal
from uuid import UUID

from contracts.inventory import (
    STOCK,
    ConsumedLayer,
    Provisional,
    StockAdjusted,
    StockCostSettled,
    StockIssued,
    StockReceived,
    StockReservationReleased,
    StockReserved,
    StockTransferred,
)
from contracts.lots import LotQuantity
from inventory.by_lot import NOTHING, after_moving
from inventory.layers import UnitCost, after_adding, after_taking, pick
from inventory.models import inventory_event
from inventory.refusals import CurrencyDiffers, Short, TooMuch, shortage, shortage_of_lot
from inventory.shortfalls import after_covering, estimated, opened
from inventory.stock_state import StockState
from tailrace.core.errors import Stale, Unknown
from tailrace.core.events import Event
from tailrace.core.ids import derived_id
from tailrace.core.values.money import portion
from tailrace.core.values.units import MOST_QUANTITY
from tailrace.db.database import Tx
from tailrace.db.event_streams import Stream

Incoming = Literal["opening", "purchase", "production", "return", "transfer"]
Outgoing = Literal["shipment", "consumption", "scrap", "return_to_supplier"]
Moved = StockReceived | StockIssued | StockAdjusted | StockTransferred | StockCostSettled
MOST_VALUE = 10**15
Lots = Sequence[LotQuantity]


@dataclass(frozen=True, slots=True)
class Place:
    """An item in a warehouse."""

    item_id: UUID
    warehouse_id: UUID

    def stock_id(self, tenant_id: UUID) -> UUID:
        return derived_id(tenant_id, "stock", self.item_id, self.warehouse_id)


class StockItem(Stream[StockState]):
    """One item in one warehouse. Quantities in base units, values in minor units of `state.currency`."""

    table = inventory_event
    events: ClassVar[Sequence[type[Event]]] = STOCK
    shape = 2
    place: Place

    def __init__(self, id: UUID, state: StockState, version: int = 0) -> None:
        super().__init__(id, state, version)
        self.touched: set[UUID] = set()
        """The lots that have changed here and are to be written."""
        self.moved_lots: list[dict[str, Any]] = []
        """What moved of them, as rows that are to be written."""
        self.gained = False
        """Whether more has become free since then."""

    def record(self, event: Event, effective_at: datetime | None = None) -> None:
        super().record(event, effective_at)
        self.gained = self.gained or isinstance(event, StockReceived | StockAdjusted | StockReservationReleased)
        self.touched |= {part.lot_id for part in getattr(event, "lots", ())}

    @classmethod
    def initial(cls) -> StockState:
        return StockState()

    def apply(self, event: Any) -> None:
        state = self.state
        match event:
            case StockReserved():
                state.reserved += event.quantity
                state.lots = after_moving(state.lots, event.lots, reserved=1)
            case StockReservationReleased():
                state.reserved -= event.quantity
                state.lots = after_moving(state.lots, event.lots, reserved=-1)
            case StockReceived():
                self._put(event.layer_id, event.quantity, event.value, event.currency)
                state.lots = after_moving(state.lots, event.lots, quantity=1)
            case StockAdjusted(layer_id=UUID() as layer_id):
                self._put(layer_id, event.quantity, event.value, event.currency)
                state.lots = after_moving(state.lots, event.lots, quantity=1)
            case StockCostSettled():
                state.layers = after_taking(state.layers, event.layers)
                state.shortfalls = after_covering(state.shortfalls, event)
            case StockIssued() | StockTransferred() | StockAdjusted():
                state.layers = after_taking(state.layers, event.layers)
                held = isinstance(event, StockIssued) and event.reservation_id is not None
                state.lots = after_moving(state.lots, event.lots, quantity=-1, reserved=-1 if held else 0)
                if isinstance(event, StockIssued):
                    self._went_out(event)

    def _put(self, layer_id: UUID, quantity: Decimal, value: int, currency: str) -> None:
        state = self.state
        state.currency = currency
        state.layers = after_adding(state.layers, layer_id, quantity, value)
        joined = next(layer for layer in state.layers if layer.layer_id == layer_id)
        state.last_cost = UnitCost(quantity=joined.quantity, value=joined.value)

    def _went_out(self, event: StockIssued) -> None:
        state = self.state
        state.currency = state.currency or event.currency
        if event.reservation_id is not None:
            state.reserved -= event.quantity
        if event.provisional is not None:
            state.shortfalls = [*state.shortfalls, opened(event, event.provisional)]

    def receive(
        self,
        layer_id: UUID,
        quantity: Decimal,
        value: int,
        currency: str,
        reason: Incoming,
        at: datetime,
        reference: str | None = None,
        from_warehouse_id: UUID | None = None,
        lots: Lots = (),
        **because: Any,
    ) -> StockReceived:
        """Goods come in. `because`, of what a customer gave back: order_id, shipment_id, line_id, return_id; of what was announced:
        delivery_line_id, delivered. Raises CurrencyDiffers, TooMuch."""
        self._check_incoming(quantity, value, currency)
        event = StockReceived(
            **self._where,
            layer_id=layer_id,
            quantity=quantity,
            value=value,
            currency=currency,
            reason=reason,
            reference=reference,
            from_warehouse_id=from_warehouse_id,
            effective_at=at,
            lots=list(lots),
            **because,
        )
        self.record(event, at)
        return event

    def scrap(
        self,
        layer_id: UUID,
        quantity: Decimal,
        value: int,
        at: datetime,
        reference: str,
        lots: Lots = (),
        **because: UUID,
    ) -> StockIssued:
        """What has just come in of a layer is thrown away: it leaves at the value that it came in at, and nobody else's layer is touched."""
        event = StockIssued(
            **self._where,
            quantity=quantity,
            value=value,
            currency=self._currency,
            layers=[ConsumedLayer(layer_id=layer_id, quantity=quantity, value=value)],
            reason="scrap",
            reference=reference,
            effective_at=at,
            lots=list(lots),
            **because,
        )
        self.record(event, at)
        return event

    def reserve(self, quantity: Decimal, reservation_id: UUID, line_id: UUID, lots: Lots = ()) -> None:
        """Keep some of what is free. Raises Short."""
        self._check_free(quantity, lots)
        of_line = {"reservation_id": reservation_id, "line_id": line_id}
        self.record(StockReserved(**self._where, **of_line, quantity=quantity, lots=list(lots)))

    def release(self, quantity: Decimal, reservation_id: UUID, line_id: UUID, lots: Lots = ()) -> None:
        """Give back what a reservation holds."""
        of_line = {"reservation_id": reservation_id, "line_id": line_id}
        self.record(StockReservationReleased(**self._where, **of_line, quantity=quantity, lots=list(lots)))

    def issue(
        self,
        quantity: Decimal,
        reason: Outgoing,
        at: datetime,
        *,
        held_by: UUID | None = None,
        beyond: str | None = None,
        lots: Lots = (),
        **because: Any,
    ) -> StockIssued:
        """Goods go out, at their exact cost: what `held_by` holds, or what is free. Raises Short for the latter, TooMuch.

        `beyond` lets more go than is free, the rest at an estimated cost; it names the currency for a stock that has none yet.
        `because`: line_id, order_id, shipment_id, customer_id, reference; of what goes back to its supplier, receipt_id and credited.
        """
        if held_by is None and beyond is None:
            self._check_free(quantity, lots)
        there = quantity if held_by is not None else min(quantity, self.state.free)
        taken = pick(self.state.layers, there)
        part = estimated(quantity - there, self.state.last_cost) if there < quantity else None
        if part is not None:
            self._check_estimate(part, _value(taken))
        event = StockIssued(
            **self._where,
            quantity=quantity,
            value=_value(taken) + (part.value if part else 0),
            currency=self.state.currency or beyond or self._currency,
            layers=taken,
            reason=reason,
            reservation_id=held_by,
            effective_at=at,
            provisional=part,
            lots=list(lots),
            **because,
        )
        self.record(event, at)
        return event

    def settle(self, at: datetime) -> StockCostSettled | None:
        """Cover the oldest shortfall, as far as it goes, with what is free; None when there is nothing to cover, or nothing to cover it with.

        The caller that makes something free calls this until it returns None. It takes effect when the goods were there and the issue had been.
        """
        state = self.state
        if not state.shortfalls or not state.free:
            return None
        oldest = state.shortfalls[0]
        quantity = min(oldest.quantity, state.free)
        taken = pick(state.layers, quantity)
        story = oldest.model_dump(exclude={"quantity", "value", "effective_at"})
        event = StockCostSettled(
            **self._where,
            quantity=quantity,
            value=_value(taken),
            provisional=oldest.estimate(quantity),
            currency=self._currency,
            layers=taken,
            effective_at=max(at, oldest.effective_at),
            **story,
        )
        self.record(event, event.effective_at)
        return event

    def find_more(
        self,
        layer_id: UUID,
        quantity: Decimal,
        value: int,
        currency: str,
        reason: str,
        at: datetime,
        reference: str | None,
        lots: Lots = (),
    ) -> StockAdjusted:
        """A count found more than the books. Raises CurrencyDiffers, TooMuch."""
        self._check_incoming(quantity, value, currency)
        return self._adjust(quantity, value, currency, reason, at, reference, layer_id, [], lots)

    def find_less(
        self, quantity: Decimal, reason: str, at: datetime, reference: str | None, lots: Lots = ()
    ) -> StockAdjusted:
        """A count found so much less than the books. Raises Short where that would touch what is reserved: release it first."""
        self._check_free(quantity, lots)
        taken = pick(self.state.layers, quantity)
        return self._adjust(-quantity, -_value(taken), self._currency, reason, at, reference, None, taken, lots)

    def send(
        self, quantity: Decimal, to_warehouse_id: UUID, at: datetime, reference: str | None, lots: Lots = ()
    ) -> StockTransferred:
        """Goods leave for another warehouse, which must receive the very layers that the event names. Raises Short."""
        self._check_free(quantity, lots)
        taken = pick(self.state.layers, quantity)
        event = StockTransferred(
            **self._where,
            to_warehouse_id=to_warehouse_id,
            quantity=quantity,
            value=_value(taken),
            currency=self._currency,
            layers=taken,
            reference=reference,
            effective_at=at,
            lots=list(lots),
        )
        self.record(event, at)
        return event

    def average_value(self, quantity: Decimal) -> int | None:
        """What `quantity` is worth at the present average, or at the last cost while more left than came in; None when nothing tells."""
        state = self.state
        if state.shortfalls:
            return portion(state.last_cost.value, quantity, state.last_cost.quantity) if state.last_cost else None
        return portion(state.value, quantity, state.on_hand) if state.on_hand else None

    def _adjust(
        self,
        quantity: Decimal,
        value: int,
        currency: str,
        reason: str,
        at: datetime,
        reference: str | None,
        layer_id: UUID | None,
        layers: list[ConsumedLayer],
        lots: Lots,
    ) -> StockAdjusted:
        event = StockAdjusted(
            **self._where,
            quantity=quantity,
            value=value,
            currency=currency,
            layer_id=layer_id,
            layers=layers,
            reason=reason,
            reference=reference,
            effective_at=at,
            lots=list(lots),
        )
        self.record(event, at)
        return event

    @property
    def _where(self) -> dict[str, Any]:
        return {"item_id": self.place.item_id, "warehouse_id": self.place.warehouse_id}

    @property
    def _currency(self) -> str:
        assert self.state.currency is not None, "there is stock, so it came in at some value"
        return self.state.currency

    def _check_free(self, quantity: Decimal, lots: Lots = ()) -> None:
        if quantity > self.state.free:
            raise Short(shortage(self.place.item_id, self.place.warehouse_id, quantity, self.state.free))
        free = {one.lot_id: one.free for one in self.state.lots}
        for part in lots:
            if part.quantity > (there := free.get(part.lot_id, NOTHING)):
                raise Short(shortage_of_lot(part.number, part.quantity, there))

    def _check_estimate(self, part: Provisional, beside: int) -> None:
        booked = sum(one.value for one in self.state.shortfalls)
        if self.state.provisional + part.quantity >= MOST_QUANTITY or booked + part.value + beside > MOST_VALUE:
            raise TooMuch("More would be missing than 10^12 units or 10^15 minor units.", field="/quantity")

    def _check_incoming(self, quantity: Decimal, value: int, currency: str) -> None:
        if self.state.valued_in not in {None, currency}:
            raise CurrencyDiffers(self._currency, currency)
        in_layers = sum(layer.value for layer in self.state.layers)
        if self.state.in_layers + quantity >= MOST_QUANTITY or in_layers + value > MOST_VALUE:
            raise TooMuch("The stock would exceed 10^12 units or 10^15 minor units.", field="/quantity")


async def load_stock(tx: Tx, place: Place, match: int | None = None) -> StockItem:
    """The stock, locked for a change; empty when it never had an event. Raises Stale when `match` is not its version."""
    stock = await tx.load_stream(StockItem, place.stock_id(tx.tenant_id))
    stock.place = place
    if match is not None and match != stock.version:
        raise Stale(match, stock.version)
    return stock


async def load_stocks(tx: Tx, places: Iterable[Place]) -> dict[Place, StockItem]:
    """Several, always locked in the order of their ids, so that two who want the same ones never wait for each other."""
    by_id = {place.stock_id(tx.tenant_id): place for place in places}
    stocks = await tx.load_streams(StockItem, by_id)
    for id, place in by_id.items():
        stocks[id].place = place
    return {by_id[id]: stock for id, stock in stocks.items()}


async def view_stock(tx: Tx, place: Place) -> StockItem:
    """The stock, for reading. Raises Unknown when there never was any."""
    stock = await tx.view_stream(StockItem, place.stock_id(tx.tenant_id))
    if stock.version == 0:
        raise Unknown("stock of item", f"{place.item_id} in warehouse {place.warehouse_id}")
    stock.place = place
    return stock


def _value(taken: Iterable[ConsumedLayer]) -> int:
    return sum(one.value for one in taken)
