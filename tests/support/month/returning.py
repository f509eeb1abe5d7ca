"""What comes back, and what never arrives: authorised, received, looked at, credited or exchanged; brought back by the carrier, of whom nobody took
it; or lost on its way, credited and sent again.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2

from month import approving, sending
from month.firms import V1
from tailrace_testing.gateway import eventually

if TYPE_CHECKING:
    from month.trading import Trading


async def give_back(month: "Trading", outcome: str) -> None:
    """`outcome` is what the customer wants, `refund` or `exchange`. Some of it never comes; some is sold again, some thrown away, some sent back."""
    found = [id for id, each in month.gone.items() if any(each["with"].values())]
    if not found:
        return
    id, dice = month.dice.choice(found), month.dice
    gone = month.gone[id]
    with_them = [line for line, left in gone["with"].items() if left]
    wanted = {line: dice.randint(1, gone["with"][line]) for line in dice.sample(with_them, min(len(with_them), 2))}
    came = {line: many if dice.random() < 0.7 else dice.randint(0, many) for line, many in wanted.items()}
    came = came if any(came.values()) else wanted
    seen = {line: _judged(month, many) for line, many in came.items() if many}
    await _take_back(month, id, wanted, seen, outcome, _fee(month, gone["order"], wanted))


async def bring_back(month: "Trading", id: str) -> None:
    """A whole shipment that nobody took: as good as it left, and nobody pays for it."""
    wanted = dict(month.gone[id]["with"])
    seen = {line: {"restock": many, "scrap": 0, "send_back": 0} for line, many in wanted.items()}
    await _take_back(month, id, wanted, seen, "refund", None)


async def _take_back(
    month: "Trading",
    id: str,
    wanted: dict[str, int],
    seen: dict[str, dict[str, int]],
    outcome: str,
    fee: dict[str, Any] | None,
) -> None:
    """So much of a shipment is `wanted` back, by line; what came of that is `seen`, by verdict."""
    gone, member = month.gone[id], month.firm.member
    order = gone["order"]
    lines = [
        {"shipment_id": id, "line_id": line, "quantity": str(many), "outcome": outcome} for line, many in wanted.items()
    ]
    asked = {"order_id": order["id"], "return_reason_id": month.firm.reason, "lines": lines}
    await member.get(f"/v1/orders/{order['id']}/returnable", having_seen=month.marks[id])
    made = await member.post("/v1/returns", {**asked, "fee": fee})
    made = await member.post(f"/v1/returns/{made['id']}/authorise")
    here, there = f"/v1/returns/{made['id']}", f"/v1/return-shipments/{made['return_shipment_id']}"
    await eventually(lambda: _arrived(month, there), bool, what="what is expected")

    of = {line["line_id"]: line["id"] for line in made["lines"]}
    came = {line: sum(judged.values()) for line, judged in seen.items()}
    receipt = [{"return_line_id": of[line], "quantity": str(came[line])} for line in seen]
    await member.post(f"{there}/receive", {"lines": receipt, "unexpected": [{"description": "A nut", "quantity": "1"}]})
    verdicts = [
        {"return_line_id": of[line], "verdict": verdict, "quantity": str(many)}
        for line, judged in seen.items()
        for verdict, many in judged.items()
        if many
    ]
    marks: list[str] = []
    await member.post(f"{there}/inspect", {"lines": verdicts}, marks=marks)
    await member.get("/v1/inventory/stock", having_seen=marks[-1])
    for line, judged in seen.items():
        gone["with"][line] -= judged["restock"] + judged["scrap"]
    parts = [
        {"shipment": id, "at": order["parts"].index(line), "restock": judged["restock"], "scrap": judged["scrap"]}
        for line, judged in seen.items()
    ]
    month.did("returned", **{"return": made["id"]}, order=order["id"], parts=parts)
    if came != wanted:
        await member.post(f"{here}/cancel", {"reason": "The rest stays there."})
    closed = await eventually(
        lambda: member.get(here), lambda now: now["status"] == "closed", within=600, what="the end of it"
    )
    await _settled(month, order, id, made["id"], closed)
    if outcome == "exchange":
        accepted = {line: judged["restock"] + judged["scrap"] for line, judged in seen.items()}
        await _exchanged(month, order, closed, {line: many for line, many in accepted.items() if many})


async def _arrived(month: "Trading", path: str) -> bool:
    """Whether it is there by now."""
    with suppress(httpx2.TransportError):
        return (await month.firm.member.send("GET", path)).status_code == 200
    return False


def _fee(month: "Trading", order: dict[str, Any], wanted: dict[str, int]) -> dict[str, Any] | None:
    """A tenth of what so much of the first line was sold for, at least one unit; of what costs next to nothing, none."""
    line, many = next(iter(wanted.items()))
    price = float(order["lines"][order["parts"].index(line)]["unit_price"])
    if price < 5 or month.dice.random() < 0.5:
        return None
    return {"net": max(int(price * many / 10), 1), "tax_rate": "0.1"}


def _judged(month: "Trading", many: int) -> dict[str, int]:
    scrap, back = (month.dice.randint(0, many // 3) for _ in range(2))
    return {"restock": many - scrap - back, "scrap": scrap, "send_back": back}


async def _settled(month: "Trading", order: dict[str, Any], shipment: str, made: str, closed: dict[str, Any]) -> None:
    """Note the invoice of the fee, and that nothing is to be invoiced of a shipment that came back whole."""
    if closed["fee"]:
        known = {each["id"] for each in month.invoices}
        drafts = {id for id, _ in month.drafts}
        (fee,) = [
            each
            for each in await month.firm.member.every(f"{V1}/invoices", customer_id=order["customer"])
            if each["status"] not in {"draft", "cancelled"} and each["id"] not in known | drafts
        ]
        month.invoices.append(fee)
        month.did(
            "charged", invoice=fee["id"], customer=order["customer"], net=closed["fee_net"], rate=closed["fee_tax_rate"]
        )
    waiting = month.shipped.get(order["customer"], [])
    if shipment in waiting and not any(month.gone[shipment]["with"].values()):
        waiting.remove(shipment)
        if not waiting:
            del month.shipped[order["customer"]]


async def _exchanged(month: "Trading", order: dict[str, Any], closed: dict[str, Any], accepted: dict[str, int]) -> None:
    """The same goods once more, for what was accepted."""
    if not accepted:
        assert closed["exchange_order_id"] is None, closed
        return
    new = await month.firm.member.get(f"/v1/orders/{closed['exchange_order_id']}")
    quantities = {order["parts"].index(line): str(many) for line, many in accepted.items()}
    month.did("exchanged", order=new["id"], of=order["id"], quantities=quantities)
    lines = [{**order["lines"][at], "quantity": quantities[at]} for at in sorted(quantities)]
    await approving.bind(month, new, month.keep(new, lines))


async def lose(month: "Trading") -> None:
    """A parcel that the carrier has lost. Its goods are gone and were sold: the customer is credited, and orders them again."""
    member, customer = month.firm.member, month.firm.customers[2]
    to = {"lines": ["2 Quay"], "city": "Town", "country": month.firm.kind.country}
    order = await month.place([month.line()], customer, ship_to=to)
    shipment = await month.shipment_of(order)
    booking = await sending.book(month, shipment)
    month.open_orders.remove(order)
    await month.dispatch(order, shipment["id"], {each["line_id"]: each["quantity"] for each in shipment["lines"]})
    steps = [{"reference": "gone", "state": "lost", "at": datetime.now(UTC).isoformat(timespec="seconds")}]
    await eventually(lambda: _lost(month, booking, steps), bool, what="the lost parcel")
    month.did("carrier_said", shipment=shipment["id"], steps=steps)
    assert [each["id"] for each in await member.every("/v1/bookings", tracking="lost")][-1:] == [booking]
    del month.gone[shipment["id"]]
    month.shipped[customer].remove(shipment["id"])
    if not month.shipped[customer]:
        del month.shipped[customer]
    draft = await month.draft([shipment["id"]])
    invoice = await month.issued(draft["id"])
    month.did("invoiced", invoice=invoice["id"], shipments=[shipment["id"]])
    lines = [{"line_id": line["id"], "quantity": line["quantity"]} for line in invoice["lines"]]
    body = {"reason": "It was lost on its way.", "lines": lines, "dated": month.firm.day}
    await member.post(f"{V1}/invoices/{invoice['id']}/credit-notes", body)
    quantities = {place: line["quantity"] for place, line in enumerate(lines)}
    month.did("credited", invoice=invoice["id"], nets={}, quantities=quantities)
    month.tales.add("lost")
    await month.place(order["lines"], customer)


async def _lost(month: "Trading", booking: str, steps: sending.Steps) -> bool:
    """The carrier says so as soon as it is asked."""
    async with httpx2.AsyncClient(base_url=month.firm.stubs, timeout=60) as carrier:
        await carrier.put(f"/carrier/ways/{booking}", json=steps)
    member, way = month.firm.member, f"/v1/bookings/{booking}"
    if (await member.get(way))["tracking"] != "lost":
        with suppress(httpx2.TransportError):
            await member.send("POST", f"{way}/track")
    return bool((await member.get(way))["tracking"] == "lost")
