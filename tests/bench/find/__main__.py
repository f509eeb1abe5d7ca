"""Fills a PostgreSQL of its own with customers of one tenant, marks included, and asks the service for them: `python -m find 1000000`.
With `pages` behind the number, marks are left out, which take most of the time, and pages alone are asked for.

Printed are, in ms, the median and the 95th percentile of the answer as a client has it and of its statements; and the time on a processor, of
PostgreSQL and of the service, per answer, which a busy machine disturbs less. The machine's load stands at the beginning and at the end.
"""

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from processor import on_processor
from sqlalchemy import event

from contracts.users import TeamCreated
from customers.models import Customer
from customers.service import service
from tailrace.core.ids import uuid7
from tailrace.db.text_search import search, search_order
from tailrace.observability.logs import configure
from tailrace.stack.embedded import Stack
from tailrace_testing.databases import Databases
from tailrace_testing.harness import Harness
from tailrace_testing.tokens import TestIssuer

AT_ONCE = 20_000
MARKS = "ix_search_entry_marks"
ROUNDS = 40
PAGES = 1000
REPS = 100
SURNAMES = "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林 斎藤 清水".split()
ENDINGS = "製作所 電機 商事 工業 物産 建設 運輸 化学 食品 精機".split()
SYLLABLES = (
    "ka ro mi ten sul var dor nel pim quo bra fex gli hun jor wes tya ban cor del fri gam hol ist kel lum mor nan osk per rin sto tra ulb vin"
    " wal yor zen ack ber"
).split()
COMMON = "Trading"
"""Every fiftieth customer is called so."""
QUERIES: Mapping[str, Callable[[int], str]] = {
    "a rare name": lambda rows: _rare(random.Random(7), 12),
    "a word that 2 % share": lambda rows: COMMON.lower(),
    "two Japanese characters": lambda rows: "山田",
    "two that 10 % share": lambda rows: "電機",
    "the beginning of a name": lambda rows: "karomi",
    "two words": lambda rows: f"{COMMON} karomi",
    "a number": lambda rows: f"C-{rows // 2 + 12_345:07d}",
    "a number of zeros": lambda rows: "C-0000000",
    "nobody": lambda rows: "zzyzx",
}


def _rare(dice: random.Random, seed: int) -> str:
    return "".join(dice.choice(SYLLABLES) for _ in range(4))


def _rows(rows: int, tenant: UUID, reps: list[UUID]) -> Iterator[tuple[UUID, str, str, str | None, UUID]]:
    dice = random.Random(1)
    for number in range(rows):
        word = _rare(dice, number).capitalize()
        if number % 2:
            name, reading = f"{dice.choice(SURNAMES)}{dice.choice(ENDINGS)} {word}", None
        else:
            name, reading = f"{word} {COMMON if number % 50 == 0 else _rare(dice, 0).capitalize()} Ltd", None
        yield uuid7(), f"C-{number:07d}", name, reading, dice.choice(reps)


async def _fill(admin: asyncpg.Connection, rows: int, tenant: UUID, reps: list[UUID], *, marks: bool = True) -> None:
    known: dict[str, int] = {}

    def mark(pair: str) -> int:
        if pair not in known:
            [known[pair]] = search._hashes(Customer, tenant, search.TEXT, [pair])
        return known[pair]

    columns = (
        "tenant_id id number kind status currency payment_terms_days tax_ids tax_id_checks addresses emails phones sales_rep_id consents match_keys"
        " name search_text masked_text code_key version"
    ).split()
    waiting: list[tuple[Any, ...]] = []
    entries: list[tuple[Any, ...]] = []

    async def write() -> None:
        await admin.copy_records_to_table("customer", records=waiting, columns=columns)
        await admin.copy_records_to_table(
            "search_entry", records=entries, columns=["kind", "id", "by", "tenant_id", "marks"]
        )
        waiting.clear()
        entries.clear()

    # Built at once it costs a fraction of what a million additions do.
    (index,) = [row[0] for row in await admin.fetch("SELECT indexdef FROM pg_indexes WHERE indexname = $1", MARKS)]
    await admin.execute(f"DROP INDEX {MARKS}; SET maintenance_work_mem = '512MB'")
    for id, number, name, _, rep in _rows(rows, tenant, reps):
        words = search._words([number, name])
        text, empty = search._joined(words), "[]"
        waiting.append(
            (
                tenant,
                id,
                number,
                "company",
                "active",
                "EUR",
                30,
                *[empty] * 5,
                rep,
                "{}",
                empty,
                name,
                text,
                "",
                number,
                1,
            )
        )
        if marks:
            pairs = {pair for word in words for pair in [*search._pairs(" " + word), *search._fours(word)]}
            pairs.update(search_order.beginnings(name))
            pairs.add(f"{search._OWNER}{rep}")
            pairs.update(search.pick(id))
            entries.append(("customer", id, search.TEXT, tenant, sorted(map(mark, pairs))))
        if len(waiting) == AT_ONCE:
            await write()
    await write()
    await admin.execute(index)
    for table in ("customer", "search_entry"):
        await admin.execute(f"VACUUM ANALYZE {table}")


