"""Somebody is deleted in the middle of everything: whoever takes over has it all, and every database is looked through for what was forgotten.

So is a customer's end. What may still name either of them is written here, with the reason; anything else is an orphan.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import asyncpg

from tailrace.runtime.fleet import load_services
from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import PASSWORD, Gateway, Member, eventually

OF_EVERY_SERVICE = {
    "outbox": "what happened, happened",
    "idempotency": "answers to retries, for a day",
    "inbox": "how far events were applied",
}
OF_AUDIT: Mapping[str, str] = {
    "audit.record": "who did what, for as long as the company says",
    "audit.document": "how far the log has come with each document",
}
OF_USERS: Mapping[str, str] = {
    **OF_AUDIT,
    "identity.user_account": "deleted, for those who refer to the id",
    "identity.credential": "a hash that nobody can log in with",
    "identity.user_session": "ended",
    "identity.audit_log": "who did what",
    "workflow.user_copy": "inactive",
    **{
        f"{service}.{table}": said
        for service in ("activities", "customers", "opportunities", "orders", "quotes")
        for table, said in (("user_copy", "inactive"), ("leaver", "who took over"))
    },
    "customers.timeline_entry": "what happened, happened",
    "analytics.user_copy": "inactive",
    "analytics.movement": "what counted for them, counted",
    "analytics.membership": "which teams they were in, and when",
    "notifications.user_copy": "inactive",
    "notifications.notification": "what they were told, which nobody else ever sees",
    "notifications.told": "of which events, so that it is not done again",
    "notifications.mailbox_place": "how much they were told",
    "notifications.delivery": "what was sent to them, or could not be any more",
    "notifications.subscription": "ended",
    "notifications.notification_channel": "deleted, for those who refer to the id",
    "notifications.mailbox": "how far they had read, and how they wanted to hear",
    "analytics.kpi": "what they were measured by, as long as they were here",
}
OF_CUSTOMERS: Mapping[str, str] = {
    **OF_AUDIT,
    "customers.customer": "deleted, for those who refer to the id",
    "customers.timeline_entry": "what happened, happened, and is shown again when it comes back",
    "customers.timeline_subject": "the same",
    "analytics.movement": "that it came and went",
    "analytics.document": "where it stands, should it come back",
    "notifications.notification": "what people were told of it, in their own feeds",
    "notifications.subscription": "ended",
}
CUSTOMERS = 30


TABLES = """
SELECT relname, EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id') AS of_tenants
FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""


async def mentions(stack: Stack, admin: Member, id: str) -> dict[str, int]:
    """How many rows of each table of each service hold this id, anywhere in them: the company's, where rows belong to one."""
    found: dict[str, int] = {}
    for service in load_services():
        if service.metadata is None:
            continue
        connection = await asyncpg.connect(stack.postgres_url.rsplit("/", 1)[0] + f"/{service.name}")
        try:
            for table, of_tenants in await connection.fetch(TABLES):
                if table in OF_EVERY_SERVICE:
                    continue
                theirs = f"tenant_id = '{admin.tenant_id}' AND " if of_tenants else ""
                query = f'SELECT count(*) FROM "{table}" t WHERE {theirs}t::text LIKE $1'
                if count := await connection.fetchval(query, f"%{id}%"):
                    found[f"{service.name}.{table}"] = count
        finally:
            await connection.close()
    return found


async def hired(admin: Member, name: str) -> str:
    body = {"email": f"{name}@{admin.slug}.example", "name": name, "password": PASSWORD, "roles": ["sales"]}
    return str((await admin.post("/v1/auth/users", body))["id"])


async def given(admin: Member, name: str, user: str) -> str:
    """A customer that somebody looks after, or nobody, should they be gone by now."""
    made = await admin.post("/v1/customers", {"name": name, "currency": "EUR"})
    for _ in range(600):
        answer = await admin.send("POST", f"/v1/customers/{made['id']}/assign", json={"sales_rep_id": user})
        if answer.status_code in {200, 422}:
            break
        await asyncio.sleep(0.1)
    return str(made["id"])


async def of(admin: Member, user: str) -> int:
    return len(await admin.every("/v1/customers", sales_rep_id=user))


