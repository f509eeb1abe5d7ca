"""`tailrace capture`: how each service's events get from outbox to topic, looked at and mended, on the stack that runs or on any other.

It works under the capture roles, and touches an owner role only to mend a publication. Of several watches, one at a time looks and mends.
"""

import asyncio
import json
import logging
import time
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import asyncpg
from rich.table import Table
from rich.text import Text

from tailrace.capture.connect_api import Rest
from tailrace.capture.repair import Repairs
from tailrace.capture.slots import RepairUnderWay, connected_to_any, leads
from tailrace.capture.watch import Condition, Watch
from tailrace.cli.console import coloured, mark, out
from tailrace.cli.running import enter_environment
from tailrace.core.addresses.kafka import OPERATOR
from tailrace.core.operator_error import OperatorError
from tailrace.http.outgoing import UNREACHED
from tailrace.observability import metrics
from tailrace.runtime.fleet import load_services
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.stack.monitor import summary
from tailrace.stack.plan import service_names

T = TypeVar("T")
_INTERVAL = 1.0
STANDBY = 5.0
"""Seconds after which a watch that does not lead asks again, and one that does makes sure that it still does."""


def show_capture(*, as_json: bool) -> bool:
    """Look once, and print what is found; says whether all is well."""
    services, settings = publishing(None), of_platform()
    states, conditions = run_awaited(look_once(services, settings))
    well = all(states.get(name) == "RUNNING" and not each.trouble for name, each in conditions.items())
    if as_json:
        out.print_json(json.dumps({name: _plain(states.get(name), each) for name, each in conditions.items()}))
        return well
    table = Table.grid(padding=(0, 2))
    for name, each in conditions.items():
        state = states.get(name, "MISSING")
        good = state == "RUNNING" and each.trouble is None
        words = each.trouble.words if each.trouble else _canary(each)
        table.add_row(mark("ready" if good else "failed"), name, coloured(state), Text(words, "dim" if good else "red"))
    out.print(table)
    if any(each.trouble for each in conditions.values()):
        out.print("The stack mends this while it runs; elsewhere: tailrace capture watch, or repair.", style="dim")
    return well


async def look_once(services: Sequence[Service], settings: Settings) -> tuple[dict[str, str], dict[str, Condition]]:
    """What Connect says of each connector, and what is found of each service; nothing is mended. Raises `UNREACHED` or asyncpg's errors."""
    watch = Watch(services, settings, mend=False)
    try:
        async with Rest(settings.connect) as rest:
            states = await _states(rest)
            await watch.look(rest, states)
            return states, dict(watch.conditions)
    finally:
        await watch.close()


def repair_capture(name: str, *, renew: bool, everything: bool, deployed: bool) -> None:
    """Mend one service's capture until nothing is wrong with it, or recreate its slot in any case. Raises `OperatorError`."""
    (service,), settings = publishing(name), of_platform()
    if renew or everything:
        repairs = Repairs(settings, deployed=deployed)

        async def work() -> int | None:
            async with Rest(settings.connect) as rest:
                return await repairs.renew(service, rest, out.print, everything=everything)

        rows = run_awaited(work())
        out.print(
            "An earlier repair is completed."
            if rows is None
            else f"{name} streams again; {rows:,} rows published again."
        )
        return
    found = run_awaited(_mend([service], settings, deployed=deployed, until_well=True))
    done = found[name].repaired
    out.print(f"{name} is well: {done}." if done else f"Nothing is wrong with {name}.")


def watch_capture(*, deployed: bool) -> None:
    """Look at every service and mend what is wrong, until interrupted, as the embedded stack does on its own.

    Where several run, one at a time does: it holds a lock in the database of the first service that is there. What it finds is shown as metrics
    too, at TAILRACE_METRICS_PORT.
    """
    services, settings = publishing(None), of_platform()
    metrics.install("capture-watch")
    if settings.metrics_port is not None:
        metrics.serve("0.0.0.0", settings.metrics_port)
    out.print(f"Watching {', '.join(service.name for service in services)}; Ctrl-C ends", style="dim")
    asyncio.run(_watch(services, settings, deployed=deployed))


