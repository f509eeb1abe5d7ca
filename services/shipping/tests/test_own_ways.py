"""A company's own ways of shipping, as its template says: fields of shipments, how they are numbered, and that an order leaves whole."""

from typing import Any
from uuid import UUID

import pytest
from ordered import Order

from contracts.catalog import TemplateChoiceUpdated, TemplateCreated, TemplateUpdated
from contracts.orders import OrderHeld
from contracts.shipments import ShipmentCreated, ShipmentDispatched, ShipmentFieldsChanged
from contracts.templates import ShippingRules, TemplateSettings
from shipping.projections import TemplateChoiceCopy
from tailrace.core.ids import uuid7
from tailrace.core.values.custom_fields import CustomField
from tailrace_testing import Harness

REPORT = CustomField(key="inspection", label="Inspection report", required=True)
GATE = CustomField(key="gate", label="Gate", pattern="^[A-Z][0-9]$", required=True)
PALLETS = CustomField(key="pallets", label="Pallets", kind="number", decimals=0)


async def says(h: Harness, template: UUID | None = None, **settings: Any) -> UUID:
    """The company's template says this, from now on."""
    kind, template = (TemplateCreated, uuid7()) if template is None else (TemplateUpdated, template)
    said = TemplateSettings(**settings)
    described = {"template_id": template, "code": "MINE", "name": "Mine", "level": "customer", "parent_id": None}
    await h.deliver(kind(**described, settings=said, effective=said), aggregate_id=template)
    if kind is TemplateCreated:
        assert await h.admin.fetchval(f"SELECT count(*) FROM {TemplateChoiceCopy.__tablename__}") == 0
        choice = uuid7()
        told = TemplateChoiceUpdated(template_choice_id=choice, template_id=template)
        await h.deliver(told, aggregate_id=choice)
    return template


async def describe(order: Order, shipment: str, status: int = 200, **values: Any) -> dict[str, Any]:
    at = f"/v1/shipments/{shipment}/custom-fields"
    answer = await order.shipping.client.put(at, json={"custom_fields": values})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def numbers(order: Order) -> list[str]:
    return [each["number"] for each in sorted(await order.shipments(), key=lambda each: each["created_at"])]


async def test_a_shipment_has_the_fields_of_the_companys_template(order: Order, shipping: Harness) -> None:
    await says(shipping, fields={"shipment": [REPORT, GATE, PALLETS]})
    shipment = await order.shipment()
    assert (await order.read(shipment))["custom_fields"] == {}
    # What is required may follow; what is said is right from the beginning.
    shown = await describe(order, shipment, pallets=3, gate=None)
    assert (shown["custom_fields"], shown["version"]) == ({"pallets": "3"}, 2)
    for values, field in (({"pallets": "1.5"}, "pallets"), ({"gate": "west"}, "gate"), ({"colour": "red"}, "colour")):
        refused = await describe(order, shipment, 422, **values)
        assert [each["field"] for each in refused["errors"]] == [f"/custom_fields/{field}"]
    assert (await order.read(shipment))["custom_fields"] == {"pallets": "3"}

    early = await order.post(shipment, "dispatch")
    assert (early.status_code, early.json()["type"]) == (409, "urn:tailrace:problem:field-missing")
    assert [each["field"] for each in early.json()["errors"]] == ["/custom_fields/inspection", "/custom_fields/gate"]
    assert "Inspection report, Gate" in early.json()["detail"]
    assert await shipping.published("shipment.dispatched") == []

    own: dict[str, Any] = {"inspection": "IR-7", "gate": "B2"}
    assert (await describe(order, shipment, **own))["custom_fields"] == own
    assert (await order.post(shipment, "dispatch")).json()["custom_fields"] == own
    told = [one.event for one in await shipping.published()]
    assert [event.custom_fields for event in told if isinstance(event, ShipmentFieldsChanged)] == [
        {"pallets": "3"},
        own,
    ]
    (left,) = [event for event in told if isinstance(event, ShipmentDispatched)]
    assert left.custom_fields == own
    late = await describe(order, shipment, 409, **own)
    assert late["type"] == "urn:tailrace:problem:shipment-state"


