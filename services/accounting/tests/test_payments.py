"""Payments: for one invoice or several, in part, too much, of nobody known, ahead, in another currency; and receivables that agree with the books."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bank_files import IBAN, camt, entry
from billing import Billing, beginning

from contracts.users import DateBounds, DateKind, TenantDatePolicyChanged
from tailrace.core.ids import uuid7
from tailrace_testing import today


async def test_an_invoice_is_paid_in_parts(billing: Billing) -> None:
    bank = await billing.bank()
    invoice = await billing.invoiced()
    await billing.pay(bank, 4_000, invoice)
    now = await billing.read(invoice)
    assert (now["status"], now["paid"], now["open"]) == ("partly_paid", 4_000, 7_000)
    payment = await billing.pay(bank, 7_000, invoice)
    assert (payment["allocated"], payment["unallocated"], payment["customer_id"]) == (7_000, 0, str(billing.ada))
    assert (await billing.read(invoice))["status"] == "paid"
    books = await billing.balances()
    assert (books.get("1200"), books.get("2300"), books.get("2310")) == (None, None, None)
    assert sum(amount for code, amount in books.items() if code.startswith("10")) == 11_000
    assert await billing.types("accounting.invoice.") == [
        *("accounting.invoice.created", "accounting.invoice.issued"),
        *("accounting.invoice.partly_paid", "accounting.invoice.paid"),
    ]


async def test_one_payment_is_for_several_and_the_rest_is_credit(billing: Billing) -> None:
    bank = await billing.bank()
    invoices = [await billing.invoiced(("1", net, "0.1")) for net in (1_000, 2_000)]
    payment = await billing.pay(bank, 5_000, *invoices)
    assert (payment["allocated"], payment["unallocated"]) == (3_300, 1_700)
    books = await billing.balances()
    assert (books.get("1200"), books["2300"]) == (None, -1_700)
    later = await billing.invoiced(("1", 1_000, "0.1"))
    await billing.post(f"/payments/{payment['id']}/allocate", 200, allocations=[{"invoice_id": later["id"]}])
    assert (await billing.read(later))["status"] == "paid"
    assert (await billing.balances())["2300"] == -600


async def test_a_payment_of_nobody_known_waits_until_somebody_is(billing: Billing) -> None:
    bank = await billing.bank()
    payment = await billing.pay(bank, 900, payer_name="A. Works", reference="thanks")
    assert (await billing.balances())["2310"] == -900
    await billing.post(f"/payments/{payment['id']}/assign", 200, customer_id=str(billing.ada))
    books = await billing.balances()
    assert (books.get("2310"), books["2300"]) == (None, -900)
    refused = await billing.post(f"/payments/{payment['id']}/assign", 409, customer_id=str(billing.ada))
    assert refused["type"] == "urn:tailrace:problem:payment-state"
    named = await billing.order(("1", 1_000, "0.1"), customer_id=None, customer_name="Somebody")
    draft = await billing.post("/invoices", shipment_ids=[str(await billing.ship(named))])
    invoice = await billing.issue(draft)
    await billing.pay(bank, 1_100, invoice)
    assert (await billing.read(invoice))["status"] == "paid"
    assert (await billing.balances()).get("2310") is None


async def test_money_that_is_for_no_invoice_is_found(billing: Billing) -> None:
    bank = await billing.bank()
    whole, beyond, unknown, gone = [
        await billing.pay(bank, 11_000, await billing.invoiced()),
        await billing.pay(bank, 11_500, await billing.invoiced()),
        await billing.pay(bank, 900, payer_name="A. Works"),
        await billing.pay(bank, 800),
    ]
    await billing.post(f"/payments/{gone['id']}/reverse", 200, reason="returned by the bank")

    async def found(**query: str) -> set[str]:
        return {each["id"] for each in (await billing.get("/payments", **query))["items"]}

    assert await found(to_allocate="true") == {beyond["id"], unknown["id"]}
    assert await found(to_allocate="false") == {whole["id"], gone["id"]}
    assert await found(payer_unknown="true") == {unknown["id"]}
    assert await found(payer_unknown="false") == {whole["id"], beyond["id"], gone["id"]}


async def test_what_is_for_another_invoice_is_undone(billing: Billing) -> None:
    bank = await billing.bank()
    invoice = await billing.invoiced()
    payment = await billing.pay(bank, 11_000, invoice)
    undo = f"/payments/{payment['id']}/allocations/{payment['allocations'][0]['id']}/undo"
    freed = await billing.post(undo, 200, reason="it was for another one")
    assert (freed["allocated"], freed["allocations"]) == (0, [])
    assert (await billing.read(invoice))["status"] == "issued"
    books = await billing.balances()
    assert (books["1200"], books["2300"]) == (11_000, -11_000)
    await billing.post(undo, 404, reason="again")
    await billing.post(f"/payments/{payment['id']}/reverse", 200, reason="returned by the bank")
    books = await billing.balances()
    assert (books["1200"], books.get("2300")) == (11_000, None)
    refused = await billing.post(
        f"/payments/{payment['id']}/allocate", 409, allocations=[{"invoice_id": invoice["id"]}]
    )
    assert refused["type"] == "urn:tailrace:problem:payment-state"


async def test_nothing_is_paid_twice_whoever_asks_at_once(billing: Billing) -> None:
    bank = await billing.bank()
    invoice = await billing.invoiced()
    body = {"bank_account_id": bank, "amount": 11_000, "allocations": [{"invoice_id": invoice["id"], "amount": 11_000}]}
    answers = await asyncio.gather(*[billing.h.client.post("/v1/accounting/payments", json=body) for _ in range(4)])
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert {each.json()["type"] for each in answers if each.status_code == 409} == {
        "urn:tailrace:problem:too-much-allocated"
    }
    assert (await billing.read(invoice))["paid"] == 11_000


REFUSED: Sequence[tuple[dict[str, Any], int, str]] = [
    ({"amount": 0}, 422, "invalid"),
    ({"bank_account_id": str(uuid7())}, 422, "invalid"),
    ({"customer_id": "00000000-0000-7000-8000-000000000000"}, 422, "invalid"),
    ({"allocations": [{"invoice_id": str(uuid7())}]}, 422, "invalid"),
]


async def test_what_is_refused(billing: Billing) -> None:
    bank = await billing.bank()
    tomorrow = (today() + timedelta(days=1)).isoformat()
    for change, status, slug in (*REFUSED, ({"value_day": tomorrow}, 422, "implausible-date")):
        body = {"bank_account_id": bank, "amount": 100, **change}
        said = await billing.h.client.post("/v1/accounting/payments", json=body)
        assert (said.status_code, said.json()["type"]) == (status, f"urn:tailrace:problem:{slug}"), change
    assert await billing.balances() == {}


async def test_a_payment_is_for_invoices_of_its_customer(billing: Billing) -> None:
    bank = await billing.bank()
    bob = await billing.customer(uuid7(), "C-2", "Bob Ltd")
    invoice = await billing.invoiced()
    allocations = [{"invoice_id": invoice["id"]}]
    said = await billing.post(
        "/payments", 409, bank_account_id=bank, amount=100, customer_id=str(bob), allocations=allocations
    )
    assert said["type"] == "urn:tailrace:problem:not-their-invoice"
    order = await billing.order(("1", 1_000, "0.1"))
    draft = await billing.post("/invoices", shipment_ids=[str(await billing.ship(order))])
    said = await billing.post(
        "/payments", 409, bank_account_id=bank, amount=9, allocations=[{"invoice_id": draft["id"]}]
    )
    assert said["type"] == "urn:tailrace:problem:invoice-state"


async def test_a_rate_is_corrected_by_who_has_seen_it(billing: Billing) -> None:
    body = {"currency": "EUR", "against": "JPY", "day": today().isoformat()}
    asked = [
        ("1", '"1"', 412),
        ("163.2", '"0"', 200),
        ("163.3", '"0"', 412),
        ("163.3", '"1"', 200),
        ("163.4", None, 200),
    ]
    for rate, seen, status in asked:
        headers = {} if seen is None else {"If-Match": seen}
        answer = await billing.h.client.put("/v1/accounting/rates", json={**body, "rate": rate}, headers=headers)
        assert answer.status_code == status, answer.text
    assert (answer.headers["etag"], answer.json()["rate"]) == ('"3"', "163.4")
    limits = {"limits": [{"currency": "EUR", "amount": 1}]}
    refused = await billing.h.client.put("/v1/accounting/journal-limits", json=limits, headers={"If-Match": '"1"'})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "If-Match")
    assert (await billing.get("/journal-limits"))["limits"] == []


async def test_another_currency_settles_at_the_days_rate_and_the_difference_is_booked(billing: Billing) -> None:
    yen = await billing.bank("JPY")
    invoice = await billing.invoiced(("1", 10_000, "0"))
    body = {"bank_account_id": yen, "amount": 16_000, "allocations": [{"invoice_id": invoice["id"]}]}
    refused = await billing.h.client.post("/v1/accounting/payments", json=body)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:no-rate")
    await billing.put("/rates", currency="EUR", against="JPY", day=today().isoformat(), rate="163.2")
    allocation = {"invoice_id": invoice["id"], "settled": 10_000}
    payment = await billing.post("/payments", bank_account_id=yen, amount=16_000, allocations=[allocation])
    # 16,000 yen are 98.04 euro: two euro less than was open are lost.
    assert (payment["allocations"][0]["worth"], payment["allocations"][0]["settled"]) == (9_804, 10_000)
    euro, in_yen = await billing.balances("EUR"), await billing.balances("JPY")
    assert (euro.get("1200"), euro["5950"], euro["1290"]) == (None, 196, 9_804)
    assert in_yen["1290"] == -16_000
    assert (await billing.read(invoice))["status"] == "paid"
    undo = f"/payments/{payment['id']}/allocations/{payment['allocations'][0]['id']}/undo"
    await billing.post(undo, 200, reason="wrong one")
    assert (await billing.balances("EUR")).get("5950") is None
    assert (await billing.balances("JPY"))["2300"] == -16_000


async def test_rates_that_moved_since_an_invoice_are_a_gain_in_the_companys_currency(billing: Billing) -> None:
    dollars = await billing.bank("USD")
    earlier = today() - timedelta(days=10)
    await billing.put("/rates", currency="USD", against="EUR", day=earlier.isoformat(), rate="0.9")
    await billing.put("/rates", currency="USD", against="EUR", day=today().isoformat(), rate="0.95")
    order = await billing.order(("1", 10_001, "0"), currency="USD")
    shipment = await billing.ship(order, at=beginning(earlier.isoformat()))
    draft = await billing.post("/invoices", shipment_ids=[str(shipment)])
    invoice = await billing.issue(draft, dated=earlier.isoformat())
    first = await billing.pay(dollars, 3_333, invoice)
    second = await billing.pay(dollars, 6_668, invoice)
    gains = [each["allocations"][0]["realised"] for each in (first, second)]
    assert {each["allocations"][0]["company_currency"] for each in (first, second)} == {"EUR"}
    assert gains == [166, 334]
    euro = await billing.balances("EUR")
    assert (euro["5950"], euro["1290"]) == (-500, 500)


async def test_what_is_owed_in_another_currency_is_valued_for_one_night(billing: Billing) -> None:
    dollars = await billing.bank("USD")
    at = {ago: (today() - timedelta(days=ago)).isoformat() for ago in (10, 5, 4, 3, 2, 1)}
    order = await billing.order(("1", 10_001, "0"), currency="USD")
    draft = await billing.post("/invoices", shipment_ids=[str(await billing.ship(order, at=beginning(at[10])))])
    invoice = await billing.issue(draft, dated=at[10])
    await billing.invoiced(dated=at[10])
    await billing.pay(dollars, 4_000, invoice, value_day=at[5])
    # A day is valued once: not by items that lack the payment.
    behind = await billing.post("/revaluations", 409, day=at[3])
    assert (behind["type"], invoice["number"] in behind["detail"]) == ("urn:tailrace:problem:open-items-behind", True)
    await billing.h.pump()
    assert (await billing.post("/revaluations", 409, day=at[3]))["type"] == "urn:tailrace:problem:no-rate"
    for ago, rate in ((10, "0.9"), (4, "0.95")):
        await billing.put("/rates", currency="USD", against="EUR", day=at[ago], rate=rate)
    # Paid since, which the items do not say yet: in all nothing is open, and on that day there was.
    await billing.pay(dollars, 6_001, invoice, value_day=at[1])
    behind = await billing.post("/revaluations", 409, day=at[3])
    assert behind["type"] == "urn:tailrace:problem:open-items-behind"
    await billing.h.pump()
    # What is dated later keeps no day from being valued.
    more = await billing.order(("1", 500, "0"), currency="USD")
    draft = await billing.post("/invoices", shipment_ids=[str(await billing.ship(more, at=beginning(at[2])))])
    await billing.issue(draft, dated=at[2])
    made = await billing.post("/revaluations", day=at[3])
    assert made["lines"] == [{"currency": "USD", "open": 6_001, "difference": 300}]
    assert (await billing.post("/revaluations", 409, day=at[3]))["type"] == "urn:tailrace:problem:already-revalued"
    await billing.post("/revaluations", 422, day=today().isoformat())
    await billing.h.pump()
    booked = {}
    for ago in (4, 3, 2):
        trial = await billing.get("/trial-balance", effective=at[ago], currency="EUR")
        booked[ago] = {row["account"]: row["balance"] for row in trial["rows"]}.get("5950", 0)
    assert booked == {4: 0, 3: -300, 2: 0}
    period = await billing.post("/periods", name="P", first_day=at[2], last_day=at[2])
    await billing.post(f"/periods/{period['id']}/lock", 200)
    assert (await billing.post("/revaluations", 409, day=at[2]))["type"] == "urn:tailrace:problem:period-locked"


async def test_a_bank_account_is_an_account_of_money(billing: Billing) -> None:
    body = {"code": "B", "name": "Bank", "currency": "EUR"}
    for account in ("1200", "1400", "4000", "9999"):
        said = await billing.post("/bank-accounts", 422, **body, account=account)
        assert said["errors"][0]["field"] == "/account"
    bank = await billing.bank()
    await billing.pay(bank, 100)
    gone = await billing.h.client.delete(f"/v1/accounting/bank-accounts/{bank}")
    assert (gone.status_code, gone.json()["type"]) == (409, "urn:tailrace:problem:in-use")


async def test_what_a_bank_account_is_on_neither_goes_nor_gets_a_role(billing: Billing) -> None:
    bank = await billing.bank()
    code = (await billing.get(f"/bank-accounts/{bank}"))["account"]
    (account,) = [each for each in (await billing.get("/accounts", limit=100))["items"] if each["code"] == code]
    gone = await billing.h.client.delete(f"/v1/accounting/accounts/{account['id']}")
    assert (gone.status_code, gone.json()["type"]) == (409, "urn:tailrace:problem:account-needed")
    roles = [{"role": "inventory", "account": code}]
    refused = await billing.post("/chart/roles", 422, since=today().isoformat(), roles=roles)
    assert [each["field"] for each in refused["errors"]] == ["/roles/0/account"]
    replaced = await billing.put("/chart", 409, chart="france")
    assert (replaced["type"], bool(code in replaced["detail"])) == ("urn:tailrace:problem:in-use", True)
    await billing.pay(bank, 500, customer_id=str(billing.ada))
    assert await billing.balances() == {code: 500, "2300": -500}


async def test_a_company_says_how_far_off_invoices_money_and_rates_are_dated(billing: Billing) -> None:
    bounds = [
        DateBounds(kind="invoice", days_back=3),
        DateBounds(kind="payment", days_back=3),
        DateBounds(kind="exchange_rate", days_back=3, days_ahead=5),
    ]
    said = TenantDatePolicyChanged(tenant_id=billing.h.tenant, bounds=bounds)
    await billing.h.deliver(said, aggregate_id=billing.h.tenant)
    bank, (first, before, ahead) = await billing.bank(), [str(today() + timedelta(days=days)) for days in (-2, -4, 6)]

    async def fault(path: str, method: Any = billing.post, **body: Any) -> str:
        return str((await method(path, 422, **body))["errors"][0]["field"])

    paid = {"bank_account_id": str(bank), "amount": 100, "customer_id": str(billing.ada)}
    assert await fault("/payments", **paid, value_day=before) == "/value_day"
    await billing.post("/payments", **paid, value_day=first)
    assert await fault("/refunds", **paid, reason="twice", value_day=before) == "/value_day"
    rate = {"currency": "USD", "against": "EUR", "rate": "0.9"}
    for day in (before, ahead):
        assert await fault("/rates", billing.put, **rate, day=day) == "/day"
    await billing.put("/rates", **rate, day=first)
    line = {"name": "Fitting", "quantity": "1", "unit_price": "100", "tax_rate": "0"}
    draft = await billing.post("/invoices", customer_id=str(billing.ada), lines=[line])
    assert await fault(f"/invoices/{draft['id']}/issue", dated=before) == "/dated"
    await billing.issue(draft, dated=first)


async def test_a_company_says_how_far_off_what_follows_them_is_dated(billing: Billing) -> None:
    """What comes back, what is taken back, lines of a bank, and what is valued."""
    ago = {days: str(today() - timedelta(days=days)) for days in (2, 4, 6)}
    ahead = str(today() + timedelta(days=4))
    bank = await billing.bank(iban=IBAN)
    invoice = await billing.invoiced(("1", 10_000, "0"), dated=ago[6])
    paid = await billing.pay(bank, 500, customer_id=str(billing.ada), value_day=ago[6])
    credit = await billing.pay(bank, 300, customer_id=str(billing.ada), value_day=ago[6])
    refund = await billing.post(
        "/refunds",
        bank_account_id=bank,
        payments=[{"payment_id": credit["id"], "amount": 300}],
        reason="twice",
        value_day=ago[6],
    )
    kinds: tuple[DateKind, ...] = ("invoice", "payment", "journal", "bank_line", "account_roles")
    bounds = [DateBounds(kind=kind, days_back=3) for kind in kinds[:3]]
    bounds += [DateBounds(kind=kind, days_back=3, days_ahead=2) for kind in kinds[3:]]
    said = TenantDatePolicyChanged(tenant_id=billing.h.tenant, bounds=bounds)
    await billing.h.deliver(said, aggregate_id=billing.h.tenant)

    async def fault(path: str, **body: Any) -> tuple[str, str]:
        answer = await billing.post(path, 422, **body)
        return answer["type"].rpartition(":")[2], answer["errors"][0]["field"]

    back, roles = {"reason": "broken"}, [{"role": "revenue", "account": "4000"}]
    statements = {
        days: camt(entry("1.00")).replace(f"<ValDt><Dt>{today()}", f"<ValDt><Dt>{day}")
        for days, day in (("back", ago[4]), ("ahead", ahead))
    }
    refused: list[tuple[str, str, dict[str, Any]]] = [
        (f"/invoices/{invoice['id']}/credit-notes", "/dated", {**back, "dated": ago[4]}),
        (f"/payments/{paid['id']}/return", "/day", {**back, "day": ago[4]}),
        (f"/refunds/{refund['id']}/return", "/day", {**back, "day": ago[4]}),
        ("/revaluations", "/day", {"day": ago[4]}),
        ("/chart/roles", "/since", {"since": ago[4], "roles": roles}),
        ("/chart/roles", "/since", {"since": ahead, "roles": roles}),
        *(
            ("/bank-statements", "/content", {"bank_account_id": bank, "format": "camt.053", "content": text})
            for text in statements.values()
        ),
    ]
    for path, field, body in refused:
        assert await fault(path, **body) == ("implausible-date", field), path
    assert (await billing.post(f"/payments/{paid['id']}/return", 200, **back, day=ago[2]))["status"] == "reversed"
    assert (await billing.post(f"/refunds/{refund['id']}/return", 200, **back, day=ago[2]))["status"] == "returned"
    note = await billing.post(f"/invoices/{invoice['id']}/credit-notes", **back, dated=ago[2])
    assert note["dated"] == ago[2]
