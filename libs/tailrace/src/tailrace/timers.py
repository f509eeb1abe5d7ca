"""Deadlines that fire once, also after a crash: a timer's row goes in the transaction of what it sets off."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from tailrace.context import Context
from tailrace.database import Database, Tx
from tailrace.failures import is_transient
from tailrace.logs import log
from tailrace.tables import timer

TimerHandler = Callable[[Tx, UUID], Awaitable[None]]
AnyHandler = TypeVar("AnyHandler", bound=TimerHandler)
_EVERY = 0.5

_insert = insert(timer)
_SET = _insert.on_conflict_do_update(
    index_elements=["name", "key"],
    set_={c.name: _insert.excluded[c.name] for c in timer.c if not c.primary_key},
)
_WAITING = (
    select(timer.c.name, timer.c.key)
    .where(timer.c.name == bindparam("of_name"), timer.c.key == bindparam("with_key"))
    .with_for_update(skip_locked=True)
)
_CLEAR = delete(timer).where(tuple_(timer.c.name, timer.c.key).in_(_WAITING))


class Timer:
    """A kind of deadline, by name: `expiry = Timer("inventory.reservation_expiry")`, `@expiry.due`, `await expiry.set(tx, id, at)`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._handler: TimerHandler | None = None

    def due(self, handler: AnyHandler) -> AnyHandler:
        """Register `async def handler(tx, key)`, run at or after the deadline."""
        self._handler = handler
        return handler

    async def set(self, tx: Tx, key: UUID, at: datetime) -> None:
        """Set or move the deadline of `key`."""
        row = {
            "name": self.name,
            "key": key,
            "tenant_id": tx.tenant_id,
            "due_at": at,
            "correlation_id": tx.context.correlation_id,
            "causation_id": tx.context.causation_id,
            "traceparent": tx.context.traceparent,
        }
        await tx.execute(_SET, row)

    async def clear(self, tx: Tx, key: UUID) -> None:
        """Forget the deadline of `key`, if there is one.

        One that fires right now is passed over: its handler waits for what this transaction has locked, so waiting for it would never end.
        """
        await tx.execute(_CLEAR, {"of_name": self.name, "with_key": key})

    async def fire(self, tx: Tx, key: UUID) -> None:
        if self._handler is None:
            raise RuntimeError(f"the timer {self.name} has no handler")
        await self._handler(tx, key)


class Clockwork:
    """Fires the due timers of one service, each in a transaction of its own; several processes share the work (SKIP LOCKED)."""

    def __init__(self, database: Database, timers: Sequence[Timer]) -> None:
        self._database = database
        self._timers = {t.name: t for t in timers}

    async def run(self, stop: asyncio.Event) -> None:
        while self._timers and not stop.is_set():
            try:
                fired = await self.fire_due()
            except Exception as error:
                if not is_transient(error):
                    log.error("timer failed", exc_info=error)
                fired = 0
            if not fired:
                try:
                    await asyncio.wait_for(stop.wait(), _EVERY)
                except TimeoutError:
                    continue

    async def fire_due(self, most: int = 100) -> int:
        """Fire what is due, at most `most`; returns how many. A timer that fails is pushed back a minute and reported."""
        fired = 0
        while fired < most and await self._fire_one():
            fired += 1
        return fired

    async def _fire_one(self) -> bool:
        due: RowMapping | None = None
        try:
            async with self._database.transaction(Context(tenant_id=None)) as tx:
                due = await self._take(tx)
                if due is None:
                    return False
                tx.context = Context(None, None, due["correlation_id"], due["causation_id"], due["traceparent"])
                await tx.enter_tenant(due["tenant_id"])
                await self._timers[due["name"]].fire(tx, due["key"])
        except Exception as error:
            if due is None or is_transient(error):
                raise
            log.error("timer failed", timer=due["name"], key=str(due["key"]), exc_info=error)
            await self._push_back(due)
        return True

    async def _take(self, tx: Tx) -> RowMapping | None:
        query = (
            select(timer)
            .where(timer.c.due_at <= func.now(), timer.c.name.in_(self._timers))
            .order_by(timer.c.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        due = (await tx.execute(query)).mappings().one_or_none()
        if due is not None:
            await tx.execute(delete(timer).where(timer.c.name == due["name"], timer.c.key == due["key"]))
        return due

    async def _push_back(self, due: RowMapping) -> None:
        """Unless somebody has set it anew since."""
        async with self._database.transaction(Context(tenant_id=None)) as tx:
            later = func.now() + func.make_interval(0, 0, 0, 0, 0, 1)
            await tx.execute(
                timer.update()
                .where(timer.c.name == due["name"], timer.c.key == due["key"], timer.c.due_at == due["due_at"])
                .values(due_at=later)
            )
