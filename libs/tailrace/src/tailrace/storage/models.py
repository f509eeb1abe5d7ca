"""Attachments as rows: a file of something that a service keeps, as it is now, and each version of its content.

An attachment is an aggregate of its own, so that a file can be added while somebody else changes what it belongs to.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import DeclarativeBase, Mapped, relationship

from tailrace.db import tables
from tailrace.db.models import Part, SoftDeleted

DESCRIBED = ("name", "media_type", "size", "sha256", "content_version")
"""What events and versions say of a file."""


class _Base(DeclarativeBase):
    """The kit's own tables, which its migrations make."""

    metadata = tables.metadata


class Attachment(SoftDeleted, _Base):
    """A file, as it is now. `version` rises with every change, `content_version` with each new content."""

    __table__ = tables.attachment
    __mapper_args__ = {
        "version_id_col": tables.attachment.c.version,
        "version_id_generator": False,
        "eager_defaults": True,
    }

    if TYPE_CHECKING:
        kind: Mapped[str]
        owner_id: Mapped[UUID]
        came_from: Mapped[list[UUID]]
        name: Mapped[str]
        media_type: Mapped[str]
        size: Mapped[int]
        sha256: Mapped[str]
        content_version: Mapped[int]

    def described(self) -> Mapping[str, Any]:
        return {name: getattr(self, name) for name in DESCRIBED}


class Content(Part, _Base):
    """One version of the content of an attachment. `id` is that of the object in the store."""

    __table__ = tables.attachment_content
    __root__ = "attachment"

    attachment: Mapped[Attachment] = relationship()
    if TYPE_CHECKING:
        attachment_id: Mapped[UUID]
        content_version: Mapped[int]
        object_key: Mapped[str]
        name: Mapped[str]
        media_type: Mapped[str]
        size: Mapped[int]
        sha256: Mapped[str]
        added_at: Mapped[datetime]
        added_by: Mapped[UUID | None]
