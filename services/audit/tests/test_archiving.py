"""Old contents move out of the database as objects that prove themselves, come back when they are wanted, and go when their time is over."""

import asyncio
import gzip
import json
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from scribe import AT, Scribe, id_of

from audit import archiving
from audit.means import means_of
from contracts.audit import AuditArchived, AuditArchiveHoldChanged
from tailrace.core.ids import uuid7
from tailrace.storage.store import Sealed, StoreAway
from tailrace.verify.archive import Archives, packed, unpacked
from tailrace.verify.evidence import FIRST, Fault
from tailrace_testing import today

ARCHIVES = f"{AT}/archives"


def long_ago() -> datetime:
    return datetime.combine(today(), time(), UTC) - timedelta(days=400)


async def contents(scribe: Scribe) -> int:
    return int(await scribe.h.admin.fetchval("SELECT count(*) FROM content"))


async def archive(scribe: Scribe, now: datetime | None = None) -> int:
    """A day's work at that time, each step in a transaction of its own; how many steps there were."""
    for step in range(20):
        async with scribe.h.tx() as tx:
            if not await archiving.archive_some(tx, now or datetime.now(UTC)):
                return step
    raise AssertionError("it does not end")


async def all_of(scribe: Scribe) -> list[dict[str, Any]]:
    return list((await scribe.get(ARCHIVES, sort="number"))["items"])


async def content_of(scribe: Scribe, archive: dict[str, Any]) -> bytes:
    answer = await scribe.h.client.get(f"{ARCHIVES}/{archive['id']}/content")
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_what_is_old_is_sealed_proven_restored_and_deleted_in_its_time(
    scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiving, "AT_MOST", 3)
    disputed, access = uuid7(), uuid7()
    old = [
        scribe.event("order.noted", uuid7(), at=long_ago(), data={"text": "Grüße"}),
        scribe.event("gateway.accessed", access, topic="gateway.access", at=long_ago() + timedelta(days=380)),
        scribe.event("order.noted", uuid7(), at=long_ago()),
        scribe.event("order.noted", disputed, at=long_ago()),
    ]
    for each in (*old, scribe.event("order.noted", uuid7())):
        await scribe.say(each)
    assert await archive(scribe) == 0, "nothing is archived that no head covers"
    await scribe.sign()
    # The access of 20 days ago ends the first archive: what comes after it is not older than what is young.
    assert await archive(scribe) == 2
    for nothing in (long_ago().isoformat(), "2001-01-31"):
        refused = await scribe.h.client.post(ARCHIVES, json={"before": nothing})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:nothing-to-archive")
    tomorrow = today() + timedelta(days=1)
    begun = await scribe.h.client.post(ARCHIVES, json={"before": f"{tomorrow}"})
    assert (begun.status_code, begun.json()["sealed_at"]) == (201, None)
    assert (await scribe.h.client.get(f"{ARCHIVES}/{begun.json()['id']}/content")).status_code == 409
    again = await scribe.h.client.post(ARCHIVES, json={})
    assert (again.status_code, again.json()["type"]) == (409, "urn:tailrace:problem:archive-under-way")
    before = datetime.now(UTC) - timedelta(days=399)
    assert await archive(scribe, before) == 1
    made = await all_of(scribe)
    assert [(each["begin"], each["end"], each["locked"]) for each in made] == [(0, 1, False), (1, 4, False)]
    assert await contents(scribe) == 2, "the access and the young one stay"

    objects = [await content_of(scribe, each) for each in made]
    series = Archives((await scribe.get(f"{AT}/keys"))["keys"])
    verdicts = [series.take(each) for each in objects]
    assert [(each.records, each.withheld) for each in verdicts] == [(1, 0), (3, 1)]
    assert json.loads(unpacked(objects[0])[1][0]["data"]) == {"text": "Grüße"}
    shown = await scribe.get(f"{AT}/records/{id_of(old[3])}")
    assert (shown["data"], shown["archive_id"]) == (None, made[1]["id"])
    nobody = scribe.h.client_as("audit-log:read")
    assert (await nobody.get(f"{ARCHIVES}/{made[0]['id']}/content")).status_code == 403
    other = scribe.h.client_as(tenant=scribe.h.other_tenant)
    assert (await other.get(f"{ARCHIVES}/{made[0]['id']}")).status_code == 404

    back = await scribe.h.client.post(f"{ARCHIVES}/{made[1]['id']}/restore", json={"days": 7})
    assert back.status_code == 200, back.text
    assert await contents(scribe) == 4
    shown = await scribe.get(f"{AT}/records/{id_of(old[3])}")
    assert (shown["data_in_full"], shown["archive_id"]) == ({"number": 1}, None)
    await archive(scribe, before)
    assert await contents(scribe) == 4
    hold = await scribe.h.client.post(f"{AT}/holds", json={"reason": "dispute", "document_id": str(disputed)})
    later = datetime.now(UTC) + timedelta(days=6 * 366)
    await scribe.h.client.put(f"{AT}/retention", json={"days": 1827, "access_days": 365, "archive_days": None})
    await archive(scribe, later)
    assert await contents(scribe) == 3, "what was restored is over, but for what is held"
    assert [each["deleted_at"] is None for each in await all_of(scribe)] == [False, True]
    await scribe.h.client.post(f"{AT}/holds/{hold.json()['id']}/release", json={"reason": "settled"})
    await archive(scribe, later)
    assert [each["deleted_at"] is None for each in await all_of(scribe)] == [False, False]
    async with scribe.h.tx() as tx:
        assert not [key for key in await means_of(tx).store.keys() if key.startswith("archives/")]
    gone = await scribe.h.client.post(f"{ARCHIVES}/{made[1]['id']}/restore", json={})
    assert (gone.status_code, gone.json()["type"]) == (409, "urn:tailrace:problem:not-in-the-archive")
    told = [each.type for each in await scribe.h.published() if each.type.startswith("audit.archive")]
    assert sorted(told) == sorted(
        ["audit.archive_begun", "audit.archived", "audit.archive_deleted"] * 2 + ["audit.archive_restored"]
    )


