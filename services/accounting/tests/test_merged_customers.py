"""Customers who turn out to be one: what the one owes the other pays, and nothing that the one paid is lost."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from bank_files import IBAN, camt, entry, imported, lines
from billing import Billing, beginning

from contracts.customers import CustomerMerged, CustomerUnmerged
from tailrace.core.ids import uuid7
from tailrace_testing import today

PROBLEM = "urn:tailrace:problem:"


async def bob_of(billing: Billing) -> UUID:
    return await billing.customer(uuid7(), "C-2", "Bob Ltd")


async def invoiced_to(
    billing: Billing, customer_id: UUID | None, day: str | None = None, **given: Any
) -> dict[str, Any]:
    """An invoice of today, or of a day, to be paid at once then."""
    order = await billing.order(("10", 10_000, "0.1"), customer_id=customer_id, **given)
    shipment = await billing.ship(order, at=beginning(day) if day else None)
    terms, dated = ({"payment_terms_days": 0}, {"dated": day}) if day else ({}, {})
    return await billing.issue(await billing.post("/invoices", shipment_ids=[str(shipment)], **terms), **dated)


async def merge(billing: Billing, customer_id: UUID) -> None:
    merged = CustomerMerged(customer_id=customer_id, into_customer_id=billing.ada, reason="the same")
    await billing.h.deliver(merged, aggregate_id=customer_id)


async def owed(billing: Billing) -> list[tuple[str | None, int, int]]:
    """Who owes how much, and has how much to their credit."""
    await billing.h.pump()
    rows = (await billing.get("/receivables/ageing"))["rows"]
    return [(row["customer_id"], row["open"], row["credit"]) for row in rows]


@pytest.mark.parametrize("by", ["the other", "nobody"])
async def test_an_invoice_of_before_is_paid_after_whoever_is_said_to_pay(billing: Billing, by: str) -> None:
    bank, bob = await billing.bank(), await bob_of(billing)
    invoice = await invoiced_to(billing, bob)
    await merge(billing, bob)
    assert await owed(billing) == [(str(billing.ada), 11_000, 0)]
    who = {"customer_id": str(billing.ada)} if by == "the other" else {}
    await billing.pay(bank, 11_000, invoice, **who)
    assert (await billing.read(invoice))["status"] == "paid"
    assert await owed(billing) == []
    account = await billing.get(f"/receivables/{billing.ada}/statement")
    assert ([each["kind"] for each in account["entries"]], account["closing"]) == (["invoice", "payment"], 0)
    assert (await billing.balances()).keys() == {"1001", "2200", "4000"}


async def test_a_statement_of_the_bank_is_taken_in_whole(billing: Billing) -> None:
    bank, bob = await billing.bank(iban=IBAN), await bob_of(billing)
    invoice = await invoiced_to(billing, bob)
    await merge(billing, bob)
    await imported(billing, bank, camt(entry("110.00", invoice["number"])), confirm_certain=True)
    assert [line["status"] for line in await lines(billing)] == ["matched"]
    assert (await billing.read(invoice))["status"] == "paid"


async def test_what_the_one_paid_ahead_is_the_others_to_use_and_to_have_back(billing: Billing) -> None:
    bank, bob = await billing.bank(), await bob_of(billing)
    ahead = await billing.pay(bank, 12_000, customer_id=str(bob))
    await billing.pay(bank, 500, customer_id=str(billing.ada))
    mine = await invoiced_to(billing, billing.ada)
    part = {"allocations": [{"invoice_id": mine["id"]}]}
    refused = await billing.post(f"/payments/{ahead['id']}/allocate", 409, **part)
    assert refused["type"] == f"{PROBLEM}not-their-invoice"
    await merge(billing, bob)
    await billing.post(f"/payments/{ahead['id']}/allocate", 200, **part)
    assert await owed(billing) == [(str(billing.ada), 0, 1_500)]
    refund = await billing.post("/refunds", bank_account_id=bank, customer_id=str(billing.ada), reason="called off")
    assert (refund["amount"], refund["customer_id"]) == (1_500, str(billing.ada))
    assert await owed(billing) == []


async def test_two_who_are_two_again_owe_what_each_owed(billing: Billing) -> None:
    bank, bob = await billing.bank(), await bob_of(billing)
    await invoiced_to(billing, billing.ada)
    theirs = await invoiced_to(billing, bob)
    await merge(billing, bob)
    await billing.pay(bank, 11_000, theirs, customer_id=str(billing.ada))
    parted = CustomerUnmerged(customer_id=bob, from_customer_id=billing.ada, reason="they are two")
    await billing.h.deliver(parted, aggregate_id=bob)
    assert await owed(billing) == [(str(billing.ada), 11_000, 0)]


async def test_somebody_pays_for_one_who_is_only_named(billing: Billing) -> None:
    bank = await billing.bank()
    invoice = await invoiced_to(billing, None, customer_name="Somebody")
    assert await owed(billing) == [(None, 11_000, 0)]
    await billing.pay(bank, 11_000, invoice, customer_id=str(billing.ada))
    assert await owed(billing) == []


async def test_one_letter_reminds_of_what_both_owe(billing: Billing) -> None:
    await billing.put("/dunning-policy", levels=[{"days": 1}])
    bob, day = await bob_of(billing), (today() - timedelta(days=2)).isoformat()
    both = [await invoiced_to(billing, each, day) for each in (billing.ada, bob)]
    await merge(billing, bob)
    notice = await billing.post("/dunning-notices", invoice_id=both[1]["id"])
    assert (notice["customer_id"], notice["open"], len(notice["items"])) == (str(billing.ada), 22_000, 2)


async def test_what_was_paid_back_while_they_were_one_was_the_payers(billing: Billing) -> None:
    bank, bob = await billing.bank(), await bob_of(billing)
    await billing.pay(bank, 700, customer_id=str(bob))
    await billing.pay(bank, 300, customer_id=str(billing.ada))
    await merge(billing, bob)
    refund = await billing.post(
        "/refunds", bank_account_id=bank, customer_id=str(billing.ada), amount=800, reason="called off"
    )
    assert await owed(billing) == [(str(billing.ada), 0, 200)]
    parted = CustomerUnmerged(customer_id=bob, from_customer_id=billing.ada, reason="they are two")
    await billing.h.deliver(parted, aggregate_id=bob)
    assert await owed(billing) == [(str(billing.ada), 0, 200)], "what is left is left of Ada's payment"
    for id, closing in ((billing.ada, -200), (bob, 0)):
        assert (await billing.get(f"/receivables/{id}/statement"))["closing"] == closing
    await billing.post(f"/refunds/{refund['id']}/return", 200, reason="the account is closed")
    assert sorted(await owed(billing)) == sorted([(str(billing.ada), 0, 300), (str(bob), 0, 700)])
    assert await billing.balances() == {"1001": 1_000, "2300": -1_000}
