"""Ends a client of Kafka, whatever state it is in, and knows a cancellation that was meant for somebody else.

aiokafka (0.14) awaits tasks of its own that it has cancelled, and lets their CancelledError out of `stop()`: a consumer that is stopped while it
waits to fetch again, as when the broker is away, would end whoever stops it, in silence.
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
        log.info("a client of Kafka stopped without a farewell")
    elif error := stopping.exception():
        log.info("a client of Kafka stopped without a farewell", reason=repr(error))


def heed(error: BaseException) -> None:
    """Raise a CancelledError again, unless it is a stray one. For whoever goes on whatever happens."""
    if isinstance(error, asyncio.CancelledError) and not stray(error):
        raise error


def stray(error: BaseException) -> bool:
    """Whether this is a CancelledError, and nobody cancelled the current task: it came out of a task that was awaited."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and not task.cancelling()
