"""What the company's template wants to travel with goods travels: heat numbers on every line, a certificate with the shipment, wherever that goes."""

from typing import Any

import pytest
from ordered import Order

from contracts.catalog import TemplateChoiceUpdated, TemplateCreated
from contracts.lots import LotQuantity
from contracts.shipment_papers import ShipmentAttachmentAdded
from contracts.shipments import ShipmentDispatched
from contracts.templates import ShippingRules, TemplateSettings
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

PDF = b"%PDF-1.7\nheat 4711\n%%EOF\n"


async def rule(shipping: Harness, **rules: bool) -> None:
    """Let a template with these rules be the company's."""
    template, settings = uuid7(), TemplateSettings(shipping=ShippingRules(**rules))
    said = {"template_id": template, "code": "MINE", "name": "Mine", "level": "customer", "parent_id": None}
    await shipping.deliver(TemplateCreated(**said, settings=settings, effective=settings), aggregate_id=template)
    choice = uuid7()
    await shipping.deliver(TemplateChoiceUpdated(template_choice_id=choice, template_id=template), aggregate_id=choice)


async def attach(shipping: Harness, shipment: str, name: str = "3.1.pdf") -> dict[str, Any]:
    files = {"file": (name, PDF, "application/pdf")}
    answer = await shipping.client.post(f"/v1/shipments/{shipment}/attachments", files=files)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def names(shipping: Harness, shipment: str) -> list[str]:
    answer = await shipping.client.get(f"/v1/shipments/{shipment}/attachments")
    return sorted(each["name"] for each in answer.json()["items"])


async def refused(order: Order, shipment: str, why: str, field: str | None = None) -> None:
    answer = await order.post(shipment, "dispatch")
    assert (answer.status_code, answer.json()["type"]) == (409, f"urn:tailrace:problem:{why}"), answer.text
    assert [each["field"] for each in answer.json().get("errors", ())] == ([] if field is None else [field])


async def test_nothing_leaves_without_its_certificate(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    await rule(shipping, certificates=True)
    await refused(order, shipment, "certificate-missing")
    file = await attach(shipping, shipment)
    await shipping.client.delete(f"/v1/shipments/{shipment}/attachments/{file['id']}")
    await refused(order, shipment, "certificate-missing")
    assert await shipping.published(ShipmentDispatched) == []
    await attach(shipping, shipment)
    assert (await order.post(shipment, "dispatch")).status_code == 200
    told = [one.event for one in await shipping.published(ShipmentAttachmentAdded)]
    assert {str(event.shipment_id) for event in told} == {shipment}


@pytest.mark.parametrize("lots", [[], [3], [3, 7]])
async def test_each_line_names_its_heat(order: Order, shipping: Harness, lots: list[int]) -> None:
    heats = [LotQuantity(lot_id=uuid7(), number=f"H-{at}", quantity=str(part)) for at, part in enumerate(lots)]
    whole = [LotQuantity(lot_id=uuid7(), number="H-9", quantity="2.5")]
    lines = [order.line(order.flour, "FLOUR", "2.5"), order.line(order.bolts, "BOLT", "10")]
    lines = [line.model_copy(update={"lots": of}) for line, of in zip(lines, (whole, heats), strict=True)]
    asked = order.request(lines=lines)
    await order.hear(asked)
    await rule(shipping, heat_numbers=True)
    if sum(lots) < 10:
        at = [line["sku"] for line in (await order.read(str(asked.shipment_id)))["lines"]].index("BOLT")
        await refused(order, str(asked.shipment_id), "heat-number-missing", f"/lines/{at}/lots")
    else:
        assert (await order.post(str(asked.shipment_id), "dispatch")).status_code == 200


async def test_files_go_along_when_shipments_become_one(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    part = (await order.post(shipment, "split", lines=order.some("4"))).json()["id"]
    await attach(shipping, shipment, "a.pdf")
    await attach(shipping, part, "b.pdf")
    assert (await order.post(shipment, "merge", shipment_id=part)).status_code == 200
    assert (await names(shipping, shipment), await names(shipping, part)) == (["a.pdf", "b.pdf"], [])


async def test_a_company_without_such_a_rule_sends_as_before(order: Order, shipping: Harness) -> None:
    await rule(shipping, lots=True, certificates=False)
    assert (await order.post(await order.shipment(), "dispatch")).status_code == 200