async def _at_work(gateway: Gateway, admin: Member, user: str, customer: str) -> None:
    """Something of each kind that people have of their own: tasks, a KPI, news that they asked for, and where it goes."""
    member = await gateway.log_in(admin.slug, f"bo@{admin.slug}.example")
    await member.post("/v1/subscriptions", {"kind": "quote.answered"})
    await member.put("/v1/notifications/preferences", {"language": "en", "digest": {"at": "18:00"}})
    task = {"title": "Call", "user_id": user, "customer_id": customer}
    await eventually(partial(_created, admin, "/v1/tasks", task), bool, what="a task")
    kpi = {"code": "BO", "name": "Bo", "measure": "order_net_confirmed", "currency": "EUR", "period": "month"}
    of_bo = {"subject": "person", "subject_id": user, "target": "100", "near": "50"}
    await eventually(partial(_created, admin, "/v1/kpis", kpi | of_bo), bool, what="a KPI")
    secret = f"env:PARTNER_SECRET_{admin.tenant_id.replace('-', '').upper()}_SLACK"
    channel = {"code": "bo", "name": "Bo", "service": "slack", "address": "https://hooks.example/", "secret": secret}
    own = channel | {"kinds": [], "user_id": user}
    await eventually(partial(_created, admin, "/v1/notification-channels", own), bool, what="a channel")


async def _created(admin: Member, path: str, body: Any) -> bool:
    """Whether it could be, which takes until the service has heard of who it is of."""
    answer = await admin.send("POST", path, json=body)
    assert answer.status_code in {201, 409, 422}, answer.text
    return answer.status_code == 201


async def test_whoever_leaves_in_the_middle_of_everything_leaves_no_orphan(fleet: Stack, gateway: Gateway) -> None:
    admin = await gateway.new_tenant()
    bo, cy, di = [await hired(admin, name) for name in ("bo", "cy", "di")]
    team = await admin.post("/v1/auth/teams", {"name": "Sales", "lead_id": di, "deputy_id": cy, "member_ids": [bo]})
    customers = await asyncio.gather(*(given(admin, f"Ada {number}", bo) for number in range(CUSTOMERS)))
    assert await of(admin, bo) == CUSTOMERS
    looked_after = await admin.every(f"/v1/customers/by-sales/{bo}")
    assert {each["id"] for each in looked_after} == set(customers)

    await _at_work(gateway, admin, bo, customers[0])
    late = asyncio.gather(*(given(admin, f"Late {number}", bo) for number in range(CUSTOMERS)))
    await asyncio.sleep(0)
    await admin.delete(f"/v1/auth/users/{bo}")
    # Who takes over goes as well, before anything can have been handed over to them.
    await admin.delete(f"/v1/auth/users/{cy}")
    await late

    everything = partial(admin.every, "/v1/customers")
    await eventually(partial(of, admin, di), lambda count: count >= CUSTOMERS, what="the handover")
    for gone in (bo, cy):
        kept = await eventually(
            partial(mentions, fleet, admin, gone), lambda found: found.keys() <= OF_USERS.keys(), what="no orphan"
        )
        assert {"identity.user_account", "customers.user_copy", "customers.leaver"} <= kept.keys()
    owners = {each["id"]: each["sales_rep_id"] for each in await everything()}
    assert {owners[id] for id in customers} == {di}
    assert set(owners.values()) <= {di, None}, "who came too late has nobody, since that was refused"
    after = await admin.get(f"/v1/auth/teams/{team['id']}")
    assert (after["lead_id"], after["deputy_id"], after["member_ids"]) == (di, None, [])


async def test_whom_nobody_takes_over_from_leaves_it_told(fleet: Stack, gateway: Gateway) -> None:
    admin = await gateway.new_tenant()
    bo = await hired(admin, "bo")
    customer = await given(admin, "Ada", bo)
    await admin.delete(f"/v1/auth/users/{bo}")

    async def events() -> list[Any]:
        connection = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + "/customers")
        try:
            query = "SELECT payload::json ->> 'reason' AS reason FROM outbox WHERE type = 'customer.unassigned' AND aggregate_id = $1"
            return list(await connection.fetch(query, customer))
        finally:
            await connection.close()

    [told] = await eventually(events, lambda found: len(found) == 1, what="customer.unassigned")
    assert "nobody takes over" in told["reason"]
    # Those who keep a copy of the customer hear of it a moment after customers has said so.
    await eventually(
        partial(mentions, fleet, admin, bo), lambda found: found.keys() <= OF_USERS.keys(), what="no orphan"
    )


COPIES = (
    *(f"{service}.customer_copy" for service in ("accounting", "activities", "opportunities", "orders", "quotes")),
    "notifications.customer_copy",
    "orders.buyer_copy",
)
"""What stays of a customer, out of use, for the orders and quotes that name it."""


async def _is_active(fleet: Stack, table: str, id: str) -> bool:
    service, _, name = table.partition(".")
    connection = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + f"/{service}")
    try:
        return bool(await connection.fetchval(f"SELECT active FROM {name} WHERE id = $1", id))
    finally:
        await connection.close()


