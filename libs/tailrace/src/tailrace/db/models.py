"""What a service's tables are made of: rows that belong to a tenant, and aggregates that record an event with every change.

One integer, `version`, is an aggregate's optimistic lock, its ETag and the sequence of its last event.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, get_args, get_origin
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, MetaData, Numeric, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, object_session
from sqlalchemy.types import TypeEngine

from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.db.outbox import Recorder, UnitOfWork
from tailrace.db.tables import NAMING
from tailrace.db.violations import MODELS

__all__ = ["Aggregate", "Part", "SoftDeleted", "StreamRow", "Tables", "TenantRow"]

COLUMN_TYPES: Mapping[Any, TypeEngine[Any] | type[TypeEngine[Any]]] = {
    UUID: Uuid,
    datetime: DateTime(timezone=True),
    Decimal: Numeric(18, 6),
    int: BigInteger,
    str: Text,
    dict[str, Any]: JSONB,
    list[Any]: JSONB,
    list[dict[str, Any]]: JSONB,
}
"""How the types in `Mapped[...]` are stored."""


class Tables:
    """What a service's declarative base says: `class Base(Tables, DeclarativeBase): ...`.

    Each base has metadata of its own, with the kit's names for constraints. A column of a `Literal` is text, and a check constraint that bears
    the column's name holds it to the literal's values.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        if DeclarativeBase in cls.__bases__:
            named: Any = {"metadata": MetaData(naming_convention=NAMING), "type_annotation_map": dict(COLUMN_TYPES)}
            for name, value in named.items():
                setattr(cls, name, value)
            MODELS.append(named["metadata"])
            return super().__init_subclass__(**options)
        base: type[DeclarativeBase] = cls  # type: ignore[assignment]
        literals = dict(_literals(cls))
        base.registry.update_type_annotation_map({kind: Text() for kind in literals.values()})
        super().__init_subclass__(**options)
        for name, kind in literals.items():
            column = base.__mapper__.columns[name]
            if isinstance(column.table, Table):
                values = ", ".join(repr(value) for value in get_args(kind))
                column.table.append_constraint(CheckConstraint(f"{column.name} IN ({values})", name=column.name))
        if issubclass(cls, Part) and not hasattr(cls, getattr(cls, "__root__", "__root__")):
            raise TypeError(
                f"{cls.__name__} is part of nothing: __root__ has to name the relationship that leads to what it is part of"
            )
        return None


def _literals(kind: type) -> Iterator[tuple[str, Any]]:
    """The columns whose type is a Literal, or that or None, those of mix-ins included."""
    for owner in kind.__mro__:
        for name, annotation in getattr(owner, "__annotations__", {}).items():
            if get_origin(annotation) is Mapped:
                (inner,) = get_args(annotation)
                for part in (inner, *get_args(inner)):
                    if get_origin(part) is Literal:
                        yield name, part


class TenantRow:
    """A row of one tenant. `tenant_id` comes first in the key and is filled in from the transaction."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-20)

    def update_from(self, values: Mapping[str, Any]) -> bool:
        """Put values in place of what was, by column; whether anything is different now."""
        differing = {name: value for name, value in values.items() if getattr(self, name) != value}
        for name, value in differing.items():
            setattr(self, name, value)
        return bool(differing)


class StreamRow(TenantRow):
    """A stream as lists show it, written with each append. Its id and version are the stream's."""

    __mapper_args__ = {"eager_defaults": True}

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    version: Mapped[int] = mapped_column(sort_order=90)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=91)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now(), sort_order=92)


class Part(TenantRow):
    """A row inside an aggregate (an order's line). It may change only together with an event recorded on its root."""

    __root__: ClassVar[str]
    """Name of the relationship that leads to the aggregate, or to the part that this is a part of."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-10)


class Aggregate(TenantRow):
    """A row whose every change is recorded as an event and published under its id, in order, without gaps."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-10)
    version: Mapped[int] = mapped_column(default=0, sort_order=90)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=91)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now(), sort_order=92)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805  (SQLAlchemy calls it with the class)
        return {"version_id_col": cls.version, "version_id_generator": False, "eager_defaults": True}

    def record(self, event: Event) -> None:
        """Say what just changed. Raises `version` by one; the event is published when, and only when, the transaction commits."""
        self.version = (self.version or 0) + 1
        session = object_session(self)
        if isinstance(session, UnitOfWork):
            session.recorder.note(self, self.version, event)
        else:
            Recorder.hold(self, self.version, event)

    def record_as(self, kind: type[Event], *parts: Part, **given: Any) -> None:
        """Record an event whose fields the row has already said, so that they are not written again.

        A field is, in this order: what is `given`; `<table>_id` of this row or of one of the `parts`; what the innermost part calls so, then
        the next, then this row. Raises ValidationError for a field that nobody says and that has no default.
        """
        rows: Sequence[Any] = (*reversed(parts), self)
        said = {f"{row.__tablename__}_id": row.id for row in rows} | given
        for name in kind.model_fields:
            owner = next((row for row in rows if hasattr(row, name)), None)
            if name not in said and owner is not None:
                said[name] = getattr(owner, name)
        self.record(kind.model_validate(said, from_attributes=True))


class SoftDeleted(Aggregate):
    """An aggregate whose end leaves the row to those who refer to its id. `Tx.find` and `Tx.load` know it no more."""

    deleted_at: Mapped[datetime | None] = mapped_column(sort_order=93)
