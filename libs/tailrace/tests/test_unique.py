"""A value that only one may have is refused with its field, also to the one who loses the race; any other constraint is our own mistake."""

import asyncio
import traceback
from dataclasses import replace
from typing import Any

import pytest
from fastapi import APIRouter
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs
from toy import Heard, Label, Line, Note, Writer, service

from tailrace.core.errors import CodeTaken
from tailrace.core.ids import uuid7
from tailrace.db import master_data
from tailrace.db.tables import inbox
from tailrace.db.violations import violation_of
from tailrace.http.routing import Tx, tenant_router
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

SECRET = "ada@example.com"
AT = "/v1/labels"
TAKEN = (409, "urn:tailrace:problem:code-taken", "/code")
odd = tenant_router("/v1/odd", tag="odd")


@odd.post("/nothing")
async def break_not_null(tx: Tx, who: Writer) -> None:
    await tx.execute(insert(Label).values(tenant_id=tx.tenant_id, id=uuid7(), code=SECRET, tone="plain", version=1))


@odd.post("/nobody")
async def break_foreign_key(tx: Tx, who: Writer) -> None:
    await tx.execute(insert(Line).values(tenant_id=tx.tenant_id, id=uuid7(), note_id=uuid7(), text=SECRET))


@odd.post("/shrill")
async def break_check(tx: Tx, who: Writer) -> None:
    row = {
        "tenant_id": tx.tenant_id,
        "id": uuid7(),
        "code_key": "x",
        "code": SECRET,
        "name": SECRET,
        "tone": "shrill",
        "version": 1,
    }
    await tx.execute(insert(Label).values(row))


@odd.post("/undeclared")
async def break_undeclared(tx: Tx, who: Writer) -> None:
    note = Note.write(SECRET)
    tx.add(note)
    await tx.flush()
    await tx.execute(insert(Line).values(tenant_id=tx.tenant_id, id=uuid7(), note_id=note.id, text=SECRET))


@odd.post("/key")
async def break_key(tx: Tx, who: Writer) -> None:
    key = uuid7()
    for _ in range(2):
        await tx.execute(insert(Heard).values(tenant_id=tx.tenant_id, key=key, times=1))


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    routers: list[APIRouter] = [*service.routers, odd]
    return await make_harness(replace(service, routers=routers))


def refusal(answer: Any) -> tuple[int, str, str]:
    problem = answer.json()
    return answer.status_code, problem["type"], problem["errors"][0]["field"]


async def somebody_waits(toy: Harness) -> None:
    """Returns when a transaction waits for the lock of another one."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    await eventually(lambda: toy.admin.fetchval(waiting), bool, what="somebody who waits for a lock")


async def test_of_eight_who_ask_at_once_one_gets_the_code_and_seven_learn_which_field(toy: Harness) -> None:
    answers = await asyncio.gather(*(toy.client.post(AT, json={"code": "A1"}) for _ in range(8)))
    made = [answer for answer in answers if answer.status_code == 201]
    assert len(made) == 1
    assert [refusal(answer) for answer in answers if answer not in made] == [TAKEN] * 7
    assert len(await toy.published("label.created")) == 1


async def test_who_loses_the_race_after_looking_is_refused_in_the_same_words(toy: Harness) -> None:
    values = {"code": "A1", "name": "First", "tone": "plain"}
    async with toy.tx() as first:
        await master_data.create(first, Label, values)
        # Its look finds nothing, since the first has not committed; its insert waits for that.
        second = asyncio.create_task(toy.client.post(AT, json={"code": "A1"}))
        await somebody_waits(toy)
    lost, late = await second, await toy.client.post(AT, json={"code": "A1"})
    assert refusal(lost) == refusal(late) == TAKEN
    assert lost.json()["detail"] == late.json()["detail"] == "This code is in use already."


async def test_a_code_is_kept_changed_and_given_free(toy: Harness) -> None:
    first = (await toy.client.post(AT, json={"code": "A1"})).json()
    other = (await toy.client.post(AT, json={"code": "A2"})).json()
    kept = await toy.client.put(f"{AT}/{first['id']}", json={"code": "A1", "name": "Better"})
    assert (kept.status_code, kept.json()["name"]) == (200, "Better")
    assert refusal(await toy.client.put(f"{AT}/{other['id']}", json={"code": "A1"})) == TAKEN
    assert (await toy.client_as(tenant=toy.other_tenant).post(AT, json={"code": "A1"})).status_code == 201
    await toy.client.delete(f"{AT}/{first['id']}")
    assert (await toy.client.put(f"{AT}/{other['id']}", json={"code": "A1"})).status_code == 200


async def test_within_one_transaction_the_second_is_refused_and_a_savepoint_saves_the_first(toy: Harness) -> None:
    values = {"code": "A1", "name": "First", "tone": "plain"}
    async with toy.tx() as tx:
        await master_data.create(tx, Label, values)
        with pytest.raises(CodeTaken):
            async with tx.begin_nested():
                await master_data.create(tx, Label, values)
    assert len(await toy.published("label.created")) == 1


async def test_two_new_ones_with_one_code_in_one_flush_are_refused_by_the_index(toy: Harness) -> None:
    values = {"code": "A1", "name": "First", "tone": "plain"}
    with pytest.raises(CodeTaken):
        async with toy.tx() as tx:
            tx.add_all([Label.create(values), Label.create(values)])
    assert await toy.published() == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nothing", {"sqlstate": "23502", "table": "label", "constraint": "", "columns": ("name",)}),
        ("nobody", {"sqlstate": "23503", "table": "note_line", "columns": ("note_id",)}),
        ("shrill", {"sqlstate": "23514", "table": "label", "constraint": "ck_label_tone", "columns": ()}),
    ],
)
async def test_any_other_constraint_is_our_mistake_and_the_log_says_which(
    toy: Harness, path: str, said: dict[str, Any]
) -> None:
    with capture_logs() as logs:
        answer = await toy.client.post(f"/v1/odd/{path}")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:tailrace:problem:internal")
    (line,) = [line for line in logs if line["event"] == "integrity violated"]
    assert {name: line[name] for name in said} == said
    logged = "".join(traceback.format_exception(line["exc_info"]))
    assert said["table"] in logged
    assert SECRET not in logged
    assert SECRET not in str(logs)


async def test_a_unique_value_that_declares_no_refusal_names_the_field_too_after_a_plain_statement(
    toy: Harness,
) -> None:
    assert refusal(await toy.client.post("/v1/odd/undeclared")) == (409, "urn:tailrace:problem:taken", "/position")


async def test_a_key_of_ours_that_collides_names_no_field(toy: Harness) -> None:
    answer = await toy.client.post("/v1/odd/key")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:tailrace:problem:refused")
    assert "errors" not in answer.json() or answer.json()["errors"] == []


async def test_values_are_taken_out_of_what_postgresql_says_of_a_table_without_row_security(toy: Harness) -> None:
    row = {"subscriber": f"{SECRET}) already exists.", "aggregate_id": uuid7(), "epoch": 1, "sequence": 1}
    with pytest.raises(IntegrityError) as failure:
        async with toy.tx() as tx:
            await tx.execute(insert(inbox), row)
            await tx.execute(insert(inbox), row)
    assert SECRET not in "".join(traceback.format_exception(failure.value))
    violation = violation_of(failure.value)
    assert (violation.table, violation.constraint) == ("inbox", "pk_inbox")
    assert violation.columns == ("subscriber", "aggregate_id")
