"""What the company's template says of quotes: how they are numbered, and how they look on paper."""

from urllib.parse import unquote
from uuid import UUID

from printed import text_of

from contracts.catalog import TemplateChoiceUpdated, TemplateCreated
from contracts.templates import TemplateSettings
from tailrace.core.ids import uuid7
from tailrace_testing import today

from .conftest import AT, Desk


async def says(desk: Desk, **said: object) -> UUID:
    template, choice = uuid7(), uuid7()
    settings = TemplateSettings.model_validate(said)
    told = TemplateCreated(
        template_id=template,
        code="H",
        name="House",
        level="standard",
        parent_id=None,
        settings=settings,
        effective=settings,
    )
    await desk.h.deliver(told, aggregate_id=template)
    await desk.h.deliver(TemplateChoiceUpdated(template_choice_id=choice, template_id=template), aggregate_id=choice)
    return template


async def test_quotes_are_numbered_as_the_template_says_and_none_twice(desk: Desk) -> None:
    year = today().year
    assert (await desk.create())["number"] == f"Q-{year}-00001"
    await says(desk, numbering={"quote": f"Q-{year}-" + "{number:05}"})
    assert (await desk.create())["number"] == f"Q-{year}-00002", "the first one is taken"
    assert (await desk.create())["number"] == f"Q-{year}-00003"


async def test_a_document_is_saved_under_a_number_in_any_script(desk: Desk) -> None:
    await says(desk, numbering={"quote": '見積 "A"/{series}-{number:05}'})
    made = await desk.h.client.get(f"{AT}/{(await desk.sent())['id']}/document")
    assert made.status_code == 200, made.text
    plain, whole = made.headers["content-disposition"].split("; ")[1:]
    assert plain == f'filename="__ _A__{today().year}-00001-1.pdf"'
    assert unquote(whole.removeprefix("filename*=UTF-8''")) == f'見積 "A"_{today().year}-00001-1.pdf'


async def test_a_quote_looks_as_the_template_says_and_says_the_same(desk: Desk) -> None:
    quote = await desk.sent()
    plain = text_of((await desk.h.client.get(f"{AT}/{quote['id']}/document")).content)
    assert "Quotation" in plain and "Unitprice" in plain
    layout = {
        "columns": ["item", "amount"],
        "footer": "Registered in London",
        "words": {"en": {"title": {"quote": "Proposal"}, "item": "What we do"}},
    }
    await says(desk, layout=layout)
    path = await desk.link(quote)
    for at in (f"{AT}/{quote['id']}/document", f"{path}/document"):
        answer = await desk.h.client.get(at)
        assert answer.status_code == 200, answer.text
        printed = text_of(answer.content)
        assert all(word in printed for word in ("Proposal", "Whatwedo", "RegisteredinLondon", quote["number"]))
        assert "Unitprice" not in printed and "Quotation" not in printed
    assert (await desk.act(quote, "accept"))["status"] == "accepted", "the look is no part of what was approved"
