"""Numbers of documents: per tenant, kind and series they count from 1, without a gap.

A number is taken in the transaction that uses it, so one that is rolled back is given again. Take it last: who wants the next one of its series
waits from here to this transaction's end.
"""

from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert

from tailrace.db.database import Tx
from tailrace.db.tables import document_number

_COUNT = insert(document_number).values(last=1)
_NEXT = _COUNT.on_conflict_do_update(
    index_elements=["tenant_id", "kind", "series"], set_={"last": document_number.c.last + 1}
).returning(document_number.c.last)


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
        series = series if "{series}" in self.text else ""
        number = await tx.scalar(_NEXT, {"tenant_id": tx.tenant_id, "kind": self.kind, "series": series})
        return self.text.format(number=number, series=series)
