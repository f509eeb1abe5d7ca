"""Control accounts are their sub-ledgers' own: people post there by adjustments alone, and what nobody explains is found."""

from typing import Any

import pytest
from accounting_events import CODES, dispatched, issued, line, received

from accounting.chart import CONTROL
from contracts.accounting import JournalPosted
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

V1 = "/v1/accounting"
ACCOUNTANT = "accounting:read accounting:write accounting:close"


def journal(debit: str, credit: str, amount: int = 777, **more: Any) -> dict[str, Any]:
    lines = [
        {"account": debit, "currency": "EUR", "debit": amount},
        {"account": credit, "currency": "EUR", "credit": amount},
    ]
    return {"text": "By hand", "effective_at": "2026-01-20T12:00:00Z", "lines": lines, **more}


async def integrity(accounting: Harness) -> tuple[bool, dict[tuple[str, str], tuple[int, int, int, int]]]:
    """Whether the books are whole; by role and currency: balance, sub-ledger, adjusted, difference."""
    said = (await accounting.client.get(f"{V1}/integrity")).json()
    return said["intact"], {
        (c["role"], c["currency"]): (c["balance"], c["sub_ledger"], c["adjusted"], c["difference"])
        for c in said["control"]
    }


@pytest.fixture
async def traded(accounting: Harness) -> Harness:
    """Bought for 1500, sold what cost 500 for 1000 and 100 tax."""
    await accounting.deliver(received(1500, reason="purchase"), aggregate_id=uuid7())
    await accounting.deliver(issued(500), aggregate_id=uuid7())
    await accounting.deliver(dispatched([line(1000, 100)]), aggregate_id=uuid7())
    return accounting


async def test_a_manual_journal_to_a_control_account_is_refused(traded: Harness) -> None:
    before = await integrity(traded)
    assert before[0]
    for role in sorted(CONTROL):
        for side in (0, 1):
            debit, credit = (CODES[role], "6000") if side == 0 else ("6000", CODES[role])
            refused = await traded.client.post(f"{V1}/journals", json=journal(debit, credit))
            assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:control-account")
            assert refused.json()["errors"] == [
                {"field": f"/lines/{side}/account", "detail": f"{CODES[role]} is the control account of {role}."}
            ]
    assert await integrity(traded) == before


async def test_an_adjustment_wants_its_scope_and_a_reason_and_is_listed(traded: Harness) -> None:
    body = journal("1400", "6000", reason="counted by the auditor")
    accountant = traded.client_as(ACCOUNTANT)
    assert (await accountant.post(f"{V1}/adjustments", json=body)).status_code == 403
    for missing in ({"reason": ""}, {"reason": None}):
        refused = await traded.client.post(f"{V1}/adjustments", json={**body, **missing})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/reason")
    plain = await traded.client.post(f"{V1}/adjustments", json=journal("6000", "1000", reason="x"))
    assert (plain.status_code, plain.json()["errors"][0]["field"]) == (422, "/lines")
    made = await traded.client_as("accounting:control").post(f"{V1}/adjustments", json=body)
    assert (made.status_code, made.json()["adjustment_reason"]) == (201, "counted by the auditor")
    assert made.headers["location"] == f"{V1}/adjustments/{made.json()['id']}"
    for path in ("adjustments", "journals?adjustment=true"):
        listed = (await accountant.get(f"{V1}/{path}")).json()["items"]
        assert [one["id"] for one in listed] == [made.json()["id"]]
    others = (await accountant.get(f"{V1}/journals?adjustment=false")).json()["items"]
    assert len(others) == 3
    assert (await accountant.get(f"{V1}/adjustments/{others[0]['id']}")).status_code == 404
    (event,) = [e.event for e in await traded.published(JournalPosted)][3:]
    assert event.adjustment_reason == "counted by the auditor"
    whole, control = await integrity(traded)
    assert (whole, control["inventory", "EUR"]) == (True, (1777, 1000, 777, 0))
    assert (await traded.prove()).proven