async def _watch(services: Sequence[Service], settings: Settings, *, deployed: bool) -> None:
    while True:
        metrics.readings["tailrace.capture.leading"] = [({}, 0)]
        try:
            async with connected_to_any(services, settings) as connection:
                if await leads(connection):
                    out.print("This watch leads.", style="dim")
                    await _lead(connection, services, settings, deployed=deployed)
        except (*UNREACHED, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            out.print(f"PostgreSQL does not answer: {error}", style="dim", markup=False)
        metrics.readings["tailrace.capture.looked"] = [({}, time.time())]
        await asyncio.sleep(STANDBY)


async def _lead(connection: Any, services: Sequence[Service], settings: Settings, *, deployed: bool) -> None:
    """Watch as long as the connection that holds the lock lives. Raises asyncpg's errors when it does not."""
    watching = asyncio.create_task(_mend(services, settings, deployed=deployed, until_well=False))
    metrics.readings["tailrace.capture.leading"] = [({}, 1)]
    try:
        while not watching.done():
            await asyncio.wait([watching], timeout=STANDBY)
            await connection.execute("SELECT 1", timeout=10)
        await watching
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        metrics.readings.pop("tailrace.capture.well", None)


async def _mend(
    services: Sequence[Service], settings: Settings, *, deployed: bool, until_well: bool
) -> dict[str, Condition]:
    watch = Watch(services, settings, deployed=deployed)
    quiet = 0
    try:
        async with Rest(settings.connect) as rest:
            while True:
                try:
                    await watch.look(rest, states := await _states(rest))
                except UNREACHED:
                    if until_well:
                        raise
                    states = {}
                metrics.readings["tailrace.capture.looked"] = [({}, time.time())]
                metrics.readings["tailrace.capture.well"] = [
                    ({"service": name}, float(states.get(name) == "RUNNING" and not each.trouble and not each.late))
                    for name, each in watch.conditions.items()
                ]
                if until_well:
                    _refuse_restored(watch.conditions)
                wrong = [
                    n
                    for n, each in watch.conditions.items()
                    if each.trouble or each.late or each.doing or states.get(n) != "RUNNING"
                ]
                # Twice in a row: a connector that is gone counts from the second look on.
                quiet = 0 if wrong else quiet + 1
                if until_well and quiet > 1:
                    return dict(watch.conditions)
                await asyncio.sleep(_INTERVAL)
    finally:
        await watch.close()


def _refuse_restored(conditions: Mapping[str, Condition]) -> None:
    for name, each in conditions.items():
        if each.trouble is not None and each.trouble.kind == "history" and not each.doing:
            raise OperatorError(f"{name}: {each.trouble.words}", f"see: tailrace restored lost {name}")


async def _states(rest: Rest) -> dict[str, str]:
    return {name: summary(status)[0] for name, status in (await rest.statuses()).items()}


def publishing(name: str | None) -> list[Service]:
    """The services that publish, or the one. Raises OperatorError for a name that does not exist."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if name is not None and name not in service_names():
        raise OperatorError(f"there is no service {name}", f"there are: {', '.join(service_names())}")
    found = [service for service in load_services([name] if name else ()) if service.topic is not None]
    if not found:
        raise OperatorError(f"{name} publishes nothing", "so there is nothing to mend")
    return found


def of_platform() -> Settings:
    """Of the platform that the command is about. Raises `OperatorError`."""
    enter_environment()
    return Settings().as_kafka_user(OPERATOR)


def run_awaited(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except RepairUnderWay as other:
        raise OperatorError(str(other), "let it finish: tailrace capture status") from None
    except (*UNREACHED, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise OperatorError(f"a part does not answer: {error}", "see: tailrace status") from None


def _canary(condition: Condition) -> str:
    if condition.arrived_at is None:
        return "no canary yet"
    age = datetime.now(UTC).timestamp() - condition.arrived_at
    return f"canary {age:.0f} s ago, {(condition.latency or 0) * 1000:.0f} ms on its way"


def _plain(state: str | None, condition: Condition) -> dict[str, Any]:
    trouble = condition.trouble
    return {
        "state": state or "MISSING",
        "trouble": None if trouble is None else {"kind": trouble.kind, "words": trouble.words},
        "arrived_at": condition.arrived_at,
        "latency_seconds": condition.latency,
    }
