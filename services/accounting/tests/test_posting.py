"""One event, one journal; and what is written is never edited, only reversed."""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

from accounting_events import CODES, JANUARY, dispatched, first_record, issued, line, received
from sqlalchemy import func, select

from accounting.books import open_books
from accounting.chart import GENERAL
from accounting.models import Account, Book, Entry, Journal
from accounting.posting import entry_rows
from accounting.streams import JournalStream
from contracts.accounting import JournalPosted
from contracts.users import TenantCreated
from tailrace.core.ids import derived_id, uuid7
from tailrace.db.event_streams import replay
from tailrace_testing import Harness


async def posted(accounting: Harness) -> list[JournalPosted]:
    return [
        p.event for p in await accounting.published("accounting.journal.posted") if isinstance(p.event, JournalPosted)
    ]


async def test_a_dispatched_shipment_becomes_a_balanced_journal(accounting: Harness) -> None:
    event, shipment, event_id = dispatched([line(1000, 100)]), uuid7(), uuid7()
    await accounting.deliver(event, aggregate_id=shipment, event_id=event_id)
    (row,) = await accounting.published("accounting.journal.posted")
    assert isinstance(row.event, JournalPosted)
    assert row.causation_id == event_id
    assert row.aggregate_id == row.event.journal_id == derived_id(accounting.tenant, "journal", event_id)
    assert (row.event.rule, row.event.source_id, row.event.source_event_id) == (
        "shipment-dispatched@1",
        shipment,
        event_id,
    )
    journal = (await accounting.client.get(f"/v1/accounting/journals/{row.aggregate_id}")).json()
    assert journal["number"] == "J-00000001"
    assert [(one["account"], one["debit"], one["credit"]) for one in journal["lines"]] == [
        (CODES["unbilled_receivable"], 1100, 0),
        (CODES["revenue"], 0, 1000),
        (CODES["output_tax"], 0, 100),
    ]


async def test_what_was_booked_of_an_order_is_found_by_it(accounting: Harness) -> None:
    """What left, what it cost, and what undid that; not what another order cost, nor what was used up."""
    mine, other = uuid7(), uuid7()
    await accounting.deliver(received(500), aggregate_id=uuid7())
    await accounting.deliver(dispatched([line(1000, 100)], order_id=mine), aggregate_id=uuid7())
    for given in ({"order_id": mine}, {"order_id": other}, {"reason": "scrap"}):
        await accounting.deliver(issued(20, **given), aggregate_id=uuid7())
    path, of = "/v1/accounting/journals", {"order_id": str(mine)}
    found = (await accounting.client.get(path, params=of)).json()["items"]
    assert [each["rule"] for each in found] == ["shipment-dispatched@1", "stock-issued@1"]
    assert {each["order_id"] for each in found} == {str(mine)}
    undone = await accounting.client.post(f"{path}/{found[1]['id']}/adjust", json={"reason": "x"})
    assert undone.status_code == 201, undone.text
    again = (await accounting.client.get(path, params=of)).json()["items"]
    assert [each["reverses"] for each in again] == [None, None, found[1]["id"]]


async def test_the_same_event_posts_once_even_when_its_mark_is_lost(accounting: Harness) -> None:
    record = await accounting.deliver(received(500), aggregate_id=uuid7())
    await accounting.redeliver(record, record)
    await accounting.admin.execute("DELETE FROM inbox")
    await accounting.redeliver(record)
    assert len(await posted(accounting)) == 1
    await accounting.deliver(issued(200), aggregate_id=uuid7())
    assert [journal.number for journal in await posted(accounting)] == ["J-00000001", "J-00000002"]


async def test_events_that_move_no_value_post_nothing(accounting: Harness) -> None:
    await accounting.deliver(received(0), aggregate_id=uuid7())
    await accounting.deliver(received(9, reason="transfer"), aggregate_id=uuid7())
    assert await accounting.published() == []


async def test_two_consumers_at_once_make_one_chart(accounting: Harness) -> None:
    gate = asyncio.Barrier(6)

    async def begin() -> None:
        async with accounting.tx() as tx:
            await gate.wait()
            await open_books(tx)

    await asyncio.gather(*[begin() for _ in range(6)])
    assert len(await accounting.published("accounting.account.created")) == len(GENERAL.rows)


async def test_events_of_two_topics_at_once_share_books_and_numbers(accounting: Harness) -> None:
    tenant = TenantCreated(tenant_id=accounting.tenant, slug="m", name="M", currency="EUR")
    events = [tenant, *(received(n) for n in range(1, 6)), *(dispatched([line(n, 0)]) for n in range(1, 6))]
    records = [first_record(accounting, event) for event in events]
    await asyncio.gather(*[accounting.dispatcher.deliver([record]) for record in records])
    assert await accounting.admin.fetchval("SELECT count(*) FROM dead_letter") == 0
    journals = await posted(accounting)
    assert sorted(journal.number for journal in journals) == [f"J-{n:08d}" for n in range(1, 11)]
    recorded = [journal.recorded_at for journal in sorted(journals, key=lambda journal: journal.number)]
    assert all(a < b for a, b in pairwise(recorded) if a and b)
    async with accounting.tx() as tx:
        assert await tx.scalar(select(func.count()).select_from(Account)) == len(GENERAL.rows)
        assert await tx.scalar(select(Book.last_number)) == 10


