"""A partner of a company, from its grant to its topic: it hears of what it was granted, of that company alone, and without a name in it."""

import asyncio
import json
from typing import Any

import httpx2
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from command import tailrace
from company import Company, dead_letters

from tailrace.core.addresses.kafka import KafkaAddress
from tailrace.core.personal_data import REDACTED
from tailrace.kafka import clients
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import PASSWORD, Gateway, eventually

AT = "/v1/partners"


async def test_a_partner_hears_of_what_it_was_granted_and_of_nothing_else(fleet: Stack, gateway: Gateway) -> None:
    company, other = await Company.found(gateway), await Company.found(gateway)
    member = company.member
    types = ["order.created", "order.confirmed", "customer.created"]
    made = await member.post(AT, {"name": "Freight desk", "types": types, "personal": "masked"})
    here = f"{AT}/{made['id']}"
    await eventually(lambda: member.get(here), lambda now: now["status"] == "open", what="the partner's user")
    mine = KafkaAddress.parse(fleet.kafka).as_user(**await member.get(f"{here}/credentials")).text()

    ada = await member.post("/v1/customers", {"name": "Ada Works", "currency": "EUR"})
    orders = [(await company.order(1, customer_id=ada["id"]))["id"] for _ in range(2)]
    await other.order(1)
    said = [*await _read(mine, f"partner.{made['id']}.order.events", 4)]
    assert sorted((_header(each, "ce_type"), _header(each, "ce_subject")) for each in said) == sorted(
        (type_, order) for type_ in ("order.confirmed", "order.created") for order in orders
    )
    assert {_header(each, "ce_tenantid") for each in said} == {str(member.tenant_id)}
    (told,) = await _read(mine, f"partner.{made['id']}.customer.events", 1)
    assert json.loads(told.value or b"")["name"] == REDACTED
    everything = b"".join(
        b"%s%s" % (each.value, b"".join(text or b"" for _, text in each.headers)) for each in [told, *said]
    )
    assert b"Ada" not in everything

    # Who speaks no Kafka hears of the same, to the byte, by the same user and password.
    known = await member.get(f"{here}/credentials")
    login = (known["user"], known["password"])
    async with httpx2.AsyncClient(base_url=gateway.url, auth=login, timeout=60) as client:
        content, cursor = await _pages(client)
        for record in (told, *said):
            assert b'"data":' + record.value + b"}" in content
        streamed, waited, _ = await asyncio.gather(
            _first_of_stream(client, cursor),
            client.get("/v1/events", params={"cursor": cursor, "wait": 30}),
            company.order(1, customer_id=ada["id"]),
        )
        assert streamed == waited.json()["events"][0]["type"] == "order.created"
        assert b"Ada Works" not in content + waited.content

    async def progress() -> Any:
        return await member.get(f"{here}/progress")

    await eventually(progress, lambda now: now["behind"] == 0 and now["told"] >= 5, what="how far it is")
    await member.post(f"{here}/revoke")
    async with httpx2.AsyncClient(base_url=gateway.url, auth=login) as client:
        assert (await client.get("/v1/events", params={"cursor": cursor})).status_code == 401
    await eventually(
        lambda: member.get(here), lambda now: now["status"] == "closed", what="nothing left of it at Kafka"
    )
    assert await dead_letters(fleet, company) == []


async def _pages(client: httpx2.AsyncClient) -> tuple[bytes, str]:
    """All that a partner is handed out by HTTP, and the cursor behind it."""
    content, cursor = b"", ""
    while True:
        answer = await client.get("/v1/events", params={"cursor": cursor} if cursor else {})
        assert answer.status_code == 200, answer.text
        content, cursor = content + answer.content, answer.json()["cursor"]
        if not answer.json()["events"]:
            return content, cursor


async def _first_of_stream(client: httpx2.AsyncClient, cursor: str) -> str:
    """The type of the first event that is streamed behind a cursor."""
    async with client.stream("GET", "/v1/events/stream", params={"cursor": cursor}) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                return line.removeprefix("event: ")
    raise AssertionError("the stream ended")


async def _read(kafka: str, topic: str, many: int) -> list[ConsumerRecord]:
    """The first of a topic, as soon as there are so many, and that there are no more by then."""
    async with clients.consumer(kafka) as consumer:
        return await _first(consumer, topic, many)


async def _first(consumer: AIOKafkaConsumer, topic: str, many: int) -> list[ConsumerRecord]:
    partitions = [TopicPartition(topic, each) for each in sorted(await consumer._client._wait_on_metadata(topic))]
    consumer.assign(partitions)
    await consumer.seek_to_beginning()
    found: list[ConsumerRecord] = []

    async def more() -> list[Any]:
        for records in (await consumer.getmany(timeout_ms=500)).values():
            found.extend(records)
        return found

    await eventually(more, lambda there: len(there) >= many, what=f"{many} on {topic}")
    return found


def _header(record: ConsumerRecord, name: str) -> str:
    return str(dict(record.headers)[name].decode())


async def test_the_command_line_makes_shows_and_ends_a_partner(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    who = ["--tenant", member.slug, "--email", member.email, "--gateway", gateway.url]

    async def asked(*arguments: str) -> tuple[int, str]:
        return await tailrace(fleet, "partner", *arguments, *who, TAILRACE_PASSWORD=PASSWORD)

    code, said = await asked("add", "Freight desk", "order.confirmed", "--personal", "masked")
    made = json.loads(said)
    assert (code, made["topics"]) == (0, [f"partner.{made['id']}.order.events"])
    mine = KafkaAddress.parse(fleet.kafka).as_user(made["user"], made["password"]).text()
    order = await company.order(1)
    (told,) = await _read(mine, made["topics"][0], 1)
    assert _header(told, "ce_subject") == order["id"]
    code, said = await asked("rotate", made["id"])
    assert (code, json.loads(said)["password"] == made["password"]) == (0, False)
    code, said = await asked("grant", made["id"], "order.imagined")
    assert (code, "it was refused" in said) == (1, True), said
    code, said = await asked("revoke", made["id"])
    assert (code, json.loads(said)["status"]) == (0, "closed")
    code, said = await asked("list")
    assert (code, said.split()[:4]) == (0, [made["id"], "Freight", "desk", "closed"])
