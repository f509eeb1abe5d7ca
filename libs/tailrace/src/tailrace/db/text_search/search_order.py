"""What a search finds, from the beginning of a list that is sorted by a text: a page looks up some hundred rows, where fifty thousand are found.

Beside the pairs of its texts a row is kept under the beginnings of the text that its list is sorted by, hashed as they are. So the list is a tree of
beginnings, and one look into the index tells of some branches, however many rows they have, which of them are found. Branches without any are passed
over. Of one with many the first rows are read one after another, which is quickest where many are found; the rest is parted. Where that begins, a few
that are found anyhow tell: what lies before the first of them is looked at together, since there is hardly any.

Beginnings follow one another as texts do where a database compares by code points, as the platform's own does (C.UTF-8).
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, text

from tailrace.db.database import Tx
from tailrace.db.text_search.among import among

LENGTHS = (1, 2, 3, 5, 7)
"""Of the beginnings, in characters. Seven are the form of a Japanese company and three more."""
MANY = 250
"""Of more rows than this a branch is parted, as far as there are longer beginnings: to read an id costs more than to look at a further branch."""
_ENOUGH, _MOST = 100, 3_200
"""So many are looked up together at first, and twice as many each time that a page is not full: whose rows they are may leave out most."""
WALKED = (2_000, 2_000, 4_000, 4_000)
"""How many rows are read one after another: from where the page begins, and where the next branches with many do. Behind them branches are parted."""
_FEWEST, _ABREAST = 2, 16
"""How many branches are looked at together: few at first, since a page may be full after them."""
_LISTED = 32
_END, _BEHIND_END, _LAST = "\x00", "\x01", "\U0010ffff"
_SURROGATES, _BEHIND_SURROGATES = 0xD800, 0xE000
ID_BYTES = 16

_BLOCK = "(ascii(at) >> 8)"
_NEXT_BLOCK = f"CASE {_BLOCK} WHEN x'd7'::int THEN chr(x'e000'::int) WHEN x'10ff'::int THEN NULL ELSE chr(({_BLOCK} + 1) << 8) END"
_NEXT = """CASE WHEN length(at) < :length THEN at || chr(1) ELSE left(at, :length - 1) ||
  CASE ascii(substr(at, :length, 1)) WHEN x'd7ff'::int THEN chr(x'e000'::int) WHEN x'10ffff'::int THEN NULL
  ELSE chr(ascii(substr(at, :length, 1)) + 1) END END"""
_BEFORE_BLOCK = f"CASE {_BLOCK} WHEN 0 THEN '' ELSE chr({_BLOCK} << 8) END"
_BEFORE = "left(at, :length)"
_RANGE = """
SELECT (SELECT {column} FROM {table} WHERE {column} >= :low AND {column} < :high ORDER BY {column} LIMIT 1),
  (SELECT {column} FROM {table} WHERE {column} >= :low AND {column} < :high ORDER BY {column} DESC LIMIT 1)
"""
_WALK = """
SELECT 'Z' < 'a' AND 'z' < chr(228),
  (SELECT {column} FROM {table} WHERE {column} >= :low AND {column} < :high ORDER BY {column} {next} OFFSET :rows LIMIT 1)
"""
_FORWARD = """
WITH RECURSIVE step(at, n) AS (
  (SELECT {column}, 1 FROM {table} WHERE {column} >= :low AND {column} < :high ORDER BY {column} LIMIT 1)
  UNION ALL
  SELECT (SELECT {column} FROM {table} WHERE {column} >= {next} AND {column} < :high ORDER BY {column} LIMIT 1), n + 1
  FROM step WHERE at IS NOT NULL AND n < :listed
) SELECT at FROM step WHERE at IS NOT NULL ORDER BY n
"""
_BACKWARD = """
WITH RECURSIVE step(at, n) AS (
  (SELECT {column}, 1 FROM {table} WHERE {column} >= :low AND {column} < :high ORDER BY {column} DESC LIMIT 1)
  UNION ALL
  SELECT (SELECT {column} FROM {table} WHERE {column} >= :low AND {column} < {next} ORDER BY {column} DESC LIMIT 1), n + 1
  FROM step WHERE at IS NOT NULL AND n < :listed
) SELECT at FROM step WHERE at IS NOT NULL ORDER BY n
"""
_PACKED = """
SELECT string_agg(uuid_send(id), ''::bytea) FROM (SELECT id FROM search_entry WHERE kind = :kind AND "by" = 'text'
  AND marks @> CAST(:marks AS bigint[]) AND marks && CAST(:branches AS bigint[]){owned} LIMIT :most) AS found
