"""Each event is in its company's log once, in one order, under a root that follows from the records; whatever is delivered again, or breaks off."""

import asyncio
import json
from random import Random
from uuid import UUID

import pytest
from scribe import AT, Scribe, id_of

from audit import log
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.error_classes import DatabaseAway
from tailrace.messaging.subscribers import Heard
from tailrace.verify.evidence import check_export
from tailrace.verify.merkle import EMPTY_ROOT, Edge


async def rows(scribe: Scribe, tenant: UUID | None = None) -> list[tuple[int, UUID]]:
    query = "SELECT position, id FROM record WHERE tenant_id = $1 ORDER BY position"
    return [(row["position"], row["id"]) for row in await scribe.h.admin.fetch(query, tenant or scribe.h.tenant)]


async def is_whole(scribe: Scribe) -> int:
    """Have it signed, take it away and check it; how many records that were."""
    await scribe.sign()
    head, *records = await scribe.export()
    return check_export(head["head"], records, head["keys"]).records


async def test_it_is_in_the_order_in_which_it_was_heard(scribe: Scribe) -> None:
    order = uuid7()
    records = [scribe.event("order.noted", order) for _ in range(3)]
    await scribe.say(*records)
    await scribe.say(scribe.event("shipment.noted", uuid7(), topic="shipment.events"))
    there = await rows(scribe)
    assert [id for _, id in there[:3]] == [id_of(record) for record in records]
    assert [position for position, _ in there] == [0, 1, 2, 3]
    assert await is_whole(scribe) == 4


async def test_what_comes_again_is_there_once(scribe: Scribe) -> None:
    dice, documents = Random(7), [uuid7() for _ in range(20)]
    records = [scribe.event("order.noted", dice.choice(documents)) for _ in range(300)]
    for begin in range(0, 300, 30):
        await scribe.say(*records[begin : begin + 30])
        await scribe.say(*records[max(0, begin - 45) : begin + 30])
    await scribe.say(*records)
    there = await rows(scribe)
    assert sorted(id for _, id in there) == sorted(map(id_of, records))
    assert [position for position, _ in there] == [*range(300)]
    assert await is_whole(scribe) == 300


async def test_a_batch_that_breaks_off_leaves_nothing_and_is_taken_whole_the_next_time(
    scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scribe.fill(10)
    keep, broken = log.keep, []

    async def dies(tx: Tx, heard: list[Heard]) -> None:
        await keep(tx, heard)
        broken.append(len(heard))
        raise DatabaseAway("killed after everything was written, before the commit")

    records = [scribe.event("order.noted", uuid7()) for _ in range(25)]
    journals = [each for each in scribe.h.service.subscribers if each.topics == {"order.events"}]
    for journal in journals:
        monkeypatch.setattr(journal, "_keep", dies)
    with pytest.raises(DatabaseAway):
        await scribe.say(*records)
    assert (broken, len(await rows(scribe))) == ([25], 10)
    for journal in journals:
        monkeypatch.setattr(journal, "_keep", keep)
    await scribe.say(*records)
    assert [position for position, _ in await rows(scribe)] == [*range(35)]
    assert await is_whole(scribe) == 35


async def test_two_processes_add_to_one_log_without_a_gap(scribe: Scribe) -> None:
    h = scribe.h
    batches = [[scribe.event("order.noted", uuid7()) for _ in range(20)] for _ in range(8)]
    await asyncio.gather(*(h.dispatcher.copy().deliver(batch) for batch in batches))
    assert [position for position, _ in await rows(scribe)] == [*range(160)]
    assert await is_whole(scribe) == 160


async def test_one_id_on_two_topics_is_two_documents(scribe: Scribe) -> None:
    both = uuid7()
    await scribe.say(scribe.event("user.noted", both, topic="user.events"), scribe.event("order.noted", both))
    assert len(await rows(scribe)) == 2
    await scribe.sign()
    answer = await scribe.h.client.get(f"{AT}/documents/{both}/bundle")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "topic")
    bundle = await scribe.get(f"{AT}/documents/{both}/bundle", topic="user.events")
    assert [record["entry"]["topic"] for record in bundle["records"]] == ["user.events"]


async def test_companies_have_logs_of_their_own(scribe: Scribe) -> None:
    await scribe.fill(7)
    await scribe.fill(5, tenant=scribe.h.other_tenant)
    assert len(await rows(scribe)) == 7
    assert [position for position, _ in await rows(scribe, scribe.h.other_tenant)] == [*range(5)]
    other = scribe.h.client_as(tenant=scribe.h.other_tenant)
    assert (await other.get(AT)).json()["size"] == 5


async def test_a_type_that_nobody_here_knows_is_kept_as_it_was_published(scribe: Scribe) -> None:
    strange = scribe.event("order.teleported", uuid7(), data={"to": "Mars", "n": 12345678901234567890})
    await scribe.say(strange)
    said = await scribe.get(f"{AT}/records/{id_of(strange)}")
    assert (said["type"], said["data_in_full"]) == ("order.teleported", {"to": "Mars", "n": 12345678901234567890})
    assert await scribe.h.admin.fetchval("SELECT data FROM content") == strange.value


async def test_nothing_said_is_an_empty_log(scribe: Scribe) -> None:
    assert await scribe.get(AT) == {"size": 0, "signed": 0, "documents": 0, "head": None}
    assert (await scribe.h.client.post(f"{AT}/heads")).status_code == 409
    assert await scribe.export() == []
    assert Edge().root() == EMPTY_ROOT


async def test_the_stored_record_gives_the_hash_that_was_signed(scribe: Scribe) -> None:
    """Also of an actor with every character that JSON escapes."""
    odd = scribe.event("order.noted", uuid7(), actor='partner:"\\/\b\t\n\f\r\x01é☃😀\x7f')
    await scribe.say(odd)
    assert await is_whole(scribe) == 1
    (line,) = (await scribe.export())[1:]
    assert line["entry"]["actor"] == json.loads('"partner:\\"\\\\/\\b\\t\\n\\f\\r\\u0001é☃😀\\u007f"')
