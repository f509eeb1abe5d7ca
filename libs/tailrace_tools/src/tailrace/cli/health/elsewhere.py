"""`tailrace status` and `doctor` of a platform elsewhere: asked of its parts and services by their addresses, one question each."""

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from rich.table import Table
from rich.text import Text

from tailrace.capture.connect_api import Rest
from tailrace.capture.watch import Condition
from tailrace.cli.console import coloured, mark, out
from tailrace.cli.dead_letters.dead_letter_rows import Filter, Page, dead_letter_query, search
from tailrace.cli.health.service_answers import Answer, ask, told_dead_letters, told_reading
from tailrace.cli.recovery.capture import look_once
from tailrace.cli.running import Elsewhere
from tailrace.core.addresses.kafka import brokers_of
from tailrace.http.outgoing import UNREACHED
from tailrace.kafka.topics import answers
from tailrace.runtime.fleet import load_services
from tailrace.runtime.provision import topics_of
from tailrace.service import Service
from tailrace.settings import Settings

_WITHIN = 15.0


@dataclass
class Look:
    """What one look at a platform found."""

    parts: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Of PostgreSQL, Kafka and Connect: the address that may be shown, and what is wrong, or None."""
    services: dict[str, Answer] = field(default_factory=dict)
    """What each service answered that an address is known of."""
    connectors: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """What Connect says of each, and what is wrong, or None."""
    unseen: str | None = None
    """Why nothing is known of the connectors, or None."""

    @property
    def ready(self) -> bool:
        """Whether everything that was asked answered well."""
        faults = [fault for _, fault in (*self.parts.values(), *self.connectors.values())]
        return self.unseen is None and not any(faults) and all(each["ready"] for each in self.services.values())

    def plain(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "running": all(fault is None for _, fault in self.parts.values()),
            "ready": self.ready,
            "parts": {name: {"address": at, "fault": fault} for name, (at, fault) in self.parts.items()},
            "services": self.services,
            "connectors": {name: {"state": state, "fault": fault} for name, (state, fault) in self.connectors.items()},
        }


def look(there: Elsewhere) -> Look:
    """Ask everything that has an address. Raises nothing for what does not answer: that is what it finds."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    services, settings = load_services(), Settings()
    found = Look()
    addresses = {each.name: at for each in services if (at := there.service_url(each.name)) and not each.stands_in}
    if addresses:
        with ThreadPoolExecutor(len(addresses)) as pool:
            found.services = dict(zip(addresses, pool.map(ask, addresses.values()), strict=True))
    asyncio.run(_parts(found, [each for each in services if each.topic is not None], settings))
    return found