class Vault:
    """The port of a store that locks: what it has sealed, and what of it is held; `deaf` takes no holds."""

    def __init__(self) -> None:
        self.sealed: dict[str, bytes] = {}
        self.held: set[str] = set()
        self.deaf = False

    async def seal(self, key: str, data: bytes, until: datetime) -> Sealed:
        self.sealed[key] = data
        return Sealed("1", locked=True)

    async def hold(self, key: str, version: str, *, on: bool) -> bool:
        assert (key in self.sealed, version) == (True, "1")
        if not self.deaf:
            (self.held.add if on else self.held.discard)(key)
        return not self.deaf

    async def unseal(self, key: str, version: str | None) -> bool:
        assert key not in self.held, "nobody asks for what is refused anyway"
        del self.sealed[key]
        return True


async def test_a_hold_is_one_in_the_store_too_for_the_archives_that_it_keeps(
    scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault()
    async with scribe.h.tx() as tx:
        monkeypatch.setattr(means_of(tx), "store", vault)
    monkeypatch.setattr(archiving, "AT_MOST", 1)
    disputed, other = uuid7(), uuid7()
    for document in (disputed, other):
        await scribe.say(scribe.event("order.noted", document, at=long_ago()))
    await scribe.sign()
    await archive(scribe)

    def archives() -> list[str]:
        return [key for key in vault.sealed if key.startswith("archives/")]

    async def held() -> list[bool]:
        shown = [bool(each["held"]) for each in await all_of(scribe)]
        assert sum(shown) == len(vault.held)
        return shown

    async def place(**on: str) -> str:
        answer = await scribe.h.client.post(f"{AT}/holds", json={"reason": "dispute", **on})
        return str(answer.json()["id"])

    async def release(hold: str) -> None:
        answer = await scribe.h.client.post(f"{AT}/holds/{hold}/release", json={"reason": "settled"})
        assert answer.status_code == 200, answer.text

    assert await held() == [False, False]
    one = await place(document_id=str(disputed))
    assert await scribe.h.fire_timers(), "the store hears of it at once, not the next day"
    assert await held() == [True, False]
    everything = await place()
    await archive(scribe)
    assert await held() == [True, True]
    await release(one)
    await archive(scribe)
    assert await held() == [True, True], "the other hold keeps both"
    later, vault.deaf = datetime.now(UTC) + timedelta(days=6 * 366), True
    await release(everything)
    await archive(scribe, later)
    assert (await held(), len(archives())) == ([True, True], 2), "what the store still holds is not let go"
    vault.deaf = False
    await archive(scribe, later)
    assert (await held(), archives()) == ([False, False], [])
    told = [each.event.held for each in await scribe.h.published(AuditArchiveHoldChanged)]
    assert told == [True, True, False, False]


async def test_a_store_that_is_away_or_a_death_leaves_nothing_half_done(
    scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scribe.say(scribe.event("order.noted", uuid7(), at=long_ago()))
    await scribe.sign()
    async with scribe.h.tx() as tx:
        assert await archiving.archive_some(tx, datetime.now(UTC))
        store = means_of(tx).store
    put: list[bytes] = []
    real = store.seal

    async def dies(key: str, data: bytes, until: datetime) -> Any:
        put.append(data)
        await real(key, data, until)
        raise StoreAway("no answer came")

    monkeypatch.setattr(store, "seal", dies)
    for _ in range(2):
        with pytest.raises(StoreAway):
            async with scribe.h.tx() as tx:
                await archiving.archive_some(tx, datetime.now(UTC))
    assert (await contents(scribe), put[0]) == (1, put[1]), "the same bytes go to the same place"
    monkeypatch.setattr(store, "seal", real)

    async def together() -> None:
        async with scribe.h.tx() as tx:
            await archiving.archive_some(tx, datetime.now(UTC))

    await asyncio.gather(together(), together())
    (made,) = await all_of(scribe)
    assert (await contents(scribe), await content_of(scribe, made)) == (0, put[0])
    assert len(await scribe.h.published(AuditArchived)) == 1
    # Somebody who can write to the store changes the object: the log knows its hash.
    async with scribe.h.tx() as tx:
        await means_of(tx).store.seal(f"archives/{scribe.h.tenant}/{1:010d}", gzip.compress(b"{}\n"), long_ago())
    damaged = await scribe.h.client.post(f"{ARCHIVES}/{made['id']}/restore", json={})
    assert (damaged.status_code, damaged.json()["type"]) == (409, "urn:tailrace:problem:archive-damaged")


async def test_an_archive_shows_what_was_done_to_it(scribe: Scribe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archiving, "AT_MOST", 4)
    await scribe.say(*(scribe.event("order.noted", uuid7(), at=long_ago()) for _ in range(11)))
    await scribe.sign()
    await archive(scribe)
    objects = [await content_of(scribe, each) for each in await all_of(scribe)]
    assert len(objects) == 3

    def fault(*given: bytes, keys: dict[str, str] | None = None) -> str:
        series = Archives(keys)
        with pytest.raises(Fault) as found:
            for each in given:
                series.take(each)
        return found.value.kind

    def broken(change: Any, at: int = 1) -> str:
        first, records = unpacked(objects[at])
        change(first, records)
        return fault(packed(first, iter(records)))

    assert fault(objects[0], objects[2]) == "missing"
    assert fault(objects[1], objects[0]) == "missing"
    assert fault(objects[0], keys={"other": "00" * 32}) == "not-signed"
    assert fault(objects[0][:-9]) == "malformed"
    assert fault(gzip.compress(b"[]\n")) == "malformed"
    assert broken(lambda first, records: records.pop()) == "cut-off"
    assert broken(lambda first, records: records.append(records[-1])) == "changed"
    assert broken(lambda first, records: (records.pop(), first.update(end=first["end"] - 1))) == "changed"
    first, records = unpacked(objects[1])
    first["begin"] += 1
    shorter = packed(first, iter(records[1:]))
    assert Archives().take(shorter).records == 3, "by itself it is whole; in its row it is not"
    assert fault(objects[0], shorter) == "missing"
    assert broken(lambda first, records: records[1].update(data='{"number":2}')) == "changed"
    assert broken(lambda first, records: records[0]["entry"].update(actor="me")) == "changed"
    assert broken(lambda first, records: records[3]["entry"].update(prev=FIRST)) == "changed"
    assert broken(lambda first, records: records.reverse()) == "changed"
    assert broken(lambda first, records: first.update(tenant=str(UUID(int=0)))) == "changed"
    assert broken(lambda first, records: first["head"].update(size=12)) == "not-signed"
    assert broken(lambda first, records: first.pop("path")) == "malformed"
    assert broken(lambda first, records: records[0]["entry"].update(prev="ab" * 32), at=0) == "changed"
