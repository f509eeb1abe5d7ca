"""A replica follows another context: late, doubled, deleted and made again, many at once; and says of an id what is true of it."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import ForeignKeyConstraint, MetaData, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateTable
from toy import service as toy_service

from tailrace.core.errors import Invalid, NotYetKnown, Problem
from tailrace.core.events import Described, Event
from tailrace.core.ids import is_recent, uuid7
from tailrace.db.database import Tx
from tailrace.db.models import COLUMN_TYPES, TenantRow
from tailrace.db.row_security import TENANT_IS_SET
from tailrace.db.tables import NAMING
from tailrace.messaging.replica import Coded, Parts, Replica, Source, absent, by_code, by_ids, followed, replica
from tailrace_testing import Harness, MakeHarness


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = COLUMN_TYPES


class Tag(BaseModel):
    name: str
    weight: Decimal


class ShelfEvent(Event):
    topic: ClassVar[str] = "shelf.events"

    shelf_id: UUID


class ShelfDescribed(ShelfEvent):
    type: ClassVar[str] = "shelf.described"

    code: str
    colour: str | None = None
    tags: list[Tag] = []
    """Kept twice: as JSON in a column, and as rows."""
    active: bool = True


class ShelfRemoved(ShelfEvent):
    type: ClassVar[str] = "shelf.removed"


class ShelfMerged(ShelfEvent):
    type: ClassVar[str] = "shelf.merged"

    into_shelf_id: UUID


class ShelfUnmerged(ShelfEvent):
    type: ClassVar[str] = "shelf.unmerged"


class BoxMade(Event):
    """Says nothing of `active`."""

    topic: ClassVar[str] = "shelf.events"
    type: ClassVar[str] = "box.made"

    box_id: UUID
    code: str


class CrateMade(Event):
    topic: ClassVar[str] = "shelf.events"
    type: ClassVar[str] = "crate.made"

    crate_id: UUID
    code: str


class ShelfCopy(Replica, Base):
    __tablename__ = "shelf_copy"

    code: Mapped[str]
    colour: Mapped[str | None]
    tags: Mapped[list[dict[str, Any]]]


class CrateCopy(Coded, Base):
    """Found in every spelling of its code."""

    __tablename__ = "crate_copy"

    code: Mapped[str]


class TagCopy(TenantRow, Base):
    __tablename__ = "tag_copy"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "shelf_id"], ["shelf_copy.tenant_id", "shelf_copy.id"]),)

    shelf_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    weight: Mapped[Decimal]


class BoxCopy(Replica, Base):
    __tablename__ = "box_copy"

    code: Mapped[str]


class MergeCopy(Replica, Base):
    __tablename__ = "merge_copy"

    into_shelf_id: Mapped[UUID]


shelves = replica(
    "toy.shelves",
    Source(ShelfCopy, "shelf_id", (ShelfDescribed,), ShelfRemoved, Parts(TagCopy, "tags", "shelf_id")),
    Source(BoxCopy, "box_id", (BoxMade,)),
    Source(CrateCopy, "crate_id", (CrateMade,)),
    Source(MergeCopy, *Described("shelf_id", (ShelfMerged,), ShelfUnmerged)),
)


def described(id: UUID, code: str, *tags: tuple[str, str], **given: Any) -> ShelfDescribed:
    told = [Tag(name=name, weight=Decimal(weight)) for name, weight in tags]
    return ShelfDescribed(shelf_id=id, code=code, tags=told, **given)


@pytest.fixture
async def shelf(make_harness: MakeHarness) -> Harness:
    harness = await make_harness(replace(toy_service, subscribers=[shelves], routers=[], metadata=Base.metadata))
    for table in Base.metadata.sorted_tables:
        await harness.admin.execute(str(CreateTable(table).compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]
        await harness.admin.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table.name} TO toy_app")
        await harness.admin.execute(f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY")
        await harness.admin.execute(f"CREATE POLICY tenant ON {table.name} USING ({TENANT_IS_SET})")
    return harness


async def kept(shelf: Harness) -> list[tuple[str, bool, list[tuple[str, Any]]]]:
    """Code, whether in use, and tags of each shelf, oldest first."""
    async with shelf.tx() as tx:
        rows = (await tx.scalars(select(ShelfCopy).order_by(ShelfCopy.id))).all()
        tags = (await tx.scalars(select(TagCopy).order_by(TagCopy.name))).all()
    for row in rows:
        own = [{"name": tag.name, "weight": str(tag.weight.normalize())} for tag in tags if tag.shelf_id == row.id]
        assert sorted(row.tags, key=lambda tag: str(tag["name"])) == own
    return [(row.code, row.active, [(t.name, t.weight) for t in tags if t.shelf_id == row.id]) for row in rows]


async def test_the_newest_description_is_the_row_and_parts_are_replaced_whole(shelf: Harness) -> None:
    id = uuid7()
    first = await shelf.deliver(described(id, "A", ("x", "1"), ("y", "2"), colour="red"), aggregate_id=id)
    assert await kept(shelf) == [("A", True, [("x", 1), ("y", 2)])]
    await shelf.deliver(described(id, "B", ("y", "3")), aggregate_id=id)
    await shelf.redeliver(first)
    assert await kept(shelf) == [("B", True, [("y", 3)])]
    async with shelf.tx() as tx:
        assert (await by_ids(tx, ShelfCopy, [id]))[id].colour is None
    await shelf.deliver(described(id, "B", active=False), aggregate_id=id)
    assert await kept(shelf) == [("B", False, [])]


async def test_what_was_deleted_stays_inactive_and_comes_back_with_its_next_description(shelf: Harness) -> None:
    id = uuid7()
    await shelf.deliver(described(id, "A", ("x", "1")), aggregate_id=id)
    await shelf.deliver(ShelfRemoved(shelf_id=id), aggregate_id=id)
    assert await kept(shelf) == [("A", False, [("x", 1)])]
    await shelf.deliver(described(id, "A", ("x", "2")), aggregate_id=id)
    assert await kept(shelf) == [("A", True, [("x", 2)])]


async def test_a_batch_of_everything_at_once_ends_as_one_by_one(shelf: Harness) -> None:
    first, second, third = uuid7(), uuid7(), uuid7()
    told: Sequence[ShelfEvent] = (
        described(first, "A", ("x", "1")),
        described(second, "B", ("y", "1"), ("z", "2")),
        described(first, "A2", ("x", "2"), ("w", "1")),
        ShelfRemoved(shelf_id=second),
        described(third, "C"),
        ShelfRemoved(shelf_id=third),
        described(third, "C2", ("v", "4")),
    )
    records = []
    for event in told:
        records.append(await shelf.deliver(event, aggregate_id=event.shelf_id))
    one_by_one = await kept(shelf)
    assert one_by_one == [
        ("A2", True, [("w", 1), ("x", 2)]),
        ("B", False, [("y", 1), ("z", 2)]),
        ("C2", True, [("v", 4)]),
    ]
    await shelf.admin.execute("DELETE FROM tag_copy; DELETE FROM shelf_copy; DELETE FROM inbox")
    await shelf.redeliver(*records, *records)
    assert await kept(shelf) == one_by_one


async def test_a_batch_is_a_few_statements_however_large(shelf: Harness) -> None:
    ids = [uuid7() for _ in range(300)]
    records = [await shelf.deliver(described(id, f"S{id}", ("x", "1"), ("y", "2")), aggregate_id=id) for id in ids]
    await shelf.admin.execute("DELETE FROM tag_copy; DELETE FROM shelf_copy; DELETE FROM inbox")
    await shelf.redeliver(*records)
    assert len(await kept(shelf)) == 300
    async with shelf.tx() as tx:
        assert set(await by_ids(tx, ShelfCopy, ids)) == set(ids)


async def test_of_a_code_made_again_the_one_in_use_is_found(shelf: Harness) -> None:
    old, new, other = uuid7(), uuid7(), uuid7()
    await shelf.deliver(described(old, "A"), aggregate_id=old)
    await shelf.deliver(ShelfRemoved(shelf_id=old), aggregate_id=old)
    async with shelf.tx() as tx:
        assert (await by_code(tx, ShelfCopy, ["A"]))["A"].id == old
    await shelf.deliver(described(new, "A"), aggregate_id=new)
    await shelf.deliver(described(other, "B"), aggregate_id=other)
    async with shelf.tx() as tx:
        assert {code: row.id for code, row in (await by_code(tx, ShelfCopy, ["A", "C"])).items()} == {"A": new}
    async with shelf.tx(shelf.other_tenant) as tx:
        assert await by_code(tx, ShelfCopy, ["A", "B"]) == {}


async def test_a_code_is_found_in_every_spelling_where_case_does_not_count(shelf: Harness) -> None:
    crate, box = uuid7(), uuid7()
    await shelf.deliver(CrateMade(crate_id=crate, code="Straße-1"), aggregate_id=crate)
    await shelf.deliver(BoxMade(box_id=box, code="mm"), aggregate_id=box)
    spelled = ["Straße-1", "STRASSE-1", "ｓtrasse-１", "Strase-1"]
    async with shelf.tx() as tx:
        found = await by_code(tx, CrateCopy, spelled)
        assert {code: row.id for code, row in found.items()} == dict.fromkeys(spelled[:3], crate)
        boxes = await by_code(tx, BoxCopy, ["mm", "ｍｍ", "MM"])
        assert {code: row.id for code, row in boxes.items()} == {"mm": box, "ｍｍ": box}
    await shelf.deliver(CrateMade(crate_id=crate, code="Other"), aggregate_id=crate)
    async with shelf.tx() as tx:
        assert list(await by_code(tx, CrateCopy, ["strasse-1", "OTHER"])) == ["OTHER"]


async def test_of_two_in_use_the_one_that_is_spelled_as_it_is_asked_for_is_found(shelf: Harness) -> None:
    """As when the one that was deleted is heard of after the one that has its code by now."""
    old, new = sorted([uuid7(), uuid7()])
    for id, code in ((old, "abc"), (new, "ABC")):
        await shelf.deliver(CrateMade(crate_id=id, code=code), aggregate_id=id)

    async def found() -> dict[str, UUID]:
        async with shelf.tx() as tx:
            return {code: row.id for code, row in (await by_code(tx, CrateCopy, ["abc", "ABC", "Abc", "ａbc"])).items()}

    assert await found() == {"abc": old, "ABC": new, "Abc": new, "ａbc": old}
    await shelf.admin.execute("UPDATE crate_copy SET active = false WHERE id = $1", old)
    assert await found() == dict.fromkeys(("abc", "ABC", "Abc", "ａbc"), new), "the one in use, however it is spelled"
    await shelf.admin.execute("UPDATE crate_copy SET active = false")
    assert await found() == {"abc": old, "ABC": new, "Abc": new, "ａbc": old}


async def test_a_lookup_says_what_is_true_of_an_id(shelf: Harness) -> None:
    id, box = uuid7(), uuid7()
    await shelf.deliver(described(id, "A"), aggregate_id=id)
    await shelf.deliver(BoxMade(box_id=box, code="1"), aggregate_id=box)
    async with shelf.tx() as tx:
        known = await by_ids(tx, ShelfCopy, [id, uuid7()])
        assert list(known) == [id]
        assert known.in_use(id, "/shelf_id").code == known.known(id, "/shelf_id").code == "A"
        assert (await by_ids(tx, BoxCopy, [box])).in_use(box, "/box_id").active
        assert await _refusal(tx, uuid7()) == (NotYetKnown, "/shelf_id")
        # Made in 2023, and a random id (UUIDv4): neither is on its way.
        assert await _refusal(tx, UUID("01890a5d-ac96-774b-bcce-b302099a8057")) == (Invalid, "/shelf_id")
        assert await _refusal(tx, UUID("b9a4c0de-7b1f-4c53-9d0a-1f2e3d4c5b6a")) == (Invalid, "/shelf_id")
    await shelf.deliver(ShelfRemoved(shelf_id=id), aggregate_id=id)
    async with shelf.tx() as tx:
        gone = await by_ids(tx, ShelfCopy, [id])
        assert gone.known(id, "/shelf_id").code == "A"
        with pytest.raises(Invalid, match=f"The shelf {id} is no longer in use"):
            gone.in_use(id, "/shelf_id")


async def test_what_was_merged_is_followed_until_that_is_undone(shelf: Harness) -> None:
    first, second, third = uuid7(), uuid7(), uuid7()

    async def each() -> list[UUID]:
        async with shelf.tx() as tx:
            return [await followed(tx, MergeCopy.into_shelf_id, id) for id in (first, second, third)]

    assert await each() == [first, second, third]
    await shelf.deliver(ShelfMerged(shelf_id=first, into_shelf_id=second), aggregate_id=first)
    await shelf.deliver(ShelfMerged(shelf_id=second, into_shelf_id=third), aggregate_id=second)
    assert await each() == [third, third, third]
    async with shelf.tx(shelf.other_tenant) as tx:
        assert await followed(tx, MergeCopy.into_shelf_id, first) == first
    await shelf.deliver(ShelfUnmerged(shelf_id=second), aggregate_id=second)
    assert await each() == [second, second, third]


async def test_a_circle_of_merges_ends(shelf: Harness) -> None:
    one, other = uuid7(), uuid7()
    await shelf.deliver(ShelfMerged(shelf_id=one, into_shelf_id=other), aggregate_id=one)
    await shelf.deliver(ShelfMerged(shelf_id=other, into_shelf_id=one), aggregate_id=other)
    async with shelf.tx() as tx:
        assert await followed(tx, MergeCopy.into_shelf_id, one) in (one, other)


async def _refusal(tx: Tx, id: UUID) -> tuple[type[Problem], str]:
    with pytest.raises(Problem, match=f"There is no shelf {id} here") as refusal:
        (await by_ids(tx, ShelfCopy, [id])).known(id, "/shelf_id")
    return type(refusal.value), refusal.value.errors[0].field


def test_an_id_is_young_for_a_minute() -> None:
    now = uuid7().int >> 80
    for ago, young in ((0, True), (59_000, True), (61_000, False), (-59_000, True), (-61_000, False)):
        id = UUID(int=(now - ago) << 80 | 7 << 76 | 2 << 62)
        assert is_recent(id) == young, ago
        assert isinstance(absent(id, "/id", "not here"), NotYetKnown) == young


def test_an_event_that_lacks_a_column_is_refused_when_declared() -> None:
    with pytest.raises(TypeError, match=r"box\.made does not say colour, tags, shelf_id of ShelfCopy"):
        Source(ShelfCopy, "shelf_id", (BoxMade,))
