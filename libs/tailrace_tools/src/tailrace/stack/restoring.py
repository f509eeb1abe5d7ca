"""A stack from its backups: databases rolled forward to one moment, and topics that hold what those databases recorded and nothing else.

What a topic's copy holds from after that moment never happened there; what it lacks is published again from the outboxes when the connectors start.
Groups have no offsets and begin at the beginning; marks, which are in the databases, know what was applied.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from tailrace.capture import canary
from tailrace.core.operator_error import OperatorError
from tailrace.kafka.topic_copies import Kept, put_back
from tailrace.messaging.dead_letters import dlq_topic
from tailrace.runtime.fleet import load_services
from tailrace.runtime.provision import prepare_topics
from tailrace.service import Service
from tailrace.settings import settings_from
from tailrace.stack.accounts import database_account, home
from tailrace.stack.archive import Archive
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import Layout, Ports
from tailrace.stack.plan import counted_ports

Say = Callable[[str], None]
_NEWEST = "SELECT max(recorded_at) FROM outbox"
_ROWS = "SELECT id::text, recorded_at FROM outbox WHERE topic <> $1"


@dataclass(frozen=True)
class Restoration:
    """`moment` is when the newest event that is there was recorded, in UTC; None when there is none."""

    base: str
    moment: datetime | None
    records: int


def restore(archive: Archive, layout: Layout, ports: Ports | None, until: datetime | None, say: Say) -> Restoration:
    """Fill a data folder that holds no data, up to the end of the archived log or a moment. It can be started then, on these ports or its own.

    Raises `OperatorError`.

    What broke off leaves a folder that is refused the next time: delete it.
    """
    for part in ("postgres", "kafka"):
        if (layout.data / part).exists():
            raise OperatorError(
                f"{layout.data} holds data", "move it away first, or set TAILRACE_DATA to another folder"
            )
    base = archive.base_for(until)
    layout.create()
    account = database_account()
    cluster = home(account, layout.data / "postgres")
    say(f"laying out the backup of {base.made_at[:19]} UTC")
    archive.lay_out(base, layout, account, cluster, until)
    stack = Stack(layout.data, only="kafka", ports=ports or counted_ports(layout))
    say("rolling the databases forward")
    stack.start()
    try:
        moment, records = asyncio.run(_fill(stack, archive, say))
    finally:
        stack.stop()
    archive.forget_recovery(cluster)
    return Restoration(base.name, moment, records)


async def _fill(stack: Stack, archive: Archive, say: Say) -> tuple[datetime | None, int]:
    services, settings = load_services(), settings_from(stack.environment)
    await prepare_topics(services, settings, lambda part, phase, detail: None)
    moment: datetime | None = None
    records = 0
    for service in services:
        if service.topic is None:
            continue
        newest, belongs = await _what_it_recorded(stack, service)
        moment = max(filter(None, (moment, newest)), default=None)
        records += await put_back(stack.kafka, [service.topic, dlq_topic(service.name)], archive.topics, belongs)
        say(f"{records:,} records are back, as far as {service.name}")
    return moment, records


async def _what_it_recorded(stack: Stack, service: Service) -> tuple[datetime | None, Callable[[Kept], bool]]:
    """When its newest event was recorded, and whether a record is of one that the database recorded too. Those older than its outbox are."""
    address = stack.postgres_url.rsplit("/", 1)[0] + f"/{service.name}"
    try:
        connection = await asyncpg.connect(address)
    except asyncpg.InvalidCatalogNameError:
        return None, lambda kept: True  # installed since
    try:
        newest: datetime | None = await connection.fetchval(_NEWEST)
        rows = {row["id"]: row["recorded_at"] for row in await connection.fetch(_ROWS, canary.TOPIC)}
    finally:
        await connection.close()
    oldest = min(rows.values(), default=newest)

    def belongs(kept: Kept) -> bool:
        headers = dict(kept.headers)
        if (headers.get("ce_id") or b"").decode() in rows:
            return True
        return oldest is None or _time_of(headers, kept) < oldest

    return newest, belongs


def _time_of(headers: dict[str, bytes | None], kept: Kept) -> datetime:
    try:
        return datetime.fromisoformat((headers.get("ce_time") or b"").decode())
    except ValueError:
        return datetime.fromtimestamp(kept.timestamp / 1000, UTC)
