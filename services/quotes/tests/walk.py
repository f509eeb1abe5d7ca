"""Every operation of quotes once: drafts that are changed and dropped, offers accepted and declined by their link, and revised."""

from decimal import Decimal
from typing import Any

from approvals import answer
from invariants.walk import Walker

from contracts import approvals, catalog, customers, inventory, users
from contracts.quotes import QuoteSubmitted
from tailrace.core.clock import now
from tailrace.core.ids import uuid7
from tailrace.settings import PartnerAddress

AT = "/v1/quotes"
OFFER = f"{AT}/public/{{token}}"


async def walk(w: Walker) -> None:
    terms = await _company(w)
    here = f"{AT}/{{quote_id}}"

    dropped = await w.post(AT, terms)
    await w.get(AT)
    await w.get(here, quote_id=dropped["id"])
    await w.put(here, {**terms, "notes": "As discussed."}, quote_id=dropped["id"])
    await w.delete(here, quote_id=dropped["id"])

    sales = users.RoleChanged(role_id=uuid7(), name="sales", scopes=["quotes:write"])
    await w.tell(sales, aggregate_id=sales.role_id)
    limit = {"role": "sales", "max_discount_rate": "0.05", "max_net": 100_000, "currency": "EUR"}
    await w.put(f"{AT}/authority", {"limits": [limit]})
    await w.get(f"{AT}/authority")

    lowered = {**terms, "lines": [{**terms["lines"][0], "discount_rate": "0.5"}]}
    quote = await w.post(AT, lowered)
    ids = {"quote_id": quote["id"]}
    costs = {"lines": [{"line_id": quote["lines"][0]["id"], "unit_cost": "40"}]}
    await w.get(f"{here}/document", **ids)
    await w.put(f"{here}/costs", costs, **ids)
    await w.get(f"{here}/margin", **ids)
    await w.post(f"{here}/submit", **ids)
    await w.post(f"{here}/recall", {"reason": "too early"}, **ids)
    await w.h.client_as(tenant=w.tenant, user=w.user).post(f"{AT}/{quote['id']}/submit")
    await _approved(w)
    w.h.settings.partners = {"smtp": PartnerAddress(url="smtp://mail.example:587", sender="quotes@acme.example")}
    w.h.settings.public_url = "https://erp.example.com"
    await w.post(f"{here}/send", {"by_mail": True, "mail_to": "bo@ada.example"}, **ids)
    await w.post(f"{here}/mail", {"mail_to": "buyer@ada.example"}, **ids)
    link = await w.get(f"{here}/link", **ids)
    token = link["path"].rpartition("/")[2]
    await w.get(OFFER, token=token)
    await w.get(f"{OFFER}/document", token=token)
    await w.post(f"{OFFER}/accept", {"name": "Bo Buyer", "customer_reference": "PO-7"}, token=token)

    other = await _sent(w, terms)
    await w.post(f"{here}/accept", {"accepted_by": "Bo Buyer", "taken": []}, quote_id=other["id"])

    third = await _sent(w, terms)
    path = (await w.h.client_as(tenant=w.tenant, user=w.user).get(f"{AT}/{third['id']}/link")).json()["path"]
    await w.post(f"{OFFER}/decline", {"reason": "too dear"}, token=path.rpartition("/")[2])
    await w.post(f"{here}/revise", quote_id=third["id"])
    await w.get(f"{here}/versions", quote_id=third["id"])

    fourth = await _sent(w, terms)
    await w.post(f"{here}/mail", {"mail_to": "bo@ada.example"}, quote_id=fourth["id"])
    errands = (await w.get(f"{AT}/errands"))["items"]
    at_errand = f"{AT}/errands/{{errand_id}}"
    await w.get(at_errand, errand_id=errands[0]["id"])
    await w.post(f"{at_errand}/retry", errand_id=errands[0]["id"])
    await w.post(f"{at_errand}/cancel", errand_id=errands[1]["id"])
    await w.post(f"{here}/decline", {"reason": "too dear"}, quote_id=fourth["id"])
    fifth = await w.post(AT, terms)
    await w.post(f"{here}/cancel", {"reason": "sold out"}, quote_id=fifth["id"])


async def _company(w: Walker) -> dict[str, Any]:
    """Everything that a quote refers to, and a body of one."""
    item, north, prices, customer, pieces = (uuid7() for _ in range(5))
    counted = catalog.UnitCreated(
        unit_id=pieces, code="pcs", name="Piece", dimension="count", factor=Decimal(1), decimals=0
    )
    await w.tell(counted, aggregate_id=pieces)
    bolt = catalog.ItemCreated(item_id=item, sku="BOLT", name="Bolt", unit="pcs", tax_rate=Decimal("0.1"))
    await w.tell(bolt, aggregate_id=item)
    await w.tell(catalog.WarehouseCreated(warehouse_id=north, code="N", name="North"), aggregate_id=north)
    listed = catalog.PriceListCreated(
        price_list_id=prices,
        code="RETAIL",
        name="Retail",
        currency="EUR",
        prices=[catalog.Price(item_id=item, min_quantity=Decimal(1), unit_price=Decimal(100))],
    )
    await w.tell(listed, aggregate_id=prices)
    joined = users.TenantCreated(tenant_id=w.tenant, slug="acme", name="Acme Ltd", currency="EUR")
    await w.tell(joined, aggregate_id=w.tenant)
    said = customers.CustomerCreated(
        customer_id=customer,
        number="C-1",
        name="Ada Works",
        kind="company",
        status="active",
        currency="EUR",
        payment_terms_days=30,
        price_list_id=prices,
    )
    await w.tell(said, aggregate_id=customer)
    came = inventory.StockReceived(
        item_id=item,
        warehouse_id=north,
        layer_id=uuid7(),
        quantity=Decimal(10),
        value=500,
        currency="EUR",
        reason="purchase",
        effective_at=now(),
    )
    await w.tell(came, aggregate_id=uuid7())
    line = {"item_id": str(item), "quantity": "10"}
    return {
        "customer_id": str(customer),
        "warehouse_id": str(north),
        "ship_to": {"lines": ["12 Analytical Row"], "city": "Ockham", "country": "GB"},
        "lines": [line],
    }


async def _approved(w: Walker) -> None:
    """Somebody approves the newest submission."""
    submitted = (await w.h.published("quote.submitted", tenant=w.tenant))[-1].event
    assert isinstance(submitted, QuoteSubmitted)
    told = answer(approvals.ApprovalApproved, submitted.subject)
    await w.tell(told, aggregate_id=told.approval_id)


async def _sent(w: Walker, terms: dict[str, Any]) -> dict[str, Any]:
    """A quote within everybody's authority, at the customer's."""
    client = w.h.client_as(tenant=w.tenant, user=w.user)
    quote = (await client.post(AT, json=terms)).json()
    await client.post(f"{AT}/{quote['id']}/submit")
    await client.post(f"{AT}/{quote['id']}/send")
    return dict(quote)
