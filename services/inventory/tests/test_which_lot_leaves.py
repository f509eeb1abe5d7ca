"""Which lot leaves first is the company's word, as its template says by then, wherever lots are picked; what may not leave does not, either way."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from depot import Depot
from sqlalchemy import event

from contracts.catalog import TemplateChoiceUpdated, TemplateCreated, TemplateUpdated
from contracts.templates import ShippingRules, TemplateSettings
from inventory.projections import TemplateChoiceCopy
from tailrace.core.ids import uuid7

from .test_backorders import give_out, turn
from .test_lots import held, lot, say, take_in

Lots = list[list[tuple[str, int]]]


async def rule(depot: Depot, first_expired_first: bool | None, template: UUID | None = None) -> UUID:
    """The company's template says this, from now on."""
    kind, template = (TemplateCreated, uuid7()) if template is None else (TemplateUpdated, template)
    settings = TemplateSettings(shipping=ShippingRules(first_expired_first=first_expired_first))
    said = {"template_id": template, "code": "MINE", "name": "Mine", "level": "customer", "parent_id": None}
    await depot.h.deliver(kind(**said, settings=settings, effective=settings), aggregate_id=template)
    if kind is TemplateCreated:
        choice = uuid7()
        told = TemplateChoiceUpdated(template_choice_id=choice, template_id=template)
        await depot.h.deliver(told, aggregate_id=choice)
    return template


async def picked(depot: Depot) -> Lots:
    """The lots of each reservation so far."""
    return [[lot for line in made.lines for lot in held(line.lots)] for made in await depot.told("reservation.made")]


@pytest.mark.parametrize(
    ("says", "first"),
    [(True, [("SOON", 3), ("LATE", 1)]), (None, [("SOON", 3), ("LATE", 1)]), (False, [("LATE", 4)])],
)
async def test_what_leaves_first_is_what_the_template_says(
    dairy: Depot, says: bool | None, first: list[tuple[str, int]]
) -> None:
    await rule(dairy, says)
    await take_in(dairy, lot("OVER", "4", -1), lot("HELD", "2", 200, status="on_hold"), lot("LATE", "5", 90))
    await take_in(dairy, lot("SOON", "3", 10), lot("BAD", "2", 6))
    await say(dairy, "BAD", "blocked")
    await dairy.order(dairy.line("4"))
    line = {"item_id": str(dairy.bolt), "warehouse_id": str(dairy.north), "quantity": "4"}
    await dairy.post("reservations", lines=[line])
    rest = [("LATE", 4)] if says is not False else [("LATE", 1), ("SOON", 3)]
    assert await picked(dairy) == [first, rest]
    # Neither what is over nor what quality stopped leaves, however long it has been there.
    await dairy.order(dairy.line("1"))
    assert len(await dairy.told("reservation.rejected")) == 1
    proof = await dairy.h.prove()
    assert proof.proven, proof.differences


async def test_what_waits_is_filled_and_what_is_given_back_is_picked_again_by_the_same_rule(dairy: Depot) -> None:
    template = await rule(dairy, False)
    waits = await dairy.order(dairy.line("3"), partial=True, **turn())
    whole = await dairy.order(dairy.line("4"), **turn(minute=1))
    await take_in(dairy, lot("A", "4", 90), lot("B", "4", 10))
    assert await give_out(dairy) == 1
    assert await picked(dairy) == [[("A", 3)], [("A", 1), ("B", 3)]]
    told = await dairy.told("reservation.made")
    assert [made.fills for made in told] == [waits.reservation_id, whole.reservation_id]
    # Both let go; another order has what came first, and what is under way says it itself.
    for made, request in zip(told, (waits, whole), strict=True):
        await dairy.ask_release(request.model_copy(update={"reservation_id": made.reservation_id}))
    await dairy.order(dairy.line("5"))
    assert (await picked(dairy))[2:] == [[("A", 4), ("B", 1)]]
    await rule(dairy, True, template)
    await take_in(dairy, lot("C", "2", 5))
    await dairy.order(dairy.line("4"))
    assert (await picked(dairy))[2:] == [[("A", 4), ("B", 1)], [("C", 2), ("B", 2)]]
    proof = await dairy.h.prove()
    assert proof.proven, proof.differences


async def test_a_wish_for_days_is_met_by_what_came_first_and_keeps_that_long(dairy: Depot) -> None:
    await rule(dairy, False)
    await take_in(dairy, lot("SHORT", "5", 10), lot("LONG", "5", 90), lot("MIDDLE", "5", 40))
    await dairy.order(dairy.line("6", remaining_days=30), dairy.line("1", lot="MIDDLE"))
    assert await picked(dairy) == [[("LONG", 5), ("MIDDLE", 1), ("MIDDLE", 1)]]


async def test_the_template_is_asked_where_it_makes_a_difference_and_once(dairy: Depot) -> None:
    await rule(dairy, False)
    await take_in(dairy, lot("A", "5", 10), lot("B", "5", 90))
    nail, rod = uuid7(), uuid7()
    await dairy.item(nail, "NAIL")
    await dairy.item(rod, "ROD", tracking="lot")
    await dairy.receive("9", 90, item_id=nail)
    await take_in(dairy, lot("R1", "5"), lot("R2", "5"), item_id=rod)
    with _asked(dairy) as asked:
        await dairy.order(dairy.line("2", item=nail), dairy.line("6", item=rod), dairy.line("6"))
    assert asked == []
    await take_in(dairy, lot("C", "5", 5))
    with _asked(dairy) as asked:
        await dairy.order(dairy.line("1"), dairy.line("1"))
    assert len(asked) == 1
    assert await picked(dairy) == [
        [("R1", 5), ("R2", 1), ("A", 5), ("B", 1)],
        [("B", 1), ("B", 1)],
    ]


@contextmanager
def _asked(depot: Depot) -> Iterator[list[str]]:
    """The statements that ask for the company's choice of a template."""
    asked: list[str] = []

    def note(*call: object) -> None:
        if TemplateChoiceCopy.__tablename__ in str(call[2]):
            asked.append(str(call[2]))

    engine = depot.h.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)