async def test_what_a_leaver_sells_goes_on_and_its_customer_stays_until_then(gateway: Gateway) -> None:
    """A quote and an order of somebody who leaves are the successor's; and nobody deletes the customer meanwhile."""
    admin = await gateway.new_tenant()
    bo, cy = [await hired(admin, name) for name in ("bo", "cy")]
    await admin.post("/v1/auth/teams", {"name": "Sales", "lead_id": cy, "member_ids": [bo]})
    await eventually(lambda: admin.every("/v1/units"), bool, what="units of measure")
    item = await admin.post("/v1/items", {"sku": "BOLT", "name": "Bolt", "unit": "pcs", "tax_rate": "0.1"})
    place = await admin.post("/v1/warehouses", {"code": "MAIN", "name": "Main"})
    customer = await given(admin, "Ada", bo)
    line = {"item_id": item["id"], "quantity": "2", "unit_price": "100"}
    here = {"customer_id": customer, "lines": [line]}

    async def made(path: str, body: Any) -> dict[str, Any]:
        answer = await admin.send("POST", path, json=body)
        assert answer.status_code in {201, 409, 503}, answer.text
        return {**answer.json(), "mark": answer.headers["tailrace-event"]} if answer.status_code == 201 else {}

    async def with_owner(path: str, body: Any) -> dict[str, Any]:
        """Once it has arrived who looks after the customer."""
        return await eventually(lambda: made(path, body), lambda one: one.get("owner_id") == bo, what=path)

    quote = await with_owner("/v1/quotes", {**here, "warehouse_id": place["id"]})
    order_line = {**line, "warehouse_id": place["id"]}
    order = await with_owner(
        "/v1/orders", {**here, "customer_reference": "PO-1", "currency": "EUR", "lines": [order_line]}
    )
    assert (quote["owner_name"], order["owner_name"]) == ("bo", "bo")

    # What was just recorded is waited for, so that nobody is deleted who is needed.
    after = ", ".join(each["mark"] for each in (quote, order))
    refused = await admin.send("DELETE", f"/v1/customers/{customer}", headers={"Tailrace-After": after})
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "in-use")
    await admin.delete(f"/v1/auth/users/{bo}")
    for path in (f"/v1/quotes/{quote['id']}", f"/v1/orders/{order['id']}"):
        await eventually(partial(admin.get, path), lambda one: one["owner_id"] == cy, what=f"a successor at {path}")


async def test_a_deleted_customer_is_nowhere_but_where_it_was(fleet: Stack, gateway: Gateway) -> None:
    admin = await gateway.new_tenant()
    customer = await given(admin, "Ada", await hired(admin, "bo"))
    assert "customers.search_entry" in await mentions(fleet, admin, customer)
    person = await admin.post(f"/v1/customers/{customer}/people", {"name": "Grace"})
    assert person["name"] == "Grace"
    await eventually(
        partial(_created, admin, "/v1/subscriptions", {"customer_id": customer}), bool, what="a subscription"
    )
    await admin.delete(f"/v1/customers/{customer}")
    left = await eventually(
        partial(mentions, fleet, admin, customer),
        lambda found: found.keys() <= {*OF_CUSTOMERS, "customers.person", *COPIES},
        what="no orphan",
    )
    assert "customers.customer" in left
    for copy in COPIES:
        await eventually(
            partial(_is_active, fleet, copy, customer), lambda active: not active, what=f"an end of {copy}"
        )


async def test_a_change_of_a_team_counts_without_another_token(gateway: Gateway) -> None:
    admin = await gateway.new_tenant()
    await admin.post("/v1/auth/roles", {"name": "field", "scopes": ["customers:read:team", "customers:write:own"]})
    body = {"email": f"ed@{admin.slug}.example", "name": "Ed", "password": PASSWORD, "roles": ["field"]}
    ed, bo = (await admin.post("/v1/auth/users", body))["id"], await hired(admin, "bo")
    customer = await given(admin, "Ada", bo)
    member = await gateway.log_in(admin.slug, f"ed@{admin.slug}.example")
    assert (await member.get("/v1/customers"))["items"] == []
    await admin.post("/v1/auth/teams", {"name": "Field", "member_ids": [ed, bo]})
    seen = await eventually(partial(member.get, "/v1/customers"), lambda page: page["items"], what="the team's rows")
    assert [each["id"] for each in seen["items"]] == [customer]
    changed = await member.send("PUT", f"/v1/customers/{customer}", json={"name": "Mine", "currency": "EUR"})
    assert changed.status_code == 404, "to change it, one has to own it"
