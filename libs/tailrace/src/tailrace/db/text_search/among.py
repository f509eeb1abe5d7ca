"""Whether a column has one of many values: one parameter for all of them, where `in_` makes one of each, and a statement for each number of them.

With a thousand values that is most of what a query costs its service.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, any_, literal


def among(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether the column has one of these; false where there are none."""
    found: ColumnElement[bool] = column == any_(literal(list(values), ARRAY(column.type)))
    return found
