"""Wide questions are asked of the lake's files, by an engine of columns (DuckDB) in this process. It reads what a question needs, from a folder or a
bucket, and keeps nothing of its own.

Any process may ask, beside the one that writes: files never change. Whole numbers are added exactly.
"""

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import gcd
from typing import Any, Literal, get_args
from uuid import UUID

from analytics.lake.tables import Lake, Snapshot
from analytics.measures import CARRIED, Figure, Measure

WIDE = 250_000
"""From about how many rows on a question is asked of the lake: fewer are added up by PostgreSQL as quickly."""
_MEMORY = "512MB"
_HELD, _MOST = 60.0, 1000
"""Seconds for which a state is taken for the newest, until it is seen not to be; and of how many tenants."""
_THREADS = min(os.cpu_count() or 1, 4)
_FEW_PARTS, _MOST_STEPS = 40, 20_000
_TICK = timedelta(microseconds=1)
_WAITS, _LEFT_ALONE = 3.0, 30.0
"""Seconds that a question waits for a bucket, and for which a bucket that did not answer is not asked again."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which rows are added up, and by what they are told apart: the parts between `bounds` (none: all is of part 0), `key`, currency, measure.

    `known`: only what was known by then. `due`: of `task_due` only what is due by then. `owners`: only rows of these.
    """

    measures: Collection[Measure]
    bounds: Sequence[datetime] = ()
    known: datetime | None = None
    due: datetime | None = None
    owners: Collection[UUID] | None = None
    customer_id: UUID | None = None
    item_id: UUID | None = None
    warehouse_id: UUID | None = None
    currency: str | None = None
    key: Literal["owner_id", "customer_id", "label", "segment", "item_id", "warehouse_id"] | None = None
    by_currency: bool = False


_FIGURES: Sequence[Figure] = get_args(Figure)
Added = tuple[int, str | None, str | None, str, int, int, int, int]
"""Part, key, currency, measure, count, amount, seconds, quantity."""