async def _parts(found: Look, publishing: Sequence[Service], settings: Settings) -> None:
    server, connect = urlsplit(settings.postgres), urlsplit(settings.connect)
    asked = {
        "postgres": (f"{server.hostname}:{server.port or 5432}", _postgres(settings)),
        "kafka": (brokers_of(settings.kafka), answers(settings.kafka)),
        "connect": (connect.netloc.rpartition("@")[2], _connect(settings)),
    }
    faults = await asyncio.gather(*[_fault(question) for _, question in asked.values()])
    found.parts = {name: (at, fault) for (name, (at, _)), fault in zip(asked.items(), faults, strict=True)}
    if any(faults):
        found.unseen = "a part does not answer"
        return
    try:
        states, conditions = await look_once(publishing, settings)
    except (*UNREACHED, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        found.unseen = str(error) or type(error).__name__
        return
    found.connectors = {name: _connector(states, name, each) for name, each in conditions.items()}


def _connector(states: Mapping[str, str], name: str, condition: Condition) -> tuple[str, str | None]:
    state = states.get(name, "MISSING")
    if condition.trouble is not None:
        return state, condition.trouble.words
    return state, None if state == "RUNNING" else f"its connector is {state}"


async def _fault(question: Any) -> str | None:
    try:
        async with asyncio.timeout(_WITHIN):
            return None if await question else "it does not answer as it should"
    except (*UNREACHED, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        return " ".join(str(error).split())[:200] or type(error).__name__


async def _postgres(settings: Settings) -> bool:
    await (await asyncpg.connect(settings.postgres, timeout=_WITHIN)).close()
    return True


async def _connect(settings: Settings) -> bool:
    async with Rest(settings.connect) as rest:
        await rest.statuses()
        return True


def show_status(there: Elsewhere, *, as_json: bool) -> bool:
    """Print it; says whether everything is ready."""
    found = look(there)
    if as_json:
        out.print_json(json.dumps(found.plain()))
        return found.ready
    table = Table.grid(padding=(0, 2))
    for name, (address, fault) in found.parts.items():
        phase = "failed" if fault else "ready"
        table.add_row("", mark(phase), name, coloured(phase), address, Text(fault or "", "red"))
    out.print(Text("Parts", "bold"))
    out.print(table)
    out.print(Text("Services", "bold"))
    if not found.services:
        out.print("  nobody says where they are: set TAILRACE_UPSTREAM, as in http://{service}:8080", style="dim")
    table = Table.grid(padding=(0, 2))
    for name, each in sorted(found.services.items()):
        phase = "ready" if each["ready"] else "failed"
        why = ", ".join(filter(None, [told_dead_letters(each), told_reading(each), each.get("consumer")]))
        table.add_row("", mark(phase), name, coloured(phase), Text(why if each["ready"] else each["answer"], "dim"))
    out.print(table)
    out.print(Text("Connectors", "bold"))
    table = Table.grid(padding=(0, 2))
    for name, (state, fault) in sorted(found.connectors.items()):
        table.add_row("", mark("failed" if fault else "ready"), name, coloured(state), Text(fault or "", "red"))
    out.print(f"  nothing is known: {found.unseen}" if found.unseen else table)
    return found.ready


Judged = Iterator[tuple[bool, str, str]]
"""Whether it is good, what it is, and what to do about it."""


def findings(there: Elsewhere) -> Judged:
    """What `tailrace doctor` says of a platform elsewhere."""
    found, settings, services = look(there), Settings(), load_services()
    for name, (address, fault) in found.parts.items():
        said = f"{name} at {address}"
        yield (
            fault is None,
            f"{said} answers" if fault is None else f"{said}: {fault}",
            "is the address right, may this machine reach it?",
        )
    if found.parts["postgres"][1] is None:
        yield from asyncio.run(_server(settings, sum(each.topic is not None for each in services)))
        yield from _dead_letters([each for each in services if each.metadata is not None])
    if found.parts["kafka"][1] is None:
        yield from asyncio.run(_topics(settings, services))
    for name, each in sorted(found.services.items()):
        if not each["ready"]:
            yield False, f"{name} is not ready: {each['answer']}", f"see the log of {name}"
    if found.services:
        yield True, f"{sum(each['ready'] for each in found.services.values())} services are ready", ""
    for name, (_, fault) in sorted(found.connectors.items()):
        if fault is not None:
            restored = "tailrace restored" in fault
            remedy = (
                "see: tailrace restored show"
                if restored
                else f"is a watch running? else: tailrace capture repair {name}"
            )
            yield False, f"capture of {name}: {fault}", remedy
    if found.connectors and not any(fault for _, fault in found.connectors.values()):
        yield True, f"{len(found.connectors)} connectors carry events to Kafka", ""


async def _server(settings: Settings, publishing: int) -> list[tuple[bool, str, str]]:
    connection = await asyncpg.connect(settings.postgres, timeout=_WITHIN)
    try:
        level = await connection.fetchval("SHOW wal_level")
        most = int(await connection.fetchval("SHOW max_replication_slots"))
        used = int(await connection.fetchval("SELECT count(*) FROM pg_replication_slots"))
        kept = await connection.fetchval("SHOW max_slot_wal_keep_size")
        free = most - used
    finally:
        await connection.close()
    return [
        (level == "logical", f"wal_level is {level}", "set wal_level = logical and restart PostgreSQL"),
        (
            free > 0,
            f"{free} of {most} replication slots are free, for {publishing} services that publish",
            "raise max_replication_slots: a repair needs one to spare",
        ),
        (
            kept != "-1",
            f"max_slot_wal_keep_size is {kept}",
            "set it, as to 4GB: a connector that does not read fills the disk otherwise",
        ),
    ]


async def _topics(settings: Settings, services: Sequence[Service]) -> list[tuple[bool, str, str]]:
    from tailrace.kafka import clients

    admin = clients.admin(settings.kafka)
    try:
        await admin.start()
        present = set(await admin.list_topics())
    finally:
        await admin.close()
    wanted = topics_of(services)
    missing = sorted(set(wanted) - present)
    said = (
        f"{', '.join(missing[:5])} of {len(wanted)} topics are missing"
        if missing
        else f"all {len(wanted)} topics are there"
    )
    return [(not missing, said, "make them: tailrace prepare")]


def _dead_letters(services: Sequence[Service]) -> Judged:
    found = asyncio.run(search(services, dead_letter_query(Filter()), Page(1, 0)))
    for refusal in found.refusals:
        yield False, refusal.what, refusal.remedy
    counts: dict[str, int] = {}
    for service, row in found.rows:
        counts[service.name] = counts.get(service.name, 0) + row.size
    for name, count in sorted(counts.items()):
        yield (
            False,
            f"{name} has {count} dead letter{'s' * (count != 1)}",
            f"see what and why: tailrace dlq list --service {name}",
        )
    if not counts and not found.refusals:
        yield True, "no dead letters", ""
