"""`tailrace doctor` finds texts from before there were rules, where they stand, and no others."""

import pytest
from toy import Note, service

from tailrace.cli.health.texts import of_database
from tailrace_testing import Harness, MakeHarness


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


@pytest.mark.parametrize("text", ["e\u0301", "a\u200bb", "\u202eabc", "a\x07\u3042", "\ufeffname"])
async def test_what_was_kept_before_there_were_rules_is_found(toy: Harness, text: str) -> None:
    async with toy.tx() as tx:
        tx.add(Note.write(text))
        tx.add(Note.write(text))
        tx.add(Note.write("plain"))
    assert await of_database(toy.admin) == {"note.text": 2, "note_line.text": 2}


async def test_what_is_as_it_ought_to_be_is_left_alone(toy: Harness) -> None:
    async with toy.tx() as tx:
        for text in (
            "\u00e9",
            "\u5c71\u7530",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\U0001f469\u200d\U0001f680",
            "a\nb",
        ):
            tx.add(Note.write(text))
    assert await of_database(toy.admin) == {}


async def test_json_is_looked_into(toy: Harness) -> None:
    await toy.client.post("/v1/labels", json={"code": "A", "name": "A"})
    await toy.admin.execute("UPDATE label SET marks = jsonb_build_array(jsonb_build_object('a', E'e\u0301'))")
    assert await of_database(toy.admin) == {"label.marks": 1}
