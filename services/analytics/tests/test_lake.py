"""The lake: wide questions come to the same with it as without, at every moment of an export, and a reader outside finds the same rows."""

import asyncio
import shutil
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import duckdb
import httpx2
import pytest
from buckets import admin, best, named, serving
from lake_reader import export, outside
from made_month import PAST, Month
from selling_desk import NOON, Desk, sell

from analytics import figures, wide
from analytics.lake import engine as engines
from analytics.lake import exporter
from analytics.lake.bucket import BucketFiles, name_of
from analytics.lake.engine import Engine, Given, Question, halved
from analytics.lake.tables import Lake, Snapshot
from tailrace.core.ids import uuid7
from tailrace.settings import Settings

TENANT = uuid7()

BY = {
    "sales-summary": ("company", "person", "team", "customer"),
    "customer-statistics": ("company", "status", "segment"),
    "approval-statistics": ("company", "kind"),
    "task-completion": ("team", "priority"),
}
FEW = {"sales-summary": ("team",), "approval-statistics": ("kind",)}


async def answers(
    desk: Desk,
    engine: Engine | None,
    *,
    client: httpx2.AsyncClient | None = None,
    of: Mapping[str, Sequence[str]] = FEW,
) -> list[Any]:
    """Every report, told apart in several ways, cut into several parts, of now and as of past days; without its stamps."""
    kept, desk.h.app.state.engine = desk.h.app.state.engine, engine
    found = []
    ways = cycle((("week", PAST[-1]), ("month", None), ("whole", PAST[0])))
    try:
        for report, bys in of.items():
            for by in bys:
                interval, as_of = next(ways)
                asked: dict[str, Any] = {"from_": "2026-09-01", "until": "2026-12-01", "by": by, "interval": interval}
                said = await desk.ask(f"/v1/reports/{report}", client=client, **asked, as_of=as_of)
                found.append({name: said[name] for name in ("rows", "standing")})
        of_team = await desk.ask("/v1/reports/sales-summary", client=client, team_id=desk.north, by="person")
        found.append(of_team["rows"])
    finally:
        desk.h.app.state.engine = kept
    return found


async def freshness(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.ask("/v1/reports/task-completion"))["freshness"]["lake"]
    return found


BY_TEAM_AND_DAY = """
import json, sys
import duckdb
from deltalake import DeltaTable
files = {name: DeltaTable(f"{sys.argv[1]}/{name}").file_uris() for name in ("movements", "teams", "days")}
rows = duckdb.execute('''
    WITH team AS (SELECT user_id, min(team_id) AS team_id FROM read_parquet($teams) WHERE until IS NULL GROUP BY ALL)
    SELECT d."day"::VARCHAR, t.team_id, f.currency, sum(f."count"), sum(f.amount)
    FROM read_parquet($movements) f JOIN read_parquet($days) d ON f."at" >= d.begins_at AND f."at" < d.ends_at
    LEFT JOIN team t ON t.user_id = f.owner_id
    WHERE f.measure = 'order_confirmed' GROUP BY ALL HAVING sum(f."count") <> 0 ORDER BY ALL''', files).fetchall()
print(json.dumps(rows))
"""


async def test_a_reader_outside_cuts_days_and_finds_teams_as_reports_do(desk: Desk) -> None:
    for number, owner in enumerate((desk.bo, desk.cy, desk.di, None)):
        await sell(desk, number, 10**number, owner)
    # Noon of the tenth in Tokyo; in UTC it is the night.
    await export(desk)
    await desk.form(desk.south, desk.di, desk.cy, at=NOON)
    await desk.form(desk.north, desk.bo, at=NOON)
    await sell(desk, 5, 50_000, desk.cy)
    await export(desk)
    found = outside(desk, BY_TEAM_AND_DAY, folder=str(Path(desk.h.app.state.lake.address(desk.h.tenant)).parent))
    asked: dict[str, Any] = {"from_": "2026-10-01", "until": "2026-11-01", "interval": "day", "by": "team"}
    rows = (await desk.ask("/v1/reports/sales-summary", **asked))["rows"]
    reported = [
        [row["begins_on"], row["key"], row["currency"], row["confirmed"]["count"], row["confirmed"]["amount"]]
        for row in rows
    ]
    assert sorted(found, key=str) == sorted(reported, key=str)
    assert {(row[1], row[4]) for row in reported} == {(str(desk.north), 1), (str(desk.south), 50_110), (None, 1_000)}


