"""Refunds: what is for no invoice goes back once, above the limit by an approval; what the bank takes back is owed again."""

import asyncio
from typing import Any

from approvals import APPROVED, REJECTED, answer
from bank_files import IBAN, camt, entry, imported, lines
from billing import Billing

from contracts.refunds import RefundSubmitted
from tailrace.core.ids import uuid7

PROBLEM = "urn:tailrace:problem:"


async def owed(billing: Billing) -> tuple[int, int, int]:
    """What the customer owes, what is their credit, and how their account closes."""
    await billing.h.pump()
    totals = (await billing.get("/receivables/ageing", customer_id=str(billing.ada)))["totals"]
    account = await billing.get(f"/receivables/{billing.ada}/statement")
    ((open_, credit),) = [(each["open"], each["credit"]) for each in totals] or [(0, 0)]
    return open_, credit, account["closing"]


async def suggested(billing: Billing, line: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    said = await billing.get(f"/bank-lines/{line['id']}/suggestions")
    return [(each["kind"], each["id"], each["reasons"]) for each in said["moved_back"]]


async def confirm(billing: Billing, line: dict[str, Any], status: int = 200, /, **body: Any) -> dict[str, Any]:
    return await billing.post(f"/bank-lines/{line['id']}/confirm", status, **body)


async def test_what_was_paid_too_much_goes_back_once_and_nothing_is_left(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    invoice = await billing.invoiced()
    first = await billing.pay(bank, 11_500, invoice)
    await billing.pay(bank, 700, customer_id=str(billing.ada))
    assert await owed(billing) == (0, 1_200, -1_200)
    body = {"bank_account_id": bank, "customer_id": str(billing.ada), "reason": "paid too much"}
    client, at = billing.h.client, "/v1/accounting/refunds"
    said = [
        await client.post(at, json={**body, **more})
        for more in ({"amount": 1_201}, {"payments": [{"payment_id": first["id"]}]})
    ]
    assert [each.status_code for each in said] == [409, 422]
    answers = await asyncio.gather(*[client.post(at, json={**body, "amount": 1_000}) for _ in range(3)])
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    refund = next(each.json() for each in answers if each.status_code == 201)
    assert [part["amount"] for part in refund["parts"]] == [500, 500], "the oldest first"
    rest = await billing.post("/refunds", **body)
    assert (rest["amount"], rest["status"], len(rest["parts"])) == (200, "paid", 1)
    assert (await billing.post("/refunds", 409, **body))["type"] == f"{PROBLEM}nothing-to-refund"
    assert await owed(billing) == (0, 0, 0)
    books = await billing.balances()
    assert (books.get("1200"), books.get("2300"), books["1001"]) == (None, None, 11_000)
    read = await billing.get(f"/payments/{first['id']}")
    assert (read["allocated"], read["refunded"], read["unallocated"]) == (11_000, 500, 0)
    assert (await billing.post(f"/payments/{first['id']}/return", 409, reason="late"))[
        "type"
    ] == f"{PROBLEM}payment-state"

    text = camt(
        entry("10.00", "thank you", debit=True),
        entry("2.00", f"Refund {rest['number']}", debit=True, name="ADA WORKS GMBH"),
        entry("10.00", "account closed"),
    )
    await imported(billing, bank, text, confirm_certain=True)
    out, named, back = sorted(await lines(billing), key=lambda each: (each["reference"] != "thank you", each["amount"]))
    assert (named["status"], named["refund_id"]) == ("matched", rest["id"])
    assert (out["status"], await suggested(billing, out)) == ("open", [("refund", refund["id"], ["amount", "name"])])
    for wrong in (
        {"refund_id": rest["id"]},
        {"returned_refund_id": refund["id"]},
        {"returned_payment_id": first["id"]},
    ):
        assert (await confirm(billing, out, 409, **wrong))["type"] == f"{PROBLEM}bank-line-state"
    await confirm(billing, out, 422, refund_id=refund["id"], customer_id=str(billing.ada))
    assert (await confirm(billing, out, refund_id=refund["id"]))["refund_id"] == refund["id"]

    assert await suggested(billing, back) == [("returned_refund", refund["id"], ["amount", "name"])]
    await confirm(billing, back, returned_refund_id=refund["id"])
    now = await billing.get(f"/refunds/{refund['id']}")
    assert (now["status"], await owed(billing)) == ("returned", (0, 1_000, -1_000))
    assert (await billing.post(f"/refunds/{refund['id']}/return", 409, reason="x"))["type"] == f"{PROBLEM}refund-state"
    assert (await billing.balances())["2300"] == -1_000


async def test_what_a_credit_note_left_goes_back_with_the_line_of_the_bank(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    invoice = await billing.invoiced()
    payment = await billing.pay(bank, 11_000, invoice)
    unknown = await billing.pay(bank, 300)
    await billing.post(f"/invoices/{invoice['id']}/credit-notes", reason="all broken")
    await imported(
        billing, bank, camt(entry("110.00", debit=True), entry("1.00", debit=True), entry("2.00", "", debit=True))
    )
    by = {each["amount"]: each for each in await lines(billing)}
    refund = {"customer_id": str(billing.ada), "reason": "credit note"}
    assert (await confirm(billing, by[-200], 409, refund={"payments": [{"payment_id": unknown["id"]}], "reason": "x"}))[
        "type"
    ] == (f"{PROBLEM}bank-line-state"), "all of it is more than the line"
    line = await confirm(billing, by[-11_000], refund=refund)
    made = await billing.get(f"/refunds/{line['refund_id']}")
    assert (made["amount"], made["payee_name"], made["parts"][0]["payment_id"]) == (11_000, "Ada Works", payment["id"])
    part = {"payment_id": unknown["id"], "amount": 100}
    await confirm(billing, by[-100], refund={"payments": [part], "reason": "nobody knows why"})
    assert await owed(billing) == (0, 0, 0)
    books = await billing.balances()
    assert (books["1001"], books["2310"], books.get("2300")) == (200, -200, None)


async def test_what_the_bank_takes_back_is_owed_again(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    invoices = [await billing.invoiced(("1", net, "0.1")) for net in (1_000, 2_000)]
    payment = await billing.pay(bank, 3_500, *invoices)
    other = await billing.pay(bank, 200, customer_id=str(billing.ada))
    await imported(
        billing,
        bank,
        camt(entry("35.00", f"RETURN {invoices[1]['number']}", debit=True), entry("35.00", "again", debit=True)),
    )
    line, twice = sorted(await lines(billing), key=lambda each: each["reference"] == "again")
    assert await suggested(billing, line) == [("returned_payment", payment["id"], ["reference", "amount"])]
    await confirm(billing, line, returned_payment_id=payment["id"])
    assert [(await billing.read(each))["status"] for each in invoices] == ["issued", "issued"]
    assert await owed(billing) == (3_300, 200, 3_100)
    books = await billing.balances()
    assert (books["1200"], books["2300"], books["1001"]) == (3_300, -200, 200)
    assert (await confirm(billing, twice, 409, returned_payment_id=payment["id"]))[
        "type"
    ] == f"{PROBLEM}bank-line-state"
    assert (await billing.get(f"/payments/{payment['id']}"))["status"] == "reversed"
    assert (await billing.post(f"/payments/{other['id']}/return", 200, reason="a mistake"))["status"] == "reversed"
    assert await owed(billing) == (3_300, 0, 3_300)


async def test_above_the_limit_it_waits_and_is_paid_once_or_never(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    h = billing.h
    payments = [await billing.pay(bank, 800, customer_id=str(billing.ada)) for _ in range(4)]
    await billing.put("/journal-limits", limits=[{"currency": "EUR", "amount": 500}])

    async def asked(payment: dict[str, Any]) -> tuple[dict[str, Any], RefundSubmitted]:
        named = [{"payment_id": payment["id"]}]
        made = await billing.post("/refunds", bank_account_id=bank, payments=named, reason="too much")
        (*_, told) = await h.published("accounting.refund.submitted")
        assert (made["status"], isinstance(told.event, RefundSubmitted)) == ("in_approval", True)
        return made, told.event  # type: ignore[return-value]

    async def decided(kind: Any, event: RefundSubmitted, **changed: Any) -> None:
        said = {"reason": "no", "then": "return"} if kind is REJECTED else {}
        await h.deliver(answer(kind, event.subject.model_copy(update=changed), **said), aggregate_id=uuid7())

    (first, told), (second, of_second), (third, of_third) = [await asked(each) for each in payments[:3]]
    assert (told.subject.kind, told.subject.amount, await owed(billing)) == ("refund", 800, (0, 3_200, -3_200))
    await decided(APPROVED, told, sha256="0" * 64)
    assert (await billing.get(f"/refunds/{first['id']}"))["status"] == "in_approval", "something else was approved"
    for _ in range(2):
        await decided(APPROVED, told)
    await billing.post(f"/refunds/{second['id']}/withdraw", 200, reason="wait")
    await decided(APPROVED, of_second)
    invoice = await billing.invoiced(("1", 800, "0"))
    await billing.post(f"/payments/{payments[2]['id']}/allocate", 200, allocations=[{"invoice_id": invoice["id"]}])
    await decided(APPROVED, of_third)
    fourth, of_fourth = await asked(payments[3])
    await decided(REJECTED, of_fourth)
    found = [await billing.get(f"/refunds/{each['id']}") for each in (first, second, third, fourth)]
    assert [each["status"] for each in found] == ["paid", "withdrawn", "rejected", "rejected"]
    assert found[2]["outcome"].endswith("0 is left.")
    assert await owed(billing) == (0, 1_600, -1_600)
    await imported(billing, bank, camt(entry("8.00", debit=True), entry("16.00", debit=True)))
    by = {each["amount"]: each for each in await lines(billing)}
    refund = {"customer_id": str(billing.ada), "reason": "too much"}
    assert (await confirm(billing, by[-1_600], 409, refund=refund))["type"] == f"{PROBLEM}approval-needed"
    await confirm(billing, by[-800], refund_id=first["id"])
    books = await billing.balances()
    assert (books["2300"], books["1001"]) == (-1_600, 2_400)


async def test_what_a_line_names_is_found_among_very_many_of_one_amount(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    bob = await billing.customer(uuid7(), "C-2", "Bob Trading")
    payments = [await billing.pay(bank, 900, customer_id=str(whose)) for whose in (billing.ada, billing.ada, bob)]
    refunds = [
        await billing.post("/refunds", bank_account_id=bank, payments=[{"payment_id": each["id"]}], reason="no")
        for each in payments
    ]
    taken = [await billing.pay(bank, 900, customer_id=str(billing.ada), payer_name="Ada Works") for _ in range(2)]
    for table in ("refund", "payment"):
        await _copied(billing, table, refunds[0]["id"] if table == "refund" else taken[0]["id"], MANY)
    text = camt(
        entry("9.00", f"yours {refunds[1]['number'].replace('-', ' ')} ok", debit=True, name="Z", reference="A"),
        entry("9.00", "thanks", debit=True, name="BOB TRADING LTD", reference="B"),
        entry("9.00", f"RETURN {taken[1]['number'].lower()}", debit=True, name="Z", reference="C"),
        entry("9.00", "R-OLD 77", debit=True, name="Z", reference="D"),
    )
    await imported(billing, bank, text, confirm_certain=True)
    found = {each["bank_reference"]: each for each in await lines(billing)}
    assert {name: each["refund_id"] for name, each in found.items() if each["status"] == "matched"} == {
        "A": refunds[1]["id"],
        "D": "00000000-0000-7000-8000-00000000004d",
    }
    for name, best in (
        ("B", ("refund", refunds[2]["id"], ["amount", "name"])),
        ("C", ("returned_payment", taken[1]["id"], ["reference", "amount"])),
    ):
        said = await suggested(billing, found[name])
        assert (said[0], len(said)) == (best, 10)


MANY = 1_200


async def _copied(billing: Billing, table: str, id: str, count: int) -> None:
    """So many more like this row, newer than every other, each with a number and a name of its own."""
    columns = await billing.h.admin.fetch(
        "SELECT column_name::text AS name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1",
        table,
    )
    own = {
        "id": "('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid",
        "number": "'R-OLD-' || n",
        "payee_name": "'Firm ' || n",
        "payer_name": "'Firm ' || n",
    }
    values = ", ".join(own.get(each["name"], f'"{each["name"]}"') for each in columns)
    into = ", ".join(f'"{each["name"]}"' for each in columns)
    await billing.h.admin.execute(
        f"INSERT INTO {table} ({into}) SELECT {values} FROM {table}, generate_series(1, {count}) n WHERE id = $1", id
    )
