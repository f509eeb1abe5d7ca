"""Calendar feeds: by a secret link a calendar program reads one user's own meetings and tasks, without a log-in, until the link is taken back.

A link's secret is made from a key of the service's own and a number that each renewal draws again. Kept is its SHA-256 alone, so that a database that
is read by somebody else opens no calendar; a link is shown to its user by making it again.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from sqlalchemy.orm import Mapped

from activities.base import Base
from activities.refusals import ReadTooOften
from contracts import activities as events
from tailrace.core.errors import Unknown
from tailrace.core.ids import uuid7
from tailrace.db.keys import tenant_index
from tailrace.db.models import Aggregate
from tailrace.db.visibility import Owned
from tailrace.settings import Settings

_SECRET_BYTES, _ID_BYTES = 24, 16
MOST_READS, WINDOW = 60, 600.0
"""So often one feed may be read in so many seconds, of each process."""
_MOST_WATCHED = 10_000


class CalendarFeed(Aggregate, Owned, Base):
    """A user's way to read what is theirs with a calendar program. Revoked, it leads nowhere, and stays revoked."""

    __tablename__ = "calendar_feed"
    __table_args__ = (tenant_index("user_id", "id"),)
    owned_by = "user_id"

    user_id: Mapped[UUID]
    name: Mapped[str]
    includes: Mapped[list[Any]]
    """`meetings`, `tasks`, or both."""
    nonce: Mapped[str]
    secret_sha256: Mapped[str]
    revoked: Mapped[bool]

    @classmethod
    def open(cls, user_id: UUID, tenant_id: UUID, name: str, includes: list[str], links: "Links") -> Self:
        feed = cls(id=uuid7(), user_id=user_id, name=name, includes=includes, revoked=False)
        feed._draw(tenant_id, links)
        feed.record(events.CalendarFeedOpened(feed_id=feed.id, user_id=user_id, name=name))
        return feed

    def renew(self, links: "Links") -> None:
        """Have another link; the one before leads nowhere. Raises Unknown when it was revoked."""
        self.ensure_open()
        self._draw(self.tenant_id, links)
        self.record(events.CalendarFeedRenewed(feed_id=self.id, user_id=self.user_id))

    def revoke(self) -> None:
        if not self.revoked:
            self.revoked, self.secret_sha256 = True, ""
            self.record(events.CalendarFeedRevoked(feed_id=self.id, user_id=self.user_id))

    def ensure_open(self) -> None:
        """Raises Unknown when it was revoked."""
        if self.revoked:
            raise Unknown("CalendarFeed", self.id)

    def opens(self, secret: bytes) -> bool:
        """Whether this is its secret; compared in constant time."""
        given = hashlib.sha256(secret).hexdigest()
        return not self.revoked and hmac.compare_digest(given, self.secret_sha256)

    def _draw(self, tenant_id: UUID, links: "Links") -> None:
        self.nonce = secrets.token_hex(16)
        secret = links.secret(tenant_id, self.id, self.nonce)
        self.secret_sha256 = hashlib.sha256(secret).hexdigest()


@dataclass(frozen=True, slots=True)
class Token:
    """What a link says: whose feed, which one, and the secret that shows it."""

    tenant_id: UUID
    feed_id: UUID
    secret: bytes

    def __str__(self) -> str:
        packed = self.tenant_id.bytes + self.feed_id.bytes + self.secret
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Token":
        """Raises Unknown for what is no link of this form."""
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            if len(packed) != 2 * _ID_BYTES + _SECRET_BYTES:
                raise ValueError("of another length")
        except (ValueError, binascii.Error) as error:
            raise Unknown("calendar feed", "of this link") from error
        first, second = packed[:_ID_BYTES], packed[_ID_BYTES : 2 * _ID_BYTES]
        return cls(UUID(bytes=first), UUID(bytes=second), packed[2 * _ID_BYTES :])


class Links:
    """Makes the secrets of links, with a key of the service's own."""

    def __init__(self, settings: Settings) -> None:
        self._key = hmac.new(settings.secret.encode(), b"activities:calendar-feed", hashlib.sha256).digest()

    def secret(self, tenant_id: UUID, feed_id: UUID, nonce: str) -> bytes:
        said = tenant_id.bytes + feed_id.bytes + nonce.encode()
        return hmac.new(self._key, said, hashlib.sha256).digest()[:_SECRET_BYTES]

    def token(self, feed: CalendarFeed) -> Token:
        return Token(feed.tenant_id, feed.id, self.secret(feed.tenant_id, feed.id, feed.nonce))


class Turnstile:
    """Lets each feed through so often and no more. It forgets the feeds that were read longest ago when it knows too many."""

    def __init__(self) -> None:
        self._seen: OrderedDict[UUID, tuple[float, int]] = OrderedDict()

    def pass_through(self, feed_id: UUID) -> None:
        """Raises ReadTooOften."""
        now = time.monotonic()
        began, reads = self._seen.pop(feed_id, (now, 0))
        if now - began >= WINDOW:
            began, reads = now, 0
        self._seen[feed_id] = began, reads + 1
        if len(self._seen) > _MOST_WATCHED:
            self._seen.popitem(last=False)
        if reads >= MOST_READS:
            raise ReadTooOften(max(1, int(began + WINDOW - now)))
