"""Dead letters are applied in sequence, to the one subscriber they wait for, each with its effect, its mark and its row in one transaction.

The first that fails again stops its aggregate; the others go on. A redrive holds the row of the mark, as the live consumer does: two
redrives take turns, and a new event either becomes a dead letter behind what waits or is applied after all of it. What cannot be cured is
dropped, with a reason that is kept.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord
from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on

from tailrace.core.context import Context
from tailrace.core.events import Meta
from tailrace.core.retries.backoff import Backoff
from tailrace.db.database import Database, Tx
from tailrace.db.error_classes import is_transient, is_uncertain
from tailrace.db.lookout import Lookout
from tailrace.db.tables import dead_letter, dropped, inbox
from tailrace.kafka.cloudevents import Malformed, read_meta
from tailrace.kafka.record_lookup import KafkaAway, ReadRecord
from tailrace.messaging.dead_letters import BEHIND, GAP, NOT_YET, gap_reason, report, storable
from tailrace.messaging.dispatcher import kind_of, reason_of, take_effect
from tailrace.messaging.inbox import Pair, Verdict, hold, judge, move
from tailrace.messaging.subscribers import Subscriber
from tailrace.observability.logs import log

OpenKafka = Callable[[], AbstractAsyncContextManager[ReadRecord]]
_EVERY = 2.0
_LONGEST_WAIT = 30.0
_TRIES, _FIRST_PAUSE, _LONGEST_PAUSE = 3, 0.2, 1.0
_AT_ONCE = 200
"""Events of one aggregate that the background applies before it looks after the next aggregate."""


class RecordGone(Exception):
    """Kafka no longer holds the record, or another one stands in its place."""


class StillGap(Exception):
    """The event before this one has not arrived."""


class NotDroppable(Exception):
    """Why this cannot be dropped, for the person who asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """The key of a dead letter: for which subscriber, and where the record stands in Kafka."""

    subscriber: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Head:
    """The first dead letter of a (subscriber, aggregate)."""

    place: Place
    aggregate_id: UUID
    epoch: int
    sequence: int
    tenant_id: UUID
    kind: str
    reason: str
    attempts: int

    @property
    def pair(self) -> Pair:
        return (self.place.subscriber, self.aggregate_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a redrive came to: events applied, duplicates put away, and the first dead letter now, None when there is none."""

    pair: Pair
    applied: int = 0
    duplicates: int = 0
    stopped: Head | None = None

    @property
    def progress(self) -> int:
        return self.applied + self.duplicates


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was given up: the event, how many sequences missing before it, and how many events can go on now."""

    place: Place
    missing: int
    behind: int


_SEQUENCE = (
    dead_letter.c.epoch,
    dead_letter.c.sequence,
    dead_letter.c.topic,
    dead_letter.c.partition,
    dead_letter.c.offset,
)
_HEAD = (
    select(dead_letter)
    .where(
        dead_letter.c.subscriber == bindparam("of_subscriber"), dead_letter.c.aggregate_id == bindparam("of_aggregate")
    )
    .order_by(*_SEQUENCE)
    .limit(1)
)
_heads = (
    select(dead_letter)
    .ext(distinct_on(dead_letter.c.subscriber, dead_letter.c.aggregate_id))
    .where(dead_letter.c.aggregate_id.is_not(None))
    .order_by(dead_letter.c.subscriber, dead_letter.c.aggregate_id, *_SEQUENCE)
    .subquery("heads")
)
_waited = func.coalesce(_heads.c.redriven_at, _heads.c.dead_lettered_at) + func.make_interval(
    0, 0, 0, 0, 0, 0, func.least(func.power(2.0, func.least(_heads.c.attempts, 10)), _LONGEST_WAIT)
)
_DUE = (
    select(_heads)
    .outerjoin(inbox, and_(inbox.c.subscriber == _heads.c.subscriber, inbox.c.aggregate_id == _heads.c.aggregate_id))
    .where(
        or_(
            and_(_heads.c.kind == NOT_YET, _waited <= func.now()),
            tuple_(_heads.c.epoch, _heads.c.sequence) <= tuple_(inbox.c.epoch, inbox.c.sequence),
            # Nothing is wrong with these but their place, and that is no gap (see `inbox.judge`) any more.
            and_(
                _heads.c.kind.in_([GAP, BEHIND]),
                or_(_heads.c.sequence <= func.coalesce(inbox.c.sequence, 0) + 1, _heads.c.epoch < inbox.c.epoch),
            ),
        )
    )
    .order_by(_heads.c.dead_lettered_at)
)


class Redriver:
    """Redrives one service's dead letters. Any number of them may work at once, in one process or in many."""

    def __init__(
        self, service: str, subscribers: Sequence[Subscriber], database: Database, read_record: ReadRecord
    ) -> None:
        self._service = service
        self._database = database
        self._subscribers = {subscriber.name: subscriber for subscriber in subscribers}
        self._read_record = read_record

    async def redrive(self, pair: Pair, *, most: int | None = None) -> Outcome:
        """Apply the dead letters of one aggregate for one subscriber, in sequence, until nothing is left or one fails; at most so many.

        Raises KeyError for a subscriber that the service has not, and transient failures; what was applied by then stays applied.
        """
        subscriber = self._subscribers[pair[0]]
        async with self._database.transaction(Context(tenant_id=None), read_only=True) as tx:
            outcome = Outcome(pair, stopped=await _head(tx, pair))
        goes_on = True
        while goes_on and outcome.stopped is not None and (most is None or outcome.progress < most):
            outcome, goes_on = await self._with_retries(subscriber, outcome, outcome.stopped)
        return outcome

    async def _with_retries(self, subscriber: Subscriber, outcome: Outcome, head: Head) -> tuple[Outcome, bool]:
        """Advance; what may pass is tried again a few times before it counts."""
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        for _ in range(_TRIES):
            try:
                return await self._advance(subscriber, outcome, head)
            except Exception as error:
                if not is_uncertain(error):
                    raise
                await asyncio.sleep(backoff.next())
        return await self._advance(subscriber, outcome, head, last=True)

    async def redrive_due(self) -> list[Outcome]:
        """Redrive what can be applied now: `not_yet` after a pause that grows to 30 s, and what waited for an event that has arrived.

        One query when nothing is due. A fault of one aggregate is logged and holds up no other. Raises KafkaAway.
        """
        async with self._database.engine.connect() as connection:
            due = [read_head(row) for row in await connection.execute(_DUE)]
        outcomes: list[Outcome] = []
        for head in due:
            if head.place.subscriber not in self._subscribers:
                continue
            try:
                outcomes.append(await self.redrive(head.pair, most=_AT_ONCE))
            except KafkaAway:
                raise
            except Exception as error:
                say = log.info if is_transient(error) else log.error
                say("redrive interrupted", subscriber=head.place.subscriber, reason=reason_of(error)[:500])
        return outcomes

    async def _advance(
        self, subscriber: Subscriber, outcome: Outcome, head: Head, *, last: bool = False
    ) -> tuple[Outcome, bool]:
        """Try the head: what that came to, and whether to try on. Raises what passes; what may pass, unless this is the last try."""
        record = await self._read_record(head.place.topic, head.place.partition, head.place.offset)
        try:
            async with self._database.transaction(Context(tenant_id=head.tenant_id)) as tx:
                mark = (await hold(tx, {head.pair}))[head.pair]
                current = await _head(tx, head.pair)
                if current != head:
                    # Another redrive was faster. Where it has just failed, failing once more would tell nothing new.
                    return replace(outcome, stopped=current), current is not None and current.place != head.place
                verdict = judge(mark, head)
                if verdict is not Verdict.DUPLICATE:
                    await _apply(tx, subscriber, head, record, verdict)
                await tx.execute(delete(dead_letter).where(*_at(head.place)))
                following = await _head(tx, head.pair)
        except Exception as error:
            if is_transient(error) or (is_uncertain(error) and not last):
                raise
            return replace(outcome, stopped=await self._note_failure(head, record, error)), False
        if verdict is Verdict.DUPLICATE:
            return replace(outcome, duplicates=outcome.duplicates + 1, stopped=following), True
        return replace(outcome, applied=outcome.applied + 1, stopped=following), True

    async def _note_failure(self, head: Head, record: ConsumerRecord | None, error: Exception) -> Head | None:
        """Keep why it failed this time; an event that had only waited behind another is reported now. Returns the head there is."""
        kind = GAP if isinstance(error, StillGap) else kind_of(error)
        reason = str(error) if kind == GAP else reason_of(error)
        failed = update(dead_letter).where(*_at(head.place), dead_letter.c.attempts == head.attempts)
        async with self._database.transaction(_cause(record, head)) as tx:
            await hold(tx, {head.pair})
            noted = await tx.execute(
                failed.values(
                    kind=kind, reason=storable(reason), attempts=head.attempts + 1, redriven_at=func.now()
                ).returning(dead_letter.c.offset)
            )
            if noted.first() is not None and head.kind == BEHIND and record is not None:
                await report(tx, self._service, head.place.subscriber, record, kind, reason)
            return await _head(tx, head.pair)


async def redrive_forever(
    service: str,
    subscribers: Sequence[Subscriber],
    database: Database,
    read: OpenKafka,
    stop: asyncio.Event,
    *,
    lookout: Lookout,
    every: float = _EVERY,
) -> None:
    """Look every so many seconds for dead letters that can be applied now, until `stop`, while there are any; the lookout says when there are."""
    # Due as soon as there is one: which can be applied is asked then.
    post = lookout.post("dead_letters", select(dead_letter.c.dead_lettered_at).limit(1))
    while not stop.is_set():
        progress = 0
        try:
            async with read() as read_record:
                outcomes = await Redriver(service, subscribers, database, read_record).redrive_due()
            progress = sum(outcome.progress for outcome in outcomes)
            if progress:
                log.info("redriven", events=progress, aggregates=len(outcomes))
        except Exception as error:
            say = log.info if is_transient(error) else log.error
            say("redrive interrupted", reason=reason_of(error)[:500])
        if not progress:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every)
            await post.rest(stop, look_in=0)


