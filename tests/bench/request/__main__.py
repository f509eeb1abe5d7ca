"""What a request costs within one service, in CPU, beside one written as documentation shows it: `python -m request 2000`.

The catalog's items are read by id, listed by twenty and created, by calls of ASGI in this process on a PostgreSQL of its own, with all that a service
does for a request: token, tenant, metrics, a line of log (thrown away). Service and peer take turns, five rounds, so many requests in each turn of
reading by id and parts of that of the others. The processor's time is this process's own; PostgreSQL's stands apart. Ratios are medians of those
within a round. At the end, each request is looked at by stages. `--at-once 8` asks so many at a time.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import uvloop
from keeping import keep
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from catalog.service import service
from contracts.users import TenantCreated
from request import peer
from request.asgi import Asked, Headers, as_json, ask
from request.stages import Looks
from tailrace.core.ids import uuid7
from tailrace.http.protocol.admission import Limit
from tailrace.observability import metrics
from tailrace.observability.logs import configure
from tailrace.stack.embedded import Stack
from tailrace_testing.databases import Databases
from tailrace_testing.harness import Harness
from tailrace_testing.tokens import TestIssuer

ITEMS, ROUNDS, LISTED = 500, 5, 20
SHARE = {"read by id": 1.0, f"list of {LISTED}": 0.5, "create": 0.25}
"""How many requests a turn has, of those that were asked for."""
SIDES = ("service", "peer")


class Bench:
    """Both applications and what is asked of them."""

    def __init__(self, harness: Harness, peer_app: Any, ids: list[str]) -> None:
        self.harness = harness
        self.apps = {"service": harness.app, "peer": peer_app}
        self._token = f"Bearer {harness.token()}".encode()
        turn, self._number = itertools.cycle(ids), itertools.count()
        self.asked: dict[str, dict[str, Asked]] = {
            "read by id": {
                "service": Asked("GET", lambda: f"/v1/items/{next(turn)}", self._headers),
                "peer": Asked("GET", lambda: f"/items/{next(turn)}"),
            },
            f"list of {LISTED}": {
                "service": Asked("GET", lambda: f"/v1/items?limit={LISTED}", self._headers),
                "peer": Asked("GET", lambda: f"/items?limit={LISTED}"),
            },
            "create": {
                "service": Asked("POST", lambda: "/v1/items", self._write_headers, self._item, 201),
                "peer": Asked("POST", lambda: "/items", lambda: _JSON, self._item, 201),
            },
        }

    async def turn(self, what: str, side: str, requests: int, at_once: int) -> dict[str, float]:
        """Microseconds for each request: of this process's processor, of PostgreSQL's, and of the clock."""
        app, asked, left = self.apps[side], self.asked[what][side], iter(range(requests))

        async def client() -> None:
            for _ in left:
                await ask(app, asked)

        before, own, began = await self._postgres(side), time.process_time(), time.perf_counter()
        await asyncio.gather(*(client() for _ in range(at_once)))
        own, clock = time.process_time() - own, time.perf_counter() - began
        database = await self._postgres(side) - before
        return {name: each / requests * 1e6 for name, each in (("own", own), ("database", database), ("clock", clock))}

    async def _postgres(self, side: str) -> float:
        """How long the processes that serve this side's connections have been on a processor, in seconds."""
        name = f"tailrace-{service.name}" if side == "service" else peer.NAME
        query = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = $2"
        rows = await self.harness.admin.fetch(query, self.harness.database_name, name)
        return sum(map(_on_processor, (row["pid"] for row in rows)))

    def _headers(self) -> Headers:
        return [(b"authorization", self._token)]

    def _write_headers(self) -> Headers:
        return [(b"authorization", self._token), (b"idempotency-key", str(uuid7()).encode()), *_JSON]

    def _item(self) -> bytes:
        return as_json({"sku": f"B-{next(self._number)}", "name": "A bolt", "tax_rate": "0.2", "active": True})


def _on_processor(pid: int) -> float:
    """Seconds that a process has been on one."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


_JSON: Headers = [(b"content-type", b"application/json")]


@contextmanager
def _unheard() -> Iterator[None]:
    """Lines of log are made and written as in a service, to nowhere."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        yield


