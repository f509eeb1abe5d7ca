"""Unique values that refuse by name. An index declares its refusal once: a look before the flush raises it, or the index when a race is lost.

The look spares PostgreSQL's log an error, with the values in it, whenever a value was taken before the request began.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, Index, Table, and_, inspect, or_, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapper, Session

from tailrace.core.errors import Taken
from tailrace.db.violations import declared_key, violation_of

LIVE = "deleted_at IS NULL"
"""For `unique_value(where=…)`: what is deleted gives its value free."""
_REFUSAL, _FIELD = "refusal", "field"


def unique_value(
    *columns: str, refusal: type[Taken] = Taken, where: str | None = None, field: str | None = None
) -> Index:
    """For `__table_args__`: one row of a tenant may have these values, among those that `where` (SQL) is true of.

    A write that asks for them a second time is refused with `refusal`, which names `field`, or else the last column.
    """
    options: dict[str, Any] = {} if where is None else {"postgresql_where": text(where)}
    info = {_REFUSAL: refusal, _FIELD: field or columns[-1]}
    return Index(None, "tenant_id", *columns, unique=True, info=info, **options)


@dataclass(frozen=True, slots=True)
class _Unique:
    """An index, and the attributes that hold its columns' values."""

    index: Index
    attributes: Sequence[str]

    @property
    def of_live(self) -> bool:
        """Whether only what is not deleted has the values to itself."""
        return str(self.index.dialect_options["postgresql"]["where"]) == LIVE

    @property
    def columns(self) -> Sequence[Column[Any]]:
        return [column for column in self.index.columns if column.name != "tenant_id"]


def refuse_taken(session: Session, changed: Iterable[Any]) -> None:
    """Raises the refusal that an index declares, when a row has the values that one of the changed objects asks for."""
    for unique, wanted in _asked_for(session, changed).items():
        table = unique.index.table
        assert table is not None
        ids = [instance.id for instance in wanted]
        values = [
            and_(*(c == getattr(instance, a) for c, a in zip(unique.columns, unique.attributes, strict=True)))
            for instance in wanted
        ]
        query = select(table.c.id).where(or_(*values), table.c.id.not_in(ids)).limit(1)
        condition = unique.index.dialect_options["postgresql"]["where"]
        if session.scalar(query if condition is None else query.where(condition)) is not None:
            raise _refusal(unique.index.info, unique.columns[-1].name)


def refusal_of(error: IntegrityError) -> Taken | None:
    """The refusal of the unique value that was asked for twice; None for a primary key, and when it was another constraint."""
    violation = violation_of(error)
    if not violation.is_unique or not violation.columns or violation.constraint.startswith("pk_"):
        return None
    key = declared_key(violation.table, violation.constraint)
    return None if key is None else _refusal(key.info, violation.columns[-1])


def _refusal(info: Mapping[Any, Any], column: str) -> Taken:
    field = info.get(_FIELD, column)
    refusal: Taken = info.get(_REFUSAL, Taken)(f"This {field.replace('_', ' ')} is in use already.", field=f"/{field}")
    return refusal


def _asked_for(session: Session, changed: Iterable[Any]) -> dict[_Unique, list[Any]]:
    asked: dict[_Unique, list[Any]] = {}
    for instance in changed:
        for unique in _declared(type(instance)):
            state: Any = inspect(instance)
            if any(getattr(instance, name) is None for name in unique.attributes):
                continue
            if unique.of_live and instance.deleted_at is not None:
                continue
            # What is restored asks for its values again.
            watched = [*unique.attributes, *(("deleted_at",) if unique.of_live else ())]
            if state.pending or any(state.attrs[name].history.has_changes() for name in watched):
                asked.setdefault(unique, []).append(instance)
    return asked


def _read(kind: Any) -> tuple[_Unique, ...]:
    mapper: Mapper[Any] = inspect(kind)
    table = mapper.local_table
    if not isinstance(table, Table):
        return ()
    return tuple(
        _Unique(index, tuple(mapper.get_property_by_column(c).key for c in index.columns if c.name != "tenant_id"))
        for index in sorted(table.indexes, key=lambda index: str(index.name))
        if _REFUSAL in index.info
    )


_declared: Callable[[Any], tuple[_Unique, ...]] = cache(_read)
