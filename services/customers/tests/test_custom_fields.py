"""Fields that the company adds to customers: held to its template, shown, found, exported and imported."""

import csv
import io
import json
from typing import Any
from uuid import UUID

import pytest

from contracts.catalog import TemplateChoiceUpdated, TemplateCreated, TemplateDeleted, TemplateUpdated
from contracts.customers import CustomerCreated
from contracts.templates import TemplateSettings
from customers.models import TemplateChoiceCopy
from tailrace.core.ids import uuid7
from tailrace.core.values.custom_fields import CustomField

from .conftest import AT, Sales

TIER = CustomField(key="tier", label="Tier", kind="choice", choices=["gold", "silver"])
SINCE = CustomField(key="since", label="Since", kind="day", required=True)
FLEET = CustomField(key="fleet", label="Fleet", kind="number", decimals=0)
OWN = {"tier": "gold", "since": "1999-01-31"}


async def says(sales: Sales, *fields: CustomField, id: UUID | None = None, updated: bool = False) -> UUID:
    """The company's template gives customers these fields."""
    id = id or uuid7()
    settings = TemplateSettings(fields={"customer": list(fields)})
    kind = TemplateUpdated if updated else TemplateCreated
    told = kind(
        template_id=id,
        code="HOUSE",
        name="House",
        level="standard",
        parent_id=None,
        settings=settings,
        effective=settings,
    )
    await sales.h.deliver(told, aggregate_id=id)
    return id


async def chooses(sales: Sales, template_id: UUID | None) -> None:
    id = uuid7()
    known = await sales.h.admin.fetchval(f"SELECT id FROM {TemplateChoiceCopy.__tablename__}")
    choice = TemplateChoiceUpdated(template_choice_id=known or id, template_id=template_id)
    await sales.h.deliver(choice, aggregate_id=known or id)


@pytest.fixture
async def house(sales: Sales) -> UUID:
    id = await says(sales, TIER, SINCE, FLEET)
    await chooses(sales, id)
    return id


async def test_values_are_held_to_the_template_and_told(sales: Sales, house: UUID) -> None:
    customer = await sales.create(custom_fields={**OWN, "fleet": 12})
    assert customer["custom_fields"] == {**OWN, "fleet": "12"}
    assert (await sales.read(customer))["custom_fields"] == customer["custom_fields"]
    (created,) = await sales.h.published(CustomerCreated)
    assert created.event.custom_fields == customer["custom_fields"]
    kept = await sales.put(customer, "", name="Ada Works", currency="EUR", custom_fields=OWN)
    assert kept["custom_fields"] == OWN


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"since": "1999-01-31", "nonsense": "x"}, "nonsense"),
        ({"tier": "gold"}, "since"),
        ({**OWN, "tier": "brass"}, "tier"),
        ({**OWN, "fleet": "1.5"}, "fleet"),
        ({**OWN, "since": "31.1.1999"}, "since"),
    ],
)
async def test_what_the_template_does_not_say_is_refused_by_name(
    sales: Sales, house: UUID, values: dict[str, Any], field: str
) -> None:
    for path in (AT, f"{AT}/bulk"):
        body: dict[str, Any] = {"name": "Ada", "currency": "EUR", "custom_fields": values}
        answer = await sales.h.client.post(path, json=body if path == AT else {"items": [body]})
        problem = answer.json() if path == AT else answer.json()["items"][0]["problem"]
        at = f"/custom_fields/{field}" if path == AT else f"/items/0/custom_fields/{field}"
        assert (problem["status"], [each["field"] for each in problem["errors"]]) == (422, [at])


async def test_without_a_template_there_is_no_field(sales: Sales) -> None:
    assert (await sales.create())["custom_fields"] == {}
    refused = await sales.h.client.post(AT, json={"name": "A", "currency": "EUR", "custom_fields": {"tier": "gold"}})
    assert refused.status_code == 422


async def test_a_change_of_the_template_changes_no_customer(sales: Sales, house: UUID) -> None:
    customer = await sales.create(custom_fields=OWN)
    await says(sales, FLEET, id=house, updated=True)
    assert (await sales.read(customer))["custom_fields"] == OWN
    refused = await sales.put(customer, "", 422, name="Ada", currency="EUR", custom_fields=OWN)
    assert {each["field"] for each in refused["errors"]} == {"/custom_fields/since", "/custom_fields/tier"}
    await chooses(sales, None)
    assert (await sales.put(customer, "", name="Ada", currency="EUR"))["custom_fields"] == {}
    await sales.h.deliver(TemplateDeleted(template_id=house, code="HOUSE"), aggregate_id=house)


async def test_customers_are_found_by_what_they_say_exported_and_imported(sales: Sales, house: UUID) -> None:
    await sales.create("Ada", custom_fields=OWN)
    await sales.create("Bo", custom_fields={**OWN, "tier": "silver"})
    assert await sales.found("silver") == ["Bo"]
    exported = (await sales.h.client.get(AT, headers={"Accept": "text/csv"})).text
    rows = list(csv.DictReader(io.StringIO(exported.removeprefix("\ufeff"))))
    assert [json.loads(row["custom_fields"]) for row in rows] == [OWN, {**OWN, "tier": "silver"}]
    for text, became in ((exported, "unchanged"), (exported.replace("silver", "gold"), "replaced")):
        answer = await sales.h.client.post(f"{AT}/import", content=text.encode(), headers={"Content-Type": "text/csv"})
        assert answer.status_code == 202, answer.text
        while not (job := (await sales.h.client.get(answer.headers["location"])).json())["ended_at"]:
            await sales.h.run_jobs()
        assert became in job["counts"] and "refused" not in job["counts"], job
    assert await sales.found("silver") == []
