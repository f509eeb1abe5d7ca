"""From a customer to an order: quoted above anybody's authority, approved by a manager, sent, accepted by its link, ordered once and as quoted."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from company import Company, dead_letters
from quiescence import quiescent
from way import settings_of

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import PASSWORD, Gateway, eventually

LIST_PRICE = 1_200


async def offered(company: Company) -> dict[str, Any]:
    """A quote of ten plates for a customer, a third below the list."""
    member = company.member
    prices = [{"item_id": company.item_id, "min_quantity": "1", "unit_price": str(LIST_PRICE)}]
    listed = await member.post(
        "/v1/price-lists", {"code": "RETAIL", "name": "Retail", "currency": "EUR", "prices": prices}
    )
    ada = await member.post("/v1/customers", {"name": "Ada Works", "currency": "EUR", "price_list_id": listed["id"]})
    line = {"item_id": company.item_id, "quantity": "10", "discount_rate": "0.333"}
    body = {"customer_id": ada["id"], "warehouse_id": company.warehouse_id, "lines": [line]}
    quote: dict[str, Any] = await member.post("/v1/quotes", body)
    assert (quote["net"], quote["tax"]) == (8_004, 800)
    return quote


async def approved(gateway: Gateway, company: Company, quote: dict[str, Any]) -> None:
    """A manager approves what waits, and the quote hears of it."""
    slug = company.member.slug
    email = f"boss@{slug}.example"
    body = {"email": email, "name": "Boss", "password": PASSWORD, "roles": ["manager"]}
    await company.member.post("/v1/auth/users", body)
    manager = await gateway.log_in(slug, email)
    waits = await eventually(
        lambda: manager.get("/v1/approvals/pending"), lambda page: bool(page["items"]), what="the approval"
    )
    (approval,) = waits["items"]
    assert approval["document_id"] == quote["id"]
    await manager.patch(f"/v1/approvals/{approval['id']}/approve")
    await eventually(
        lambda: company.member.get(f"/v1/quotes/{quote['id']}"),
        lambda now: now["status"] == "approved",
        what="the approved quote",
    )


async def test_a_quote_is_approved_sent_accepted_twice_and_ordered_once(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    quote = await offered(company)
    here = f"/v1/quotes/{quote['id']}"
    submitted = await member.post(f"{here}/submit")
    assert submitted["status"] == "in_approval"
    assert (await member.send("POST", f"{here}/send")).status_code == 409
    await approved(gateway, company, quote)
    await member.post(f"{here}/send")
    path = (await member.get(f"{here}/link"))["path"]

    shown = await member.client.get(path)
    assert (shown.status_code, shown.json()["total"]) == (200, 8_804)
    paper = await member.client.get(f"{path}/document")
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
    answers = await asyncio.gather(*[member.client.post(f"{path}/accept", json={"name": "Bo Buyer"}) for _ in range(4)])
    assert [each.status_code for each in answers] == [200] * 4
    assert len({each.text for each in answers}) == 1

    ordered = await eventually(lambda: member.get(here), lambda now: now["order_id"] is not None, what="the order")
    order = await company.read(ordered["order_id"])
    assert (order["status"], order["net"], order["tax"]) == ("confirmed", 8_004, 800)
    assert (order["quote_id"], order["customer_id"]) == (quote["id"], quote["customer_id"])
    company.accepted[order["id"]] = 10
    await company.ship(order["id"])
    await eventually(
        lambda: company.read(order["id"]), lambda now: now["shipment"] == "full", what="everything shipped"
    )
    await quiescent(fleet, member.tenant_id)
    assert len(await member.every("/v1/orders")) == 1
    assert -(await company.balances())["4000"] == 8_004
    assert await dead_letters(fleet, company) == []
    assert (await member.client.post(f"{path}/decline", json={"reason": "no"})).status_code in (409, 410)


async def test_no_log_holds_a_link(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    quote = await offered(company)
    here = f"/v1/quotes/{quote['id']}"
    await company.member.post(f"{here}/submit")
    await approved(gateway, company, quote)
    await company.member.post(f"{here}/send")
    path = (await company.member.get(f"{here}/link"))["path"]
    token = path.rpartition("/")[2]
    for what in ("", "/document", "/no-such-thing", f"/{token}"):
        await company.member.client.get(f"{path}{what}")
    await company.member.client.post(f"{path}/accept", json={"name": "Bo Buyer"})
    secret, told = list[Path](), 0
    for file, held in _logs(settings_of(fleet).data):
        told += b"/v1/quotes/public/" in held
        if token.encode() in held:
            secret.append(file)
    assert secret == []
    assert told, "the requests are logged, without what is secret"


def _logs(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Those of every part, and Kafka's segments, of which some are being deleted."""
    for at, _, names in os.walk(folder):  # passes over a folder that is gone by now, as rglob does not
        for file in (Path(at, name) for name in names if ".log" in name):
            with suppress(FileNotFoundError):
                yield file, file.read_bytes()