async def test_an_adjustment_is_undone_by_another(traded: Harness) -> None:
    made = (await traded.client.post(f"{V1}/adjustments", json=journal("1400", "6000", reason="x"))).json()
    path = f"{V1}/journals/{made['id']}"
    assert (await traded.client.post(f"{path}/reverse", json={"reason": "y"})).status_code == 409
    undone = await traded.client.post(f"{path}/adjust", json={"reason": "y"})
    assert (undone.status_code, undone.json()["adjustment_reason"]) == (201, "y")
    assert (await integrity(traded))[1]["inventory", "EUR"] == (1000, 1000, 0, 0)


async def test_what_people_posted_elsewhere_they_reverse_themselves(traded: Harness) -> None:
    made = (await traded.client.post(f"{V1}/journals", json=journal("6000", "1000"))).json()
    undone = await traded.client_as(ACCOUNTANT).post(f"{V1}/journals/{made['id']}/reverse", json={"reason": "y"})
    assert (undone.status_code, undone.json()["adjustment_reason"]) == (201, None)


async def test_sub_ledgers_explain_every_control_account_in_every_currency(traded: Harness) -> None:
    await traded.deliver(received(70, currency="JPY"), aggregate_id=uuid7())
    await traded.deliver(received(99, reason="transfer"), aggregate_id=uuid7())
    assert await integrity(traded) == (
        True,
        {
            ("inventory", "EUR"): (1000, 1000, 0, 0),
            ("inventory", "JPY"): (70, 70, 0, 0),
            ("goods_received_not_invoiced", "EUR"): (-1500, -1500, 0, 0),
            ("unbilled_receivable", "EUR"): (1100, 1100, 0, 0),
            ("output_tax", "EUR"): (-100, -100, 0, 0),
        },
    )


async def test_a_balance_that_nobody_explains_is_found(traded: Harness) -> None:
    """1,777 in the books against stock of 1,000: written past the service, so that events and entries agree and debits equal credits."""
    made = (await traded.client.post(f"{V1}/journals", json=journal("6000", "1000"))).json()
    assert (await integrity(traded))[0]
    await traded.admin.execute("UPDATE gl_entry SET account = '1400' WHERE account = '6000'")
    await traded.admin.execute(
        "UPDATE accounting_event SET payload = jsonb_set(payload, '{lines,0,account}', '\"1400\"') WHERE stream_id = $1",
        made["id"],
    )
    said = (await traded.client.get(f"{V1}/integrity")).json()
    assert (said["differences"], said["mismatches"], said["intact"]) == ([], [], False)
    (stock,) = [one for one in said["control"] if one["difference"]]
    assert (stock["role"], stock["balance"], stock["sub_ledger"], stock["difference"]) == (
        "inventory",
        1777,
        1000,
        777,
    )


async def test_an_event_that_could_not_be_posted_is_found(traded: Harness) -> None:
    await traded.admin.execute("UPDATE book SET roles = roles #- '{0,roles,opening_equity}'")
    await traded.deliver(received(30), aggregate_id=uuid7(), may_dead_letter=True)
    (letter,) = await traded.admin.fetch("SELECT subscriber, reason FROM dead_letter")
    assert (letter["subscriber"], "opening_equity" in letter["reason"]) == ("accounting.postings", True)
    whole, control = await integrity(traded)
    assert (whole, control["inventory", "EUR"]) == (False, (1000, 1030, 0, -30))


async def test_a_sub_ledger_is_kept_once_even_when_its_mark_is_lost(accounting: Harness) -> None:
    record = await accounting.deliver(received(500, reason="purchase"), aggregate_id=uuid7())
    await accounting.admin.execute("DELETE FROM inbox")
    await accounting.redeliver(record, record)
    assert (await integrity(accounting))[1]["inventory", "EUR"] == (500, 500, 0, 0)
