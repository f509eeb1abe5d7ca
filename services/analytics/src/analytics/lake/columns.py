"""What the tables of the lake hold, column by column, and rows of Python as rows of Arrow.

Ids are text, times are microseconds of UTC, numbers are whole: nothing is ever a float.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from arro3.core import Array, DataType, Field, RecordBatch, Schema

Kind = Literal["id", "id or nothing", "text", "text or nothing", "time", "time or nothing", "day", "whole", "flag"]
_EPOCH, _TICK, _FIRST = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1), date(1970, 1, 1)
_TEXT, _WHOLE, _DAY = DataType.utf8(), DataType.int64(), DataType.date32()
_TIME = DataType.timestamp("us", tz="UTC")
_TYPES = {"id": _TEXT, "text": _TEXT, "time": _TIME, "day": _DAY, "whole": _WHOLE, "flag": DataType.bool()}
_OR_NOTHING = " or nothing"


class Columns:
    """By name, in order, what each column holds."""

    def __init__(self, **kinds: Kind) -> None:
        self.names = tuple(kinds)
        self._kinds = [kind.removesuffix(_OR_NOTHING) for kind in kinds.values()]
        empty = [kind.endswith(_OR_NOTHING) for kind in kinds.values()]
        self.schema = Schema(
            [
                Field(name, _TYPES[kind], nullable=may_be_empty)
                for name, kind, may_be_empty in zip(self.names, self._kinds, empty, strict=True)
            ]
        )

    def batch(self, rows: Sequence[Sequence[Any]]) -> RecordBatch:
        """Rows with a value for each column."""
        columns = zip(*rows, strict=True) if rows else [()] * len(self.names)
        arrays = [_array(kind, values) for kind, values in zip(self._kinds, columns, strict=True)]
        return RecordBatch.from_arrays(arrays, schema=self.schema)


def _array(kind: str, values: Sequence[Any]) -> Array:
    if kind == "time":
        return Array([None if value is None else (value - _EPOCH) // _TICK for value in values], _WHOLE).cast(_TIME)
    if kind == "day":
        return Array([(value - _FIRST).days for value in values], DataType.int32()).cast(_DAY)
    if kind == "id":
        return Array([None if value is None else str(value) for value in values], _TEXT)
    return Array(values, _TYPES[kind])
