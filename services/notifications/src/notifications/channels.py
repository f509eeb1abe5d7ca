"""Channels of chat programs: where the company's news goes, or one person's. Their addresses are secrets, known by reference alone."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from contracts.notifications import ChannelCreated, ChannelDeleted, ChannelRestored, ChannelUpdated, Service
from notifications.base import Base
from notifications.copies import UserCopy
from tailrace.core.errors import Invalid
from tailrace.db.database import Tx
from tailrace.db.master_data import MasterData
from tailrace.messaging.replica import by_ids


class NotificationChannel(MasterData, Base):
    """A channel of Slack or Teams that messages go to by an incoming webhook."""

    __tablename__ = "notification_channel"
    created, updated, deleted, restored = ChannelCreated, ChannelUpdated, ChannelDeleted, ChannelRestored
    fixed = ("service", "user_id")

    code: Mapped[str]
    service: Mapped[Service]
    address: Mapped[str]
    """As far as it is no secret; ends in `/`."""
    secret: Mapped[str]
    """A reference to what the address ends in. It bears the company's own id, so that no company can name another's."""
    kinds: Mapped[list[Any]]
    user_id: Mapped[UUID | None]
    """Whose it is; the company's, when null."""

    async def ensure_references(self, tx: Tx) -> None:
        """Raises Invalid for kinds of a person's channel, a user who is not there, and a reference that is another company's."""
        mine = {str(tx.tenant_id), tx.tenant_id.hex.upper()}
        if not any(each in self.secret for each in mine):
            detail = f"A reference bears the company's id: env:PARTNER_SECRET_{tx.tenant_id.hex.upper()}_… or file:{tx.tenant_id}.…"
            raise Invalid.field("/secret", detail)
        if self.user_id is not None and self.kinds:
            raise Invalid.field("/kinds", "What goes to a person's own channel, that person's preferences say.")
        if self.user_id is not None:
            (await by_ids(tx, UserCopy, [self.user_id])).in_use(self.user_id, "/user_id")
