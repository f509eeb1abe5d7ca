"""Clients that hang up in the middle of a request leave no connection taken, no tenant set, and nothing half done."""

import asyncio
import json
import random
from typing import Any
from urllib.parse import urlsplit

from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

ROUNDS = 200


def _body(key: str) -> str:
    return json.dumps({"text": key})


async def test_two_hundred_clients_hang_up(toy: Harness, running: Any) -> None:
    chance = random.Random(20261121)
    async with running() as (_, client):
        address = urlsplit(str(client.base_url))

        async def hang_up(number: int) -> None:
            key = f"k{number}"
            body = _body(key)
            lines = [
                "POST /v1/notes HTTP/1.1",
                f"Host: {address.netloc}",
                f"Authorization: {client.headers['authorization']}",
                f"Idempotency-Key: {key}",
                "Content-Type: application/json",
                f"Content-Length: {len(body)}",
                "",
                body,
            ]
            request = "\r\n".join(lines).encode()
            _, writer = await asyncio.open_connection(address.hostname, address.port)
            # Some leave before all of it is sent, most while it is worked on.
            writer.write(request if number % 5 else request[: chance.randrange(len(request))])
            await asyncio.sleep(chance.uniform(0, 0.02))
            writer.transport.abort()

        for first in range(0, ROUNDS, 20):
            await asyncio.gather(*[hang_up(number) for number in range(first, first + 20)])

        async def taken() -> int:
            return int((await client.get("/inside/pool")).json()["checked_out"])

        await eventually(taken, lambda count: count == 0, what="every connection back in the pool")
        assert set((await client.get("/inside/tenants")).json()) == {""}
        before = {row["text"] for row in await toy.admin.fetch("SELECT text FROM note")}
        assert len(before) > ROUNDS // 4
        again = {}
        for number in range(ROUNDS):
            key = f"k{number}"
            headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
            answer = await client.post("/v1/notes", content=_body(key), headers=headers)
            assert answer.status_code == 201
            again[key] = "idempotency-replayed" in answer.headers
        assert {key for key, replayed in again.items() if replayed} == before
    rows = await toy.admin.fetch("SELECT text, count(*) AS times FROM note GROUP BY text")
    assert {row["text"]: row["times"] for row in rows} == dict.fromkeys(again, 1)
    assert len(await toy.published("note.written")) == ROUNDS
    busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND state LIKE 'idle in%'"
    assert await toy.admin.fetchval(busy, toy.database_name) == 0
