"""What customers owe as of any day: open items by how long they have been due, credit, and an account of it all."""

from datetime import date, timedelta
from typing import Any

import pytest
from billing import Billing

from accounting.receivables.reports import bucket_of
from contracts.invoices import InvoiceOverdueReached
from tailrace_testing import today

DAY = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("late", "bucket"),
    [
        (-1, "not_due"),
        (0, "not_due"),
        (1, "days_1_to_30"),
        (30, "days_1_to_30"),
        (31, "days_31_to_60"),
        (60, "days_31_to_60"),
        (61, "days_61_to_90"),
        (90, "days_61_to_90"),
        (91, "over_90_days"),
        (4_000, "over_90_days"),
    ],
)
def test_an_item_is_as_old_as_it_has_been_due(late: int, bucket: str) -> None:
    assert bucket_of(DAY - timedelta(days=late), DAY) == bucket


def ago(days: int) -> str:
    return (today() - timedelta(days=days)).isoformat()


async def aged(billing: Billing, days_ago: int = 0) -> dict[str, Any]:
    await billing.h.pump()
    said = await billing.get("/receivables/ageing", day=ago(days_ago))
    rows = said["rows"]
    assert len(rows) <= 1
    return dict(rows[0]) if rows else {}


async def test_what_was_open_on_any_day_is_read_again(billing: Billing) -> None:
    bank = await billing.bank()
    old = await billing.invoiced(("1", 1_000, "0.1"), dated=ago(80))
    new = await billing.invoiced(("1", 2_000, "0.1"), dated=ago(10))
    await billing.pay(bank, 500, old, value_day=ago(40))
    await billing.pay(bank, 3_000, new, value_day=ago(2))
    at = {days: await aged(billing, days) for days in (81, 80, 50, 20, 5, 0)}
    assert at[81] == {}
    assert (at[80]["not_due"], at[80]["open"]) == (1_100, 1_100)
    assert (at[50]["days_1_to_30"], at[50]["balance"]) == (1_100, 1_100)
    # 80 - 14 days to pay: it has been due for 46 days, and 600 of it are open.
    assert (at[20]["days_31_to_60"], at[20]["open"]) == (600, 600)
    assert (at[5]["days_61_to_90"], at[5]["not_due"], at[5]["open"]) == (600, 2_200, 2_800)
    assert (at[0]["open"], at[0]["credit"], at[0]["balance"]) == (600, 800, -200)
    assert at[0]["customer_name"] == "Ada Works"


async def test_a_statement_says_what_came_and_what_is_owed_after_it(billing: Billing) -> None:
    bank = await billing.bank()
    first = await billing.invoiced(("1", 1_000, "0.1"), dated=ago(80))
    await billing.pay(bank, 400, first, value_day=ago(50))
    second = await billing.invoiced(("1", 2_000, "0.1"), dated=ago(10))
    line = second["lines"][0]["id"]
    await billing.post(
        f"/invoices/{second['id']}/credit-notes", reason="late", lines=[{"line_id": line, "net": 100}], dated=ago(5)
    )
    await billing.h.pump()
    at = f"/receivables/{billing.ada}/statement"
    said = await billing.get(at, since=ago(60), until=ago(0))
    assert (said["opening"], said["closing"], said["currency"]) == (1_100, 1_100 - 400 + 2_200 - 110, "EUR")
    assert [(each["kind"], each["amount"], each["balance"]) for each in said["entries"]] == [
        ("payment", -400, 700),
        ("invoice", 2_200, 2_900),
        ("credit_note", -110, 2_790),
    ]
    assert (await billing.get(at, since=ago(9), until=ago(6)))["entries"] == []


async def test_an_invoice_is_overdue_when_its_last_day_is_over_until_it_is_paid(billing: Billing) -> None:
    bank = await billing.bank()
    late, due = await billing.invoiced(dated=ago(15)), await billing.invoiced(dated=ago(14))
    await billing.h.make_timers_due()
    await billing.h.fire_timers()
    assert ((await billing.read(late))["overdue"], (await billing.read(due))["overdue"]) == (True, False)
    listed = (await billing.get("/invoices", overdue=True))["items"]
    assert [each["id"] for each in listed] == [late["id"]]
    await billing.h.make_timers_due()
    await billing.h.fire_timers()
    reached = await billing.h.published(InvoiceOverdueReached)
    assert [(each.event.open, each.event.due_on.isoformat()) for each in reached] == [(11_000, ago(1))]
    await billing.pay(bank, 11_000, late)
    assert (await billing.read(late))["overdue"] is False


async def test_sums_have_no_bound_and_are_exact(billing: Billing) -> None:
    most, count = 10**15, 9_500
    await billing.invoiced(("10000", most, "0"), dated=ago(10))
    await billing.h.pump()
    columns = await billing.h.admin.fetch(
        "SELECT column_name::text AS name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'receivable_entry'"
    )
    into = ", ".join(f'"{each["name"]}"' for each in columns)
    values = into.replace('"event_id"', "gen_random_uuid()")
    await billing.h.admin.execute(
        f"INSERT INTO receivable_entry ({into}) SELECT {values} FROM receivable_entry, generate_series(2, {count})"
    )
    exact = most * count
    assert exact > 2**63
    said = await billing.get("/receivables/ageing")
    assert [(each["not_due"], each["open"], each["balance"]) for each in said["rows"]] == [(exact, exact, exact)]
    assert [each["open"] for each in said["totals"]] == [exact]
    statement = await billing.get(f"/receivables/{billing.ada}/statement", since=ago(5))
    assert (statement["opening"], statement["closing"]) == (exact, exact)
