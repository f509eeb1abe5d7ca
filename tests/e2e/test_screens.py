"""An order's screen on the running fleet: what its services say one by one, in one answer, within what the caller may see."""

from company import Company

from tailrace_testing.gateway import Gateway, eventually

PASSWORD = "a long enough password"


async def test_a_screen_is_its_single_reads_together(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    customer = await member.post("/v1/customers", {"name": "Ada Works", "currency": "EUR"})
    order = await company.order(3, customer_id=customer["id"])
    path = f"/v1/screens/order/{order['id']}"
    shown = await eventually(
        lambda: member.get(path),
        lambda said: said["parts"]["order"]["allocation"] == "full" and said["parts"]["shipments"]["items"],
        what="the order's shipment on its screen",
    )
    assert shown["left_out"] == []
    await member.post(f"/v1/shipments/{shown['parts']['shipments']['items'][0]['id']}/dispatch", {})
    shown = await eventually(
        lambda: member.get(path),
        lambda said: len(said["parts"]["journals"]["items"]) == 2 and said["parts"]["order"]["shipment"] == "full",
        what="what was sold and what it cost on the order's screen",
    )
    singles = {
        "order": await member.get(f"/v1/orders/{order['id']}"),
        "history": await member.get(f"/v1/orders/{order['id']}/history"),
        "shipments": await member.get("/v1/shipments", order_id=order["id"], limit=20),
        "reservations": await member.get("/v1/inventory/reservations", order_id=order["id"], limit=20),
        "invoices": await member.get("/v1/accounting/invoices", order_id=order["id"], limit=20),
        "journals": await member.get("/v1/accounting/journals", order_id=order["id"], limit=20),
    }
    assert shown["parts"] == singles
    assert shown["links"] == [
        {"screen": "customer", "id": customer["id"], "href": f"/v1/screens/customer/{customer['id']}"}
    ]
    theirs = await member.get(f"/v1/screens/customer/{customer['id']}")
    assert [each["id"] for each in theirs["parts"]["orders"]["items"]] == [order["id"]]
    shipment = shown["parts"]["shipments"]["items"][0]
    for said in (
        theirs,
        await member.get(f"/v1/screens/shipment/{shipment['id']}"),
        await member.get("/v1/screens/home"),
    ):
        assert said["left_out"] == []
    stranger = await gateway.new_tenant()
    assert (await stranger.send("GET", path)).status_code == 404
    assert (await stranger.get("/v1/screens/home"))["parts"]["draft_orders"]["items"] == []
    # A person without the books sees the rest.
    role = await member.post("/v1/auth/roles", {"name": "clerk", "scopes": ["orders:read", "shipping:read"]})
    email = "clerk@example.org"
    body = {"email": email, "name": "Clerk", "password": PASSWORD, "roles": [role["name"]]}
    await member.post("/v1/auth/users", body)
    me = await member.get("/v1/tenants/current")
    clerk = await gateway.log_in(me["slug"], email, PASSWORD)
    seen = await clerk.get(path)
    assert seen["parts"].keys() == {"order", "history", "shipments"}
    assert {(each["part"], each["status"]) for each in seen["left_out"]} == {
        (part, 403) for part in ("reservations", "invoices", "journals")
    }
