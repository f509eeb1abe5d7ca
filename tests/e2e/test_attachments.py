"""A customer's paper on the real stack: up through the gateway, its event on the topic, down again by range, and away with the customer."""

import asyncio
import json
from hashlib import sha256
from typing import Any

from aiokafka import AIOKafkaConsumer

from tailrace.kafka import clients
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway

MEGABYTE = 1024 * 1024
LARGE = (b"%PDF-1.7\n" + b"x" * (20 * MEGABYTE))[: 20 * MEGABYTE]


def _file(content: bytes, media_type: str = "application/pdf") -> dict[str, Any]:
    return {"files": {"file": ("Rahmenvertrag.pdf", content, media_type)}}


async def test_a_paper_goes_up_and_down_through_the_gateway(fleet: Stack, gateway: Gateway) -> None:
    member = await gateway.new_tenant()
    customer = await member.post("/v1/customers", {"name": "Ada Works", "currency": "EUR"})
    at = f"/v1/customers/{customer['id']}/attachments"
    added = await member.send("POST", at, key="paper", **_file(LARGE))
    assert added.status_code == 201, added.text
    again = await member.send("POST", at, key="paper", **_file(LARGE))
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (201, added.json(), "true")
    paper = added.json()
    assert paper["sha256"] == sha256(LARGE).hexdigest()
    content = f"{added.headers['location']}/content"
    gzip = {"Accept-Encoding": "gzip"}
    whole = await member.send("GET", content, headers=gzip)
    assert (whole.status_code, whole.headers["etag"]) == (200, f'"{paper["sha256"]}"')
    assert (whole.content == LARGE, "content-encoding" in whole.headers) == (True, False)
    ranged = {**gzip, "Range": "bytes=20000000-", "If-Range": whole.headers["etag"]}
    rest = await member.send("GET", content, headers=ranged)
    assert (rest.status_code, rest.content) == (206, LARGE[20_000_000:])
    head = await member.send("HEAD", content)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(LARGE)), b"")
    too_large = await member.send("POST", at, **_file(LARGE + b"x"))
    assert too_large.status_code == 413
    lie = await member.send("POST", at, **_file(b"MZ\x90\x00" + bytes(100_000)))
    assert (lie.status_code, lie.json()["type"]) == (422, "urn:tailrace:problem:file-type-mismatch")
    assert [each["id"] for each in await member.every(at)] == [paper["id"]]
    told = await _told(fleet, paper["id"])
    assert (told["customer_id"], told["sha256"], told["size"]) == (customer["id"], paper["sha256"], len(LARGE))
    stranger = await gateway.new_tenant()
    assert (await stranger.send("GET", content)).status_code == 404
    await member.send("DELETE", f"/v1/customers/{customer['id']}")
    assert (await member.send("GET", content)).status_code == 404


async def _told(fleet: Stack, key: str) -> dict[str, Any]:
    """The first event of an attachment, as it is on the topic."""
    options: Any = {**clients.connection(fleet.kafka), "auto_offset_reset": "earliest", "group_id": None}
    async with AIOKafkaConsumer("customer.events", **options) as consumer, asyncio.timeout(300):
        async for record in consumer:
            if record.key == key.encode():
                told: dict[str, Any] = json.loads(record.value)
                return told
    raise AssertionError("the topic ended")