async def drop(database: Database, place: Place, because: str, by: str) -> Dropped:
    """Give up a dead letter for good: the mark moves past it, so that what stands behind can go on. The row is kept, with the reason.

    Raises NotDroppable when it is no dead letter, or not the first of its aggregate.
    """
    async with database.transaction(Context(tenant_id=None)) as tx:
        aggregate_id = (await _row_at(tx, place))["aggregate_id"]
        pair = (place.subscriber, aggregate_id)
        mark = (await hold(tx, {pair}))[pair] if aggregate_id is not None else None
        row = await _row_at(tx, place)
        missing = behind = 0
        if mark is not None:
            head = await _head(tx, pair)
            if head is None or head.place != place:
                raise NotDroppable(
                    "an earlier event of this aggregate is a dead letter: redrive or drop that one first"
                )
            if (verdict := judge(mark, head)) is not Verdict.DUPLICATE:
                await move(tx, {pair: (head.epoch, head.sequence)})
            if verdict is Verdict.GAP:
                missing = head.sequence - mark[1] - 1
            same = and_(dead_letter.c.subscriber == place.subscriber, dead_letter.c.aggregate_id == aggregate_id)
            behind = await tx.scalar(select(func.count()).select_from(dead_letter).where(same)) or 0
        kept = {name: value for name, value in row.items() if name in dropped.c}
        await tx.execute(insert(dropped).values(**kept, because=because, dropped_by=by))
        await tx.execute(delete(dead_letter).where(*_at(place)))
    log.warning("dropped", subscriber=place.subscriber, topic=place.topic, offset=place.offset, because=because, by=by)
    return Dropped(place, missing, max(behind - 1, 0))


