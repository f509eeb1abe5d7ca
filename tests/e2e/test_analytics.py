"""Reports through the gateway: they say what was asked for in requests, a seller sees their own, and a stamp tells when rows stopped coming."""

import re
from datetime import datetime
from typing import Any

import asyncpg
from company import PRICE, Company

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import PASSWORD, Gateway, Member, eventually

SALES = "/v1/reports/sales-summary"


async def hired(gateway: Gateway, company: Company, role: str) -> Member:
    """Somebody of the company, logged in."""
    email = f"{role}@{company.member.slug}.example"
    body = {"email": email, "name": role.title(), "password": PASSWORD, "roles": [role]}
    await company.member.post("/v1/auth/users", body)
    return await gateway.log_in(company.member.slug, email)


def of_orders(stamp: dict[str, Any]) -> dict[str, Any]:
    """What a stamp says of orders."""
    (found,) = [each for each in stamp["freshness"]["topics"] if each["topic"] == "order.events"]
    return dict(found)


async def figures(member: Member, **query: Any) -> dict[str, tuple[int, int]]:
    """What the orders of a summary come to, in its only currency."""
    (row,) = (await member.get(SALES, **query))["rows"]
    return {name: (row[name]["count"], row[name]["amount"]) for name in ("placed", "confirmed", "cancelled")}


async def test_reports_equal_the_requests_and_say_how_fresh_they_are(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member, marks = company.member, list[str]()
    seller, manager = await hired(gateway, company, "sales"), await hired(gateway, company, "manager")
    seller_id, own_id = [(await each.get("/v1/auth/me"))["id"] for each in (seller, member)]

    async def order(quantity: int, **more: Any) -> Any:
        return await member.post("/v1/orders", company.body(quantity, **more), marks=marks)

    more: dict[str, Any]
    for quantity, more in ((1, {"owner_id": seller_id}), (2, {"owner_id": seller_id}), (4, {})):
        await order(quantity, **more)
    draft = await order(8, confirm=False)
    await member.post(f"/v1/orders/{draft['id']}/cancel", {"reason": "no"}, marks=marks)
    ada = await member.post("/v1/customers", {"name": "Ada Works", "currency": "EUR"}, marks=marks)
    line = {"item_id": company.item_id, "quantity": "3", "unit_price": "500"}
    asked = {"customer_id": ada["id"], "warehouse_id": company.warehouse_id, "currency": "EUR", "lines": [line]}
    quote = await member.post("/v1/quotes", asked, marks=marks)
    for done in (True, False):
        task = await member.post("/v1/tasks", {"title": "Call", "user_id": seller_id}, marks=marks)
        if done:
            await member.patch(f"/v1/tasks/{task['id']}/status", {"status": "done"}, marks=marks)
    approval = await member.post("/v1/approvals", {"title": "A forklift", "amount": 2_000_000, "currency": "EUR"})
    at = f"/v1/approvals/{approval['id']}"
    await eventually(lambda: manager.send("GET", at), lambda answer: answer.status_code == 200, what="the approval")
    await manager.patch(f"{at}/approve", None, marks=marks)

    seen = ", ".join(marks)
    summary = await member.get(SALES, having_seen=seen)
    (row,) = summary["rows"]
    assert (row["currency"], row["placed"]["count"], row["placed"]["amount"]) == ("EUR", 4, 15 * PRICE)
    assert (row["confirmed"]["count"], row["confirmed"]["amount"]) == (3, 7 * PRICE)
    assert (row["cancelled"]["count"], row["cancelled"]["amount"]) == (1, 8 * PRICE)
    assert (row["quotes_made"]["count"], row["quotes_made"]["amount"]) == (1, quote["net"])
    # The link has a query of its own, which `get` would put its parameters in place of.
    records = (await member.send("GET", row["confirmed"]["records"])).json()
    assert sum(one["amount"] for one in records["items"]) == 7 * PRICE
    assert await figures(seller) == {"placed": (2, 3 * PRICE), "confirmed": (2, 3 * PRICE), "cancelled": (0, 0)}
    by_person = {each["key"]: each["confirmed"]["amount"] for each in (await member.get(SALES, by="person"))["rows"]}
    assert by_person == {seller_id: 3 * PRICE, own_id: 4 * PRICE}
    (tasks,) = (await seller.get("/v1/reports/task-completion"))["rows"]
    assert (tasks["created"]["count"], tasks["completed"]["count"]) == (2, 1)
    (approvals,) = (await member.get("/v1/reports/approval-statistics"))["rows"]
    assert (approvals["requested"]["count"], approvals["approved"]["count"]) == (1, 1)
    (customers,) = (await member.get("/v1/reports/customer-statistics"))["rows"]
    assert (customers["added"]["count"], customers["ordering"]) == (1, 0)

    fresh = await eventually(
        lambda: member.get(SALES),
        lambda now: of_orders(now)["behind"] == 0 and now["freshness"]["complete_until"] is not None,
        what="a report that is complete until some time",
    )
    assert of_orders(fresh)["type"].startswith("order.")
    assert fresh["freshness"]["set_aside"] == 0
    await without_rows(fleet, company)


async def without_rows(fleet: Stack, company: Company) -> None:
    """While nothing can be written, answers go on, say that something is missing, and promise nothing of after it."""
    member = company.member
    connection = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + "/analytics")
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE movement IN EXCLUSIVE MODE")
            order = await member.post("/v1/orders", company.body(16))
            late = await eventually(
                lambda: member.get(SALES), lambda now: (of_orders(now)["behind"] or 0) > 0, what="events that wait"
            )
            (row,) = late["rows"]
            assert row["placed"]["count"] == 4
            placed = datetime.fromisoformat(order["created_at"])
            until = of_orders(late)["complete_until"]
            assert datetime.fromisoformat(until) < placed
            assert datetime.fromisoformat(late["freshness"]["complete_until"]) < placed
            file = await member.send("GET", f"{SALES}/records", headers={"Accept": "text/csv"})
            # The stamp of a file is beside its rows: the placed orders of before, and until when none is missing.
            assert file.text.count(",order_placed,") == 4
            said = re.findall('complete_until="([^"]+)"', file.headers["Tailrace-Freshness"])
            assert len(said) > 1 and datetime.fromisoformat(said[0]) < placed
            assert re.search("order.events;[^ ]*;behind=[1-9]", file.headers["Tailrace-Freshness"])
    finally:
        await connection.close()
    again = await eventually(
        lambda: member.get(SALES),
        lambda now: of_orders(now)["behind"] == 0 and now["rows"][0]["placed"]["count"] == 5,
        what="the order that waited",
    )
    assert again["rows"][0]["confirmed"]["amount"] == 23 * PRICE
