"""What is still to be written to the lake, and how far that has come.

A trigger puts the id of each movement here that is made, in the transaction that makes it, be it by the projection or by a rebuild. So what
waits here and what the lake holds is together always what is committed. `analytics.lake.exporter` takes it away.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Identity, Index, and_, bindparam, exists, func, or_, select, text
from sqlalchemy.orm import Mapped, mapped_column

from analytics.base import Base
from analytics.movements import Movement
from tailrace.db.models import TenantRow


class QueuedMovement(Base):
    """A movement that was made, or is `gone`: routing data, by which the exporter finds whose turn it is."""

    __tablename__ = "queued_movement"
    __table_args__ = (
        Index("ix_queued_movement_owner_id_movement_id", "owner_id", "movement_id"),
        Index("ix_queued_movement_owner_id_gone", "owner_id", postgresql_where=text("gone")),
    )

    number: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    owner_id: Mapped[UUID]
    """The tenant whose movement it is."""
    movement_id: Mapped[UUID]
    gone: Mapped[bool]
    batch: Mapped[int | None]
    """The commit of the lake that is to hold it; None while it is in none."""


class LakeExport(TenantRow, Base):
    """How far the lake of a tenant has come."""

    __tablename__ = "lake_export"

    exported: Mapped[int]
    """The last batch that the lake holds, of which nothing is queued any more; 0 before there is any."""
    numbered: Mapped[int]
    """The last number that was given to a batch, and is given to no other: a lake that holds a later one is not of this database."""
    exported_at: Mapped[datetime | None]


def waiting(tenant_id: UUID, exported: int) -> ColumnElement[bool]:
    """The movements that a lake does not hold which holds the batches up to `exported`."""
    one: Any = QueuedMovement
    later = or_(one.batch.is_(None), one.batch > exported)
    return Movement.id.in_(select(one.movement_id).where(one.owner_id == tenant_id, ~one.gone, later))


_of: Any = bindparam("tenant")
COUNTED = 10_000
STATE = select(
    func.coalesce(select(LakeExport.exported).scalar_subquery(), 0).label("exported"),
    func.coalesce(select(LakeExport.numbered).scalar_subquery(), 0).label("numbered"),
    exists().where(and_(QueuedMovement.owner_id == _of, QueuedMovement.gone)).label("spoilt"),
)
"""Of the tenant `tenant`: the last batch, the last number, and whether the lake holds what is gone."""
LAKE = select(
    select(LakeExport.exported_at).scalar_subquery().label("exported_at"),
    select(func.count())
    .select_from(select(QueuedMovement.number).where(QueuedMovement.owner_id == _of).limit(COUNTED).subquery())
    .scalar_subquery()
    .label("waiting"),
)
"""Of the tenant `tenant`: when its lake was written last, and how many rows wait, as far as they are counted."""
