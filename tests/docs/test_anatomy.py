"""The anatomy page: the service that it builds without the kit answers as the kit's own does, and leaves the same rows.

Both are taken off their pages: the plain one off `explanation/anatomy.md`, the kit's off `how-to/add-a-service.md`. Each has its own database.
"""

import importlib
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from aiokafka import ConsumerRecord
from pages import blocks, files_of

import contracts
from contracts.shipments import ShipmentDispatched
from tailrace.core.ids import uuid7
from tailrace_testing import MakeHarness
from tailrace_testing.databases import Databases
from tailrace_testing.tokens import TestIssuer

ANATOMY, ADD_A_SERVICE = "docs/explanation/anatomy.md", "docs/how-to/add-a-service.md"
TABLES = ("claim", "dispatched", "outbox", "idempotency", "inbox")
SHIPMENT = uuid7()
USER = uuid7()
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")


@dataclass
class Side:
    """One of the two services: its app, what hands it an event and tells how that ended, and the superuser's connection to its database."""

    app: Any
    deliver: Callable[[ConsumerRecord], Awaitable[str]]
    admin: Any


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The manifest's module of the kit's service, made of the files that its page shows."""
    root = tmp_path_factory.mktemp("claims")
    for name, text in files_of(ADD_A_SERVICE).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "services/claims/src"))
        patch.setattr(contracts, "__path__", [*contracts.__path__, str(root / "contracts/src/contracts")])
        yield importlib.import_module("claims.service")
        for name in [name for name in sys.modules if name.partition(".")[0] == "claims" or name == "contracts.claims"]:
            del sys.modules[name]


@pytest.fixture
async def kit(claims: ModuleType, make_harness: MakeHarness) -> Side:
    harness = await make_harness(claims.service)

    async def deliver(record: ConsumerRecord) -> str:
        await harness.redeliver(record, may_dead_letter=True)
        return "gap" if await harness.admin.fetchval("SELECT true FROM dead_letter WHERE kind = 'gap'") else "done"

    return Side(harness.app, deliver, harness.admin)


@pytest.fixture
async def plain(
    kit: Side, databases: Databases, issuer: TestIssuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Side]:
    """The page's SQL run by the owner role in an empty database, and its Python as one module."""
    settings, name = databases.settings, "claims_plain"
    await databases.drop(name)
    admin = await asyncpg.connect(databases.admin_url("postgres"))
    await admin.execute(f'CREATE DATABASE "{name}" OWNER claims_owner')
    await admin.close()
    owner = await asyncpg.connect(settings.database("claims", "owner", "postgresql").rsplit("/", 1)[0] + f"/{name}")
    for block in blocks(ANATOMY, "sql"):
        await owner.execute(block.text)
    await owner.close()
    monkeypatch.setenv("CLAIMS_DATABASE", databases.app_url("claims", name))
    monkeypatch.setenv("CLAIMS_KEYS", json.dumps(issuer.keys.as_dict(private=False)))
    monkeypatch.setenv("CLAIMS_SECRET", f"idempotency:{settings.secret}")
    (tmp_path / "plain_claims.py").write_text("\n\n".join(block.text for block in blocks(ANATOMY, "python")))
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("plain_claims")

    async def deliver(record: ConsumerRecord) -> str:
        try:
            await module.deliver(record)
        except module.Gap:
            return "gap"
        return "done"

    watcher = await asyncpg.connect(databases.admin_url(name))
    try:
        yield Side(module.app, deliver, watcher)
    finally:
        await watcher.close()
        await module.engine.dispose()
        await databases.drop(name)
        del sys.modules["plain_claims"]


async def test_the_tables_are_the_same(kit: Side, plain: Side) -> None:
    expected = await shape(kit.admin)
    assert {table for table, *_ in expected} == set(TABLES)
    assert await shape(plain.admin) == expected


async def test_answers_and_rows_are_the_same(kit: Side, plain: Side, issuer: TestIssuer) -> None:
    tenant = uuid7()
    answers = await story(kit, issuer, tenant)
    assert [answer[0] for answer in answers] == STATUSES
    assert await story(plain, issuer, tenant) == answers
    expected = await rows(kit.admin)
    assert [len(expected[table]) for table in TABLES] == [1, 1, 2, 2, 1]
    assert await rows(plain.admin) == expected


