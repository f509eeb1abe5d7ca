"""Deadlines that fire once, also after a crash: a timer's row goes in the transaction of what it sets off.

A firing holds an advisory lock from its beginning, and the row only at its end: after whatever the handler locks, which is the order of every
transaction that sets a deadline because of what it changed. A deadline that was moved or cleared meanwhile has not come: its effect is undone.

A timer may carry a payload: `Timer("quotes.expiry", carries=Page)`, `await expiry.set(tx, id, at, Page(…))`, and its handler is handed it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from opentelemetry.trace import SpanKind
from sqlalchemy import RowMapping, bindparam, delete, func, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from tailrace.core.context import Context
from tailrace.core.payload import Payload
from tailrace.db.database import Database, Tx
from tailrace.db.error_classes import is_transient
from tailrace.db.lookout import Lookout
from tailrace.db.tables import timer, timer_payload
from tailrace.observability import tracing
from tailrace.observability.logs import log

TimerHandler = Callable[..., Awaitable[None]]
AnyHandler = TypeVar("AnyHandler", bound=TimerHandler)
_AT_ONCE = 20
_FIRING = "tailrace.firing"

_ANY_DUE = text("SELECT 1 FROM timer WHERE due_at <= now() AND name = ANY(:names) LIMIT 1")
_insert = insert(timer)
_SET = _insert.on_conflict_do_update(
    index_elements=["name", "key"],
    set_={c.name: _insert.excluded[c.name] for c in timer.c if not c.primary_key},
)
_MINE = (timer.c.name == bindparam("of_name"), timer.c.key == bindparam("with_key"))
_WAITING = select(timer.c.name, timer.c.key).where(*_MINE).with_for_update(skip_locked=True)
_CLEAR = delete(timer).where(tuple_(timer.c.name, timer.c.key).in_(_WAITING)).returning(literal(1))
_HASTEN = update(timer).where(*_MINE, timer.c.due_at > bindparam("earlier")).values(due_at=bindparam("earlier"))
_TRY_LOCK = select(func.pg_try_advisory_xact_lock(func.hashtextextended(bindparam("lock"), 0)))
_AGAIN = select(timer).where(*_MINE, timer.c.due_at <= func.now())
_CONSUME = delete(timer).where(*_MINE, timer.c.due_at == bindparam("was_due")).returning(literal(1))

_insert_payload = insert(timer_payload)
_CARRY = _insert_payload.on_conflict_do_update(
    index_elements=["tenant_id", "name", "key"],
    set_={name: _insert_payload.excluded[name] for name in ("version", "payload")},
)
_ITS_PAYLOAD = (timer_payload.c.name == bindparam("of_name"), timer_payload.c.key == bindparam("with_key"))
_READ_PAYLOAD = select(timer_payload.c.version, timer_payload.c.payload).where(*_ITS_PAYLOAD)
_DROP_PAYLOAD = delete(timer_payload).where(*_ITS_PAYLOAD)
_CONSUME_PAYLOAD = _DROP_PAYLOAD.where(
    timer_payload.c.version == bindparam("was_version"),
    timer_payload.c.payload == bindparam("was_payload", type_=timer_payload.c.payload.type),
).returning(literal(1))


def _tell(tx: Tx, at: datetime) -> None:
    tx.makes_due((at - datetime.now(UTC)).total_seconds())


class _Superseded(Exception):
    """The deadline was moved or cleared while its handler waited for a lock."""


class _Firing:
    """The deadline that this transaction fires. Its row goes before the handler sets it again, or at the end."""

    def __init__(self, due: RowMapping) -> None:
        self._due: RowMapping | None = due
        self._which = (due["name"], due["key"])
        self._carried: tuple[int, dict[str, Any]] | None = None

    def carries(self, version: int, payload: dict[str, Any]) -> None:
        """Note with what it fires: set again to the same moment with another payload, it has not fired."""
        self._carried = version, payload

    def is_of(self, name: str, key: UUID) -> bool:
        return self._which == (name, key)

    async def consume(self, tx: Tx) -> None:
        """Take the row away, once. Raises _Superseded when it is not what it was."""
        due, self._due = self._due, None
        if due is None:
            return
        name, key = self._which
        gone = await tx.execute(_CONSUME, {"of_name": name, "with_key": key, "was_due": due["due_at"]})
        if gone.first() is None:
            raise _Superseded
        if self._carried is not None:
            version, payload = self._carried
            was = {"of_name": name, "with_key": key, "was_version": version, "was_payload": payload}
            if (await tx.execute(_CONSUME_PAYLOAD, was)).first() is None:
                raise _Superseded


class Timer:
    """A kind of deadline, by name: `expiry = Timer("inventory.reservation_expiry")`, `@expiry.due`, `await expiry.set(tx, id, at)`."""

    def __init__(self, name: str, *, carries: type[Payload] | None = None) -> None:
        self.name = name
        self.actor = f"timer:{name}"
        """Who acts when it fires, as events name it."""
        self._carries = carries
        self._handler: TimerHandler | None = None

    def due(self, handler: AnyHandler) -> AnyHandler:
        """Register `async def handler(tx, key)`, run at or after the deadline; of a timer that carries something, `handler(tx, key, payload)`."""
        self._handler = handler
        return handler

    async def set(self, tx: Tx, key: UUID, at: datetime, payload: Payload | None = None) -> None:
        """Set or move the deadline of `key`, with what it carries from now on. Raises TypeError for a payload of another kind."""
        row = self._row(tx, key, at, payload)
        await self._consumed(tx, key)
        await tx.execute(_SET, row)
        _tell(tx, at)
        if payload is not None:
            stored = {"version": payload.version, "payload": payload.stored()}
            await tx.execute(_CARRY, {"tenant_id": tx.tenant_id, "name": self.name, "key": key, **stored})

    def _row(self, tx: Tx, key: UUID, at: datetime, payload: Payload | None = None) -> dict[str, Any]:
        if not isinstance(payload, self._carries or type(None)):
            raise TypeError(f"the timer {self.name} carries {self._carries}, not {type(payload).__name__}")
        return {
            "name": self.name,
            "key": key,
            "tenant_id": tx.tenant_id,
            "due_at": at,
            "correlation_id": tx.context.correlation_id,
            "causation_id": tx.context.causation_id,
            "traceparent": tx.context.traceparent,
        }

    async def clear(self, tx: Tx, key: UUID) -> None:
        """Forget the deadline of `key`, if there is one. One that fires right now and is past undoing is passed over."""
        await self._consumed(tx, key)
        which = {"of_name": self.name, "with_key": key}
        cleared = (await tx.execute(_CLEAR, which)).first() is not None
        if cleared and self._carries is not None:
            await tx.execute(_DROP_PAYLOAD, which)

    async def hasten(self, tx: Tx, key: UUID, at: datetime) -> None:
        """Let the deadline of `key`, if there is one, come at `at` when that is earlier. What it carries stays."""
        await tx.execute(_HASTEN, {"of_name": self.name, "with_key": key, "earlier": at})
        _tell(tx, at)

    async def carried(self, tx: Tx, key: UUID) -> Any:
        """What the deadline of `key` carries; None where it carries nothing, or is not set."""
        row = (await tx.execute(_READ_PAYLOAD, {"of_name": self.name, "with_key": key})).one_or_none()
        return None if row is None or self._carries is None else self._carries.read(row.version, row.payload)

    async def _consumed(self, tx: Tx, key: UUID) -> None:
        firing: _Firing | None = tx.info.get(_FIRING)
        if firing is not None and firing.is_of(self.name, key):
            await firing.consume(tx)

    async def fire(self, tx: Tx, key: UUID) -> None:
        if self._handler is None:
            raise RuntimeError(f"the timer {self.name} has no handler")
        if self._carries is None:
            await self._handler(tx, key)
            return
        carried = (await tx.execute(_READ_PAYLOAD, {"of_name": self.name, "with_key": key})).one()
        firing: _Firing | None = tx.info.get(_FIRING)
        if firing is not None:
            firing.carries(carried.version, carried.payload)
        await self._handler(tx, key, self._carries.read(carried.version, carried.payload))


class Deadlines:
    """Deadlines that are set in one statement. Each is because of what its transaction did when it was noted."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, UUID], tuple[Timer, dict[str, Any]]] = {}

    def note(self, tx: Tx, timer: Timer, key: UUID, at: datetime) -> None:
        """Set or move the deadline of `key` when all are set; of a timer that carries nothing. The last that is noted of a key counts."""
        self._noted[timer.name, key] = timer, timer._row(tx, key, at)

    async def set(self, tx: Tx) -> None:
        """Set what was noted, in the order in which every transaction locks it."""
        noted, self._noted = self._noted, {}
        at = sorted(noted, key=lambda which: (which[0], which[1].bytes))
        for name, key in at:
            await noted[name, key][0]._consumed(tx, key)
        if at:
            rows = [noted[which][1] for which in at]
            await tx.execute(_SET, rows)
            _tell(tx, min(row["due_at"] for row in rows))


