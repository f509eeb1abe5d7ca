"""What a fact is in the lake: a movement with the number of its document, as rows of Arrow.

Ids are text, times are microseconds of UTC, amounts are whole minor units of `currency`. Whole numbers stay whole: nothing is ever a float.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from arro3.core import Array, DataType, Field, RecordBatch, Schema
from sqlalchemy import Select, and_, select

from analytics.movements import Document, Movement

_EPOCH, _TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_TEXT, _WHOLE, _TIME = DataType.utf8(), DataType.int64(), DataType.timestamp("us", tz="UTC")
_TYPES: dict[type, DataType] = {str: _TEXT, UUID: _TEXT, int: _WHOLE, datetime: _TIME}
_COLUMNS: dict[str, tuple[type, bool]] = {
    "id": (UUID, False),
    "measure": (str, False),
    "at": (datetime, False),
    "known_at": (datetime, False),
    "kind": (str, False),
    "document_id": (UUID, False),
    "document_number": (str, True),
    "owner_id": (UUID, True),
    "customer_id": (UUID, True),
    "currency": (str, True),
    "label": (str, True),
    "segment": (str, True),
    "came_of_id": (UUID, True),
    "count": (int, False),
    "amount": (int, False),
    "seconds": (int, False),
    "event_id": (UUID, False),
}
"""By name, what each holds and whether it may hold nothing."""
SCHEMA = Schema([Field(name, _TYPES[kind], nullable=empty) for name, (kind, empty) in _COLUMNS.items()])


def facts() -> Select[Any]:
    """Every movement of the tenant, those of one measure together, in the order of time: a reader of few measures or days skips the rest."""
    known = and_(Document.id == Movement.document_id, Document.kind == Movement.kind)
    columns = [
        Document.number.label(name) if name == "document_number" else getattr(Movement, name) for name in _COLUMNS
    ]
    return select(*columns).outerjoin(Document, known).order_by(Movement.measure, Movement.at, Movement.id)


def batch_of(rows: Sequence[Sequence[Any]]) -> RecordBatch:
    """Some rows that `facts` selects."""
    columns = zip(*rows, strict=True) if rows else [()] * len(_COLUMNS)
    arrays = [_array(kind, values) for (kind, _), values in zip(_COLUMNS.values(), columns, strict=True)]
    return RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _array(kind: type, values: Sequence[Any]) -> Array:
    if kind is datetime:
        return Array([(value - _EPOCH) // _TICK for value in values], _WHOLE).cast(_TIME)
    if kind is UUID:
        return Array([None if value is None else str(value) for value in values], _TEXT)
    return Array(values, _TYPES[kind])