STATUSES = ["done", "done", 401, 400, 201, 201, 422, 409, 422, 409, 403, 412, 200, 409, 200, 404, "gap", "nothing"]


async def story(side: Side, issuer: TestIssuer, tenant: UUID) -> list[Any]:
    """What a client and a topic do to the service; each answer, with ids and times made comparable."""
    transport = httpx2.ASGITransport(side.app, raise_app_exceptions=False)
    client = httpx2.AsyncClient(transport=transport, base_url="http://claims")
    heads = {name: {"Authorization": f"Bearer {token}"} for name, token in tokens(issuer, tenant).items()}
    cracked = {"shipment_id": str(SHIPMENT), "complaint": " Two flanges are cracked – ä. "}

    async def send(method: str, path: str, body: Any = None, *, who: str = "writer", **headers: str) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.request(method, path, json=body, headers={**heads.get(who, {}), **given})

    async with client:
        told = [[await side.deliver(dispatched(tenant, 1))], [await side.deliver(dispatched(tenant, 1))]]
        answers = [
            await send("POST", "/v1/claims", cracked, who="nobody"),
            await send("POST", "/v1/claims", cracked),
            opened := await send("POST", "/v1/claims", cracked, idempotency_key="open", traceparent=TRACE),
            await send("POST", "/v1/claims", cracked, idempotency_key="open"),
            await send("POST", "/v1/claims", {**cracked, "complaint": "Another."}, idempotency_key="open"),
            await send("POST", "/v1/claims", {**cracked, "shipment_id": str(NOWHERE)}, idempotency_key="early"),
            await send("POST", "/v1/claims", {**cracked, "tenant_id": str(tenant)}, idempotency_key="more"),
        ]
        settle = f"/v1/claims/{opened.json()['id']}/settle"
        async with in_flight(side.admin, f"{tenant}/{USER}/settle"):
            answers.append(await send("POST", settle, {"outcome": "replaced"}, idempotency_key="settle"))
        answers += [
            await send("POST", settle, {"outcome": "replaced"}, who="reader", idempotency_key="settle"),
            await send("POST", settle, {"outcome": "replaced"}, idempotency_key="settle", if_match='"7"'),
            await send("POST", settle, {"outcome": "replaced"}, idempotency_key="settle", if_match='"1"'),
            await send("POST", settle, {"outcome": "refunded"}, idempotency_key="again"),
            await send("GET", settle.removesuffix("/settle"), who="reader"),
            await send("GET", settle.removesuffix("/settle"), who="stranger"),
        ]
        gap = await side.deliver(dispatched(tenant, 3))
        before = await rows(side.admin)
        await side.admin.execute("ALTER TABLE outbox ADD CONSTRAINT unsaid CHECK (payload NOT LIKE '%unspeakable%')")
        failed = await send("POST", "/v1/claims", {**cracked, "complaint": "unspeakable"}, idempotency_key="fails")
        assert failed.status_code >= 400
        atomic = "nothing" if await rows(side.admin) == before else "something"
    return [*told, *(comparable(answer) for answer in answers), [gap], [atomic]]


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOWHERE = uuid7()
_DIGEST = re.compile(r"-[0-9a-f]{12}")
_SHOWN = (
    "content-type",
    "etag",
    "location",
    "retry-after",
    "tailrace-event",
    "idempotency-replayed",
    "www-authenticate",
)


def tokens(issuer: TestIssuer, tenant: UUID) -> dict[str, str]:
    return {
        "writer": issuer.token(tenant=tenant, user=USER, scopes="claims:read claims:write"),
        "reader": issuer.token(tenant=tenant, user=USER, scopes="claims:read"),
        "stranger": issuer.token(tenant=uuid7(), scopes="*"),
    }


