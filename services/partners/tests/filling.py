"""One filler as a process of its own, to be killed: `filling.py KAFKA TOPIC TENANT PARTNER`, with Kafka's address on its first line of input."""

import asyncio
import sys
from typing import ClassVar
from uuid import UUID

from partners.filler import Wanted, fill
from partners.masking import Grant
from tailrace.core.events import Event
from tailrace.core.personal_data import Personal
from tailrace.kafka.shared_reader import shared_reader


def burrow(of: str) -> type[Event]:
    """A kind of event on a topic of the test's own."""

    class BurrowDug(Event):
        topic: ClassVar[str] = of
        type: ClassVar[str] = "burrow.dug"

        number: int
        digger: Personal[str]

    return BurrowDug


def wanted(topic: str, tenant: UUID, partner: UUID) -> Wanted:
    return Wanted(partner, Grant(tenant, {"burrow.dug": burrow(topic)}, "masked"), None)


async def _fill(kafka: str, what: Wanted) -> None:
    async with shared_reader(kafka) as shared:
        await fill(kafka, what, asyncio.Event(), shared)


if __name__ == "__main__":
    kafka = sys.stdin.readline().strip()
    source, tenant, partner = sys.argv[1:]
    asyncio.run(_fill(kafka, wanted(source, UUID(tenant), UUID(partner))))
