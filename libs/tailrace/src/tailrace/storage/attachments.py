"""Files that belong to what a service keeps: declared by their owner, and changed only together with an event of the service's own::

    papers = Attachments(Customer, AttachmentEvents(added=CustomerAttachmentAdded, replaced=…, deleted=…, restored=…, moved=…))

The object is kept when, and only when, the transaction commits that says so. The owner is held while a file is added, so that nobody deletes or
merges it meanwhile; deleted, it hides its files with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from tailrace.core.attachments import AttachmentEvent
from tailrace.core.errors import Invalid, NotDeleted, Stale, Unknown
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.models import Aggregate, SoftDeleted
from tailrace.storage.form import POINTER
from tailrace.storage.media_types import DOCUMENTS, TYPES
from tailrace.storage.models import Attachment, Content
from tailrace.storage.uploads import Received

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class AttachmentEvents:
    """What is recorded, each with `<owner>_id` and the fields of AttachmentEvent; `moved` with `from_<owner>_id` besides."""

    added: type[AttachmentEvent]
    replaced: type[AttachmentEvent]
    deleted: type[AttachmentEvent]
    restored: type[AttachmentEvent]
    moved: type[AttachmentEvent]

    def all(self) -> Sequence[type[AttachmentEvent]]:
        return (self.added, self.replaced, self.deleted, self.restored, self.moved)


class Attachments:
    """The files of one kind of owner. `largest` in bytes, `most` for each owner, deleted ones included."""

    def __init__(
        self,
        owner: type[Aggregate],
        events: AttachmentEvents,
        *,
        largest: int = 20 * MEGABYTE,
        most: int = 500,
        media_types: Iterable[str] = DOCUMENTS,
    ) -> None:
        """Raises ValueError for a type that the kit does not know by its bytes."""
        self.owner, self.events, self.largest, self.most = owner, events, largest, most
        self.media_types = frozenset(media_types)
        if unknown := sorted(self.media_types - TYPES.keys()):
            raise ValueError(f"{unknown[0]} is no type of file that can be told by its bytes")

    @property
    def kind(self) -> str:
        """What the owners' table is called; events have `<kind>_id`, paths `{<kind>_id}`."""
        return str(getattr(self.owner, "__tablename__"))  # noqa: B009  (a mapped class has one, and the base says so to nobody)

    def folder(self, tenant_id: UUID, owner_id: UUID) -> str:
        """Where in the store the files of an owner begin their life; the tenant comes first."""
        return f"{tenant_id}/{self.kind}/{owner_id}"

    def of(self, owner_id: UUID, *, deleted: bool = False) -> Select[Attachment]:
        """The files of an owner."""
        mine = (Attachment.kind == self.kind, Attachment.owner_id == owner_id)
        state = Attachment.deleted_at.is_not(None) if deleted else Attachment.deleted_at.is_(None)
        return select(Attachment).where(*mine, state)

    async def find(self, tx: Tx, owner_id: UUID, id: UUID) -> Attachment:
        """One file, for reading. Raises Unknown, for those of a deleted owner too."""
        await tx.find(self.owner, owner_id)
        return await tx.find(Attachment, id, Attachment.kind == self.kind, Attachment.owner_id == owner_id)

    async def content(self, tx: Tx, attachment: Attachment, content_version: int | None = None) -> Content:
        """The content as it is now, or as it was in a version. Raises Unknown."""
        wanted = content_version or attachment.content_version
        query = select(Content).where(Content.attachment_id == attachment.id, Content.content_version == wanted)
        content = (await tx.scalars(query)).one_or_none()
        if content is None:
            raise Unknown("version", str(wanted))
        return content

    async def check_room(self, tx: Tx, owner_id: UUID) -> None:
        """Raises Unknown for the owner, Invalid when it has as many files as it may."""
        await tx.find(self.owner, owner_id)
        mine = select(func.count()).where(Attachment.kind == self.kind, Attachment.owner_id == owner_id)
        if (await tx.scalar(mine) or 0) >= self.most:
            said = f"There are {self.most} files already, deleted ones among them; that is the most."
            raise Invalid.field(POINTER, said)

    async def add(self, tx: Tx, owner_id: UUID, match: int | None, received: Received) -> Attachment:
        """A new file; `match` is the version of the owner that the caller saw.

        Raises Unknown, Stale, Invalid, UploadSwept, and what the owner's `ensure_attachable` raises.
        """
        await self._hold(tx, owner_id, match)
        await self.check_room(tx, owner_id)
        attachment = Attachment(id=uuid7(), kind=self.kind, owner_id=owner_id, came_from=[], version=0)
        await self._fill(tx, attachment, received, 1)
        self._record(attachment, self.events.added)
        tx.add(attachment)
        return attachment

    async def replace(self, tx: Tx, owner_id: UUID, id: UUID, match: int | None, received: Received) -> Attachment:
        """The next version of its content; the same file again changes nothing. Raises Unknown, Stale, UploadSwept, and what `add` raises."""
        await self._hold(tx, owner_id)
        attachment = await self._load(tx, owner_id, id, match)
        if all(getattr(attachment, name) == getattr(received, name) for name in ("name", "media_type", "sha256")):
            return attachment
        await self._fill(tx, attachment, received, attachment.content_version + 1)
        self._record(attachment, self.events.replaced)
        return attachment

    async def delete(self, tx: Tx, owner_id: UUID, id: UUID, match: int | None) -> None:
        """Hide it; its content stays, so that it can be restored. Raises Unknown, Stale."""
        await self._hold(tx, owner_id)
        attachment = await self._load(tx, owner_id, id, match)
        attachment.deleted_at = datetime.now(UTC)
        self._record(attachment, self.events.deleted)

    async def restore(self, tx: Tx, owner_id: UUID, id: UUID, match: int | None) -> Attachment:
        """Raises Unknown, Stale, NotDeleted."""
        await self._hold(tx, owner_id)
        attachment = await self._load(tx, owner_id, id, match, even_deleted=True)
        if attachment.deleted_at is None:
            raise NotDeleted(f"Attachment {attachment.id} is in use.")
        attachment.deleted_at = None
        self._record(attachment, self.events.restored)
        return attachment

    async def take_over(self, tx: Tx, from_id: UUID, into_id: UUID) -> None:
        """Let one owner have what another had, which stands for it from here on; both are locked by the caller."""
        theirs = select(Attachment.id).where(Attachment.kind == self.kind, Attachment.owner_id == from_id)
        for id in list(await tx.scalars(theirs.order_by(Attachment.id))):
            attachment = await tx.load(Attachment, id, even_deleted=True)
            self._move(attachment, into_id, [*attachment.came_from, from_id])

    async def give_back(self, tx: Tx, from_id: UUID, to_id: UUID) -> None:
        """Undo `take_over` of what an owner had, and another, whom the caller holds, has by now; what that one got otherwise stays."""
        theirs = select(Attachment.id).where(Attachment.kind == self.kind, Attachment.owner_id == from_id)
        for id in list(await tx.scalars(theirs.order_by(Attachment.id))):
            attachment = await tx.load(Attachment, id, even_deleted=True)
            if to_id in attachment.came_from:
                self._move(attachment, to_id, attachment.came_from[: attachment.came_from.index(to_id)])

    def _move(self, attachment: Attachment, to_id: UUID, came_from: list[UUID]) -> None:
        was, attachment.owner_id, attachment.came_from = attachment.owner_id, to_id, came_from
        self._record(attachment, self.events.moved, **{f"from_{self.kind}_id": was})

    async def _hold(self, tx: Tx, owner_id: UUID, match: int | None = None) -> None:
        """The owner stays as it is until this transaction ends. Raises Unknown, Stale, and what it says of changes to its files itself."""
        query = select(self.owner).where(self.owner.id == owner_id)
        held = query.with_for_update(read=True).execution_options(populate_existing=True)
        owner = (await tx.scalars(held)).one_or_none()
        if owner is None or (isinstance(owner, SoftDeleted) and owner.deleted_at is not None):
            raise Unknown(self.owner.__name__, owner_id)
        if match is not None and match != owner.version:
            raise Stale(match, owner.version)
        ensure: Any = getattr(owner, "ensure_attachable", None)
        if ensure is not None:
            ensure()

    async def _load(
        self, tx: Tx, owner_id: UUID, id: UUID, match: int | None, *, even_deleted: bool = False
    ) -> Attachment:
        attachment = await tx.load(Attachment, id, match, even_deleted=even_deleted)
        if (attachment.kind, attachment.owner_id) != (self.kind, owner_id):
            raise Unknown(Attachment.__name__, id)
        return attachment

    async def _fill(self, tx: Tx, attachment: Attachment, received: Received, content_version: int) -> None:
        await received.claim(tx)
        attachment.name, attachment.media_type = received.name, received.media_type
        attachment.size, attachment.sha256 = received.size, received.sha256
        attachment.content_version = content_version
        described = attachment.described()
        by = tx.context.user_id
        tx.add(Content(id=received.id, attachment=attachment, object_key=received.key, added_by=by, **described))

    def _record(self, attachment: Attachment, event: type[AttachmentEvent], **more: Any) -> None:
        owner = {f"{self.kind}_id": attachment.owner_id}
        attachment.record(
            event.model_validate({**owner, "attachment_id": attachment.id, **attachment.described(), **more})
        )
