"""A freight forwarder is told of what leaves a company: it reads a topic of its own, by a password of its own, and no address is in there."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer

from tailrace_demo.books import Check
from tailrace_demo.setup import Shop
from tailrace_demo.topics import connection

TYPES = ("shipment.delivered", "shipment.dispatched")
WITHIN = 60.0
"""Seconds for what is still under way."""
SHOWN = 3


@dataclass(frozen=True)
class Told:
    """What the forwarder logs in with, the last that it was told, and whether it was told of everything once."""

    user: str
    password: str
    topic: str
    last: list[str]
    checks: list[Check]


async def listen(shop: Shop, kafka: str, entries: Iterable[Mapping[str, Any]]) -> Told:
    """Register it, and read as it would until it has heard of all that was asked for, or a minute is over."""
    body = {"name": "Freight forwarder", "types": list(TYPES)}
    made = await shop.admin.post("/v1/partners", body, key="partner")
    path = f"/v1/partners/{made['id']}"
    await shop.admin.until(path, lambda now: now["status"] == "open", what="the forwarder's user")
    known = await shop.admin.get(f"{path}/credentials")
    topic: str = made["topics"][0]
    wanted = {type_: sum(_asks(each, type_) for each in entries if each["tenant"] == shop.firm.slug) for type_ in TYPES}
    mine = _as_user(kafka, known["user"], known["password"])
    events = await _read(mine, topic, sum(wanted.values()))
    found = Counter(type_ for type_, _ in events)
    checks = [Check(f"{type_}, told to a partner", found[type_], wanted[type_], counted=True) for type_ in TYPES]
    last = [f"{type_}  {text}" for type_, text in events[-SHOWN:]]
    return Told(known["user"], known["password"], topic, last, checks)


def _asks(entry: Mapping[str, Any], type_: str) -> bool:
    """Whether a request is for what an event of that type tells of."""
    word = {"shipment.dispatched": "dispatch", "shipment.delivered": "deliver"}[type_]
    return bool(entry["path"].startswith("/v1/shipments/") and entry["path"].endswith(f"/{word}"))


def _as_user(kafka: str, user: str, password: str) -> str:
    scheme, locked, rest = kafka.partition("://")
    return f"{scheme}://{user}:{password}@{rest.rpartition('@')[2]}" if locked else kafka


async def _read(kafka: str, topic: str, many: int) -> list[tuple[str, str]]:
    """Type and value of each event, in the order in which they came; once there are so many, also what comes within a second after."""
    found: list[tuple[str, str]] = []
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WITHIN
    async with _reading(kafka, topic) as consumer:
        while True:
            batches = await consumer.getmany(timeout_ms=1000)
            for record in sorted((each for one in batches.values() for each in one), key=lambda each: each.timestamp):
                text = json.dumps(json.loads(record.value), ensure_ascii=False)
                found.append((dict(record.headers)["ce_type"].decode(), text))
            if not batches and (len(found) >= many or loop.time() > deadline):
                return found


def _reading(kafka: str, topic: str) -> AIOKafkaConsumer:
    tuning = {"enable_auto_commit": False, "auto_offset_reset": "earliest", "isolation_level": "read_committed"}
    return AIOKafkaConsumer(topic, **tuning, **connection(kafka))
