"""`tailrace verify`: prove from the events what lists and reports show, tenant by tenant, and name the first row that does not follow."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from rich.text import Text

from tailrace.cli.console import out, say_failure
from tailrace.cli.running import enter_environment
from tailrace.core.addresses.database import in_database
from tailrace.core.operator_error import OperatorError
from tailrace.db.database import Database
from tailrace.db.error_classes import is_transient
from tailrace.observability.logs import configure
from tailrace.runtime.fleet import load_services
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.stack.plan import service_names
from tailrace.verify.replay import Difference, Outcome, Proof, prove

_SHOWN = 400


def verify(name: str | None, tenant: UUID | None, *, as_json: bool) -> bool:
    """Prove the named service, or all that are event-sourced; says whether everything follows."""
    enter_environment()
    configure("verify", "CRITICAL")
    services = _services(name)
    try:
        outcomes = asyncio.run(_prove_all(services, tenant))
    except Exception as error:
        if not is_transient(error) and not isinstance(error, OSError):
            raise
        raise OperatorError(f"PostgreSQL does not answer: {error}", "see: tailrace status") from None
    if as_json:
        out.print(json.dumps([_document(service, each) for service, each in outcomes], indent=2), markup=False)
    else:
        for service, outcome in outcomes:
            _show(service, outcome)
        if not outcomes:
            out.print("There are no events yet.")
    return all(outcome.proven for _, outcome in outcomes)


def _services(name: str | None) -> Sequence[Service]:
    wanted = load_services([name] if name in service_names() else ())
    chosen = [service for service in wanted if service.proof is not None and name in {None, service.name}]
    if not chosen:
        there = ", ".join(service.name for service in load_services() if service.proof is not None)
        raise OperatorError(f"there is no event-sourced service {name}", f"there are: {there}")
    return chosen


async def _prove_all(services: Sequence[Service], tenant: UUID | None) -> list[tuple[str, Outcome]]:
    found: list[tuple[str, Outcome]] = []
    for service in services:
        assert service.proof is not None
        tenants = [tenant] if tenant is not None else await _tenants(service, service.proof)
        database = Database(Settings().database(service.name), service.name, pool=1)
        try:
            found += [(service.name, await prove(database, service.proof, each)) for each in tenants]
        finally:
            await database.close()
    return found


async def _tenants(service: Service, proof: Proof) -> list[UUID]:
    """The tenants that have events. The service's own role sees one tenant at a time, so this one question goes to the server's administrator."""
    admin = await asyncpg.connect(in_database(Settings().postgres, service.name))
    try:
        rows = await admin.fetch(f'SELECT DISTINCT tenant_id FROM "{proof.events.name}" ORDER BY tenant_id')
    finally:
        await admin.close()
    return [UUID(str(row["tenant_id"])) for row in rows]


def _show(service: str, outcome: Outcome) -> None:
    tables = ", ".join(f"{side.rows:,} {name}" for name, side in outcome.tables.items())
    head = f"{service} {outcome.tenant_id}: {outcome.events:,} events of {outcome.streams:,} streams, {tables}"
    if outcome.proven:
        out.print(Text("✓ ", "green") + Text(head))
    else:
        say_failure(head, f"{outcome.count} differences; the first:")
        _show_difference(outcome.differences[0])
    for name, side in outcome.tables.items():
        same = side.derived.digest() == side.live.digest()
        out.print(Text(f"  {name:<16} {side.derived.hexdigest()}", "dim" if same else "red"))
        if not same:
            out.print(Text(f"  {'there':<16} {side.live.hexdigest()}", "red"))


def _show_difference(difference: Difference) -> None:
    out.print(Text(f"  {difference.where} {difference.key}", "bold"))
    if difference.derived is None or difference.live is None:
        known, missing = ("there", "by the events") if difference.derived is None else ("by the events", "there")
        out.print(Text(f"  {missing} it is nothing; {known} it is {_cut(difference.live or difference.derived or '')}"))
        return
    derived, live = _fields(difference.derived), _fields(difference.live)
    for name in sorted(derived.keys() | live.keys()):
        if derived.get(name) != live.get(name):
            out.print(Text(f"  {name}: {_cut(derived.get(name))} by the events, {_cut(live.get(name))} there"))


def _fields(said: str) -> dict[str, Any]:
    """Of a row; of anything else that was compared, one field that is all of it."""
    try:
        value = json.loads(said)
    except ValueError:
        value = said
    return value if isinstance(value, dict) else {"it": value}


def _cut(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _document(service: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "service": service,
        "tenant_id": str(outcome.tenant_id),
        "proven": outcome.proven,
        "streams": outcome.streams,
        "events": outcome.events,
        "tables": {
            name: {"rows": side.rows, "derived": side.derived.hexdigest(), "live": side.live.hexdigest()}
            for name, side in outcome.tables.items()
        },
        "differences": outcome.count,
        "first": [
            {"where": one.where, "key": one.key, "derived": one.derived, "live": one.live}
            for one in outcome.differences
        ],
    }