async def prepare(databases: Databases, items: int = ITEMS) -> tuple[Harness, tuple[Any, AsyncEngine], list[str]]:
    """The service and its peer with the same items, by id."""
    harness = Harness(service, databases, TestIssuer(), await databases.clone(service))
    await harness.start()
    settings = harness.settings
    harness.app.state.limit = None if settings.requests_at_once is None else Limit(settings.requests_at_once)
    tenant = TenantCreated(tenant_id=harness.tenant, slug="acme", name="Acme", currency="EUR")
    await harness.deliver(tenant, aggregate_id=harness.tenant)
    ids = []
    for number in range(items):
        body = {"sku": f"A-{number:05}", "name": f"Item {number}", "tax_rate": "0.2"}
        answer = await harness.client.post("/v1/items", json=body)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    url = make_url(harness.admin_url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
    app, engine = peer.build(url)
    columns = ", ".join(column.name for column in peer.Item.__table__.columns)
    async with engine.begin() as connection:
        await connection.run_sync(peer.Base.metadata.create_all)
        await connection.exec_driver_sql(f"INSERT INTO plain_item ({columns}) SELECT {columns} FROM item")
    await harness.admin.execute("VACUUM ANALYZE item")
    await harness.admin.execute("VACUUM ANALYZE plain_item")
    return harness, (app, engine), ids


async def _measure(asked: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="tailrace-request-"))
    load, stack = os.getloadavg()[0], Stack(folder / "data", only="postgres")
    try:
        stack.start()
        databases = Databases(stack.postgres_url, stack.supervisor.credentials.secret)
        with _unheard():
            configure(service.name, "INFO")
            metrics.install(service.name)
            harness, (app, engine), ids = await prepare(databases)
            bench = Bench(harness, app, ids)
            figures = {what: await _rounds(bench, what, asked, say) for what in SHARE if asked.only in ("", what)}
            await engine.dispose()
            await harness.stop()
    finally:
        stack.discard()
    return {"n": asked.size, "at once": asked.at_once, "load before": round(load, 1), "figures": figures}


async def _rounds(bench: Bench, what: str, asked: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    requests = max(round(asked.size * SHARE[what]), 20)
    turns: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for number in range(ROUNDS + 1):
        for side in SIDES:
            found = await bench.turn(what, side, requests if number else max(requests // 4, 20), asked.at_once)
            if number:
                turns[side].append(found)
    told: dict[str, Any] = {
        f"{side} {name} µs": round(statistics.median(each[name] for each in turns[side]))
        for side in SIDES
        for name in ("own", "database", "clock")
    }
    pairs = list(zip(turns["service"], turns["peer"], strict=True))
    told["times peer"] = round(statistics.median(ours["own"] / theirs["own"] for ours, theirs in pairs), 2)
    both = [sum(ours.values()) - ours["clock"] for ours, _ in pairs], [sum(t.values()) - t["clock"] for _, t in pairs]
    told["times peer, with PostgreSQL"] = round(statistics.median(a / b for a, b in zip(*both, strict=True)), 2)
    looks = Looks()
    with looks.looking():
        await bench.turn(what, "service", requests * 2, asked.at_once)
    told["stages µs"] = {stage: round(share * told["service own µs"]) for stage, share in looks.shares().items()}
    say(
        f"{what}: service {told['service own µs']} + {told['service database µs']} µs, "
        f"peer {told['peer own µs']} + {told['peer database µs']} µs; {told['times peer']} times the peer, "
        f"with PostgreSQL {told['times peer, with PostgreSQL']}"
    )
    for stage, spent in told["stages µs"].items():
        say(f"  {spent:5} µs  {stage}")
    return told


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m request", description=__doc__)
    parser.add_argument("size", type=int, nargs="?", default=2000, help="requests of a turn of reading by id")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--at-once", type=int, default=1, help="requests on their way at a time")
    parser.add_argument("--only", default="", help=f"one of {', '.join(SHARE)}")
    return parser.parse_args()


def main() -> None:
    asked, out = _options(), sys.stdout

    def say(line: str) -> None:
        print(line, file=out, flush=True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        keep(asked, runner.run(_measure(asked, say)))


if __name__ == "__main__":
    main()