async def _measure(rows: int, *, pages: bool) -> None:
    configure("find", "ERROR")
    folder = Path(tempfile.mkdtemp(prefix="tailrace-find-"))
    stack = Stack(folder / "data", only="postgres")
    try:
        stack.start()
        databases = Databases(stack.postgres_url, stack.supervisor.credentials.secret)
        harness = Harness(service, databases, TestIssuer(), await databases.clone(service))
        await harness.start()
        reps = [uuid7() for _ in range(REPS)]
        began = time.monotonic()
        await _fill(harness.admin, rows, harness.tenant, reps, marks=not pages)
        print(f"{rows} customers in {time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f}", flush=True)
        if not pages:
            await _measure_searches(harness, rows, reps)
        await _measure_pages(harness, harness.client_as("customers:read"), rows)
        print(f"load {os.getloadavg()[0]:.1f}")
        await harness.stop()
    finally:
        stack.discard()


async def _measure_searches(harness: Harness, rows: int, reps: list[UUID]) -> None:
    spent: list[float] = []
    _time_statements(harness, spent)
    everybody = harness.client_as("customers:read")
    for whose, client in (
        ("all", everybody),
        ("one's own, 1 %", harness.client_as("customers:read:own", user=reps[0])),
    ):
        for what, asked in QUERIES.items():
            await _ask(harness, client, f"{what}, of {whose}", {"q": asked(rows)}, spent)
    await _measure_reaches(harness, reps)
    for sort in ("name", "-name"):
        for what, asked in QUERIES.items():
            await _ask(harness, everybody, f"{what}, by {sort}", {"q": asked(rows), "sort": sort}, spent)
    own = harness.client_as("customers:read:own", user=reps[0])
    for what in ("a word that 2 % share", "two Japanese characters", "two that 10 % share"):
        await _ask(harness, own, f"{what}, one's own, by name", {"q": QUERIES[what](rows), "sort": "name"}, spent)


async def _measure_pages(harness: Harness, client: Any, rows: int) -> None:
    """The first page of all customers, and the thousandth."""
    limit = min(50, max(1, rows // PAGES - 1))
    for sort in ("id", "name"):
        path = first = f"/v1/customers?limit={limit}&sort={sort}"
        for _ in range(PAGES - 1):
            path = f"{first}&cursor={(await client.get(path)).json()['next_cursor']}"
        for what, at in (("page 1", first), (f"page {PAGES}", path)):
            took = []
            for round in range(ROUNDS * 2 + 3):
                if round == 3:
                    before = await on_processor(harness)
                began = time.perf_counter()
                assert (await client.get(at)).status_code == 200
                took.append((time.perf_counter() - began) * 1000)
            spent = zip(await on_processor(harness), before, strict=True)
            server, own = [(now - then) / (ROUNDS * 2) for now, then in spent]
            print(
                f"{what} of {limit} by {sort:26} answer {_said(took[3:])}  on processor {server:5.1f} + {own:4.1f}",
                flush=True,
            )


async def _measure_reaches(harness: Harness, reps: list[UUID]) -> None:
    """What it costs to know whose rows they are, on reading one customer."""
    team = uuid7()
    led = TeamCreated(team_id=team, name="Sales", lead_id=reps[0], member_ids=reps[:10])
    await harness.deliver(led, aggregate_id=team)
    id = await harness.admin.fetchval("SELECT id FROM customer WHERE sales_rep_id = $1 LIMIT 1", reps[0])
    for reach in ("", ":team", ":own"):
        client = harness.client_as(f"customers:read{reach}", user=reps[0])
        took = []
        for _ in range(ROUNDS * 5):
            began = time.perf_counter()
            assert (await client.get(f"/v1/customers/{id}")).status_code == 200
            took.append((time.perf_counter() - began) * 1000)
        print(f"one customer, customers:read{reach:6}  answer {_said(took)}", flush=True)


def _time_statements(harness: Harness, spent: list[float]) -> None:
    engine = harness.database.engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def before(connection: Any, *_: Any) -> None:
        connection.info["began"] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def after(connection: Any, *_: Any) -> None:
        spent.append((time.perf_counter() - connection.info["began"]) * 1000)


async def _ask(harness: Harness, client: Any, what: str, query: dict[str, str], spent: list[float]) -> None:
    answers, statements, found = [], [], 0
    for round in range(ROUNDS + 3):
        if round == 3:
            before = await on_processor(harness)
        spent.clear()
        began = time.perf_counter()
        answer = await client.get("/v1/customers/search", params=query)
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, answer.text
        found = len(answer.json()["items"])
        if round >= 3:
            answers.append(took)
            statements.append(sum(spent))
    server, own = [(now - then) / ROUNDS for now, then in zip(await on_processor(harness), before, strict=True)]
    told = f"answer {_said(answers)}  statements {_said(statements)}  on processor {server:5.1f} + {own:4.1f}"
    print(f"{what:45} {found:3} rows  {told}", flush=True)


def _said(times: list[float]) -> str:
    return f"{statistics.median(times):6.1f} {statistics.quantiles(times, n=20)[-1]:6.1f}"


if __name__ == "__main__":
    asyncio.run(_measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, pages="pages" in sys.argv))
