"""Contents go when their time is over; hashes, proofs and what is held stay."""

from datetime import UTC, datetime, timedelta

from scribe import AT, Scribe, id_of

from tailrace.core.ids import uuid7
from tailrace.verify.evidence import check_bundle, check_export

SIX_YEARS = timedelta(days=6 * 366)


async def contents(scribe: Scribe) -> int:
    return int(await scribe.h.admin.fetchval("SELECT count(*) FROM content"))


async def prune(scribe: Scribe) -> None:
    await scribe.h.make_timers_due()
    await scribe.h.fire_timers()


async def test_what_is_older_than_five_years_goes_and_proofs_stay(scribe: Scribe) -> None:
    old, young = uuid7(), uuid7()
    long_ago = datetime.now(UTC) - SIX_YEARS
    await scribe.say(scribe.event("order.noted", old, at=long_ago), scribe.event("order.noted", young))
    head = await scribe.sign()
    await prune(scribe)
    assert await contents(scribe) == 1
    bundle = await scribe.get(f"{AT}/documents/{old}/bundle")
    assert bundle["records"][0]["data"] is None
    assert check_bundle(bundle, str(old), known=head | {}).withheld == 1
    first, *records = await scribe.export()
    verdict = check_export(first["head"], records, first["keys"])
    assert (verdict.records, verdict.withheld) == (2, 1)


async def test_the_company_says_how_long(scribe: Scribe) -> None:
    at = datetime.now(UTC) - timedelta(days=100)
    order = scribe.event("order.noted", uuid7(), at=at)
    await scribe.say(order)
    await prune(scribe)
    assert await contents(scribe) == 1
    changed = await scribe.h.client.put(f"{AT}/retention", json={"days": 90, "access_days": 10})
    assert (changed.status_code, changed.json()["version"]) == (200, 1)
    assert (await scribe.h.client.put(f"{AT}/retention", json={"days": 7, "access_days": 10})).status_code == 422
    stale = await scribe.h.client.put(
        f"{AT}/retention", json={"days": 99, "access_days": 9}, headers={"If-Match": '"7"'}
    )
    assert stale.status_code == 412
    await prune(scribe)
    assert await contents(scribe) == 0
    assert (await scribe.get(f"{AT}/records/{id_of(order)}"))["data"] is None


async def test_accesses_have_a_time_of_their_own(scribe: Scribe) -> None:
    at = datetime.now(UTC) - timedelta(days=500)
    await scribe.say(
        scribe.event("gateway.accessed", uuid7(), topic="gateway.access", at=at),
        scribe.event("order.noted", uuid7(), at=at),
    )
    await prune(scribe)
    left = await scribe.h.admin.fetch("SELECT r.type FROM content c JOIN record r USING (tenant_id, position)")
    assert [row["type"] for row in left] == ["order.noted"]


async def test_what_is_held_stays_until_it_is_released(scribe: Scribe) -> None:
    held, other = uuid7(), uuid7()
    at = datetime.now(UTC) - SIX_YEARS
    await scribe.say(scribe.event("order.noted", held, at=at), scribe.event("order.noted", other, at=at))
    place = {"reason": "A dispute.", "document_id": str(held)}
    hold = (await scribe.h.client.post(f"{AT}/holds", json=place)).json()
    everything = (await scribe.h.client.post(f"{AT}/holds", json={"reason": "An audit."})).json()
    await prune(scribe)
    assert await contents(scribe) == 2
    released = await scribe.h.client.post(f"{AT}/holds/{everything['id']}/release", json={"reason": "Done."})
    assert released.status_code == 200
    await prune(scribe)
    assert await contents(scribe) == 1
    at_release = f"{AT}/holds/{hold['id']}/release"
    assert (await scribe.h.client.post(at_release, json={"reason": "Settled."})).status_code == 200
    assert (await scribe.h.client.post(at_release, json={"reason": "Settled."})).status_code == 409
    await prune(scribe)
    assert await contents(scribe) == 0


async def test_a_hold_on_a_document_that_nobody_knows_is_refused(scribe: Scribe) -> None:
    place = {"reason": "A dispute.", "document_id": str(uuid7())}
    refused = await scribe.h.client.post(f"{AT}/holds", json=place)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/document_id")
    assert (await scribe.get(f"{AT}/holds"))["items"] == []
