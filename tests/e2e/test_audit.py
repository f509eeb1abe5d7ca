"""From a click to the journal line and back, through the gateway: who did it, what led to what, and a proof that holds with nothing running."""

import json
from pathlib import Path
from typing import Any

from command import tailrace
from company import Company, dead_letters

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, eventually

WAY = {
    "order.confirmed",
    "order.reservation_requested",
    "inventory.reservation.made",
    "order.shipment_requested",
    "shipment.created",
    "shipment.dispatched",
    "accounting.journal.posted",
    "order.shipment_progressed",
}


def types(trace: dict[str, Any]) -> set[str]:
    return {node["type"] for node in trace["nodes"]}


async def test_an_order_leads_to_its_journal_and_back_and_is_proven_offline(
    fleet: Stack, gateway: Gateway, tmp_path: Path
) -> None:
    company = await Company.found(gateway)
    member = company.member
    order = await company.order(12)
    await company.ship(order["id"])
    await company.settled(fleet)

    async def traced(id: str) -> dict[str, Any]:
        answer = await member.send("GET", f"/v1/trace/{id}")
        return dict(answer.json()) if answer.status_code == 200 else {"nodes": [], "complete": False}

    forward = await eventually(
        lambda: traced(order["id"]), lambda t: types(t) >= WAY and t["complete"], what="the whole way of the order"
    )
    clicks = [node for node in forward["nodes"] if node["kind"] == "access"]
    assert {"POST /v1/orders → 201", "POST /v1/shipments/{shipment_id}/dispatch → 200"} <= {
        each["label"] for each in clicks
    }
    mine = str(member.user_id) if hasattr(member, "user_id") else clicks[0]["actor_id"]
    assert {node["actor_id"] for node in forward["nodes"] if node["type"] in WAY} == {mine}

    journals = [node for node in forward["nodes"] if node["type"] == "accounting.journal.posted"]
    assert len(journals) == 2
    for journal in journals:
        back = await traced(journal["document_id"])
        assert back["complete"] and {"order.created", *WAY} <= types(back)
        assert order["id"] in {node["document_id"] for node in back["nodes"]}
    picture = await member.send("GET", f"/v1/trace/{order['id']}.svg")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert "accounting.journal.posted" in picture.text

    at = f"/v1/audit/documents/{order['id']}/bundle"
    await member.send("POST", "/v1/audit/heads", json={})
    bundle = await eventually(lambda: member.send("GET", at), lambda answer: answer.status_code == 200, what="a head")
    files = {"bundle": bundle.json(), "keys": (await member.send("GET", "/v1/audit/keys")).json()}
    for name, said in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(said))
    (tmp_path / "log.jsonl").write_text((await member.send("GET", "/v1/audit/export")).text)
    named = ("--document", order["id"], "--keys", str(tmp_path / "keys.json"))
    code, told = await tailrace(fleet, "verify", *named, "--bundle", str(tmp_path / "bundle.json"))
    assert (code, "is whole" in told) == (0, True), told
    code, told = await tailrace(
        fleet, "verify", "--export", str(tmp_path / "log.jsonl"), "--keys", str(tmp_path / "keys.json")
    )
    assert (code, "is whole" in told) == (0, True), told
    files["bundle"]["records"].pop()
    (tmp_path / "bundle.json").write_text(json.dumps(files["bundle"]))
    code, told = await tailrace(fleet, "verify", *named, "--bundle", str(tmp_path / "bundle.json"))
    assert (code, "cut off" in told) == (1, True), told
    assert await dead_letters(fleet, company) == []
