"""A customer with a limit: an order that waits, a manager who lets it go on, and one that goes on when the first is paid."""

from typing import Any

from company import Company, dead_letters
from quiescence import quiescent

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import PASSWORD, Gateway, Member, eventually

V1 = "/v1/accounting"
LIMIT = 15_000


async def approval_of(manager: Member, order: dict[str, Any]) -> dict[str, Any]:
    """What the manager is asked about an order."""
    found = await eventually(
        lambda: manager.every("/v1/approvals", document_id=order["id"]), bool, what="a request for its release"
    )
    approval: dict[str, Any] = found[0]
    return approval


async def test_an_order_waits_for_a_manager_and_another_for_the_money(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    email = f"max@{member.slug}.example"
    await member.post(
        "/v1/auth/users", {"email": email, "name": "Max", "password": PASSWORD, "roles": ["manager", "accountant"]}
    )
    manager = await gateway.log_in(member.slug, email)
    ada = await member.post("/v1/customers", {"name": "Ada Works", "currency": "EUR"})
    limit = {"credit_limit": LIMIT, "reason": "agreed"}
    assert (await member.send("PUT", f"/v1/customers/{ada['id']}/credit", json=limit)).status_code == 200
    at = f"/v1/orders/credit/{ada['id']}"
    await eventually(
        lambda: member.send("GET", at),
        lambda said: said.status_code == 200 and said.json()["credit_limit"] == LIMIT,
        what="the limit",
    )
    issuer = {"lines": ["1 Mill Lane"], "city": "Hamburg", "country": "DE", "tax_id": "DE123456788"}
    assert (await member.send("PUT", f"{V1}/billing", json={"issues": True, "issuer": issuer})).status_code == 200

    async def status(order: dict[str, Any], expected: str) -> dict[str, Any]:
        now: dict[str, Any] = await eventually(
            lambda: company.read(order["id"]), lambda now: now["status"] == expected, what=f"an order {expected}"
        )
        return now

    first = await company.order(10, customer_id=ada["id"])
    second = await company.order(10, customer_id=ada["id"])
    assert (first["status"], second["status"]) == ("confirmed", "credit_hold")
    approval = await approval_of(manager, second)
    assert (approval["status"], approval["amount"]) == ("pending", 11_000)
    impatient = await manager.send("POST", f"/v1/orders/{second['id']}/release", json={"reason": "mine"})
    assert (impatient.status_code, impatient.json()["type"]) == (409, "urn:tailrace:problem:order-released-by-approval")
    yes = await manager.send("PATCH", f"/v1/approvals/{approval['id']}/approve", json={"reason": "A good customer."})
    assert yes.status_code == 200, yes.text
    await status(second, "confirmed")
    await eventually(lambda: company.shipments(second["id"]), bool, what="a shipment of what was released")

    await company.ship(first["id"])
    drafted = {"order_id": first["id"]}
    await eventually(
        lambda: member.send("POST", f"{V1}/invoices", json=drafted),
        lambda said: said.status_code == 201,
        what="a draft",
    )
    (draft,) = await member.every(f"{V1}/invoices", order_id=first["id"])
    bill = await member.post(f"{V1}/invoices/{draft['id']}/issue")
    third = await company.order(1, customer_id=ada["id"])
    assert third["status"] == "credit_hold"
    asked = await approval_of(manager, third)

    bank = {"code": "HB", "name": "House bank", "currency": "EUR", "account": "1000"}
    account = (await member.post(f"{V1}/bank-accounts", bank))["id"]
    paid = {"bank_account_id": account, "amount": 11_000, "customer_id": ada["id"]}
    await member.post(f"{V1}/payments", {**paid, "allocations": [{"invoice_id": bill["id"]}]})
    await status(third, "confirmed")
    await eventually(
        lambda: manager.get(f"/v1/approvals/{asked['id']}"),
        lambda now: now["status"] == "voided",
        what="the request void",
    )
    stands = await member.get(at)
    assert (stands["exposure"], stands["available"]) == (11_000 + 1_100, LIMIT - 11_000 - 1_100)
    await quiescent(fleet, member.tenant_id)
    assert await dead_letters(fleet, company) == []