"""
_OWNED = " AND marks && CAST(:reached AS bigint[])"


Extent = tuple[str, str]
"""A part of the list: from a text, which belongs to it, to another, which does not. `low` is the lesser one in either direction."""


class OtherOrder(Exception):
    """The database does not compare texts by code points."""


def beginnings(sorted_by: str) -> Iterator[str]:
    """What a row is kept under: the block of 256 characters that the first one is of, and the beginnings, to the end of a short text."""
    ended = sorted_by + _END
    yield _named(0, ended)
    for length in LENGTHS:
        yield _named(length, ended)
        if length >= len(ended):
            return


@dataclass(slots=True)
class InOrder:
    """The rows of a `kind` that have all of `marks`, and one of `reached` unless that is None, in the order of its text `sorted_by`; `said` is what a
    row itself has to say.
    """

    tx: Tx
    kind: Any
    marks: Sequence[int]
    reached: Sequence[int] | None
    hashes: Callable[[Sequence[str]], Sequence[int]]
    said: ColumnElement[bool]
    descending: bool
    _walks: Iterator[int] = field(default_factory=lambda: iter(WALKED))
    _begin: str | None = None
    """Where what is found begins, or hardly before it; None where that is not known, and behind it."""
    _passed: bool = False
    """Whether branches were passed over since rows were last walked."""

    async def begun(self, start: str | None) -> tuple[ColumnElement[bool], Extent | None]:
        """The condition of what is found among the first rows of the list from the text `start` on; and where the rest of it is, if there is more.

        Raises OtherOrder.
        """
        low, high = "", _LAST
        if start is not None:
            low, high = (low, start + _BEHIND_END) if self.descending else (start, high)
        walked, rest = await self._walk((low, high), next(self._walks, 0))
        return and_(self.within(walked), self.said), rest

    async def parts(self, extent: Extent, some: Sequence[str]) -> AsyncIterator[ColumnElement[bool]]:
        """Conditions, each of the rows that come next in the list: together they are all that are found within an extent of it.

        `some` of the texts of those that are found, whichever, say where to begin.
        """
        low, high = rest = extent
        there = [text for text in some if low <= text < high]
        self._begin = (max if self.descending else min)(there, default=None)
        waiting: list[UUID] = []
        enough = _ENOUGH
        async for part in self._branch(extent):
            if isinstance(part, list):
                waiting += part
            if waiting and (len(waiting) >= enough or not isinstance(part, list)):
                yield self._listed(waiting, rest)
                waiting, enough = [], min(enough * 2, _MOST)
            if not isinstance(part, list):
                yield and_(self.within(part), self.said)
                # A branch that was walked in part is listed whole.
                low, high = part
                rest = (rest[0], low) if self.descending else (high, rest[1])
        if waiting:
            yield self._listed(waiting, rest)

    def _listed(self, ids: Sequence[UUID], extent: Extent) -> ColumnElement[bool]:
        return and_(among(self.kind.id, ids), self.within(extent), self.said)

    def within(self, extent: Extent) -> ColumnElement[bool]:
        """Whether a row lies there."""
        low, high = extent
        return and_(self._column >= low, self._column < high)

    async def _walk(self, extent: Extent, rows: int) -> tuple[Extent, Extent | None]:
        """The first so many rows of an extent, with all of the last one's text, and the rest, if there is more. Raises OtherOrder."""
        low, high = extent
        values = {"low": low, "high": high, "rows": rows}
        ordered, last = (await self.tx.execute(self._sql(_WALK, "DESC" if self.descending else "ASC"), values)).one()
        if not ordered:
            raise OtherOrder
        if last is None:
            return extent, None
        if self.descending:
            return (last, high), (low, last)
        return (low, last + _BEHIND_END), (last + _BEHIND_END, high)

    async def _branch(self, extent: Extent) -> AsyncIterator[list[UUID] | Extent]:
        """The ids of what is found in a part of the list; or where to walk, if that is tried or beginnings are too short to part it."""
        low, high = extent
        first, last = (await self.tx.execute(self._sql(_RANGE), {"low": low, "high": high})).one()
        length = None if first is None else _parting(first + _END, last + _END)
        if length is not None:
            async for each in self._parted(length, extent):
                yield each
        elif first is not None:
            yield extent

    async def _parted(self, length: int, extent: Extent) -> AsyncIterator[list[UUID] | Extent]:
        """The same by beginnings of this length."""
        at_first, size = True, _FEWEST
        async for stems in self._stems(length, *extent):
            while stems:
                before = self._before(length, stems)
                if self._begin is not None and not before:
                    if at_first and self._passed:
                        # It begins where this does.
                        async for each in self._dense(extent):
                            yield each
                        return
                    async for each in self._branch(self._of(length, stems[0], extent)):
                        yield each
                    stems, self._begin, at_first = stems[1:], None, False
                    continue
                some, at_first = stems[: before or size], False
                ids = await self._found(length, some)
                if len(ids) <= MANY:
                    yield ids
                    stems, size, self._passed = stems[len(some) :], min(size * 2, _ABREAST), True
                elif len(some) > 1:
                    self._begin, size = None, len(some) // 2
                else:
                    async for each in self._dense(self._of(length, some[0], extent)):
                        yield each
                    stems = stems[1:]

    async def _dense(self, extent: Extent) -> AsyncIterator[list[UUID] | Extent]:
        """The same of a part with many: its first rows to walk, as long as that is tried, and the rest by branches."""
        rest: Extent | None = extent
        self._passed = False
        if rows := next(self._walks, 0):
            (low, high), rest = await self._walk(extent, rows)
            if self._begin is not None and low <= self._begin < high:
                self._begin = None
            yield low, high
        if rest is not None:
            async for each in self._branch(rest):
                yield each

    def _before(self, length: int, stems: Sequence[str]) -> int:
        """How many branches lie wholly before where it begins."""
        if (begin := self._begin) is None:
            return 0
        bounds = (_between(length, stem) for stem in stems)
        return sum(1 for _ in takewhile(lambda each: each[0] > begin if self.descending else each[1] <= begin, bounds))

    def _of(self, length: int, stem: str, extent: Extent) -> Extent:
        """What of a branch lies within an extent."""
        low, high = _between(length, stem)
        return max(low, extent[0]), min(high, extent[1])

    async def _stems(self, length: int, low: str, high: str) -> AsyncIterator[list[str]]:
        """The beginnings of this length that there are, in the list's order, some at a time; for a block any text of it."""
        before = (_BEFORE, _BEFORE_BLOCK) if self.descending else (_NEXT, _NEXT_BLOCK)
        sql = self._sql(_BACKWARD if self.descending else _FORWARD, before[length == 0])
        while True:
            values = {"low": low, "high": high, "listed": _LISTED} | ({"length": length} if length else {})
            texts = list(await self.tx.scalars(sql, values))
            yield [text + _END for text in texts]
            if len(texts) < _LISTED:
                return
            begin, end = _between(length, texts[-1] + _END)
            low, high = (low, begin) if self.descending else (end, high)

    async def _found(self, length: int, stems: Sequence[str]) -> list[UUID]:
        """Of these branches the ids of what is found, at most one more than MANY."""
        marks = self.hashes([_named(length, stem) for stem in stems])
        values = {"kind": self.kind.__tablename__, "marks": self.marks, "branches": marks, "most": MANY + 1}
        if self.reached is not None:
            values["reached"] = self.reached
        sql = text(_PACKED.format(owned="" if self.reached is None else _OWNED))
        return unpacked(bytes(await self.tx.scalar(sql, values) or b""))

    @property
    def _column(self) -> Any:
        return getattr(self.kind, self.kind.sorted_by)

    def _sql(self, template: str, next: str = "") -> Any:
        names = {"column": self.kind.sorted_by, "table": self.kind.__tablename__, "next": next}
        return text(template.format(**names))


