"""A saga may begin in the transaction of the command that starts it, instead of when its own service's event comes back from Kafka.

It moves the same mark as the delivery would, so that the event, when it comes, is a duplicate. Nothing is waited for that somebody else has
locked, and nothing is done when the mark is not right before the event: then the delivery begins the process, as it would have anyway. Either way it
begins once, with the same steps: the command and the process commit together, or neither has happened.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.db.error_classes import is_conflict, is_transient
from tailrace.db.outbox import Recorded
from tailrace.db.tables import outbox
from tailrace.messaging.dispatcher import take_effect
from tailrace.messaging.inbox import START, Mark, Verdict, judge, move, try_mark
from tailrace.messaging.sagas import Saga
from tailrace.messaging.subscribers import Delivery, Subscriber

_PLACE = select(outbox.c.epoch, outbox.c.recorded_at).where(outbox.c.id == bindparam("id"))


class NotNow(Exception):
    """A process could not begin in the command's transaction: run the command again without; its event begins the process later."""


class Beginnings:
    """The processes of one service that begin in the transactions of its commands."""

    def __init__(self, subscribers: Sequence[Subscriber]) -> None:
        self._sagas = [each for each in subscribers if isinstance(each, Saga) and each.at_once]

    async def begin(self, tx: Tx) -> None:
        """Begin what the events call for that this transaction has written. Raises NotNow when a first step fails, and failures that pass."""
        for saga in self._sagas:
            for first in _firsts(saga, tx.recorded):
                try:
                    await _begin(tx, saga, first)
                except Exception as error:
                    if is_transient(error) or is_conflict(error):
                        raise
                    raise NotNow(f"{saga.name} could not begin with {first.event.type}") from error


def _firsts(saga: Saga[Any], recorded: Sequence[Recorded]) -> Sequence[Recorded]:
    """The event that begins a process, once for each aggregate."""
    return list({one.publisher.id: one for one in reversed(recorded) if one.event.type in saga.at_once}.values())


async def _begin(tx: Tx, saga: Saga[Any], first: Recorded) -> None:
    aggregate = first.publisher.id
    if await saga.is_under_way(tx, saga.at_once[first.event.type](first.event)):
        return
    mark = await _mark(tx, saga, aggregate)
    if mark is None:
        return
    asked, before = tx.context, mark
    epoch, at = await _place(tx, first)
    # What the steps record themselves stands next in the same history: it is passed over, or handled, as a delivery of it would be.
    while fresh := [one for one in _of(tx, saga, aggregate) if one.sequence > mark[1]]:
        for one in fresh:
            meta = _meta(one, epoch, at)
            if judge(mark, meta) is not Verdict.NEXT:
                assert mark == before, "the events of one transaction follow one another"
                return
            mark = (meta.epoch, meta.sequence)
            if saga.wants(meta):
                await take_effect(tx, saga, [Delivery(one.event, meta)])
    tx.context = asked
    await move(tx, {(saga.name, aggregate): mark})


async def _mark(tx: Tx, saga: Saga[Any], aggregate: UUID) -> Mark | None:
    """Where the saga is in the history of this aggregate; None when that cannot be told without waiting."""
    if _of(tx, saga, aggregate)[0].sequence == 1:
        return START
    return await try_mark(tx, (saga.name, aggregate))


def _of(tx: Tx, saga: Saga[Any], aggregate: UUID) -> Sequence[Recorded]:
    """What this transaction has written of an aggregate, in order."""
    mine = [one for one in tx.recorded if one.publisher.id == aggregate and one.event.topic in saga.topics]
    return sorted(mine, key=lambda one: one.sequence)


async def _place(tx: Tx, recorded: Recorded) -> tuple[int, datetime]:
    """The epoch and the time that the outbox gave to an event, and gives to all of one transaction."""
    row = (await tx.execute(_PLACE, {"id": recorded.event_id})).one()
    return row.epoch, row.recorded_at


def _meta(one: Recorded, epoch: int, at: datetime) -> Meta:
    """The envelope that the event will have when it arrives, but for its place in Kafka, which it has none of yet."""
    context = one.context
    assert context.tenant_id is not None
    return Meta(
        event_id=one.event_id,
        type=one.event.type,
        version=one.event.version,
        topic=one.event.topic,
        aggregate_id=one.publisher.id,
        sequence=one.sequence,
        epoch=epoch,
        tenant_id=context.tenant_id,
        correlation_id=context.correlation_id,
        causation_id=context.causation_id,
        traceparent=context.traceparent,
        time=at,
        partition=-1,
        offset=-1,
        actor_id=context.actor_id,
    )
