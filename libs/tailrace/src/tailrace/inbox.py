"""Exactly one effect per fact and subscriber: a high-water mark per (subscriber, aggregate) moves in the transaction of the effect.

Not greater than the mark: a duplicate, passed over. The next: applied. Further on: a gap, which must be parked. Marks are kept for ever, so
rewound offsets, republished rows and eternal topics are harmless.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert

from tailrace.database import Tx
from tailrace.events import Meta
from tailrace.tables import inbox

Pair = tuple[str, UUID]
Mark = tuple[int, int]
START: Mark = (0, 0)


class Verdict(Enum):
    """What a subscriber must do with a fact, by its place in the aggregate's sequence."""

    DUPLICATE = "duplicate"
    NEXT = "next"
    GAP = "gap"


class MarkMoved(OSError):
    """Another consumer moved the same mark meanwhile (a rebalance): start the batch over. Counts as transient."""


def judge(mark: Mark, meta: Meta) -> Verdict:
    """A new epoch (a database restored behind Kafka) takes up the sequence wherever it now is."""
    epoch, sequence = mark
    if (meta.epoch, meta.sequence) <= mark:
        return Verdict.DUPLICATE
    if meta.epoch == epoch or mark == START:
        return Verdict.NEXT if meta.sequence == sequence + 1 else Verdict.GAP
    return Verdict.NEXT if meta.sequence <= sequence + 1 else Verdict.GAP


async def marks(tx: Tx, pairs: Iterable[Pair]) -> dict[Pair, Mark]:
    """The marks there are, locked until the transaction ends."""
    wanted = sorted(set(pairs), key=lambda pair: (pair[0], pair[1].bytes))
    if not wanted:
        return {}
    query = (
        select(inbox)
        .where(tuple_(inbox.c.subscriber, inbox.c.aggregate_id).in_(wanted))
        .order_by(inbox.c.subscriber, inbox.c.aggregate_id)
        .with_for_update()
    )
    return {(row.subscriber, row.aggregate_id): (row.epoch, row.sequence) for row in await tx.execute(query)}


async def move(tx: Tx, moved: Mapping[Pair, Mark]) -> None:
    """Move marks forward. Raises MarkMoved when one of them is already there or beyond."""
    if not moved:
        return
    rows = [
        {"subscriber": subscriber, "aggregate_id": aggregate_id, "epoch": epoch, "sequence": sequence}
        for (subscriber, aggregate_id), (epoch, sequence) in sorted(
            moved.items(), key=lambda item: (item[0][0], item[0][1].bytes)
        )
    ]
    fresh = insert(inbox).values(rows)
    upsert = fresh.on_conflict_do_update(
        index_elements=["subscriber", "aggregate_id"],
        set_={"epoch": fresh.excluded.epoch, "sequence": fresh.excluded.sequence},
        where=tuple_(inbox.c.epoch, inbox.c.sequence) < tuple_(fresh.excluded.epoch, fresh.excluded.sequence),
    ).returning(inbox.c.aggregate_id)
    if len((await tx.execute(upsert)).all()) != len(rows):
        raise MarkMoved("a mark was moved by another consumer")
