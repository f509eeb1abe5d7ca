"""What a service's tables are made of: rows that belong to a tenant, and aggregates that record an event with every change.

One integer, `version`, is an aggregate's optimistic lock, its ETag and the sequence of its last event.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Numeric, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, object_session
from sqlalchemy.types import TypeEngine

from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.db.outbox import Recorder, UnitOfWork
from tailrace.db.tables import NAMING

__all__ = ["COLUMN_TYPES", "NAMING", "Aggregate", "Part", "TenantRow"]

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
"""For `type_annotation_map`: how the types in `Mapped[...]` are stored."""


class TenantRow:
    """A row of one tenant. `tenant_id` comes first in the key and is filled in from the transaction."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-20)


class Part(TenantRow):
    """A row inside an aggregate (an order's line). It may change only together with an event recorded on its root."""

    __root__: ClassVar[str]
    """Name of the relationship that leads to the aggregate."""

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
