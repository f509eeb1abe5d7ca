"""The process that fills; a module of its own, since what is spawned cannot import a `__main__`."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID

import uvloop

from contracts.registry import events_by_type
from partners.filler import Wanted, fill
from partners.masking import Grant
from tailrace.kafka.shared_reader import shared_reader
from tailrace.kafka.uvloop_workaround import translate_closed_writes
from tailrace.observability.logs import configure

Result = TypeVar("Result")
TYPE = "order.created"


def fill_for(kafka: str, wanted: list[tuple[UUID, UUID]]) -> None:
    """Fill for all of these, until killed: pairs of partner and tenant."""
    configure("fillers", "ERROR")
    run(_fill(kafka, wanted))


def run(what: Coroutine[Any, Any, Result]) -> Result:
    """On the event loop that services run on."""
    translate_closed_writes()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(what)


async def _fill(kafka: str, wanted: list[tuple[UUID, UUID]]) -> None:
    types = {TYPE: events_by_type()[TYPE]}
    each = [Wanted(partner, Grant(tenant, types, "masked"), None) for partner, tenant in wanted]
    async with shared_reader(kafka) as shared:
        await asyncio.gather(*(fill(kafka, one, asyncio.Event(), shared) for one in each))