def _named(length: int, ended: str) -> str:
    """A beginning as it is hashed; of no length, a block."""
    return f"\x02{ord(ended[0]) >> 8:x}" if length == 0 else f"\x01{ended[:length]}"


def _parting(first: str, last: str) -> int | None:
    """The shortest beginnings that part two texts; None when none do, 0 for blocks."""
    if first == last:
        return None
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    if shared == 0 and ord(first[0]) >> 8 != ord(last[0]) >> 8:
        return 0
    return next((length for length in LENGTHS if length > shared), None)


def _between(length: int, stem: str) -> tuple[str, str]:
    """The first text of a branch, and the first behind it."""
    if length == 0:
        block = ord(stem[0]) >> 8
        return _character(block << 8) if block else "", _character((block + 1) << 8)
    begin = stem[:length]
    if begin.endswith(_END):
        return begin[:-1], begin[:-1] + _BEHIND_END
    return begin, begin[:-1] + _character(ord(begin[-1]) + 1)


def _character(code: int) -> str:
    if _SURROGATES <= code < _BEHIND_SURROGATES:
        return chr(_BEHIND_SURROGATES)
    return chr(min(code, ord(_LAST)))


def unpacked(packed: bytes) -> list[UUID]:
    """Ids that were read in one value, as `uuid_send` writes them."""
    return [UUID(bytes=packed[at : at + ID_BYTES]) for at in range(0, len(packed), ID_BYTES)]
