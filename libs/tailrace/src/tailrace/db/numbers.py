"""Numbers of documents: per tenant, kind and series they count from 1, without a gap.

A number is taken in the transaction that uses it, so one that is rolled back is given again. Take it last: who wants the next one of its series
waits from here to this transaction's end.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from sqlalchemy import bindparam, update
from sqlalchemy.dialects.postgresql import insert

from tailrace.db.database import Tx
from tailrace.db.tables import document_number

_COUNT = insert(document_number).values(last=1)
_NEXT = _COUNT.on_conflict_do_update(
    index_elements=["tenant_id", "kind", "series"], set_={"last": document_number.c.last + 1}
).returning(document_number.c.last)
_PASS_OVER = (
    update(document_number)
    .where(
        document_number.c.tenant_id == bindparam("whose"),
        document_number.c.kind == bindparam("of"),
        document_number.c.series == bindparam("within"),
    )
    .values(last=bindparam("passed"))
)
_LOOK_AHEAD = 1_000


@dataclass(frozen=True, slots=True)
class Numbers:
    """How the documents of a kind are numbered. `text` is a format of `number`, and of `series` where there are several."""

    kind: str
    text: str

    def written_as(self, text: str | None) -> "Numbers":
        """The same, in a company's own form; in the built-in one without it."""
        return self if text is None else Numbers(self.kind, text)

    async def next(self, tx: Tx, series: str = "") -> str:
        """The number that follows the last one of the series, written out; they count in one series where the form shows none."""
        series = self._counted_in(series)
        return self._written(await self._count(tx, series), series)

    async def next_free(
        self, tx: Tx, series: str, taken: Callable[[Collection[str]], Awaitable[Collection[str]]]
    ) -> str:
        """The same, but none that is `taken`, which says so of many at once: another form may have written it before."""
        series = self._counted_in(series)
        number, look_ahead = await self._count(tx, series), 1
        first = number
        while True:
            written = {self._written(each, series): each for each in range(number, number + look_ahead)}
            used = set(await taken(list(written)))
            found = next((text for text in written if text not in used), None)
            if found is not None:
                break
            number, look_ahead = number + look_ahead, _LOOK_AHEAD
        if written[found] > first:
            row = {"whose": tx.tenant_id, "of": self.kind, "within": series}
            await tx.execute(_PASS_OVER, {**row, "passed": written[found]})
        return found

    async def _count(self, tx: Tx, series: str) -> int:
        number = await tx.scalar(_NEXT, {"tenant_id": tx.tenant_id, "kind": self.kind, "series": series})
        return int(number)

    def _counted_in(self, series: str) -> str:
        return series if "{series}" in self.text else ""

    def _written(self, number: int, series: str) -> str:
        return self.text.format(number=number, series=series)
