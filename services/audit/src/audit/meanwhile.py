"""Statements that PostgreSQL works on while this process computes what the next ones say: both processors have something to do, where else one waits
for the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tailrace.db.database import Tx


class Queue:
    """Statements of one transaction, run one after the other in the order in which they are put."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tasks: list[asyncio.Task[Any]] = []

    def put(self, statement: Any, given: dict[str, Any]) -> asyncio.Task[Any]:
        """Run this after those before; its result is the task's. None runs after one that failed."""
        before = self._tasks[-1] if self._tasks else None
        self._tasks.append(asyncio.create_task(self._run(before, statement, given)))
        return self._tasks[-1]

    async def _run(self, before: asyncio.Task[Any] | None, statement: Any, given: dict[str, Any]) -> Any:
        if before is not None:
            await before
        return await self._tx.execute(statement, given)

    async def end(self) -> None:
        """Raises what the first that failed raised."""
        for task in self._tasks:
            await task

    async def give_up(self) -> None:
        """Nothing runs on the connection when this returns: only then can the transaction be rolled back."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for task in self._tasks:
            # What failed is not told a second time, by the loop.
            task.cancelled() or task.exception()


@asynccontextmanager
async def queued(tx: Tx) -> AsyncIterator[Queue]:
    """A queue that is empty again at the end. Inside, `tx` is used by way of it alone, and who computes for long lets the loop turn now and then."""
    queue = Queue(tx)
    try:
        yield queue
        await queue.end()
    except BaseException:
        await queue.give_up()
        raise
