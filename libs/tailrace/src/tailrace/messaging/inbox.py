"""Exactly one effect per event and subscriber: a high-water mark per (subscriber, aggregate) moves in the transaction of the effect.

Not greater than the mark: a duplicate, passed over. The next: applied. Further on: a gap, a dead letter. Marks are kept for ever, so
rewound offsets, republished rows and eternal topics are harmless. The row of a mark is also the lock under which dead letters are written
and redriven, so a pair that has dead letters has a row, at zero when nothing was applied yet.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, Text, Uuid, bindparam, exists, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tailrace.db.database import Tx
from tailrace.db.error_classes import Passing
from tailrace.db.tables import inbox

Pair = tuple[str, UUID]
Mark = tuple[int, int]
START: Mark = (0, 0)


class Verdict(Enum):
    """What a subscriber must do with an event, by its place in the aggregate's sequence."""

    DUPLICATE = "duplicate"
    NEXT = "next"
    GAP = "gap"


class Placed(Protocol):
    """An event's place in the history of its aggregate."""

    @property
    def epoch(self) -> int: ...

    @property
    def sequence(self) -> int: ...


class MarkMoved(Passing):
    """Another consumer moved the same mark meanwhile (a rebalance): start the batch over."""


# One statement each, whatever the number of pairs: compiled once by SQLAlchemy and prepared once per connection.
_SUBSCRIBERS = bindparam("subscribers", type_=ARRAY(Text))
_AGGREGATES = bindparam("aggregates", type_=ARRAY(Uuid))
these_pairs = (
    func.unnest(_SUBSCRIBERS, _AGGREGATES).table_valued("subscriber", "aggregate_id", name="these").render_derived()
)
_FRESH = (
    func.unnest(
        _SUBSCRIBERS,
        _AGGREGATES,
        bindparam("epochs", type_=ARRAY(Integer)),
        bindparam("sequences", type_=ARRAY(BigInteger)),
    )
    .table_valued("subscriber", "aggregate_id", "epoch", "sequence", name="fresh")
    .render_derived()
)
_LOCK = (
    select(inbox)
    .join(
        these_pairs,
        (inbox.c.subscriber == these_pairs.c.subscriber) & (inbox.c.aggregate_id == these_pairs.c.aggregate_id),
    )
    .order_by(inbox.c.subscriber, inbox.c.aggregate_id)
    .with_for_update(of=inbox)
)
_TRY = (
    select(inbox)
    .where(inbox.c.subscriber == bindparam("subscriber"), inbox.c.aggregate_id == bindparam("aggregate"))
    .with_for_update(skip_locked=True)
)
_KEY = ["subscriber", "aggregate_id"]
_COLUMNS = [*_KEY, "epoch", "sequence"]
_ENSURE = (
    insert(inbox)
    .from_select(_COLUMNS, select(these_pairs.c.subscriber, these_pairs.c.aggregate_id, literal(0), literal(0)))
    .on_conflict_do_nothing()
)
_insert = insert(inbox).from_select(_COLUMNS, select(_FRESH))
_MAKE = _insert.on_conflict_do_nothing().returning(literal(1))
_MOVE = _insert.on_conflict_do_update(
    index_elements=_KEY,
    set_={"epoch": _insert.excluded.epoch, "sequence": _insert.excluded.sequence},
    where=tuple_(inbox.c.epoch, inbox.c.sequence) < tuple_(_insert.excluded.epoch, _insert.excluded.sequence),
).returning(literal(1))


def judge(mark: Mark, event: Placed) -> Verdict:
    """A new epoch (a database restored behind Kafka) takes up the sequence wherever it now is."""
    epoch, sequence = mark
    if (event.epoch, event.sequence) <= mark:
        return Verdict.DUPLICATE
    if event.epoch == epoch or mark == START:
        return Verdict.NEXT if event.sequence == sequence + 1 else Verdict.GAP
    return Verdict.NEXT if event.sequence <= sequence + 1 else Verdict.GAP


def as_columns(pairs: Collection[Pair]) -> dict[str, list[Any]]:
    """The parameters of `these_pairs`."""
    return {"subscribers": [pair[0] for pair in pairs], "aggregates": [pair[1] for pair in pairs]}


def _in_order(pairs: Iterable[Pair]) -> list[Pair]:
    """Each pair once, in the order in which every transaction makes and locks them."""
    return sorted(set(pairs), key=lambda pair: (pair[0], pair[1].bytes))


async def marks(tx: Tx, pairs: Collection[Pair]) -> dict[Pair, Mark]:
    """The marks there are, locked until the transaction ends: in the order that the statement says."""
    if not pairs:
        return {}
    rows = await tx.execute(_LOCK, as_columns(pairs))
    return {(subscriber, aggregate): (epoch, sequence) for subscriber, aggregate, epoch, sequence in rows}


async def try_mark(tx: Tx, pair: Pair) -> Mark | None:
    """The mark, locked until the transaction ends; None when there is none, or when somebody else has it: nothing is waited for."""
    row = (await tx.execute(_TRY, {"subscriber": pair[0], "aggregate": pair[1]})).one_or_none()
    return None if row is None else (row.epoch, row.sequence)


async def hold(tx: Tx, pairs: Iterable[Pair]) -> dict[Pair, Mark]:
    """The marks of all these pairs, made at zero where they are missing, locked until the transaction ends."""
    pairs = _in_order(pairs)
    await tx.execute(_ENSURE, as_columns(pairs))
    return await marks(tx, pairs)


async def move(tx: Tx, moved: Mapping[Pair, Mark], missing: Collection[Pair] = ()) -> None:
    """Move marks forward; those in `missing` had no row that could be locked when the events were judged, and are made now.

    Raises MarkMoved when a mark is already there or beyond, or when one that was missing has been made meanwhile: by whom, and after which
    event, nothing held here could tell.
    """
    for statement, pairs in ((_MOVE, moved.keys() - set(missing)), (_MAKE, moved.keys() & set(missing))):
        if not pairs:
            continue
        ordered = _in_order(pairs)
        there = [moved[pair] for pair in ordered]
        columns = as_columns(ordered)
        columns |= {"epochs": [epoch for epoch, _ in there], "sequences": [sequence for _, sequence in there]}
        if len((await tx.execute(statement, columns)).all()) != len(pairs):
            raise MarkMoved("a mark was moved by another consumer")


async def with_marks(connection: AsyncConnection, names: Iterable[str]) -> set[str]:
    """Which of these subscribers have any mark."""
    named = func.unnest(_SUBSCRIBERS).table_valued("name", name="named").render_derived()
    query = select(named.c.name).where(exists().where(inbox.c.subscriber == named.c.name))
    return set(await connection.scalars(query, {"subscribers": list(names)}))
