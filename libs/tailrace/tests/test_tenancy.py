"""Whoever asks PostgreSQL anything is known to it by tenant first, without a message for that alone, and nothing of it stays on the connection."""

import asyncio
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import event, inspect, select, text
from sqlalchemy.exc import DBAPIError
from toy import Label, Note

from tailrace.core.context import Context
from tailrace.core.errors import Unknown
from tailrace.db.connections.tenancy import Connection
from tailrace_testing import Harness

_NAMED = text("SELECT coalesce(current_setting('app.tenant_id', true), '')")


async def _label(toy: Harness, tenant: UUID | None = None) -> UUID:
    body = {"code": "A", "name": "Apples", "tone": "plain"}
    answer = await toy.client_as(tenant=tenant).post("/v1/labels", json=body)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


@contextmanager
def _sent(toy: Harness, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is sent meanwhile: statements, and what begins and ends transactions."""
    sent: list[str] = []
    execute = asyncpg.Connection.execute

    async def noted(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        sent.append(query)
        return await execute(self, query, *arguments, **options)

    def note(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    engine = toy.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.Connection, "execute", noted)
        yield sent
    event.remove(engine, "before_cursor_execute", note)


async def _named(toy: Harness) -> set[str]:
    """The tenants that connections at rest are named after."""
    engine, together = toy.database.engine, asyncio.Barrier(4)

    async def look() -> str:
        async with engine.connect() as connection:
            await together.wait()
            return str(await connection.scalar(_NAMED))

    return set(await asyncio.gather(*(look() for _ in range(4))))


async def test_a_row_is_read_in_one_message(toy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    id = await _label(toy)
    with _sent(toy, monkeypatch) as sent:
        assert (await toy.client.get(f"/v1/labels/{id}")).status_code == 200
    assert len(sent) == 1, sent
    assert "set_config" in sent[0]


async def test_a_row_read_by_itself_is_the_row_that_a_transaction_reads(toy: Harness) -> None:
    id, context = await _label(toy), Context(tenant_id=toy.tenant)
    names = [column.key for column in inspect(Label).column_attrs]
    async with toy.tx() as tx:
        label = await tx.find(Label, id)
        expected = {name: getattr(label, name) for name in names}
    async with toy.database.transaction(context, read_only=True) as tx:
        alone = await tx.find(Label, id)
        assert toy.database.in_use == 0
        assert {name: getattr(alone, name) for name in names} == expected
        assert [type(getattr(alone, name)) for name in names] == [type(value) for value in expected.values()]
        # It is the session's, as any other: read once more it is the same one, and a query finds it again.
        assert await tx.find(Label, id) is alone
        assert (await tx.scalars(select(Label))).all() == [alone]


async def test_another_tenants_row_is_not_there(toy: Harness) -> None:
    id = await _label(toy, toy.other_tenant)
    for tenant in (toy.tenant, None):
        async with toy.database.transaction(Context(tenant_id=tenant), read_only=True) as tx:
            with pytest.raises(Unknown):
                await tx.find(Label, id)
    assert (await toy.client_as(tenant=toy.other_tenant).get(f"/v1/labels/{id}")).status_code == 200
    assert await _named(toy) == {""}


async def test_postgresql_names_the_tenant_before_it_looks_at_a_row(
    toy: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With either kind of plan, and whatever way to the row it takes."""
    id = await _label(toy)
    with _sent(toy, monkeypatch) as sent:
        await toy.client.get(f"/v1/labels/{id}")
    async with toy.database.looking() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        for plans in ("custom", "generic"):
            for scans in ("on", "off"):
                await driver.execute(f"SET plan_cache_mode = force_{plans}_plan; SET enable_seqscan = {scans}")
                await driver.execute(f"PREPARE one AS {sent[0]}")
                tenants = re.findall(r"set_config\('app.tenant_id', \$(\d)", sent[0])
                given = [
                    f"'{toy.tenant if number in tenants else id}'" for number in sorted(re.findall(r"\$(\d)", sent[0]))
                ]
                plan = await driver.fetch(f"EXPLAIN EXECUTE one ({', '.join(given)})")
                assert "One-Time Filter" in plan[1][0] and plan[0][0].startswith("Result"), plan
                assert len(await driver.fetch(f"EXECUTE one ({', '.join(given)})")) == 1
                await driver.execute("DEALLOCATE one; RESET ALL")


async def test_a_transaction_begins_with_its_tenant_named(toy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> None:
        async with toy.tx() as tx:
            await tx.scalars(select(Note.id))

    await ask()  # on a connection that was asked before
    with _sent(toy, monkeypatch) as sent:
        await ask()
    asked, begun, ended = sent
    assert begun.startswith("BEGIN") and f"'{toy.tenant}'" in begun
    assert "note" in asked and ended.startswith("COMMIT")
    with _sent(toy, monkeypatch) as sent:
        async with toy.tx():
            pass
    assert sent == []


async def test_what_was_to_be_said_first_is_said_in_no_other_transaction(toy: Harness) -> None:
    async with toy.tx() as tx:
        await tx.connection()  # and nothing is asked on it
    assert await _named(toy) == {""}


async def test_a_read_changes_nothing(toy: Harness) -> None:
    context = Context(tenant_id=toy.tenant)
    with pytest.raises(Exception, match="read-only"):
        async with toy.database.transaction(context, read_only=True) as tx:
            await tx.execute(text("UPDATE label SET name = 'x'"))


async def test_a_connection_whose_transaction_did_not_begin_is_closed(
    toy: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have begun nevertheless: between the two of the one message."""
    assert await _named(toy) == {""}  # on connections that were asked before
    closed: list[Connection] = []
    execute = asyncpg.Connection.execute

    async def broken(self: Connection, query: str, *arguments: Any, **options: Any) -> Any:
        if not query.startswith("BEGIN"):
            return await execute(self, query, *arguments, **options)
        closed.append(self)
        await execute(self, query, *arguments, **options)
        return await execute(self, "SELECT 1 / 0")

    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.Connection, "execute", broken)
        with pytest.raises(Exception, match="division by zero"):
            async with toy.tx() as tx:
                await tx.scalars(select(Note.id))
    assert closed and all(each.is_closed() for each in closed)
    assert await _named(toy) == {""}


async def test_a_connection_that_comes_back_within_a_transaction_is_closed(toy: Harness) -> None:
    async with toy.database.looking() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute(f"BEGIN; SELECT set_config('app.tenant_id', '{toy.tenant}', true)")
    assert driver.is_closed()


async def test_a_commit_that_is_refused_is_rolled_back(toy: Harness) -> None:
    with pytest.raises(DBAPIError, match="division by zero"):
        async with toy.tx() as tx:
            driver: Any = (await (await tx.connection()).get_raw_connection()).driver_connection
            with pytest.raises(DBAPIError):
                await tx.execute(text("SELECT 1 / 0"))
    assert not driver.is_in_transaction() and not driver.is_closed()


async def test_readers_that_go_away_leave_no_connection_and_no_tenant_behind(toy: Harness) -> None:
    chance, id, context = random.Random(20261130), await _label(toy), Context(tenant_id=toy.tenant)

    async def read() -> None:
        async with toy.database.transaction(context, read_only=True) as tx:
            await tx.find(Label, id)
            await tx.scalars(select(Label.id))

    for _ in range(40):
        tasks = [asyncio.create_task(read()) for _ in range(4)]
        for task in tasks:
            await asyncio.sleep(chance.uniform(0, 0.003))
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await _named(toy) == {""}
    assert toy.database.in_use == 0
