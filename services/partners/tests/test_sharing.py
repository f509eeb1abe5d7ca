"""Several processes of the service: each partner is filled by one, each fills as many as the others, and what one leaves or loses is taken up."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from partners import sharing
from partners.filler import fill_all
from partners.opening import settings_here
from partners.service import service
from partners.sharing import Said, Share
from tailrace.core.addresses.kafka import KafkaAddress
from tailrace.kafka import clients
from tailrace.kafka.topics import create_topics
from tailrace.runtime import access
from tailrace_testing import Harness, MakeHarness


async def _open(partners: Harness, count: int) -> None:
    """As if Kafka had followed."""
    for _ in range(count):
        await partners.admin.execute(
            "INSERT INTO filling (partner_id, owner_id, types, personal) VALUES ($1, $2, '[]', 'omitted')",
            uuid4(),
            partners.tenant,
        )


async def _taken(share: Share) -> set[UUID]:
    return {each.partner_id for each in await share.take({})}


async def test_each_partner_is_one_process_s_and_each_has_its_share(make_harness: MakeHarness) -> None:
    partners = await make_harness(service)
    one, two, three = (Share(partners.database) for _ in range(3))
    await _open(partners, 5)
    every = await _taken(one)
    assert (len(every), await _taken(two)) == (5, set())
    # The first fills three from now on, and has still to stop the others: until it has, nobody else gets them.
    first = await _taken(one)
    assert (len(first), await _taken(two)) == (3, set())
    await one.give_back(first)
    second = await _taken(two)
    assert first | second == every
    assert first & second == set()
    assert (await _taken(one), await _taken(two), await _taken(three)) == (first, second, set())

    await two.leave()
    await three.leave()
    assert await _taken(one) == every
    # One that was killed, or sleeps, is not asked.
    assert await _taken(two) == set()
    await partners.admin.execute("UPDATE filler SET until = now() WHERE id = $1", one.id)
    assert await _taken(two) == every
    assert await _taken(one) == set()


async def test_many_at_once_share_without_a_partner_twice(make_harness: MakeHarness) -> None:
    partners = await make_harness(service)
    await _open(partners, 12)
    shares = [Share(partners.database) for _ in range(4)]
    for _ in range(6):
        held = await asyncio.gather(*map(_taken, shares))
        await asyncio.gather(*(share.give_back(each) for share, each in zip(shares, held, strict=True)))
    assert max(Counter(each for one in held for each in one).values()) == 1
    assert [len(each) for each in held] == [3, 3, 3, 3]


async def test_the_tenant_sees_how_far_its_partner_is(make_harness: MakeHarness) -> None:
    partners = await make_harness(service)
    made = (await partners.client.post("/v1/partners", json={"name": "Desk", "types": ["order.confirmed"]})).json()
    path, id = f"/v1/partners/{made['id']}/progress", UUID(made["id"])
    nothing = {"behind": None, "told": 0, "told_lately": 0, "looked_at": None}
    assert (await partners.client.get(path)).json() == nothing
    await partners.admin.execute(
        "INSERT INTO filling (partner_id, owner_id, types, personal) VALUES ($1, $2, '[]', 'omitted')",
        id,
        partners.tenant,
    )
    share = Share(partners.database)
    await share.take({})
    for said in (Said(70, 20, 20), Said(50, 40, 60)):
        await share.take({id: said})
    # Of one that another process has by now, nothing is noted.
    await Share(partners.database).take({id: Said(0, 1000, 1000)})
    told = (await partners.client.get(path)).json()
    assert told.pop("looked_at") is not None
    assert told == {"behind": 50, "told": 60, "told_lately": 60}
    assert (await partners.client_as(tenant=partners.other_tenant).get(path)).status_code == 404
    assert (await partners.client_as("").get(path)).status_code == 403


@pytest.mark.embedded("Kafka in containers is open")
async def test_two_processes_fill_side_by_side_and_fence_each_other_never(
    make_harness: MakeHarness, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "ALIVE", 60.0)
    partners = await make_harness(service)
    access.set_password(kafka, "partners", "of-the-service-shared")
    access.grant(kafka, access.rights_of(service))
    await create_topics(kafka, ["partner.events"], 3, 1)
    mine = KafkaAddress.parse(kafka).as_user("partners", "of-the-service-shared").text()
    settings = partners.settings.model_copy(update={"kafka": mine})
    settings_here.keep(partners.database, settings)
    body = {"name": "Desk", "types": ["partner.registered"]}
    topics = [(await partners.client.post("/v1/partners", json=body)).json()["topics"][0] for _ in range(4)]
    await partners.fire_timers()
    stops = [asyncio.Event(), asyncio.Event()]
    told = 0

    async def tell() -> None:
        nonlocal told
        async with clients.producer(kafka) as producer:
            for _ in range(40):
                headers = [("ce_type", b"partner.registered"), ("ce_tenantid", str(partners.tenant).encode())]
                headers.append(("ce_id", str(told).encode()))
                await producer.send_and_wait("partner.events", b"{}", key=str(told % 7).encode(), headers=headers)
                told += 1

    async def holders(*wanted: int) -> None:
        """Returns when the partners are shared so."""
        query = "SELECT count(*) FROM filling WHERE holder IS NOT NULL GROUP BY holder ORDER BY 1"
        async with asyncio.timeout(30):
            while [row["count"] for row in await partners.admin.fetch(query)] != [*wanted]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    with capture_logs() as said:
        one = asyncio.create_task(fill_all(partners.app, settings, stops[0]))
        try:
            await holders(4)
            await tell()
            two = asyncio.create_task(fill_all(partners.app, settings, stops[1]))
            await holders(2, 2)
            await tell()
            stops[0].set()
            await one
            await holders(4)
            await tell()
            for topic in topics:
                assert await _numbers(kafka, topic, told) == [*range(told)]
        finally:
            for stop in stops:
                stop.set()
            await asyncio.gather(one, two, return_exceptions=True)
    assert [each for each in said if each["log_level"] in ("warning", "error")] == []
    progress = (await partners.client.get(f"/v1/partners/{topics[0].split('.')[1]}/progress")).json()
    assert progress["behind"] is not None


async def _numbers(kafka: str, topic: str, many: int) -> list[int]:
    """What there is once there are so many, and, behind that, a record that is written now."""
    found: list[int] = []
    async with asyncio.timeout(30), clients.consumer(kafka, topic) as consumer:
        while len(found) < many:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [int(dict(each.headers)["ce_id"]) for each in records]
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [int(dict(each.headers)["ce_id"]) for each in records]
    return sorted(found)
