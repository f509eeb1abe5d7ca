"""Valuation and replay, without a database: whatever happens to a stock, no value is lost or made, and nothing goes below zero but by policy."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from inventory.holding import Wanted, suffices
from inventory.layers import Layer, after_adding, after_taking, pick
from inventory.refusals import Short
from inventory.shelves import Shelf
from inventory.stock import Place, StockItem
from inventory.stock_state import StockState
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.core.values.money import portion

NOW = datetime(2026, 1, 2, tzinfo=UTC)
quantities = st.integers(1, 10**8).map(lambda millionths: Decimal(millionths).scaleb(-6))
values = st.integers(0, 10**7)


class LooseStock(StockItem):
    """A stock outside any database: keeps its events instead of writing them."""

    def __init__(self, place: Place) -> None:
        super().__init__(uuid7(), StockState())
        self.place = place
        self.history: list[Event] = []

    def record(self, event: Event, effective_at: datetime | None = None) -> None:
        self.apply(event)
        self.version += 1
        self.history.append(event)

    def replayed(self) -> StockState:
        """The state from the events as they read back from their JSON."""
        fresh = LooseStock(self.place)
        for event in self.history:
            fresh.apply(type(event).model_validate_json(event.model_dump_json()))
        return fresh.state


@given(st.lists(st.tuples(quantities, values), min_size=1, max_size=5), st.lists(quantities, max_size=8))
@settings(deadline=None)
def test_the_last_issue_takes_the_remainder(receipts: list[tuple[Decimal, int]], cuts: list[Decimal]) -> None:
    layers: list[Layer] = []
    for quantity, value in receipts:
        layers = after_adding(layers, uuid7(), quantity, value)
    left, cost = sum((quantity for quantity, _ in receipts), Decimal(0)), 0
    for cut in [*cuts, left]:
        part = min(left, cut)
        taken = pick(layers, part)
        assert sum(one.quantity for one in taken) == part
        assert [one.layer_id for one in taken] == [layer.layer_id for layer in layers[: len(taken)]]
        layers = after_taking(layers, taken)
        left -= part
        cost += sum(one.value for one in taken)
    assert layers == []
    assert cost == sum(value for _, value in receipts)


@pytest.mark.parametrize(
    ("value", "part", "whole", "cost"),
    [(100, "1", "3", 33), (5, "1", "2", 3), (15, "1", "2", 8), (10**15, "0.000001", "999999999999.999999", 0)],
)
def test_a_share_is_rounded_half_up_and_exactly(value: int, part: str, whole: str, cost: int) -> None:
    assert portion(value, Decimal(part), Decimal(whole)) == cost


class Stocks(RuleBasedStateMachine):
    """Two warehouses of one item, and whatever people may do to them."""

    def __init__(self) -> None:
        super().__init__()
        item = uuid7()
        self.stocks = [LooseStock(Place(item, uuid7())) for _ in range(2)]
        self.held: list[list[tuple[UUID, Decimal]]] = [[], []]
        self.received = self.issued = 0
        self.averages = False

    sides = st.integers(0, 1)

    def _layer(self, side: int) -> UUID:
        return self.stocks[side].id if self.averages else uuid7()

    @precondition(lambda self: not self.averages and not any(stock.version for stock in self.stocks))
    @rule()
    def value_by_moving_average(self) -> None:
        self.averages = True

    @rule(side=sides, quantity=quantities, value=values)
    def receive(self, side: int, quantity: Decimal, value: int) -> None:
        self.stocks[side].receive(self._layer(side), quantity, value, "EUR", "purchase", NOW)
        self.received += value
        self._settle(side)

    @rule(side=sides, quantity=quantities)
    def issue_whatever_there_is(self, side: int, quantity: Decimal) -> None:
        state = self.stocks[side].state
        last, missing = state.last_cost, quantity - state.free
        event = self.stocks[side].issue(quantity, "consumption", NOW, beyond="EUR")
        self.issued += event.value
        if missing <= 0:
            assert event.provisional is None
            return
        assert event.provisional is not None
        assert event.provisional.quantity == missing
        estimate = (
            floor(Fraction(last.value) * Fraction(missing) / Fraction(last.quantity) + Fraction(1, 2)) if last else 0
        )
        assert event.provisional.value == estimate == event.value - sum(one.value for one in event.layers)
        assert (event.provisional.basis == "unknown") == (last is None)

    def _settle(self, side: int) -> None:
        """The difference is what the issues turn out to have cost more, or less."""
        while (event := self.stocks[side].settle(NOW)) is not None:
            assert event.value == sum(one.value for one in event.layers)
            assert event.quantity == sum(one.quantity for one in event.layers)
            self.issued += event.value - event.provisional

    @rule(side=sides, quantity=quantities)
    def issue(self, side: int, quantity: Decimal) -> None:
        def take(stock: LooseStock) -> int:
            return stock.issue(quantity, "consumption", NOW).value

        self.issued += self._allowed(side, quantity, take)

    @rule(side=sides, quantity=quantities)
    def lose(self, side: int, quantity: Decimal) -> None:
        def take(stock: LooseStock) -> int:
            return -stock.find_less(quantity, "count", NOW, None).value

        self.issued += self._allowed(side, quantity, take)

    @rule(side=sides, quantity=quantities)
    def find(self, side: int, quantity: Decimal) -> None:
        value = self.stocks[side].average_value(quantity) or 0
        self.stocks[side].find_more(self._layer(side), quantity, value, "EUR", "count", NOW, None)
        self.received += value
        self._settle(side)

    @rule(side=sides, quantity=quantities)
    def transfer(self, side: int, quantity: Decimal) -> None:
        target = self.stocks[1 - side]

        def send(stock: LooseStock) -> int:
            sent = stock.send(quantity, target.place.warehouse_id, NOW, None)
            for layer in sent.layers:
                id = target.id if self.averages else layer.layer_id
                target.receive(id, layer.quantity, layer.value, "EUR", "transfer", NOW)
                self._settle(1 - side)
            return sent.value

        self._allowed(side, quantity, send)

    @rule(side=sides, quantity=quantities)
    def reserve(self, side: int, quantity: Decimal) -> None:
        reservation = uuid7()

        def hold(stock: LooseStock) -> int:
            stock.reserve(quantity, reservation, uuid7())
            self.held[side].append((reservation, quantity))
            return 0

        self._allowed(side, quantity, hold)

    @precondition(lambda self: any(self.held))
    @rule(ships=st.booleans())
    def end_a_reservation(self, ships: bool) -> None:
        side = 0 if self.held[0] else 1
        reservation, quantity = self.held[side].pop()
        if ships:
            self.issued += self.stocks[side].issue(quantity, "shipment", NOW, held_by=reservation).value
        else:
            self.stocks[side].release(quantity, reservation, uuid7())
            self._settle(side)

    def _allowed(self, side: int, quantity: Decimal, act: Callable[[LooseStock], int]) -> int:
        """Do it if there is enough; otherwise see it refused with nothing recorded."""
        stock = self.stocks[side]
        before = len(stock.history)
        if quantity <= stock.state.free:
            return act(stock)
        with pytest.raises(Short):
            act(stock)
        assert len(stock.history) == before
        return 0

    @invariant()
    def no_value_is_lost_or_made(self) -> None:
        assert sum(stock.state.value for stock in self.stocks) == self.received - self.issued

    @invariant()
    def only_a_shortfall_is_below_zero_and_nothing_open_is_empty(self) -> None:
        for stock, held in zip(self.stocks, self.held, strict=True):
            assert all(layer.quantity > 0 and layer.value >= 0 for layer in stock.state.layers)
            assert stock.state.reserved == sum(quantity for _, quantity in held)
            assert 0 <= stock.state.reserved <= stock.state.in_layers
            assert all(one.quantity > 0 for one in stock.state.shortfalls)
            assert not stock.state.shortfalls or stock.state.free == 0
            assert stock.state.on_hand == stock.state.in_layers - stock.state.provisional
            assert not self.averages or len(stock.state.layers) <= 1

    @invariant()
    def replay_gives_the_live_state(self) -> None:
        for stock in self.stocks:
            assert stock.replayed() == stock.state
            assert StockState.model_validate(stock.state.model_dump(mode="json")) == stock.state


TestStocks: Any = Stocks.TestCase
TestStocks.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@settings(deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.integers(0, 40))
def test_lines_are_allotted_in_turn_and_never_more_than_there_is(wanted: list[int], there: int) -> None:
    place = Place(uuid7(), uuid7())
    stock = LooseStock(place)
    if there:
        stock.receive(uuid7(), Decimal(there), 0, "EUR", "opening", NOW)
    shelf = Shelf({place: stock.state.free}, {})
    lines = [shelf.take(Wanted(uuid7(), place, Decimal(quantity))) for quantity in wanted]
    assert sum(line.reserved for line in lines) == min(there, sum(wanted))
    assert suffices(lines, partial_allowed=False) == (there >= sum(wanted))
    assert suffices(lines, partial_allowed=True) == (there > 0)
