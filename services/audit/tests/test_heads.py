"""Heads are signed by the clock and by number, told of once, shipped off, and good with the public keys alone."""

import pytest
from scribe import AT, Scribe

from audit import heads
from audit.heads import place_of
from audit.means import _kept
from contracts.audit import AuditHeadSigned
from tailrace.core.errors import Unavailable
from tailrace.core.ids import uuid7
from tailrace.verify.evidence import canonical, check_head


async def test_a_head_is_signed_by_the_clock_and_told_of(scribe: Scribe) -> None:
    await scribe.fill(3)
    await scribe.h.fire_timers()
    assert (await scribe.get(AT))["signed"] == 0
    await scribe.h.make_timers_due()
    await scribe.h.fire_timers()
    log = await scribe.get(AT)
    assert (log["signed"], log["head"]["number"], log["head"]["size"]) == (3, 1, 3)
    (told,) = await scribe.h.published("audit.head_signed")
    assert isinstance(told.event, AuditHeadSigned)
    assert (told.event.size, told.event.root) == (3, log["head"]["statement"]["root"])
    assert told.actor_id == "schedule:audit.signing"


async def test_keys_are_public_and_verify_the_heads(scribe: Scribe) -> None:
    await scribe.fill(3)
    head = await scribe.sign()
    keys = (await scribe.h.anonymous().get(f"{AT}/keys")).json()["keys"]
    check_head(head, keys)
    stored = await scribe.h.admin.fetchval("SELECT private_key FROM signing_key")
    assert bytes.fromhex(keys[head["key"]]) not in stored


async def test_a_head_calls_for_no_further_head(scribe: Scribe) -> None:
    await scribe.fill(3)
    for _ in range(4):
        await scribe.h.make_timers_due()
        await scribe.h.fire_timers()
        await scribe.h.pump()
    assert len(await scribe.h.published("audit.head_signed")) == 1
    await scribe.fill(1)
    await scribe.h.make_timers_due()
    await scribe.h.fire_timers()
    assert (await scribe.get(AT))["head"]["size"] == 5


async def test_many_records_are_signed_before_the_minute_is_over(
    scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "AT_MOST", 50)
    await scribe.fill(49)
    assert await scribe.h.fire_timers() == 0
    await scribe.fill(2)
    assert await scribe.h.fire_timers() == 2
    assert (await scribe.get(AT))["signed"] == 51


async def test_heads_are_shipped_and_tried_again_when_the_store_is_away(
    scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scribe.fill(3)
    head = await scribe.sign()
    store = _kept.at(scribe.h.database).store

    async def away(key: str, chunks: object) -> None:
        raise Unavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(store, "put", away)
        await scribe.h.fire_timers()
    assert (await scribe.get(AT))["head"]["shipped_at"] is None
    await scribe.h.make_timers_due()
    await scribe.h.fire_timers()
    assert (await scribe.get(AT))["head"]["shipped_at"] is not None
    (key,) = await store.keys()
    assert key == place_of(scribe.h.tenant, 1)
    kept = canonical(head)
    assert b"".join([each async for each in await store.read(key, 0, len(kept))]) == kept


async def test_a_secret_that_is_gone_is_followed_by_a_new_key_and_old_heads_stay_good(scribe: Scribe) -> None:
    await scribe.fill(1)
    old = await scribe.sign()
    await scribe.h.admin.execute(
        "UPDATE signing_key SET private_key = substr(private_key, 1, 12) || decode(repeat('00', 48), 'hex')"
    )
    await scribe.fill(1)
    new = await scribe.sign()
    keys = (await scribe.get(f"{AT}/keys"))["keys"]
    assert old["key"] != new["key"]
    check_head(old, keys)
    check_head(new, keys)


async def test_a_reader_sees_all_and_changes_nothing(scribe: Scribe) -> None:
    await scribe.fill(3)
    await scribe.sign()
    reader = scribe.h.client_as("audit-log:read")
    for path in ("", "/records", "/heads", "/export", "/siem", "/retention", "/holds"):
        assert (await reader.get(f"{AT}{path}")).status_code == 200, path
    refused = [
        await reader.post(f"{AT}/heads"),
        await reader.post(f"{AT}/holds", json={"reason": "Mine."}),
        await reader.put(f"{AT}/retention", json={"days": 30, "access_days": 30}),
        await reader.post(f"{AT}/holds/{uuid7()}/release", json={"reason": "Mine."}),
    ]
    assert [answer.status_code for answer in refused] == [403] * 4