class Engine:
    """Of one process. It is made ready at the first question."""

    def __init__(self, lake: Lake, *, wide: int = WIDE) -> None:
        self.lake, self.wide = lake, wide
        self._made: Any = None
        self._making = threading.Lock()
        self._seen: dict[UUID, tuple[float, Snapshot | None]] = {}
        self._away_until = 0.0

    async def snapshot(self, tenant_id: UUID, *, newest: bool = False) -> Snapshot | None:
        """A state of a tenant's movements, of the last minute or the newest; None while the bucket is left alone. Raises what `ask` does."""
        now = time.monotonic()
        if now < self._away_until:
            return None
        looked, seen = self._seen.get(tenant_id, (0.0, None))
        if newest or now - looked > _HELD or tenant_id not in self._seen:
            seen = await self._in_time(self.lake.snapshot, tenant_id)
            self._seen.pop(tenant_id, None)
            self._seen[tenant_id] = now, seen
            if len(self._seen) > _MOST:
                del self._seen[next(iter(self._seen))]
        return seen

    async def ask(self, seen: Snapshot, question: Question, most: int) -> list[Added]:
        """The sums of what a state holds, so many at most. Raises TimeoutError for a bucket that is slow, and what reading it does; then it is
        left alone."""
        found: list[Added] = await self._in_time(self._ask, seen, question, most)
        return found

    async def _in_time(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """In a thread. One that waits for a bucket longer than its question does ends by itself, by the limits that the store has."""
        if self.lake.is_local:
            return await asyncio.to_thread(work, *arguments)
        return await self.or_leave_alone(asyncio.to_thread(work, *arguments))

    async def or_leave_alone(self, answer: Awaitable[Any]) -> Any:
        """What comes from another machine, in time; if it does not, that one is asked no more for a while."""
        try:
            async with asyncio.timeout(_WAITS):
                return await answer
        except Exception:
            self._away_until = time.monotonic() + _LEFT_ALONE
            raise

    def _ask(self, seen: Snapshot, question: Question, most: int) -> list[Added]:
        connection = self._connection()
        # Loaded by now.
        from duckdb import ConversionException

        try:
            return self._answer(connection, seen, question, most, Given())
        except ConversionException:
            # A sum is beyond 64 bits: no company has met one yet, and it is exact all the same.
            return self._answer(connection, seen, question, most, Given(long=True))

    def _answer(self, connection: Any, seen: Snapshot, question: Question, most: int, given: "Given") -> list[Added]:
        asked = statement(question, f"read_parquet({given(list(seen.files))})", most, given)
        with connection.cursor() as cursor:
            found: list[Added] = cursor.execute(asked, given.values).fetchall()
        return found

    def _connection(self) -> Any:
        with self._making:
            if self._made is None:
                # A fifth of a second, and 30 MB, that a process without a wide question does without.
                import duckdb

                # What does not fit into memory is PostgreSQL's: nothing is left on a disk.
                settings: dict[str, Any] = {"threads": _THREADS, "memory_limit": _MEMORY, "temp_directory": ""}
                made = duckdb.connect(":memory:", config=settings)
                if not self.lake.is_local:
                    from analytics.lake.bucket import BucketFiles

                    made.register_filesystem(BucketFiles(self.lake.store.read_now))
                self._made = made
            return self._made


class Given:
    """The values of a statement, each named where it stands; and what differs from engine to engine.

    Sums are whole numbers of 64 bits, as they take Python half as long to read, and an error beyond that; of 128, where they are `long`.
    """

    def __init__(self, *, long: bool = False) -> None:
        self.values: dict[str, Any] = {}
        self._kind = "HUGEINT" if long else "BIGINT"

    def __call__(self, value: Any) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return self.placed(name, value)

    def placed(self, name: str, value: Any) -> str:
        """How a value is named in a statement."""
        return f"${name}"

    def part(self, bounds: Sequence[datetime]) -> str:
        """Which part `at` lies in. Many are looked up by the step that it lies in, the longest that goes into all parts, a day or an hour: for the
        days of a year that took half as long."""
        if len(bounds) <= _FEW_PARTS:
            return halved(bounds, self)
        lengths = [(after - before) // _TICK for before, after in pairwise(bounds)]
        step = gcd(*lengths)
        if sum(lengths) > step * _MOST_STEPS:
            return halved(bounds, self)
        parts = [number for number, length in enumerate(lengths) for _ in range(length // step)]
        return f'list_extract({self(parts)}::INTEGER[], (epoch_us("at") - epoch_us({self(bounds[0])})) // {step} + 1)'

    def total(self, column: str) -> str:
        """The exact sum of whole numbers."""
        return f"sum({column})::{self._kind}"

    def nothing(self) -> str:
        """The sum of what no row has, in the form of a sum."""
        return f"0::{self._kind}"


def statement(question: Question, source: str, most: int, given: Given) -> str:
    """The question in SQL, of rows that `source` gives; its values are among those given.

    Figures that rows of none of these measures have are neither read nor added up.
    """
    where = [_among("measure", sorted(question.measures), given), *_where(question, given)]
    key = "NULL" if question.key is None else f'"{question.key}"'
    currency = '"currency"' if question.by_currency else "NULL"
    told_apart = f'{given.part(question.bounds)} AS "part", {key} AS "key", {currency} AS "told", "measure"'
    carried = {figure for measure in question.measures for figure in CARRIED[measure]}
    totals = [given.total('"count"')]
    totals += [given.total(f'"{name}"') if name in carried else given.nothing() for name in _FIGURES]
    asked = f"SELECT {told_apart}, {', '.join(totals)} FROM {source} WHERE {' AND '.join(where)} GROUP BY 1, 2, 3, 4"
    return f"{asked} LIMIT {given(most)}"


def _where(question: Question, given: Given) -> list[str]:
    """What holds for the rows of every measure."""
    where: list[str] = []
    if question.bounds:
        where.append(f'"at" >= {given(question.bounds[0])} AND "at" < {given(question.bounds[-1])}')
    if question.known is not None:
        where.append(f'"known_at" <= {given(question.known)}')
    if question.due is not None:
        where.append(f'("measure" <> \'task_due\' OR "at" <= {given(question.due)})')
    if question.owners is not None:
        where.append(_among("owner_id", sorted(map(str, question.owners)), given))
    for name in ("customer_id", "item_id", "warehouse_id", "currency"):
        if (value := getattr(question, name)) is not None:
            where.append(_among(name, [str(value)], given))
    return where


def _among(column: str, values: Sequence[str], given: Given) -> str:
    return f'"{column}" IN ({", ".join(map(given, values))})' if values else "false"


def halved(bounds: Sequence[datetime], given: Given) -> str:
    """Which part `at` lies in, halved again and again: few comparisons, as long as there are few parts."""

    def between(low: int, high: int) -> str:
        if high - low <= 1:
            return str(low)
        middle = (low + high) // 2
        before, after = between(low, middle), between(middle, high)
        return f'CASE WHEN "at" < {given(bounds[middle])} THEN {before} ELSE {after} END'

    return between(0, max(len(bounds) - 1, 0))