class Watched(Engine):
    """Counts what it is asked, and takes every question for a wide one."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake, wide=0)
        self.asked = 0

    async def ask(self, *arguments: Any) -> Any:
        self.asked += 1
        return await super().ask(*arguments)


def test_days_of_a_year_are_found_by_their_steps_where_clocks_move_too() -> None:
    """As halving finds them, at each bound and beside it; hours, where days are not all as long, and halves where nothing goes into all of them."""
    day, tick = timedelta(days=1), timedelta(microseconds=1)
    even = [NOON + number * day for number in range(100)]
    moved = [each + timedelta(hours=1) * (number > 50) for number, each in enumerate(even)]
    odd = [*even[:-1], even[-1] + tick]
    for bounds, stepwise in ((even, True), (moved, True), (odd, False)):
        given, halving = Given(), Given()
        said = given.part(bounds)
        assert ("list_extract" in said) is stepwise
        times = [each for at in bounds[:-1] for each in (at, at + tick, at + timedelta(hours=23), at + 17 * tick)]
        times = [each for each in times if each < bounds[-1]]
        for asked, values in ((said, given.values), (halved(bounds, halving), halving.values)):
            rows = duckdb.execute(
                f'SELECT {asked} FROM (SELECT unnest($times::TIMESTAMPTZ[]) AS "at")', {**values, "times": times}
            ).fetchall()
            assert [row[0] for row in rows] == [bisect_right(bounds, at) - 1 for at in times]


async def test_sums_beyond_64_bits_are_exact(desk: Desk, tmp_path: Path) -> None:
    made = "SELECT 'order_paid' AS measure, timestamptz '2026-10-01' AS at, 1::BIGINT AS count, n AS amount FROM (VALUES (%s)) said(n)"
    engine = Engine(desk.h.app.state.lake)
    for number, amounts in enumerate(([2**62, 5], [2**63 - 1, 2**63 - 1, 5])):
        file = str(tmp_path / f"part-{number}.parquet")
        duckdb.execute(f"COPY ({made % '), ('.join(f'{amount}::BIGINT' for amount in amounts)}) TO '{file}'")
        seen = Snapshot(1, str(tmp_path), [], [file], len(amounts), NOON, NOON)
        found = await engine.ask(seen, Question(measures=["order_paid"]), 10)
        assert found == [(0, None, None, "order_paid", len(amounts), sum(amounts), 0, 0)]


async def in_postgres(desk: Desk) -> list[list[Any]]:
    rows = await desk.h.admin.fetch(
        """SELECT measure, currency, sum(count)::bigint, sum(amount)::bigint, sum(seconds)::bigint, count(*) FROM movement
           GROUP BY measure, currency ORDER BY measure COLLATE "C", currency COLLATE "C" NULLS LAST"""
    )
    return [list(row) for row in rows]


async def test_the_lake_and_postgresql_agree_to_the_unit_whatever_is_exported(desk: Desk) -> None:
    month = Month(5, desk)
    month.fill()
    told = month.shuffled()
    told = told[: len(told) // 2]
    engine = Watched(desk.h.app.state.lake)
    third = len(told) // 3
    for part, (begin, end) in enumerate(((0, third), (third, 2 * third), (2 * third, len(told)))):
        for each in told[begin:end]:
            await desk.h.deliver(each.event, aggregate_id=each.document, time=each.at)
        if part < 2:
            await export(desk)
    assert await desk.h.admin.fetchval("SELECT count(*) FROM queued_movement") > 0
    without = await answers(desk, None, of=BY)
    assert await answers(desk, engine, of=BY) == without
    assert engine.asked >= len(without)
    assert (await freshness(desk))["waiting"] > 0
    await export(desk)
    assert await desk.h.admin.fetchval("SELECT count(*) FROM queued_movement") == 0
    assert (await freshness(desk))["waiting"] == 0
    assert await answers(desk, engine, of=BY) == without
    assert outside(desk) == await in_postgres(desk)


async def test_who_sees_their_own_alone_is_not_answered_by_the_lake(desk: Desk) -> None:
    for number, owner in enumerate((desk.bo, desk.di)):
        await sell(desk, number, 100, owner)
    await export(desk)
    engine = Watched(desk.h.app.state.lake)
    client = desk.h.client_as("reports:read:own", user=desk.bo)
    assert await answers(desk, engine, client=client) == await answers(desk, None, client=client)
    assert engine.asked == 0


async def restore(desk: Desk, batches: int) -> None:
    """As if the database were of so many exports ago, before what was exported then had a number, and had lost the newest order."""
    await desk.h.admin.execute("DELETE FROM movement WHERE amount = 102")
    await desk.h.admin.execute("DELETE FROM queued_movement")
    await desk.h.admin.execute(
        "UPDATE lake_export SET exported = exported - $1::bigint, numbered = numbered - $1::bigint", batches
    )


@pytest.mark.parametrize("what", ["the lake is lost", "a rebuild found other rows", "restored: 1", "restored: 2"])
async def test_a_lake_that_does_not_belong_to_the_rows_is_written_again(desk: Desk, what: str) -> None:
    engine = Watched(desk.h.app.state.lake)
    for number in range(3):
        await sell(desk, number, 100 + number, desk.bo)
        await export(desk)
    if what == "the lake is lost":
        shutil.rmtree(Path(desk.h.app.state.lake.address(desk.h.tenant)))
    elif what == "a rebuild found other rows":
        await desk.h.admin.execute("DELETE FROM movement WHERE amount = 101")
    else:
        await restore(desk, int(what[-1]))
    assert await answers(desk, engine) == await answers(desk, None)
    await sell(desk, 4, 400, desk.bo)
    assert await answers(desk, engine) == await answers(desk, None)
    await export(desk)
    assert outside(desk) == await in_postgres(desk)
    assert await answers(desk, engine) == await answers(desk, None)


async def test_a_report_that_would_be_too_long_is_refused_with_the_lake_and_without(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, owner in enumerate((desk.bo, desk.cy, desk.di)):
        await sell(desk, number, 100, owner)
    await export(desk)
    asked: dict[str, Any] = {"from_": "2026-10-01", "until": "2026-11-01", "by": "person"}
    # Three rows of two figures each.
    for engine in (None, Watched(desk.h.app.state.lake)):
        desk.h.app.state.engine = engine
        for rows, sums, status in ((3, 6, 200), (2, 6, 422), (3, 5, 422)):
            monkeypatch.setattr(figures, "MOST_ROWS", rows)
            monkeypatch.setattr(wide, "MOST_SUMS", sums)
            said = await desk.ask("/v1/reports/sales-summary", status, **asked)
            if status == 422:
                assert (said["type"], said["errors"][0]["field"]) == ("urn:tailrace:problem:too-many-rows", "by")
        if engine is not None:
            assert engine.asked > 0


def spoil(desk: Desk) -> None:
    """Every file holds something else."""
    for file in Path(desk.h.app.state.lake.address(desk.h.tenant)).glob("*.parquet"):
        file.write_bytes(b"nothing of the kind")


async def test_a_lake_that_cannot_be_read_leaves_the_answer_to_postgresql(desk: Desk) -> None:
    await sell(desk, 1, 100, desk.bo)
    await export(desk)
    engine = Watched(desk.h.app.state.lake)
    spoil(desk)
    assert await answers(desk, engine) == await answers(desk, None)
    assert engine.asked > 0


async def test_many_small_files_become_few_and_hold_the_same(desk: Desk) -> None:
    lake: Lake = desk.h.app.state.lake
    for number in range(18):
        await sell(desk, number, 100 + number, desk.bo)
        await exporter.export(desk.h.database, lake, desk.h.tenant)
    lake.tidy(desk.h.tenant)
    seen = lake.snapshot(desk.h.tenant)
    assert seen is not None
    assert len(seen.files) == 1
    assert outside(desk) == await in_postgres(desk)


@pytest.fixture(params=["moto", "versitygw"])
async def bucket(request: pytest.FixtureRequest, desk: Desk, tmp_path: Path) -> AsyncIterator[Lake]:
    """A lake in a bucket, of a server that another program is."""
    async with serving(request.param, tmp_path / "server") as address:
        admin(address).create_bucket(Bucket="papers")
        yield Lake(desk.h.settings.model_copy(update=named(address, "papers/prod")))


async def test_a_lake_in_a_bucket_answers_to_the_unit_whatever_is_exported(desk: Desk, bucket: Lake) -> None:
    month = Month(6, desk)
    month.fill()
    told = month.shuffled()
    told = told[: len(told) // 6]
    engine, half = Watched(bucket), len(told) // 2
    for each in told[:half]:
        await desk.h.deliver(each.event, aggregate_id=each.document, time=each.at)
    await exporter.export_all(desk.h.database, bucket)
    for each in told[half:]:
        await desk.h.deliver(each.event, aggregate_id=each.document, time=each.at)
    without = await answers(desk, None, of=BY)
    assert await answers(desk, engine, of=BY) == without, "one half is in the bucket, the other is not"
    await exporter.export_all(desk.h.database, bucket)
    assert await desk.h.admin.fetchval("SELECT count(*) FROM queued_movement") == 0
    assert await answers(desk, engine, of=BY) == without
    assert engine.asked >= 2 * len(without)
    seen = bucket.snapshot(desk.h.tenant)
    assert seen is not None
    assert (seen.exported, seen.rows) == (2, await desk.h.admin.fetchval("SELECT count(*) FROM movement"))


async def test_a_bucket_that_is_away_leaves_the_answer_to_postgresql_and_is_left_alone(
    desk: Desk, tmp_path: Path
) -> None:
    async with serving(best(), tmp_path / "server") as address:
        admin(address).create_bucket(Bucket="papers")
        bucket = Lake(desk.h.settings.model_copy(update=named(address, "papers")))
        await sell(desk, 1, 100, desk.bo)
        await exporter.export_all(desk.h.database, bucket)
        engine = Watched(bucket)
        without = await answers(desk, None)
        assert await answers(desk, engine) == without
        asked = engine.asked
        assert asked > 0
    # What it holds in memory is no answer to a table that it cannot look at.
    engine = Watched(bucket)
    began = time.monotonic()
    assert await answers(desk, engine) == without
    assert engine.asked == 0
    assert time.monotonic() - began < 12, "one question waited for it, the others did not"
    assert await engine.snapshot(desk.h.tenant) is None, "it is left alone for a while"


async def test_nobody_waits_for_a_bucket_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_WAITS", 0.1)
    async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0) as silent:
        address = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        lake = Lake(Settings(data=tmp_path).model_copy(update=named(address, "papers")))
        engine = Engine(lake)
        with pytest.raises(TimeoutError):
            await engine.snapshot(TENANT)
        assert await engine.snapshot(TENANT) is None


def test_what_was_read_lately_of_a_bucket_is_not_read_again_within_a_bound() -> None:
    read: list[tuple[int, int]] = []
    content = bytes(range(200))

    def from_bucket(key: str, start: int, end: int) -> bytes:
        assert key == "lake/part-1.parquet"
        read.append((start, end))
        return content[start:end]

    files = BucketFiles(from_bucket, held=100)
    name = name_of("lake/part-1.parquet", len(content))
    file = files.open(name)
    for begin, size in ((0, 50), (0, 50), (150, 80), (0, 50), (60, 40), (150, 50)):
        file.seek(begin)
        assert file.read(size) == content[begin : begin + size]
    assert read == [(0, 50), (150, 200), (60, 100), (150, 200)], "what was read least lately went first"
    assert file.read() == b""
    with pytest.raises(OSError, match="only read"):
        files.open(name, "wb")