async def test_a_record_time_never_falls_behind(accounting: Harness) -> None:
    await accounting.deliver(received(1), aggregate_id=uuid7())
    ahead = datetime(2200, 1, 1, tzinfo=UTC)
    await accounting.admin.execute("UPDATE book SET recorded_at = $1", ahead)
    await accounting.deliver(received(2), aggregate_id=uuid7())
    last = (await posted(accounting))[-1].recorded_at
    assert last is not None
    assert last > ahead


async def test_the_ledger_is_what_the_events_add_up_to(accounting: Harness) -> None:
    for n in range(1, 4):
        await accounting.deliver(dispatched([line(n * 100, n * 10)]), aggregate_id=uuid7())
    async with accounting.tx() as tx:
        for journal in await tx.scalars(select(Journal)):
            stream = await replay(tx, JournalStream, journal.id)
            entries = list(await tx.scalars(select(Entry).where(Entry.journal_id == journal.id).order_by(Entry.line)))
            assert [(e.account, e.currency, e.debit, e.credit) for e in entries] == [
                (one.account, one.currency, one.debit, one.credit) for one in stream.state.lines
            ]
    rows = [row for journal in await posted(accounting) for row in entry_rows(accounting.tenant, journal)]
    kept = await accounting.admin.fetch("SELECT * FROM gl_entry ORDER BY position")
    assert [dict(row) for row in kept] == rows


async def test_integrity_names_what_was_tampered_with(accounting: Harness) -> None:
    await accounting.deliver(received(500), aggregate_id=uuid7())
    await accounting.deliver(received(700), aggregate_id=uuid7())
    said = (await accounting.client.get("/v1/accounting/integrity")).json()
    assert (said["intact"], said["journals"], said["mismatches"]) == (True, 2, [])
    victim = await accounting.admin.fetchval(
        "UPDATE gl_entry SET debit = debit + 7 WHERE debit = 500 RETURNING journal_id"
    )
    said = (await accounting.client.get("/v1/accounting/integrity")).json()
    assert said["intact"] is False
    assert [UUID(id) for id in said["mismatches"]] == [victim]
    assert said["differences"] == [{"currency": "EUR", "debit": 1207, "credit": 1200, "difference": 7}]


async def test_what_a_rule_posted_is_undone_as_an_adjustment_alone(accounting: Harness) -> None:
    await accounting.deliver(dispatched([line(1000, 100)]), aggregate_id=uuid7())
    (original,) = await posted(accounting)
    path = f"/v1/accounting/journals/{original.journal_id}"
    refused = await accounting.client.post(f"{path}/reverse", json={"reason": "wrong customer"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:control-account")
    assert "shipment-dispatched@1" in refused.json()["detail"]
    accountant = accounting.client_as("accounting:read accounting:write accounting:close")
    assert (await accountant.post(f"{path}/adjust", json={"reason": "wrong customer"})).status_code == 403
    assert len(await posted(accounting)) == 1


async def test_a_reversal_mirrors_and_cannot_happen_twice(accounting: Harness) -> None:
    await accounting.deliver(dispatched([line(1000, 100)]), aggregate_id=uuid7())
    (original,) = await posted(accounting)
    path = f"/v1/accounting/journals/{original.journal_id}"
    answers = await asyncio.gather(
        *[accounting.client.post(f"{path}/adjust", json={"reason": "wrong customer"}) for _ in range(4)]
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    mirror = next(answer.json() for answer in answers if answer.status_code == 201)
    assert [(one["account"], one["debit"], one["credit"]) for one in mirror["lines"]] == [
        (one.account, one.credit, one.debit) for one in original.lines
    ]
    assert (mirror["reverses"], mirror["adjustment_reason"]) == (str(original.journal_id), "wrong customer")
    assert mirror["effective_at"] == "2026-01-15T10:30:00Z"
    seen = (await accounting.client.get(path)).json()
    assert (seen["reversed_by"], seen["version"]) == (mirror["id"], 2)
    refused = next(answer for answer in answers if answer.status_code == 409).json()
    assert refused["type"] == "urn:tailrace:problem:already-reversed"
    balance = (await accounting.client.get("/v1/accounting/trial-balance")).json()
    assert {row["balance"] for row in balance["rows"]} == {0}


async def test_a_reversal_minds_version_and_time(accounting: Harness) -> None:
    await accounting.deliver(received(5), aggregate_id=uuid7())
    path = f"/v1/accounting/journals/{(await posted(accounting))[0].journal_id}/adjust"
    stale = await accounting.client.post(path, json={"reason": "x"}, headers={"If-Match": '"7"'})
    early = await accounting.client.post(path, json={"reason": "x", "effective_at": "2026-01-14T00:00:00Z"})
    assert (stale.status_code, early.status_code) == (412, 422)
    assert early.json()["errors"][0]["field"] == "/effective_at"
    unknown = await accounting.client.post(f"/v1/accounting/journals/{uuid7()}/adjust", json={"reason": "x"})
    assert unknown.status_code == 404
    later = await accounting.client.post(path, json={"reason": "x", "effective_at": "2026-02-01T00:00:00Z"})
    assert later.json()["effective_at"] == "2026-02-01T00:00:00Z"
    assert (await posted(accounting))[0].effective_at == JANUARY
