"""A partner's events by HTTP: the same bytes as its topics hold, from a cursor that misses nothing and doubles nothing, for who is still let in."""

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx2
import pytest
from aiokafka import ConsumerRecord

from contracts.registry import events_by_type
from partners import cursors, handing_out, opening
from partners.models import topic_of
from partners.service import service
from tailrace.core.addresses.kafka import KafkaAddress
from tailrace.kafka import clients
from tailrace.kafka.cursor_reader import reading
from tailrace.kafka.kept_consumers import KeptConsumers
from tailrace.kafka.topics import create_topics
from tailrace.runtime import access
from tailrace_testing import Harness, MakeHarness

pytestmark = pytest.mark.embedded("Kafka in containers is open")
AT, STREAM, PASSWORD = "/v1/events", "/v1/events/stream", "of-the-service-by-http"
ENVELOPE = [("ce_specversion", b"1.0"), ("ce_type", b"partner.registered"), ("content-type", b"application/json")]


@dataclass(frozen=True)
class Reader:
    """A partner that is open, and what it asks by."""

    partners: Harness
    client: httpx2.AsyncClient
    kafka: str
    path: str
    topic: str
    login: tuple[str, str]

    async def page(self, cursor: str | None = None, **query: int) -> Any:
        answer = await self.asks(AT, **({"cursor": cursor} if cursor else {}), **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def asks(self, path: str, **query: int | str) -> httpx2.Response:
        return await self.client.get(path, params=query, auth=self.login)

    async def rest(self, cursor: str | None, limit: int = 500) -> tuple[list[Any], bytes, str]:
        """All events behind a cursor, read and as they came, and the cursor behind those."""
        found, content = list[Any](), b""
        while True:
            query = {"cursor": cursor} if cursor else {}
            answer = await self.asks(AT, limit=limit, **query)
            page = answer.json()
            cursor, content = page["cursor"], content + answer.content
            found += page["events"]
            if not page["events"]:
                return found, content, page["cursor"]

    async def write(self, *values: bytes, partition: int = 0) -> None:
        """As the filler does, in one transaction."""
        async with clients.transactional(self.kafka, f"partners.{uuid4()}") as producer, producer.transaction():
            for value in values:
                headers = [*ENVELOPE, ("ce_id", str(uuid4()).encode()), ("ce_subject", str(uuid4()).encode())]
                await producer.send(self.topic, value, partition=partition, headers=headers)

    async def at_kafka(self, count: int) -> list[ConsumerRecord]:
        found: list[ConsumerRecord] = []
        async with asyncio.timeout(30), clients.consumer(self.kafka, self.topic) as consumer:
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        return found


async def _reader(make_harness: MakeHarness, kafka: str) -> Reader:
    """Kafka is asked by the service's own user, with the rights that its manifest gives it."""
    access.set_password(kafka, "partners", PASSWORD)
    access.grant(kafka, access.rights_of(service))
    partners = await make_harness(service)
    settings = partners.settings.model_copy(
        update={"kafka": KafkaAddress.parse(kafka).as_user("partners", PASSWORD).text()}
    )
    partners.app.state.settings = settings
    opening.settings_here.keep(partners.database, settings)
    made = (await partners.client.post("/v1/partners", json={"name": "Desk", "types": ["partner.registered"]})).json()
    path = f"/v1/partners/{made['id']}"
    known = (await partners.client.get(f"{path}/credentials")).json()
    await partners.fire_timers()
    login = (known["user"], known["password"])
    return Reader(partners, partners.anonymous(), kafka, path, made["topics"][0], login)


def _numbers(page: Any) -> list[int]:
    return [each["data"]["n"] for each in page["events"]]


def _values(*numbers: int) -> Sequence[bytes]:
    return [b'{"n":%d}' % number for number in numbers]


async def test_a_cursor_misses_nothing_and_doubles_nothing_and_the_bytes_are_those_of_the_topic(
    make_harness: MakeHarness, kafka: str
) -> None:
    reader = await _reader(make_harness, kafka)
    empty = await reader.page()
    assert empty["events"] == []
    odd = '{ "n" : 1.00,\r\n"ä":"\\u00e4" }'.encode()
    await reader.write(odd, *_values(2, 3))
    await reader.write(*_values(4, 5), partition=1)
    seen, content, end = await reader.rest(empty["cursor"], limit=2)
    assert b'"data":' + odd + b"}" in content
    stored = await reader.at_kafka(5)
    assert sorted(each["id"] for each in seen) == sorted(dict(each.headers)["ce_id"].decode() for each in stored)
    assert [each["data"]["n"] for each in seen if each["data"]["n"] < 4] == [1, 2, 3]
    assert {name for each in seen for name in each} == {
        "specversion",
        "type",
        "datacontenttype",
        "id",
        "subject",
        "data",
    }
    # A cursor of before is as good as it was, and none is the beginning.
    for again in (empty["cursor"], None):
        assert sorted(each["id"] for each in (await reader.rest(again))[0]) == sorted(each["id"] for each in seen)
    waiting = asyncio.create_task(reader.page(end, wait=30))
    await asyncio.sleep(0)
    await reader.write(*_values(6))
    told = await waiting
    assert _numbers(told) == [6]
    async with clients.transactional(kafka, f"partners.{uuid4()}") as producer:
        with pytest.raises(ZeroDivisionError):
            async with producer.transaction():
                await producer.send_and_wait(reader.topic, b'{"n":-1}', partition=0)
                raise ZeroDivisionError
    await reader.write(b"no JSON", *_values(7))
    page = await reader.page(told["cursor"])
    assert base64.b64decode(page["events"][0]["data_base64"]) == b"no JSON"
    assert page["events"][1]["data"] == {"n": 7}


async def test_a_page_ends_before_it_is_too_long(
    make_harness: MakeHarness, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing_out, "LONGEST_PAGE", 1000)
    reader = await _reader(make_harness, kafka)
    await reader.write(*(b'{"n":%d,"long":"%s"}' % (number, b"x" * 400) for number in range(5)))
    page, pages = await reader.page(), []
    while page["events"]:
        pages.append(_numbers(page))
        page = await reader.page(page["cursor"])
    assert [number for each in pages for number in each] == [*range(5)]
    assert len(pages) == 5


async def test_a_stream_goes_on_behind_the_last_id_and_ends_with_the_password(
    make_harness: MakeHarness, kafka: str
) -> None:
    reader = await _reader(make_harness, kafka)
    await reader.write(b'{"n":1,\n"two":"lines"}', *_values(2, 3))
    whole = _streamed((await reader.asks(STREAM, seconds=0)).text)
    assert [json.loads(each["data"])["data"]["n"] for each in whole] == [1, 2, 3]
    assert {each["event"] for each in whole} == {"partner.registered"}
    resumed = await reader.client.get(
        STREAM, params={"seconds": 0}, auth=reader.login, headers={"Last-Event-ID": whole[0]["id"]}
    )
    assert _streamed(resumed.text) == whole[1:]
    assert _numbers(await reader.page(whole[1]["id"])) == [3]

    # It would last for an hour.
    lasting = asyncio.create_task(reader.asks(STREAM, cursor=whole[2]["id"]))
    async with asyncio.timeout(20):
        while not reader.partners.app.state.readers:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await reader.partners.client.post(f"{reader.path}/rotate")
        await reader.write(*_values(4))
        assert _streamed((await lasting).text) == []
    assert (await reader.asks(AT)).status_code == 401
    known = (await reader.partners.client.get(f"{reader.path}/credentials")).json()
    login = (known["user"], known["password"])
    assert (await reader.client.get(AT, auth=login)).status_code == 200
    await reader.partners.client.post(f"{reader.path}/revoke")
    assert (await reader.client.get(AT, auth=login)).status_code == 401


def _streamed(text: str) -> list[dict[str, str]]:
    """The events of a stream, as a browser reads them, but for its end."""
    found = []
    for block in text.split("\n\n"):
        fields: dict[str, list[str]] = {}
        for line in block.splitlines():
            name, _, value = line.partition(": ")
            fields.setdefault(name, []).append(value)
        found.append({name: "\n".join(values) for name, values in fields.items()})
    assert found[-2]["event"] == "end"
    return [each for each in found if "id" in each]


async def test_a_client_that_goes_away_leaves_nothing_behind(make_harness: MakeHarness, kafka: str) -> None:
    """It is cancelled as Starlette does it: again at each await."""
    reader = await _reader(make_harness, kafka)
    before, open_ = asyncio.all_tasks(), asyncio.Event()

    async def read() -> None:
        async with reading(kafka, [reader.topic], {}) as topics:
            open_.set()
            await topics.more(1, 60)

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await open_.wait()
        assert asyncio.all_tasks() > before
        group.cancel_scope.cancel()
    async with asyncio.timeout(20):
        while asyncio.all_tasks() > before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_one_consumer_answers_poll_after_poll_until_the_partner_is_revoked(
    make_harness: MakeHarness, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing_out, "_KEPT_EVERY", 0.05)
    reader = await _reader(make_harness, kafka)
    app, stop, made = reader.partners.app, asyncio.Event(), [0]
    usual = clients.consumer

    def counted(*arguments: Any, **more: Any) -> Any:
        made[0] += 1
        return usual(*arguments, **more)

    kept: KeptConsumers[Any] = app.state.kept
    looking = asyncio.create_task(handing_out.look_after(app, app.state.settings, stop))
    try:
        page = first = await reader.page()
        monkeypatch.setattr(clients, "consumer", counted)
        await reader.write(*_values(*range(7)))
        await reader.write(*_values(*range(7, 11)), partition=1)
        seen: list[int] = []
        while len(seen) < 11:
            page = await reader.page(page["cursor"], limit=3, wait=30)
            seen += _numbers(page)
        assert sorted(seen) == [*range(11)]
        assert [number for number in seen if number < 7] == [*range(7)]
        # It goes back, and on to what comes, as a new one would.
        again, _, _ = await reader.rest(first["cursor"])
        assert sorted(each["data"]["n"] for each in again) == [*range(11)]
        await reader.write(*_values(11))
        assert _numbers(await reader.page(page["cursor"], wait=30)) == [11]
        assert (made[0], len(kept.held())) == (0, 1)
        # As many as ask at once, and one that failed is not kept.
        await asyncio.gather(*(reader.page(page["cursor"]) for _ in range(3)))
        assert made[0] <= 2
        one = (await reader.asks(AT, cursor=cursors.write(_id(reader), {reader.topic: [99] * 6}))).status_code
        assert one == 410
        await reader.partners.client.post(f"{reader.path}/revoke")
        async with asyncio.timeout(20):
            while kept.held():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        stop.set()
        await looking


async def test_who_was_idle_for_too_long_and_who_is_one_too_many_is_stopped(kafka: str) -> None:
    kept = KeptConsumers[int](most=2, seconds=3600.0)
    topic = f"burrow.{uuid4().hex[:8]}.events"
    await create_topics(kafka, [topic], 1, 1)
    made = []
    for key in range(3):
        async with reading(kafka, [topic], {}, kept=kept, key=key) as reader:
            made.append(reader._consumer)
        # Nothing is kept while nobody looks after it.
        assert (kept.held(), made[-1]._closed) == (set(), True)
    with kept.open():
        for key in range(3):
            async with reading(kafka, [topic], {}, kept=kept, key=key) as reader:
                made.append(reader._consumer)
        assert kept.held() == {1, 2}
        kept.drop(2)
        assert kept.held() == {1}
        with pytest.raises(ZeroDivisionError):
            async with reading(kafka, [topic], {}, kept=kept, key=1) as reader:
                assert reader._consumer is made[4]
                raise ZeroDivisionError
        async with reading(kafka, [topic], {}, kept=kept, key=1) as reader:
            made.append(reader._consumer)
        kept.seconds = 0.0
        kept.drop()
        assert kept.held() == set()
    async with asyncio.timeout(20):
        while not all(each._closed for each in made):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _id(reader: Reader) -> UUID:
    return UUID(reader.path.rpartition("/")[2])


async def test_what_cannot_be_read_is_refused_by_name(make_harness: MakeHarness, kafka: str) -> None:
    reader = await _reader(make_harness, kafka)
    await reader.write(*_values(1))
    id = _id(reader)
    other = cursors.write(uuid4(), {reader.topic: [0] * 6})
    for cursor in ("!", "YQ", base64.urlsafe_b64encode(b"[" * 3000).decode(), other):
        for path in (AT, STREAM):
            answer = await reader.asks(path, cursor=cursor)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor"), cursor
    for places in ([99] * 6, [0] * 7, [2**63 - 1]):
        for path in (AT, STREAM):
            answer = await reader.asks(path, cursor=cursors.write(id, {reader.topic: places}))
            assert (answer.status_code, answer.json()["type"]) == (410, "urn:tailrace:problem:cursor-expired"), places
    for path, query in ((AT, {"limit": 0}), (AT, {"limit": 1001}), (AT, {"wait": 31}), (STREAM, {"seconds": 3601})):
        answer = await reader.asks(path, **query)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, next(iter(query)))
    reader.partners.app.state.readers[id] = handing_out.AT_ONCE
    refused = await reader.asks(AT)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")