@pytest.mark.parametrize("how", ["pick", "pack", "hold"])
async def test_fields_are_said_at_any_time_before_it_leaves(order: Order, shipping: Harness, how: str) -> None:
    await says(shipping, fields={"shipment": [PALLETS]})
    shipment = await (order.packed() if how == "pack" else order.shipment())
    if how == "pick":
        await order.post(shipment, "pick", lines=order.some("4"))
    if how == "hold":
        await order.hear(OrderHeld(order_id=order.id, reason="credit"))
    before = await order.read(shipment)
    after = await describe(order, shipment, pallets="7")
    same = ("status", "held", "lines", "packages")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["custom_fields"] == {"pallets": "7"}
    stale = await shipping.client.put(
        f"/v1/shipments/{shipment}/custom-fields", json={"custom_fields": {}}, headers={"If-Match": '"1"'}
    )
    assert stale.status_code == 412


async def test_without_a_template_shipments_have_no_field_and_leave_as_ever(order: Order, shipping: Harness) -> None:
    shipment = await order.shipment()
    assert (await describe(order, shipment, 422, gate="B2"))["errors"][0]["field"] == "/custom_fields/gate"
    assert (await describe(order, shipment))["custom_fields"] == {}
    assert (await order.post(shipment, "dispatch")).status_code == 200


async def test_a_part_has_no_values_yet_and_gives_its_own_to_what_takes_it_in(order: Order, shipping: Harness) -> None:
    await says(shipping, fields={"shipment": [REPORT, GATE, PALLETS]})
    shipment = await order.shipment()
    await describe(order, shipment, inspection="IR-7", gate="B2")
    part = (await order.post(shipment, "split", lines=order.some("4"))).json()
    assert part["custom_fields"] == {}
    assert (await order.post(part["id"], "dispatch")).json()["type"].endswith("field-missing")
    await describe(order, part["id"], inspection="IR-8", pallets="2")
    whole = await order.post(shipment, "merge", shipment_id=part["id"])
    assert whole.json()["custom_fields"] == {"inspection": "IR-7", "gate": "B2", "pallets": "2"}
    told = [one.event for one in await shipping.published("shipment.fields_changed")][-1]
    assert isinstance(told, ShipmentFieldsChanged)
    assert (str(told.shipment_id), told.custom_fields) == (shipment, whole.json()["custom_fields"])


async def test_shipments_are_numbered_as_the_template_says(order: Order, shipping: Harness) -> None:
    first = await order.shipment()
    template = await says(shipping, numbering={"shipment": "HW-S{number:05}"})
    await order.post(first, "split", lines=order.some("4"))
    await order.shipment()
    # The series of a shipment is its order; a form that has it counts on from there.
    await says(shipping, template, numbering={"shipment": "{series}/{number:02}"})
    await order.post(first, "split", lines=order.some("1"))
    assert await numbers(order) == ["SO-000001-1", "HW-S00001", "HW-S00002", "SO-000001/02"]
    other = Order(shipping)
    await other.hear(other.request(number="SO-000002"))
    assert await numbers(other) == ["SO-000002/01"]
    told = [one.event.number for one in await shipping.published(ShipmentCreated)]
    assert told == [*await numbers(order), "SO-000002/01"]


async def test_a_number_that_was_given_in_another_form_is_passed_over(order: Order, shipping: Harness) -> None:
    await order.shipment()
    await says(shipping, numbering={"shipment": "SO-000001-{number}"})
    await order.shipment()
    assert await numbers(order) == ["SO-000001-1", "SO-000001-2"]


async def test_an_order_that_leaves_whole_is_not_split(order: Order, shipping: Harness) -> None:
    template = await says(shipping, shipping=ShippingRules(in_parts=False))
    shipment = await order.shipment()
    refused = await order.post(shipment, "split", lines=order.some("4"))
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:not-in-parts")
    assert len(await order.shipments()) == 1
    for said in (None, True):
        await says(shipping, template, shipping=ShippingRules(in_parts=said))
        assert (await order.post(shipment, "split", lines=order.some("1"))).status_code == 201
    assert sorted(line["quantity"] for each in await order.shipments() for line in each["lines"]) == [
        "1",
        "1",
        "2.5",
        "8",
    ]
