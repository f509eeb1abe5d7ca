"""A saga leads a process over several services by events alone: it records what it asks for and goes on when the answer arrives.

Its state is a row, locked while it takes a step; every step is kept; a state may have a time-out, which fires once. A saga knows what it has to undo.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import bindparam, insert, literal, select, update

from tailrace.core.events import Event, Meta
from tailrace.db.database import Tx
from tailrace.db.tables import saga as saga_table
from tailrace.db.tables import saga_step
from tailrace.messaging.subscribers import Reaction
from tailrace.messaging.timers import Timer
from tailrace.observability import metrics

Data = TypeVar("Data", bound=BaseModel)
Key = Callable[[Any], UUID]
StepHandler = Callable[[Tx, "Run[Any]", Any, Meta], Awaitable[None]]
TimeoutHandler = Callable[[Tx, "Run[Any]"], Awaitable[None]]
AnyStep = TypeVar("AnyStep", bound=StepHandler)
AnyTimeout = TypeVar("AnyTimeout", bound=TimeoutHandler)

BEGIN = "begin"

_MINE = (
    saga_table.c.tenant_id == bindparam("of_tenant"),
    saga_table.c.saga == bindparam("of_saga"),
    saga_table.c.key == bindparam("with_key"),
)
_THERE = select(literal(1)).where(*_MINE)
_LOCK = select(saga_table).where(*_MINE).with_for_update()
_INSERT, _UPDATE = insert(saga_table), update(saga_table).where(*_MINE)
_INSERT_STEP = insert(saga_step)


class Run(Generic[Data]):
    """One process under way: its state, and what it remembers."""

    def __init__(self, key: UUID, state: str, data: Data, steps: int, *, is_new: bool) -> None:
        self.key = key
        self.state = state
        self.data = data
        self.steps = steps
        self.is_new = is_new
        self.deadline: datetime | None = None
        self.moved = False

    def goto(self, state: str, *, timeout: timedelta | None = None) -> None:
        """Be in `state` from here on; with `timeout`, its time-out handler runs unless the saga has moved on by then."""
        self.state = state
        self.deadline = datetime.now(UTC) + timeout if timeout is not None else None
        self.moved = True


class Saga(Reaction, Generic[Data]):
    """A process manager: `@saga.starts(Event, key=...)`, `@saga.on_answer(Event, key=...)`, `@saga.on_timeout("state")`.

    An answer that finds no process is passed over: it belongs to another process.
    """

    def __init__(self, name: str, data: type[Data], *, since: datetime | None = None) -> None:
        super().__init__(name, since=since)
        self._data = data
        self._timeouts: dict[str, TimeoutHandler] = {}
        self.at_once: dict[str, Key] = {}
        """The events whose process begins in the transaction that records them, by type, and the key that each leads to."""
        self.timer = Timer(f"saga:{name}")
        self.timer.due(self._time_out)

    def starts(self, event: type[Event], *, key: Key, at_once: bool = False) -> Callable[[AnyStep], AnyStep]:
        """Register a step that begins a process, or goes on with one of the same key.

        `at_once`, for an event of this very service: a new process begins in the transaction of the command that records it (see `beginnings`).
        """
        if at_once:
            self.at_once[event.type] = key
        return self._step(event, key, start=True)

    def on_answer(self, event: type[Event], *, key: Key) -> Callable[[AnyStep], AnyStep]:
        """Register a step of a process that is under way. It sees every state and decides by `run.state`."""
        return self._step(event, key, start=False)

    def on_timeout(self, state: str) -> Callable[[AnyTimeout], AnyTimeout]:
        def register(handler: AnyTimeout) -> AnyTimeout:
            self._timeouts[state] = handler
            return handler

        return register

    def _step(self, event: type[Event], key: Key, *, start: bool) -> Callable[[AnyStep], AnyStep]:
        def register(handler: AnyStep) -> AnyStep:
            async def step(tx: Tx, event: Any, meta: Meta) -> None:
                run = await self._load(tx, key(event), start=start)
                if run is not None:
                    before = run.state
                    await handler(tx, run, event, meta)
                    await self._save(tx, run, before, event.type, meta.event_id)

            self.on(event)(step)
            return handler

        return register

    async def _time_out(self, tx: Tx, key: UUID) -> None:
        run = await self._load(tx, key, start=False)
        if run is None or run.state not in self._timeouts:
            return
        before = run.state
        await self._timeouts[before](tx, run)
        await self._save(tx, run, before, f"time-out in {before}", None)

    async def is_under_way(self, tx: Tx, key: UUID) -> bool:
        """Whether there is a process of this key, as far as is committed; locks nothing.

        When there is none, the next step of this transaction begins it without a second look: should another have been quicker, the insert fails.
        """
        there = (await tx.execute(_THERE, self._of(tx, key))).first() is not None
        if not there:
            tx.info[self.name, key] = BEGIN
        return there

    def _of(self, tx: Tx, key: UUID) -> dict[str, Any]:
        return {"of_tenant": tx.tenant_id, "of_saga": self.name, "with_key": key}

    async def _load(self, tx: Tx, key: UUID, *, start: bool) -> Run[Data] | None:
        is_new = tx.info.pop((self.name, key), None) == BEGIN
        row = None if is_new else (await tx.execute(_LOCK, self._of(tx, key))).one_or_none()
        if row is not None:
            return Run(key, row.state, self._data.model_validate(row.data), row.steps, is_new=False)
        return Run(key, BEGIN, self._data(), 0, is_new=True) if start else None

    async def _save(self, tx: Tx, run: Run[Data], before: str, because: str, event_id: UUID | None) -> None:
        same = {"tenant_id": tx.tenant_id, "saga": self.name, "key": run.key}
        now = datetime.now(UTC)
        values: dict[str, Any] = {"data": run.data.model_dump(mode="json"), "changed_at": now}
        if run.moved:
            values |= {"state": run.state, "deadline": run.deadline, "steps": run.steps + 1}
        if run.is_new:
            await tx.execute(_INSERT, {**same, "state": run.state, **values})
        else:
            await tx.execute(_UPDATE, {**self._of(tx, run.key), **values})
        if run.moved:
            step = {"step": run.steps + 1, "from_state": before, "to_state": run.state, "because": because}
            await tx.execute(_INSERT_STEP, {**same, **step, "event_id": event_id, "at": now})
            await self._keep_deadline(tx, run)
            metrics.saga_moved(self.name, before, run.state)

    async def _keep_deadline(self, tx: Tx, run: Run[Data]) -> None:
        if run.deadline is None:
            await self.timer.clear(tx, run.key)
        else:
            await self.timer.set(tx, run.key, run.deadline)


class SagaStep(BaseModel):
    """One step of a saga, as its history shows it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    step: int
    """Its place in the history, from 1."""
    from_state: str | None
    """Where the process stood before; null at its beginning."""
    to_state: str
    """Where it stood afterwards."""
    because: str
    """The type of the event that led there, or the time-out that did."""
    event_id: UUID | None
    """The event that led there; null for a time-out."""
    at: datetime
    """When it was taken, in UTC."""


async def history(tx: Tx, name: str, key: UUID) -> Sequence[SagaStep]:
    """The steps of one process, first to last; empty when there is none."""
    table = saga_step.c
    query = (
        select(saga_step)
        .where(table.tenant_id == tx.tenant_id, table.saga == name, table.key == key)
        .order_by(table.step)
    )
    return [SagaStep.model_validate(dict(row._mapping)) for row in await tx.execute(query)]


__all__ = ["BEGIN", "Run", "Saga", "SagaStep", "history"]
