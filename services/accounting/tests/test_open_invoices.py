"""What is open of invoices of the system that a company came from: taken over from a file, then aged, reminded of, paid and credited as any other."""

from datetime import date, timedelta
from typing import Any

from billing import Billing

from tailrace_testing import today

AT = "/v1/accounting/open-invoices/import"
HEAD = "請求書番号,Customer number,Dated,Due on,Currency,Open,Tax rate,Taken over on\n"
OPENING_EQUITY, RECEIVABLE = "3900", "1200"


def ago(days: int) -> date:
    return today() - timedelta(days=days)


def row(number: str, due_days_ago: int, amount: int, customer: str = "C-1", rate: str = "0.1") -> str:
    due = ago(due_days_ago)
    return f"{number},{customer},{due - timedelta(days=30)},{due},EUR,{amount},{rate},{ago(30)}\n"


async def taken_over(billing: Billing, *rows: str) -> dict[str, dict[str, Any]]:
    """By number, those of the company, after a file of these rows."""
    job = await billing.h.import_rows(AT, HEAD + "".join(rows))
    assert job["counts"] == {"created": len(rows)}, job
    return {each["number"]: each for each in (await billing.get("/invoices", taken_over="true"))["items"]}


async def test_what_was_open_elsewhere_is_aged_reminded_of_and_paid(billing: Billing) -> None:
    rows = [row("RE-1", 100, 1_100), row("RE-2", 20, 2_200)]
    there = await taken_over(billing, *rows)
    said = {name: there["RE-2"][name] for name in ("status", "net", "tax", "open", "due_on", "taken_over_on")}
    assert said == {
        "status": "issued",
        "net": 2_000,
        "tax": 200,
        "open": 2_200,
        "due_on": ago(20).isoformat(),
        "taken_over_on": ago(30).isoformat(),
    }
    # The books have it from the day of taking over on, whatever its own is, and nothing was sold or taxed here.
    assert await billing.balances() == {RECEIVABLE: 3_300, OPENING_EQUITY: -3_300}
    before = await billing.get("/trial-balance", effective=ago(31).isoformat())
    assert before["rows"] == []
    assert (await billing.get("/receivables/ageing", day=ago(31).isoformat()))["rows"] == []
    (aged,) = (await billing.get("/receivables/ageing"))["rows"]
    assert (aged["over_90_days"], aged["days_1_to_30"], aged["open"]) == (1_100, 2_200, 3_300)
    await billing.h.make_timers_due()
    await billing.h.fire_timers()
    assert [each["overdue"] for each in (await billing.get("/invoices", taken_over="true"))["items"]] == [True, True]
    await billing.put("/dunning-policy", levels=[{"days": 30, "text": "Please pay."}])
    notice = await billing.post("/dunning-notices", invoice_id=there["RE-1"]["id"])
    assert [each["number"] for each in notice["items"]] == ["RE-1"]
    bank = await billing.bank()
    await billing.pay(bank, 3_000, there["RE-1"], there["RE-2"])
    left = [(await billing.read(each))["open"] for each in there.values()]
    assert sorted(left) == [0, 300]
    # Again, nothing changes; another amount under the same number is refused.
    again = await billing.h.import_rows(AT, HEAD + rows[0] + row("RE-2", 20, 9_900))
    assert again["counts"] == {"unchanged": 1, "refused": 1}
    assert (await billing.balances())[RECEIVABLE] == 300


async def test_it_is_credited_with_its_tax_and_is_no_document_of_ours(billing: Billing) -> None:
    there = (await taken_over(billing, row("RE-1", 10, 1_100)))["RE-1"]
    line = (await billing.read(there))["lines"][0]["id"]
    note = await billing.post(
        f"/invoices/{there['id']}/credit-notes", reason="scratched", lines=[{"line_id": line, "net": 500}]
    )
    assert (note["net"], note["tax"], (await billing.read(there))["open"]) == (500, 50, 550)
    # `balances` asks whether control accounts agree with what explains them.
    books = await billing.balances()
    assert (books[RECEIVABLE], books[OPENING_EQUITY]) == (550, -1_100)
    for kind in ("document", "ubl"):
        refused = await billing.get(f"/invoices/{there['id']}/{kind}", 409)
        assert refused["type"] == "urn:tailrace:problem:invoice-state"
    # Our own numbers begin at 1, on a day before or after that of theirs.
    assert (await billing.invoiced(dated=ago(200).isoformat()))["number"].endswith("-00001")


async def test_a_row_that_is_wrong_names_its_column(billing: Billing) -> None:
    wrong = [
        row("RE-1", 10, 1_100, customer="C-9"),
        row("RE-1", 10, 0),
        row("RE-1", -31, 1_100),
        row("RE-1", 10, 1_100).replace(f",{ago(30)}", f",{ago(-1)}"),
        row("RE-1", 10, 1_100).replace(",EUR,", ",EURO,"),
    ]
    job = await billing.h.import_rows(AT, HEAD + row("RE-2", 10, 100) + "".join(wrong))
    assert job["counts"] == {"created": 1, "refused": 5}
    places = [message.partition(": ")[0] for message in job["messages"]]
    columns = ["Customer number", "Open", "Dated", "Taken over on", "Currency"]
    assert places == [f"Row {at}, {column}" for at, column in enumerate(columns, 3)]
    beyond = await billing.h.import_rows(AT, HEAD + row("RE-3", 10, 10**12))
    assert (beyond["counts"], beyond["messages"][0].partition(":")[0]) == ({"refused": 1}, "Row 2, Open")


async def test_a_day_that_is_locked_takes_nothing_over(billing: Billing) -> None:
    period = await billing.post("/periods", name="Old", first_day=ago(40).isoformat(), last_day=ago(20).isoformat())
    await billing.post(f"/periods/{period['id']}/lock", 200)
    job = await billing.h.import_rows(AT, HEAD + row("RE-1", 10, 100))
    assert job["counts"] == {"refused": 1}
    assert job["messages"][0].startswith("Row 2, Taken over on: ")