async def _apply(tx: Tx, subscriber: Subscriber, head: Head, record: ConsumerRecord | None, verdict: Verdict) -> None:
    if verdict is Verdict.GAP:
        raise StillGap(gap_reason(head.sequence))
    if record is None:
        raise RecordGone("Kafka does not hold this record any more")
    meta = _meta(record, head)
    if subscriber.wants(meta):
        await take_effect(tx, subscriber, [subscriber.open(meta, record)])
    await move(tx, {head.pair: (head.epoch, head.sequence)})


def _cause(record: ConsumerRecord | None, head: Head) -> Context:
    try:
        return Context(head.tenant_id) if record is None else Context.because_of(_meta(record, head))
    except (Malformed, RecordGone):
        return Context(head.tenant_id)


def _meta(record: ConsumerRecord, head: Head) -> Meta:
    meta = read_meta(record)
    if (meta.aggregate_id, meta.epoch, meta.sequence) != (head.aggregate_id, head.epoch, head.sequence):
        raise RecordGone("another event stands in this one's place in Kafka")
    return meta


async def _head(tx: Tx, pair: Pair) -> Head | None:
    row = (await tx.execute(_HEAD, {"of_subscriber": pair[0], "of_aggregate": pair[1]})).one_or_none()
    return None if row is None else read_head(row)


def read_head(row: Any) -> Head:
    """From a row of `dead_letter` that has an aggregate."""
    place = Place(row.subscriber, row.topic, row.partition, row.offset)
    return Head(place, row.aggregate_id, row.epoch, row.sequence, row.tenant_id, row.kind, row.reason, row.attempts)


async def _row_at(tx: Tx, place: Place) -> dict[str, Any]:
    row = (await tx.execute(select(dead_letter).where(*_at(place)))).mappings().one_or_none()
    if row is None:
        raise NotDroppable("no dead letter is there")
    return dict(row)


def _at(place: Place) -> list[Any]:
    return [dead_letter.c[name] == getattr(place, name) for name in ("subscriber", "topic", "partition", "offset")]
