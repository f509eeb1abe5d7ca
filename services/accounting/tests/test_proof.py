"""Journals, entries, periods and books follow from the events alone, by hash; and any past view is what an independent model says it was."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from accounting_events import JANUARY, dispatched, issued, line, received

from accounting.posting import post_manual
from contracts.accounting import JournalLine, JournalPosted
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

V1 = "/v1/accounting"


async def post(accounting: Harness, path: str, *, ok: tuple[int, ...] = (200, 201), **body: Any) -> dict[str, Any]:
    answer = await accounting.client.post(f"{V1}/{path}", json=body)
    assert answer.status_code in ok, answer.text
    return dict(answer.json())


async def busy(accounting: Harness, seed: int, steps: int) -> None:
    """Events and people's journals of any day, reversals, and months that are closed, some of them reopened."""
    dice = random.Random(seed)
    periods = []
    for month in (1, 2, 3):
        first, last = f"2026-{month:02d}-01", f"2026-{month:02d}-28"
        made = await post(accounting, "periods", name=f"{month}", first_day=first, last_day=last)
        periods.append(made["id"])
    for _ in range(steps):
        at = JANUARY + timedelta(days=dice.randint(-40, 90), minutes=dice.randint(0, 999))
        value, currency = dice.randint(1, 9999), dice.choice(["EUR", "JPY"])
        match dice.choice(["receive", "issue", "ship", "people", "people", "close", "reopen"]):
            case "receive":
                await accounting.deliver(received(value, effective_at=at), aggregate_id=uuid7())
            case "issue":
                await accounting.deliver(issued(value, effective_at=at), aggregate_id=uuid7())
            case "ship":
                event = dispatched([line(value, value // 9)], dispatched_at=at, currency=currency)
                await accounting.deliver(event, aggregate_id=uuid7())
            case "people":
                await by_hand(accounting, dice, value, at)
            case "close":
                await post(accounting, f"periods/{dice.choice(periods)}/close", ok=(200, 409), year_end=True)
            case "reopen":
                await post(accounting, f"periods/{dice.choice(periods)}/reopen", ok=(200, 409), reason="late")


async def by_hand(accounting: Harness, dice: random.Random, value: int, at: datetime) -> None:
    """A journal of somebody's, or the reversal of one."""
    page = (await accounting.client.get(f"{V1}/journals", params={"reversed": False})).json()["items"]
    if page and dice.random() < 0.5:
        how = dice.choice(["reverse", "adjust"])
        await post(accounting, f"journals/{dice.choice(page)['id']}/{how}", ok=(201, 409), reason="wrong")
        return
    lines = [{"account": a, "currency": "EUR", side: value} for a, side in (("6000", "debit"), ("1000", "credit"))]
    await post(accounting, "journals", ok=(201, 409), text="x", effective_at=at.isoformat(), lines=lines)


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_books_follow_from_the_events_and_every_past_view_stays(accounting: Harness, seed: int) -> None:
    await busy(accounting, seed, steps=70)
    proof = await accounting.prove()
    assert proof.proven, proof.differences
    assert proof.tables["journal"].rows == await accounting.admin.fetchval("SELECT count(*) FROM journal") > 20
    assert proof.tables["period"].rows == 3
    assert proof.tables["book"].rows == 1
    await check_past_views(accounting, random.Random(seed))


async def check_past_views(accounting: Harness, dice: random.Random) -> None:
    """Trial balances at random pairs of times, against sums over the journals that were published."""
    journals = [one.event for one in await accounting.published(JournalPosted)]
    known = [(each, each.recorded_at) for each in journals if each.recorded_at is not None]
    assert len(known) == len(journals)
    moments = sorted({moment for _, moment in known})
    for _ in range(12):
        effective = JANUARY + timedelta(days=dice.randint(-45, 95))
        recorded = dice.choice(moments) + timedelta(microseconds=dice.choice([-1, 0]))
        expected: dict[tuple[str, str], int] = defaultdict(int)
        for each, moment in known:
            if each.effective_at <= effective and moment <= recorded:
                for one in each.lines:
                    expected[one.account, one.currency] += one.debit - one.credit
        params = {"effective": effective.isoformat(), "recorded": recorded.isoformat()}
        said = (await accounting.client.get(f"{V1}/trial-balance", params=params)).json()
        assert {(row["account"], row["currency"]): row["balance"] for row in said["rows"]} == expected
        assert all(total["difference"] == 0 for total in said["totals"])


@pytest.mark.parametrize(
    ("tamper", "where"),
    [
        ("UPDATE gl_entry SET debit = debit + 7 WHERE debit > 0", "gl_entry"),
        ("UPDATE journal SET text = 'Rent'", "journal"),
        ("UPDATE period SET locked = NOT locked", "period"),
        ("UPDATE book SET closed = '{}'", "book"),
        ("UPDATE book SET last_number = last_number + 1", "book"),
        ("UPDATE book SET roles = jsonb_set(roles, '{0,roles,revenue}', '\"1000\"')", "book"),
        (
            "UPDATE accounting_event SET payload = jsonb_set(payload, '{text}', '\"Rent\"') WHERE type LIKE '%posted'",
            "journal",
        ),
    ],
)
async def test_what_does_not_follow_is_named(accounting: Harness, tamper: str, where: str) -> None:
    await accounting.deliver(received(500), aggregate_id=uuid7())
    period = await post(accounting, "periods", name="1", first_day="2026-01-01", last_day="2026-01-31")
    await post(accounting, f"periods/{period['id']}/lock")
    assert (await accounting.prove()).proven
    await accounting.admin.execute(tamper)
    proof = await accounting.prove()
    assert not proof.proven
    assert proof.differences[0].where == where


async def test_a_proof_sees_one_moment_while_others_post(accounting: Harness) -> None:
    await accounting.deliver(received(500), aggregate_id=uuid7())
    late = datetime.now(UTC)
    async with accounting.tx() as tx:
        lines = [
            JournalLine(account="6000", currency="EUR", debit=1),
            JournalLine(account="1000", currency="EUR", credit=1),
        ]
        await post_manual(tx, "under way", lines, late)
        await tx.settle()
        proof = await accounting.prove()
        assert (proof.proven, proof.tables["journal"].rows) == (True, 1)
    assert (await accounting.prove()).tables["journal"].rows == 2
