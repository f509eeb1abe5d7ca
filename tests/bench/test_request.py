"""What a request costs within a service: that both sides answer under the benchmark, and where a look counts. How fast that is does not matter."""

from pathlib import Path

import pytest
from request.__main__ import SIDES, Bench, prepare
from request.stages import _INNERMOST, _WHOLE, Looks, stage_of

from tailrace_testing.databases import Databases


async def test_both_sides_answer_each_request(databases: Databases) -> None:
    harness, (app, engine), ids = await prepare(databases, items=25)
    try:
        bench, looks = Bench(harness, app, ids), Looks()
        with looks.looking():
            turns = {(what, side): await bench.turn(what, side, 25, 2) for what in bench.asked for side in SIDES}
        assert all(figures["own"] > 0 and figures["database"] > 0 for figures in turns.values()), turns
        assert sum(looks.shares().values()) == pytest.approx(1, abs=0.01)
        assert len(looks.found) > 3, looks.found
        rows = await harness.admin.fetchrow("SELECT (SELECT count(*) FROM item), (SELECT count(*) FROM plain_item)")
        assert tuple(rows) == (50, 50)
    finally:
        await engine.dispose()
        await harness.stop()


def test_a_look_counts_for_what_was_asked_for_and_else_for_the_innermost_that_is_known() -> None:
    orm, driver = ("/lib/sqlalchemy/orm/session.py", "execute"), ("/lib/asyncpg/prepared_stmt.py", "fetch")
    route, strange = ("/kit/tailrace/http/routing.py", "read"), ("/lib/json/encoder.py", "encode")
    assert stage_of([driver, orm, route]) == "driver (asyncpg)"
    assert stage_of([("/lib/asyncpg/connection.py", "execute"), (orm[0], "commit"), route]) == "transaction: end"
    assert stage_of([strange, ("/kit/tailrace/observability/logs.py", "said"), route]) == "line of log"
    assert stage_of([strange, route, ("/kit/tailrace/http/protocol/middleware.py", "__call__")]) == "the kit's route"
    assert stage_of([strange]) == "the event loop"


def test_stages_are_told_by_files_that_there_are() -> None:
    """A module that moved would take its stage along without a word."""
    root = Path(__file__).parents[2]
    ours = [path.as_posix() for folder in ("libs", "tests/bench") for path in (root / folder).rglob("*.py")]
    named = {place for _, place, *_ in (*_WHOLE, *_INNERMOST)}
    others = ("sqlalchemy/", "asyncpg/", "dialects/", "fastapi/", "starlette/")
    lost = [each for each in named if not each.startswith(others) and not any(each in path for path in ours)]
    assert lost == []
