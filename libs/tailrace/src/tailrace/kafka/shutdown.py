"""Stops a Kafka client, whatever state it is in, and tells a cancellation of this task from one that leaked out of another.

aiokafka (0.14) awaits tasks of its own that it has cancelled, and lets their CancelledError out of `stop()`: a consumer that is stopped while it
waits to fetch again, as when the broker is away, would silently end the task that stops it.
"""

import asyncio
from typing import Any

from tailrace.observability.logs import log


async def stop(client: Any, *, within: float = 5.0) -> None:
    """Stop a consumer or producer of aiokafka; raises nothing but a cancellation of the caller. One that takes too long (seconds) is left."""
    stopping = asyncio.create_task(client.stop())
    try:
        await asyncio.wait({stopping}, timeout=within)
    finally:
        if not stopping.done():
            stopping.cancel()
    if stopping.cancelled() or not stopping.done():
        log.info("a Kafka client did not stop cleanly")
    elif error := stopping.exception():
        log.info("a Kafka client did not stop cleanly", reason=repr(error))


def heed(error: BaseException) -> None:
    """Raise a CancelledError again, unless it is a stray one. For loops that go on whatever happens."""
    if isinstance(error, asyncio.CancelledError) and not stray(error):
        raise error


def stray(error: BaseException) -> bool:
    """Whether this is a CancelledError although the current task was not cancelled: it came out of a task that was awaited."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and not task.cancelling()
