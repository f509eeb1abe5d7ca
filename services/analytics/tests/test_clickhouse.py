"""The lake asked by ClickHouse: the same to the unit as PostgreSQL says, from a folder and from a bucket, and PostgreSQL's when it does not answer.

What answers is chdb, ClickHouse's engine, behind its HTTP interface as far as that is used. These tests run where `make olap` has installed it.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pytest
from asking import free_port, listens
from buckets import admin, best, named, serving
from made_month import Month
from selling_desk import NOON, Desk, sell

from analytics import means
from analytics.lake import exporter
from analytics.lake.clickhouse import ClickHouse
from analytics.lake.engine import Question
from analytics.lake.tables import Lake, Snapshot
from tailrace.settings import PartnerAddress

from .test_lake import BY, answers

FRONT = Path(__file__).parent / "support/clickhouse_front.py"
USER, PASSWORD, REFERENCE = "tailrace", "correct-horse", "env:PARTNER_SECRET_CLICKHOUSE"


class Counted(ClickHouse):
    """Counts what it was answered."""

    answered = 0

    async def ask(self, *arguments: Any) -> Any:
        found = await super().ask(*arguments)
        self.answered += 1
        return found


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[PartnerAddress]:
    if find_spec("chdb") is None:
        pytest.skip("chdb is not here: `make olap` installs it")
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(FRONT), str(port), USER, PASSWORD, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        await listens(port)
        yield PartnerAddress(url=f"http://127.0.0.1:{port}", user=USER, secret=REFERENCE)
    finally:
        process.kill()
        await process.wait()


@pytest.fixture(params=["folder", "bucket"])
async def lake(request: pytest.FixtureRequest, desk: Desk, tmp_path: Path) -> AsyncIterator[Lake]:
    if request.param == "folder":
        yield desk.h.app.state.lake
        return
    async with serving(best(), tmp_path / "server") as address:
        admin(address).create_bucket(Bucket="papers")
        yield Lake(desk.h.settings.model_copy(update=named(address, "papers/prod")))


def engine_of(lake: Lake, address: PartnerAddress) -> Counted:
    return Counted(lake, lake.settings, address, wide=0)


async def test_clickhouse_and_postgresql_agree_to_the_unit(
    desk: Desk, lake: Lake, server: PartnerAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTNER_SECRET_CLICKHOUSE", PASSWORD)
    month = Month(7, desk)
    month.fill()
    told = month.shuffled()
    told = told[: len(told) // 12]
    third = len(told) // 3
    for part in range(3):
        for each in told[part * third : (part + 1) * third]:
            await desk.h.deliver(each.event, aggregate_id=each.document, time=each.at)
        if part < 2:
            await exporter.export_all(desk.h.database, lake)
    engine = engine_of(lake, server)
    without = await answers(desk, None, of=BY)
    assert await answers(desk, engine, of=BY) == without, "two thirds are in two files, the rest is in PostgreSQL"
    assert engine.answered >= len(without)


async def test_a_server_that_refuses_or_is_away_leaves_the_answer_to_postgresql(
    desk: Desk, server: PartnerAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sell(desk, 1, 100, desk.bo)
    await exporter.export_all(desk.h.database, desk.h.app.state.lake)
    without = await answers(desk, None)
    monkeypatch.setenv("PARTNER_SECRET_CLICKHOUSE", "not the password")
    for address in (server, server.model_copy(update={"url": f"http://127.0.0.1:{free_port()}"})):
        engine = engine_of(desk.h.app.state.lake, address)
        assert await answers(desk, engine) == without
        assert engine.answered == 0
        assert await engine.snapshot(desk.h.tenant) is None, "it is left alone for a while"


async def test_sums_beyond_64_bits_are_exact(
    desk: Desk, server: PartnerAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTNER_SECRET_CLICKHOUSE", PASSWORD)
    rows = "SELECT measure, timestamptz '2026-10-01' AS at, 1::BIGINT AS count, seconds::BIGINT AS seconds, quantity::BIGINT AS quantity, "
    rows += "(CASE WHEN n = 0 THEN -999999999 ELSE 9000000000000000007 END)::BIGINT AS amount FROM range(4) made(n), "
    rows += "(VALUES ('order_paid', 0, 0), ('approval_approved', -7, 0), ('goods_issued', 0, 9)) said(measure, seconds, quantity)"
    duckdb.execute(f"COPY ({rows}) TO '{tmp_path}/part-0.parquet'")
    seen = Snapshot(1, str(tmp_path), ["part-0.parquet"], [], 12, NOON, NOON)
    question = Question(measures=["order_paid", "approval_approved", "goods_issued"])
    found = await engine_of(desk.h.app.state.lake, server).ask(seen, question, 10)
    amount = 3 * 9000000000000000007 - 999999999
    assert sorted(found) == [
        (0, None, None, "approval_approved", 4, amount, -28, 0),
        (0, None, None, "goods_issued", 4, amount, 0, 36),
        (0, None, None, "order_paid", 4, amount, 0, 0),
    ]


async def test_an_address_decides_who_is_asked(desk: Desk) -> None:
    assert not isinstance(desk.h.app.state.engine, ClickHouse)
    address = PartnerAddress(url="http://127.0.0.1:1")
    settings = desk.h.settings.model_copy(update={"partners": {"clickhouse": address}})
    assert isinstance(means.engine_of(desk.h.app.state.lake, settings), ClickHouse)
