"""Orders are numbered as the company's template says."""

from uuid import UUID

from contracts.catalog import TemplateChoiceUpdated, TemplateCreated, TemplateUpdated
from contracts.templates import TemplateSettings
from tailrace.core.ids import uuid7

from .conftest import Desk


async def says(desk: Desk, form: str, id: UUID, *, updated: bool = False) -> None:
    settings = TemplateSettings(numbering={"order": form})
    kind = TemplateUpdated if updated else TemplateCreated
    told = kind(
        template_id=id, code="H", name="House", level="standard", parent_id=None, settings=settings, effective=settings
    )
    await desk.h.deliver(told, aggregate_id=id)


async def number(desk: Desk) -> str:
    made = await desk.h.client.post("/v1/orders", json=desk.body())
    assert made.status_code == 201, made.text
    return str(made.json()["number"])


async def test_numbers_have_the_form_that_the_template_gives_them_and_none_twice(desk: Desk) -> None:
    template, choice = uuid7(), uuid7()
    assert [await number(desk) for _ in range(2)] == ["SO-000001", "SO-000002"]
    await says(desk, "A-{number}", template)
    assert await number(desk) == "SO-000003", "it is not the company's yet"
    await desk.h.deliver(TemplateChoiceUpdated(template_choice_id=choice, template_id=template), aggregate_id=choice)
    assert await number(desk) == "A-4"
    await says(desk, "{series}SO-{number:06}", template, updated=True)
    assert await number(desk) == "SO-000005", "they count on, whatever the form"
    await desk.h.deliver(TemplateChoiceUpdated(template_choice_id=choice, template_id=None), aggregate_id=choice)
    assert await number(desk) == "SO-000006"
