"""Every operation of partners once, for the conformance suite, which tries each step in all the ways that must be refused first."""

from invariants.walk import Walker

AT = "/v1/partners"


async def walk(w: Walker) -> None:
    first = await w.post(AT, {"name": "Freight desk", "types": ["order.confirmed"], "personal": "masked"})
    await w.post(AT, {"name": "Warehouse", "types": ["shipment.dispatched"], "since": "2026-01-01T00:00:00Z"})
    await w.get(AT)
    here, ids = f"{AT}/{{partner_id}}", {"partner_id": first["id"]}
    await w.get(here, **ids)
    known = await w.get(f"{here}/credentials", **ids)
    await w.get(f"{here}/progress", **ids)
    login = (known["user"], known["password"])
    await w.get("/v1/events", login=login)
    await w.get("/v1/events/stream", query={"seconds": 0}, login=login)
    await w.put(f"{here}/grant", {"types": ["order.confirmed", "order.cancelled"]}, **ids)
    await w.post(f"{here}/rotate", **ids)
    await w.post(f"{here}/revoke", **ids)
