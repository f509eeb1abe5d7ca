"""`tailrace restored`: databases that were put back behind Kafka, what readers have seen of them that is gone, and an operator's decision."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from rich.table import Table
from rich.text import Text

from tailrace.capture import history, slots
from tailrace.capture.connect_api import Rest
from tailrace.capture.reconcile import Difference
from tailrace.capture.repair import Repairs
from tailrace.capture.restored import Accepted, Restorations, Undecided
from tailrace.cli.console import mark, out
from tailrace.cli.recovery.capture import of_platform, publishing, run_awaited
from tailrace.core.operator_error import OperatorError
from tailrace.core.private_files import write_private
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.stack.layout import Layout

_SHOWN = 20
_AT_ONCE = 5


def show_restored(*, as_json: bool) -> bool:
    """Print what is undecided; says whether nothing is."""
    services, settings = publishing(None), of_platform()
    found = run_awaited(_undecided(services, settings))
    if as_json:
        out.print_json(json.dumps({name: {"reason": each.reason, "lost": each.lost} for name, each in found.items()}))
        return not found
    for name, each in found.items():
        out.print(mark("failed") + Text(f" {name}: {each.words}"))
        out.print(f"    → tailrace restored lost {name}, then tailrace restored accept {name} --because …")
    if not found:
        out.print("Every database is the one whose events Kafka holds.")
    return not found


def show_lost(name: str, into: Path | None) -> None:
    """What readers have seen of a service and its database does not hold; all of it, with its contents, as JSON lines into a file."""
    (service,), settings = publishing(name), of_platform()
    difference = run_awaited(_restorations(settings).difference(service))
    since = f"{difference.since:%Y-%m-%d %H:%M} UTC"
    out.print(f"Compared since {since}: {len(difference.lost):,} events are lost, {len(difference.unheard):,} unheard.")
    table = Table.grid(padding=(0, 2))
    for kind, count in Counter(event.type for event in difference.lost).most_common():
        table.add_row("", f"{count:,}", kind)
    for event in difference.lost[-_SHOWN:]:
        about = f"tenant {event.tenant_id}  {event.aggregate_id}@{event.sequence}"
        table.add_row("", f"{event.time:%m-%d %H:%M:%S}", event.type, Text(about, "dim"))
    out.print(table)
    if into is not None:
        _keep(difference, into)
        out.print(f"All of them, with their contents, are in {into}")


def accept(names: Sequence[str], because: str, *, deployed: bool) -> None:
    """Go on with the databases as they are. Raises `OperatorError`."""
    settings = of_platform()
    services = [publishing(name)[0] for name in names] or publishing(None)
    restorations = _restorations(settings, deployed=deployed)
    undecided = run_awaited(_undecided(services, settings))
    for name in names:
        if name not in undecided:
            raise OperatorError(f"there is nothing to decide about {name}", "see: tailrace restored show")
    asked = [service for service in services if service.name in undecided]
    run_awaited(_accept_all(restorations, asked, settings, because))
    if not undecided:
        out.print("There is nothing to decide.")


async def _accept_all(
    restorations: Restorations, services: Sequence[Service], settings: Settings, because: str
) -> None:
    """Several at once: most of it is waiting for Connect. One that fails keeps no other from its end; then the first failure is raised."""
    some = asyncio.Semaphore(_AT_ONCE)

    async def one(service: Service) -> None:
        async with some:
            accepted, file = await _accept(restorations, service, settings, because)
        kept = f"; what was lost is in {file}" if accepted.lost else ""
        out.print(
            f"{service.name} goes on in epoch {accepted.epoch}: {accepted.lost:,} events are lost, {accepted.published:,} "
            f"were published that nobody had heard{kept}."
        )

    for ended in await asyncio.gather(*[one(service) for service in services], return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended


async def _accept(
    restorations: Restorations, service: Service, settings: Settings, because: str
) -> tuple[Accepted, Path]:
    folder = Layout.from_environment().data / "restored"
    file = folder / f"{service.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl"

    def keep(difference: Difference, _: int) -> None:
        if difference.lost:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _keep(difference, file)

    def say(words: str) -> None:
        out.print(f"{service.name}: {words}", style="dim", markup=False)

    async with Rest(settings.connect) as rest:
        return await restorations.accept(service, rest, say, because, keep), file


async def _undecided(services: Sequence[Service], settings: Settings) -> dict[str, Undecided]:
    found: dict[str, Undecided] = {}
    for service in services:
        try:
            async with slots.connected(service, settings) as connection:
                said = await history.look(connection, service, None)
        except (asyncpg.InvalidCatalogNameError, asyncpg.UndefinedTableError):
            continue  # not installed here, or not migrated yet
        if said.pending is not None:
            found[service.name] = Undecided(said.reason or "", said.lost)
    return found


def _keep(difference: Difference, into: Path) -> None:
    """Personal data may be among it: nobody else can read the file."""
    lines: list[dict[str, Any]] = [event.plain() for event in difference.lost]
    write_private(into, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def _restorations(settings: Settings, *, deployed: bool = False) -> Restorations:
    return Restorations(settings, Repairs(settings, deployed=deployed))
