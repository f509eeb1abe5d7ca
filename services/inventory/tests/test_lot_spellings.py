"""A lot is the same in every spelling of its number; lots from before that differ in spelling alone stay two."""

from decimal import Decimal
from uuid import UUID

from depot import Depot

from contracts.inventory import StockReceived
from inventory.holding import Wanted
from inventory.lots import Part, ids_of
from inventory.shelves import Choice, Shelf
from inventory.stock import Place
from tailrace.core.ids import uuid7

from .test_lots import held, lot, lot_of, refused, take_in


async def test_a_lot_is_one_in_every_spelling_of_its_number(dairy: Depot) -> None:
    bought = {"quantity": "5", "value": 50, "currency": "EUR", "reason": "purchase"}
    await refused(
        dairy, "receipts", 422, "invalid", "/lots/1/number", **bought, lots=[lot("a1", "2", 9), lot("A1", "3", 9)]
    )
    await take_in(dairy, lot("a1", "5", 9))
    await take_in(dairy, lot("Ａ1", "3"))
    await refused(dairy, "receipts", 409, "lot-differs", "/lots/0/expires_on", **bought, lots=[lot("A1", "5", 8)])
    await dairy.post("issues", quantity="1", reason="consumption", lots=[lot("A1", "1")])
    shown = await lot_of(dairy, "A1")
    assert (shown["number"], shown["on_hand"]) == ("a1", "7")
    assert len((await dairy.get("lots"))["items"]) == 1
    moved = [event.event for event in await dairy.h.published(StockReceived)]
    assert {one.number for event in moved for one in event.lots} == {"a1"}
    await dairy.order(dairy.line("2", lot="A1"))
    (made,) = await dairy.told("reservation.made")
    assert held(made.lines[0].lots) == [("a1", 2)]
    pump = {"item_id": dairy.flour, **bought, "quantity": "1"}
    await dairy.post("receipts", **pump, lots=[lot("sn-1", "1")])
    await refused(dairy, "receipts", 409, "serial-known", "/lots/0/number", **pump, lots=[lot("SN-1", "1")])
    proof = await dairy.h.prove()
    assert proof.proven, proof.differences


async def test_lots_from_before_that_differ_in_spelling_stay_two(dairy: Depot) -> None:
    await take_in(dairy, lot("a1", "5", 9))
    other = uuid7()
    # As the version before writes it while both serve, too: without its key.
    columns = "item_id, serial, status, expires_on, version"
    await dairy.h.admin.execute(
        f"INSERT INTO lot (tenant_id, id, number, {columns}) SELECT tenant_id, $1, 'A1', {columns} FROM lot", other
    )
    first = UUID((await dairy.get("lots", number="a1", sort="created_at"))["items"][0]["id"])
    async with dairy.h.tx() as tx:
        parts = [Part(number, Decimal(1), None, None, "/lots/0") for number in ("A1", "a1", "Ａ1", "B")]
        found = await ids_of(tx, dairy.bolt, parts)
    assert found[:3] == [other, first, first], "each by its own spelling, any other is the older one"
    assert found[3] not in {first, other}


def test_of_two_that_differ_in_spelling_the_one_that_is_asked_for_leaves() -> None:
    place = Place(uuid7(), uuid7())

    def asked(shelf: Shelf, number: str) -> list[tuple[str, int]]:
        return held(shelf.take(Wanted(uuid7(), place, Decimal(2), number)).lots)

    def shelf(**free: int) -> Shelf:
        there = [Choice(uuid7(), number, None, Decimal(some)) for number, some in free.items() if some]
        return Shelf({place: Decimal(sum(free.values()))}, {place: there}, numbers={place: set(free)})

    both = shelf(ABC=5, abc=3)
    assert [asked(both, number) for number in ("abc", "abc", "abc", "ABC", "Abc")] == [
        [("abc", 2)],
        [("abc", 1)],
        [],
        [("ABC", 2)],
        [("ABC", 2)],
    ]
    assert asked(shelf(ABC=5, abc=0), "abc") == [], "it lies there, and may not leave"
    assert asked(shelf(ABC=5), "abc") == [("ABC", 2)]