class TimerRunner:
    """Fires the due timers of one service, each in a transaction of its own; several processes share the work."""

    def __init__(self, database: Database, timers: Sequence[Timer]) -> None:
        self._database = database
        self._timers = {t.name: t for t in timers}

    async def run(self, stop: asyncio.Event, lookout: Lookout) -> None:
        """Until `stop`: whenever the lookout says that something is due."""
        post = lookout.post("timers", select(func.min(timer.c.due_at)).where(timer.c.name.in_(self._timers)))
        while self._timers and not stop.is_set():
            try:
                fired = await self.fire_due()
            except Exception as error:
                if not is_transient(error):
                    log.error("timer failed", exc_info=error)
                fired = 0
            if not fired:
                await post.rest(stop)

    async def fire_due(self, most: int = 100) -> int:
        """Fire what is due, at most `most`; returns how many. A timer that fails is pushed back a minute and reported."""
        fired = 0
        if not await self._database.finds(_ANY_DUE, {"names": list(self._timers)}):
            return fired
        while fired < most and (met := await self._fire_one()) is not None:
            fired += met
        return fired

    async def _fire_one(self) -> bool | None:
        """Whether a deadline was met, or failed, rather than superseded; None when none is due."""
        due: RowMapping | None = None
        try:
            async with self._database.transaction(Context(tenant_id=None)) as tx:
                due = await self._take(tx)
                if due is None:
                    return None
                with tracing.span(f"timer {due['name']}", SpanKind.INTERNAL, due["traceparent"]) as traceparent:
                    because = due["correlation_id"], due["causation_id"]
                    tx.context = Context(None, None, *because, traceparent, self._timers[due["name"]].actor)
                    await tx.enter_tenant(due["tenant_id"])
                    firing = tx.info[_FIRING] = _Firing(due)
                    await self._timers[due["name"]].fire(tx, due["key"])
                    await tx.settle()
                    await firing.consume(tx)
        except _Superseded:
            return False
        except Exception as error:
            if due is None or is_transient(error):
                raise
            log.error("timer failed", timer=due["name"], key=str(due["key"]), exc_info=error)
            await self._push_back(due)
        return True

    async def _take(self, tx: Tx) -> RowMapping | None:
        """The first deadline that is due and that no other process fires. Its row is not locked: see `_Firing`."""
        due = timer.c.due_at <= func.now()
        query = (
            select(timer.c.name, timer.c.key)
            .where(due, timer.c.name.in_(self._timers))
            .order_by(timer.c.due_at)
            .limit(_AT_ONCE)
        )
        for name, key in (await tx.execute(query)).all():
            if await tx.scalar(_TRY_LOCK, {"lock": f"timer/{name}/{key}"}):
                again = await tx.execute(_AGAIN, {"of_name": name, "with_key": key})
                if (row := again.mappings().one_or_none()) is not None:
                    return row
        return None

    async def _push_back(self, due: RowMapping) -> None:
        """Unless it has been set again since."""
        async with self._database.transaction(Context(tenant_id=None)) as tx:
            later = func.now() + func.make_interval(0, 0, 0, 0, 0, 1)
            await tx.execute(
                timer.update()
                .where(timer.c.name == due["name"], timer.c.key == due["key"], timer.c.due_at == due["due_at"])
                .values(due_at=later)
            )
