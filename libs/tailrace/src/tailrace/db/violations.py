"""What PostgreSQL says of a constraint that does not hold: its name, table and columns, and never a value.

PostgreSQL may put the row at fault into the error's text. It may be personal, so it is taken out where the error arises, before any log sees it.
Of a table under row-level security it says no column either: the models do.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, MetaData, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError

from tailrace.db.error_classes import sqlstate

MODELS: list[MetaData] = []
"""What the declarative bases of this process describe; a base adds its own."""
_UNIQUE = "23505"
_KEY = re.compile(r"Key \((?P<columns>.*?)\)")
_VALUES = re.compile(r"=\(.*\)(?= )", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Violation:
    """`columns` are those of the key at fault, without `tenant_id`; empty when it is no key's."""

    sqlstate: str
    table: str
    constraint: str
    columns: tuple[str, ...]

    @property
    def is_unique(self) -> bool:
        return self.sqlstate == _UNIQUE


def violation_of(error: IntegrityError) -> Violation:
    """Names are empty where neither PostgreSQL nor a model gives any."""
    origin = _origin(error)
    names = [getattr(origin, name, None) or "" for name in ("table_name", "constraint_name", "column_name", "detail")]
    table, constraint, column, detail = names
    columns = [column] if column else []
    if key := _KEY.match(detail):
        columns = key["columns"].split(", ")
    elif declared := declared_key(table, constraint):
        columns = [one.name for one in declared.columns]
    return Violation(sqlstate(error), table, constraint, tuple(c for c in columns if c != "tenant_id"))


def declared_key(table: str, constraint: str) -> Index | UniqueConstraint | ForeignKeyConstraint | None:
    """The key of that name, as a model declares it."""
    for known in (metadata.tables[table] for metadata in reversed(MODELS) if table in metadata.tables):
        for key in (*known.indexes, *known.constraints):
            if isinstance(key, Index | UniqueConstraint | ForeignKeyConstraint) and key.name == constraint:
                return key
    return None


def strip_values(error: BaseException) -> None:
    """Take the values out of what an integrity error says."""
    if not isinstance(error, IntegrityError):
        return
    origin = _origin(error)
    detail = getattr(origin, "detail", None)
    if not detail:
        return
    said = _VALUES.sub("", detail) if _KEY.match(detail) else "(left out: it holds values)"
    for one in {id(e): e for e in (error, error.orig, origin)}.values():
        if isinstance(one, BaseException):
            one.args = tuple(arg.replace(detail, said) if isinstance(arg, str) else arg for arg in one.args)
    origin.detail = said


def _origin(error: DBAPIError) -> Any:
    """The driver's own error, which SQLAlchemy's wraps twice."""
    return getattr(error.orig, "__cause__", None) or error.orig