def dispatched(tenant: UUID, sequence: int) -> ConsumerRecord:
    """`shipment.dispatched` as Kafka hands it out."""
    event = ShipmentDispatched(
        shipment_id=SHIPMENT,
        order_id=uuid7(),
        reservation_id=uuid7(),
        number="SO-000001-1",
        currency="EUR",
        lines=[],
        dispatched_at=datetime.now(UTC),
    )
    headers = {
        "ce_id": str(uuid7()),
        "ce_type": event.type,
        "ce_source": "/tailrace/shipping",
        "ce_subject": str(SHIPMENT),
        "ce_time": datetime.now(UTC).isoformat(),
        "ce_dataschema": event.schema_uri(),
        "ce_specversion": "1.0",
        "ce_tenantid": str(tenant),
        "ce_sequence": str(sequence),
        "ce_epoch": "1",
        "ce_correlationid": str(uuid7()),
        "content-type": "application/json",
    }
    pairs = [(name, value.encode()) for name, value in headers.items()]
    key, value = str(SHIPMENT).encode(), event.model_dump_json().encode()
    return ConsumerRecord(event.topic, 0, sequence, 0, 0, key, value, None, len(key), len(value), pairs)


@asynccontextmanager
async def in_flight(admin: Any, name: str) -> AsyncIterator[None]:
    """As long as this lasts, another request with the key is under way."""
    await admin.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", name)
    yield
    await admin.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", name)


def comparable(answer: Any) -> list[Any]:
    named = Names()
    headers = {name: named.text(answer.headers[name]) for name in _SHOWN if name in answer.headers}
    # A read's tag holds a digest of its body, which has ids and times of its own on either side.
    if found := _DIGEST.search(headers.get("etag", "")):
        assert found[0] == f"-{blake2b(answer.content, digest_size=6).hexdigest()}"
        headers["etag"] = _DIGEST.sub("-digest", headers["etag"])
    assert UUID(answer.headers["x-request-id"])
    return [answer.status_code, headers, json.loads(named.text(answer.text))]


class Names:
    """Puts a number in the place of each id, by the order in which they come, and one word in the place of times."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def text(self, text: str) -> str:
        named = _UUID.sub(lambda found: self._known.setdefault(found[0], f"id{len(self._known)}"), text)
        return _TIME.sub("time", named)

    def value(self, value: Any) -> Any:
        if isinstance(value, bytes):
            return self.text(value.decode())
        return self.text(
            value if isinstance(value, str) else repr(value) if isinstance(value, int | None) else str(value)
        )


async def rows(admin: Any) -> dict[str, list[dict[str, Any]]]:
    """Every row of both services' tables, in the order in which they were made."""
    named, found = Names(), {}
    for table in TABLES:
        # The kit also writes a copy of its dead letters, for another topic; the page says that it has none.
        only = "WHERE topic = 'claim.events'" if table == "outbox" else ""
        order = {"idempotency": "created_at", "inbox": "aggregate_id"}.get(table, "id")
        found[table] = [
            {name: _cell(named, name, value, dict(row)) for name, value in row.items()}
            for row in await admin.fetch(f"SELECT * FROM {table} {only} ORDER BY {order}")
        ]
    return found


def _cell(named: Names, name: str, value: Any, row: dict[str, Any]) -> Any:
    # The request for the settlement names the claim, whose id each service chose for itself.
    if name == "request_hash":
        return value if row["key"] == "open" else len(value)
    # Where nobody traces, it is made of the row's own ids, which each service chose for itself too.
    if name == "traceparent" and value == f"00-{row['correlation_id'].hex}-{row['id'].hex[16:]}-00":
        return "not traced"
    return named.value(value)


async def shape(admin: Any) -> list[tuple[Any, ...]]:
    """Each table: columns, keys, and whether row-level security is on and forced."""
    found: list[tuple[Any, ...]] = []
    for table in TABLES:
        columns = await admin.fetch(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
            " WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname",
            table,
        )
        keys = await admin.fetch(
            "SELECT contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('p', 'u') ORDER BY 1, 2",
            table,
        )
        secured = await admin.fetchrow(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = $1::regclass", table
        )
        policy = await admin.fetchval(
            "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = $1::regclass AND polname = 'tenant'",
            table,
        )
        found.append((table, [*map(tuple, columns)], [*map(tuple, keys)], tuple(secured), policy))
    return found