async def test_nobody_else_is_let_in(make_harness: MakeHarness, kafka: str) -> None:
    partners = await make_harness(service)
    body = {"name": "Desk", "types": ["partner.registered"]}
    one, two = [(await partners.client.post("/v1/partners", json=body)).json() for _ in range(2)]
    known = (await partners.client.get(f"/v1/partners/{two['id']}/credentials")).json()
    client = partners.anonymous()
    right = known["password"]
    tried = [
        (one["user"], right),
        (two["user"], f"{right} "),
        (two["user"], ""),
        (two["user"].upper(), right),
        (two["id"], right),
        ("partner.", right),
        ("operator", right),
        (f"partner.{uuid4()}", right),
    ]
    unreadable = ("Basic", "Basic %", "Basic YQ==", "Basic //79", "Basic " + "A" * 9000, "Bearer a")
    for path in (AT, STREAM):
        refused = [
            await client.get(path),
            await partners.client.get(path),
            *[await client.get(path, auth=login) for login in tried],
            *[await client.get(path, headers={"Authorization": said}) for said in unreadable],
        ]
        assert {each.status_code for each in refused} == {401}
        assert all(each.headers["www-authenticate"] == 'Basic realm="partner", charset="UTF-8"' for each in refused)
        assert {each.json()["type"] for each in refused} == {"urn:tailrace:problem:unauthenticated"}
    # Nothing is there before its topics are, and this is no refusal.
    page = (await client.get(AT, auth=(two["user"], right))).json()
    assert page["events"] == []


def test_the_longest_cursor_that_is_given_is_taken() -> None:
    id = uuid4()
    places = {topic_of(id, event.topic): [10**10 + at for at in range(100)] for event in events_by_type().values()}
    cursor = cursors.write(id, places)
    assert len(cursor) <= cursors.LONGEST
    assert cursors.read(id, cursor, "cursor") == places
