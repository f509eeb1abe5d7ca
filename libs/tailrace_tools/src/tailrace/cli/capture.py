"""`tailrace capture`: how each service's events get from outbox to topic, looked at and mended, on the stack that runs or on any other.

Without a stack here, the variables name the parts: TAILRACE_POSTGRES, TAILRACE_KAFKA, TAILRACE_CONNECT and TAILRACE_SECRET. It works under the
capture roles, and touches an owner role only to mend a publication.
"""

import asyncio
import json
import logging
import os
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import asyncpg
from rich.table import Table
from rich.text import Text

from tailrace.capture.connect_api import Rest
from tailrace.capture.repair import Repairs
from tailrace.capture.slots import RepairUnderWay
from tailrace.capture.watch import Condition, Watch
from tailrace.cli.console import coloured, mark, out
from tailrace.cli.running import enter_environment
from tailrace.core.kafka_address import OPERATOR
from tailrace.core.operator_error import OperatorError
from tailrace.http.outgoing import UNREACHED
from tailrace.runtime.fleet import load_services
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.stack.layout import Layout
from tailrace.stack.monitor import summary
from tailrace.stack.plan import service_names
from tailrace.stack.state import State

T = TypeVar("T")
_ELSEWHERE = ("TAILRACE_POSTGRES", "TAILRACE_KAFKA", "TAILRACE_CONNECT")
_INTERVAL = 1.0


def show_capture(*, as_json: bool) -> bool:
    """Look once, and print what is found; says whether all is well."""
    services, settings = _services(None), _settings()

    async def look() -> tuple[dict[str, str], dict[str, Condition]]:
        watch = Watch(services, settings, mend=False)
        try:
            async with Rest(settings.connect) as rest:
                states = await _states(rest)
                await watch.look(rest, states)
                return states, dict(watch.conditions)
        finally:
            await watch.close()

    states, conditions = _run(look())
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


def repair_capture(name: str, *, renew: bool, everything: bool, deployed: bool) -> None:
    """Mend one service's capture until nothing is wrong with it, or recreate its slot in any case. Raises `OperatorError`."""
    (service,), settings = _services(name), _settings()
    if renew or everything:
        repairs = Repairs(settings, deployed=deployed)

        async def work() -> int | None:
            async with Rest(settings.connect) as rest:
                return await repairs.renew(service, rest, out.print, everything=everything)

        rows = _run(work())
        out.print(
            "An earlier repair is completed."
            if rows is None
            else f"{name} streams again; {rows:,} rows published again."
        )
        return
    found = _run(_mend([service], settings, deployed=deployed, until_well=True))
    done = found[name].repaired
    out.print(f"{name} is well: {done}." if done else f"Nothing is wrong with {name}.")


def watch_capture(*, deployed: bool) -> None:
    """Look at every service and mend what is wrong, until interrupted, as the embedded stack does on its own."""
    services, settings = _services(None), _settings()
    out.print(f"Watching {', '.join(service.name for service in services)}; Ctrl-C ends", style="dim")
    _run(_mend(services, settings, deployed=deployed, until_well=False))


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


async def _states(rest: Rest) -> dict[str, str]:
    return {name: summary(status)[0] for name, status in (await rest.statuses()).items()}


def _services(name: str | None) -> list[Service]:
    """The services that publish, or the one. Raises OperatorError for a name that does not exist."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if name is not None and name not in service_names():
        raise OperatorError(f"there is no service {name}", f"there are: {', '.join(service_names())}")
    found = [service for service in load_services([name] if name else ()) if service.topic is not None]
    if not found:
        raise OperatorError(f"{name} publishes nothing", "so there is nothing to mend")
    return found


def _settings() -> Settings:
    """Of the stack that runs here, or of the parts that the variables name. Raises `OperatorError`."""
    state = State.load(Layout.from_environment().state)
    if (state is None or not state.running) and all(os.environ.get(name) for name in _ELSEWHERE):
        return Settings().as_kafka_user(OPERATOR)
    enter_environment()
    return Settings().as_kafka_user(OPERATOR)


def _run(work: Coroutine[Any, Any, T]) -> T:
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
