"""A list is narrowed by what it declares: the query's parameters, what is said of them, and the rows follow from one declaration."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from toy import Note, service

from tailrace.core.errors import Invalid, Refused
from tailrace.http.lists.filters import MOST_IDS, numbered
from tailrace_testing import Harness, MakeHarness

AT = "2026-05-01T12:00:00+00:00"
EARLIER, LATER = "2026-05-01T11:59:59.999999+00:00", "2026-05-01T12:00:00.000001+00:00"


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    harness = await make_harness(service)
    async with harness.tx() as tx:
        for words in ("Ada's 100 % note", "another", "closed"):
            tx.add(note := Note.write(words))
            if words == "closed":
                note.close()
    await harness.admin.execute("UPDATE note SET created_at = $1::text::timestamptz WHERE text = 'another'", AT)
    return harness


async def _texts(toy: Harness, *pairs: tuple[str, Any]) -> list[str]:
    answer = await toy.client.get("/v1/notes", params=[*pairs])
    assert answer.status_code == 200, answer.text
    return sorted(item["text"] for item in answer.json()["items"])


async def test_a_set_is_a_parameter_given_several_times(toy: Harness) -> None:
    assert await _texts(toy, ("status", "closed")) == ["closed"]
    assert await _texts(toy, ("status", "open")) == ["Ada's 100 % note", "another"]
    assert len(await _texts(toy, ("status", "open"), ("status", "closed"))) == len(await _texts(toy)) == 3


async def test_many_ids_are_asked_for_at_once(toy: Harness) -> None:
    ids = {item["text"]: item["id"] for item in (await toy.client.get("/v1/notes")).json()["items"]}
    some = [("id", ids["another"]), ("id", ids["closed"]), ("id", str(uuid4()))]
    assert await _texts(toy, *some) == ["another", "closed"]
    assert await _texts(toy, *some, ("status", "closed")) == ["closed"]
    assert await _texts(toy, ("id", str(uuid4()))) == []
    answer = await toy.client.get("/v1/notes", params=[("id", ids["another"])] * (MOST_IDS + 1))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "id")


async def test_an_equal_value(toy: Harness) -> None:
    assert await _texts(toy, ("version", 2)) == ["closed"]
    assert await _texts(toy, ("version", 2), ("status", "open")) == []


async def test_a_part_of_a_text_in_any_case_and_taken_by_the_letter(toy: Harness) -> None:
    assert await _texts(toy, ("text", "ADA")) == ["Ada's 100 % note"]
    assert await _texts(toy, ("text", "%")) == ["Ada's 100 % note"]
    assert await _texts(toy, ("text", "_")) == []


@pytest.mark.parametrize("kept", ["SO-000001", "so-000001", "Rg-１", "請求－７"])
async def test_a_number_is_found_in_any_width_and_case(toy: Harness, kept: str) -> None:
    """Of one that mixes both cases, or is kept in full width, as it is written."""
    condition = numbered(Note.text).condition
    asked = [kept, "ＳＯ－000001", "so-000001", "So-000001 ", "SO-00000"] if kept.lower() == "so-000001" else [kept]
    async with toy.tx() as tx:
        tx.add(Note.write(kept))
        await tx.flush()
        found = [each for each in asked if (await tx.scalars(select(Note.text).where(condition(each)))).all() == [kept]]
    assert found == (asked[:-1] if len(asked) > 1 else asked)


async def test_a_range_has_its_first_moment_and_not_its_last(toy: Harness) -> None:
    async def found(**bounds: str) -> bool:
        return "another" in await _texts(toy, *bounds.items())

    assert [await found(created_from=moment) for moment in (EARLIER, AT, LATER)] == [True, True, False]
    assert [await found(created_until=moment) for moment in (EARLIER, AT, LATER)] == [False, False, True]
    assert await found(created_from=AT, created_until=LATER)


async def test_a_value_out_of_bounds_is_refused_by_the_parameters_name(toy: Harness) -> None:
    for name, value in (
        ("status", "gone"),
        ("text", "\x00"),
        ("created_from", "2026-05-01T12:00:00"),
        ("version", "x"),
    ):
        answer = await toy.client.get("/v1/notes", params={name: value})
        assert (answer.status_code, answer.json()["errors"][0]["field"].partition(".")[0]) == (422, name)


async def test_the_document_describes_each_parameter(toy: Harness) -> None:
    said = toy.app.openapi()["paths"]["/v1/notes"]["get"]["parameters"]
    described = {parameter["name"]: parameter.get("description") for parameter in said if parameter["in"] == "query"}
    assert described == {
        "id": "Those with these ids; may be given several times.",
        "status": "One of these; may be given several times.",
        "text": "A part of it, in any case.",
        "version": "Only those that have exactly this.",
        "created_from": "This moment or later.",
        "created_until": "Before this moment.",
        "limit": "How many at most.",
        "cursor": "`next_cursor` of the page before.",
        "sort": "One of `created_at`, `id`, `text`; `-` before it for descending. `id` when left out.",
    }


async def test_a_mistyped_parameter_is_refused_with_those_that_there_are(toy: Harness) -> None:
    answer = await toy.client.get("/v1/notes", params={"statuss": "open", "limit": 1})
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (400, "urn:tailrace:problem:unknown-parameter")
    assert [error["field"] for error in problem["errors"]] == ["statuss"]
    known = "created_from, created_until, cursor, id, limit, sort, status, text, version"
    assert problem["detail"] == f"This takes {known}."


async def test_a_write_with_a_parameter_it_does_not_have_writes_nothing(toy: Harness) -> None:
    before = await toy.admin.fetchval("SELECT count(*) FROM note")
    answer = await toy.client.post("/v1/notes?dry_run=1", json={"text": "x"})
    assert (answer.status_code, answer.json()["detail"]) == (400, "This takes none.")
    assert await toy.admin.fetchval("SELECT count(*) FROM note") == before
    assert (await toy.anonymous().get("/v1/notes?statuss=open")).status_code == 401


async def test_a_page_goes_on_within_its_filter(toy: Harness) -> None:
    first = (await toy.client.get("/v1/notes", params={"status": "open", "limit": 1})).json()
    query = {"status": "open", "limit": 1, "cursor": first["next_cursor"]}
    second = (await toy.client.get("/v1/notes", params=query)).json()
    assert sorted(page["items"][0]["text"] for page in (first, second)) == ["Ada's 100 % note", "another"]
    assert second["next_cursor"] is None


async def test_operations_are_named_after_their_functions(toy: Harness) -> None:
    ids = {said["operationId"] for path in toy.app.openapi()["paths"].values() for said in path.values()}
    assert {"notes.list", "notes.read", "notes.create", "notes.close", "heard.read"} <= ids


async def test_refusals_are_declared_as_what_they_are(toy: Harness) -> None:
    for path in toy.app.openapi()["paths"].values():
        for operation in path.values():
            for status, said in operation["responses"].items():
                if status >= "400":
                    assert list(said["content"]) == ["application/problem+json"]


def test_a_problem_names_one_field_or_several() -> None:
    class Taken(Refused):
        slug, title = "toy-taken", "Taken"

    one, several = Taken("A1 is in use.", field="/code"), Invalid("They differ.", field=("/a", "/b"))
    assert [(each.field, each.detail) for each in one.errors] == [("/code", "A1 is in use.")]
    assert [(each.field, each.detail) for each in several.errors] == [("/a", "They differ."), ("/b", "They differ.")]
    assert Taken("No field.").errors == []
