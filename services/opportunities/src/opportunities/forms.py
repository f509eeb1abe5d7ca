"""Forms that strangers fill in: master data of the tenant's, each under an address that a secret of the platform signs.

What comes in by one is guarded in `guard`; nothing of it is shown to strangers but what the form asks for.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from contracts import leads as events
from contracts.leads import FormField
from opportunities.base import Base
from tailrace.core.errors import Unknown
from tailrace.db.keys import tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.models import TenantRow
from tailrace.settings import Settings

_MAC = 16
_BYTES = 16 + 16 + _MAC


class LeadForm(MasterData, Base):
    """What a site asks people who might buy."""

    __tablename__ = "lead_form"
    created, updated = events.LeadFormCreated, events.LeadFormUpdated
    deleted, restored = events.LeadFormDeleted, events.LeadFormRestored

    code: Mapped[str]
    fields: Mapped[list[dict[str, Any]]]
    origins: Mapped[list[Any]]
    consent_text: Mapped[str | None]
    source: Mapped[str | None]
    active: Mapped[bool]
    min_seconds: Mapped[int]
    work: Mapped[int]
    per_address: Mapped[int]
    per_hour: Mapped[int]
    same_within_days: Mapped[int]

    @property
    def asked(self) -> Mapping[str, FormField]:
        """Its fields by their keys, in its order."""
        return {each["key"]: FormField.model_validate(each) for each in self.fields}


class FormUse(TenantRow, Base):
    """How often a form was sent within an hour: by all (`who` is empty), or by one address, of which a hash is kept."""

    __tablename__ = "form_use"
    __table_args__ = (tenant_index("hour"),)

    form_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    hour: Mapped[datetime] = mapped_column(primary_key=True, sort_order=-9)
    who: Mapped[str] = mapped_column(primary_key=True, sort_order=-8)
    times: Mapped[int]


class FormAnswer(TenantRow, Base):
    """A challenge that was answered, so that it is not answered again."""

    __tablename__ = "form_answer"
    __table_args__ = (tenant_index("answered_at"),)

    form_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    salt: Mapped[str] = mapped_column(primary_key=True, sort_order=-9)
    answered_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Address:
    """Whose form an address leads to."""

    tenant_id: UUID
    form_id: UUID


class Signer:
    """Signs what strangers bring back, with a key of the service's own for each purpose."""

    def __init__(self, settings: Settings, purpose: str) -> None:
        self._key = hmac.digest(settings.secret.encode(), f"opportunities:{purpose}".encode(), "sha256")

    def sign(self, content: bytes) -> str:
        """The content and a signature, as a word of an address."""
        return _text(content + self._mac(content))

    def read(self, text: str, length: int) -> bytes | None:
        """The content of so many bytes, or None for what was not signed here. Signatures are compared in constant time."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return None
        content, mac = raw[:length], raw[length:]
        # The spelling is compared too: base64 has several for the same bytes.
        good = len(raw) == length + _MAC and hmac.compare_digest(mac, self._mac(content)) and _text(raw) == text
        return content if good else None

    def _mac(self, content: bytes) -> bytes:
        return hmac.new(self._key, content, hashlib.sha256).digest()[:_MAC]


def token_of(settings: Settings, address: Address) -> str:
    """The secret part of a form's address. It is good for as long as the form is there and active."""
    return Signer(settings, "form").sign(address.tenant_id.bytes + address.form_id.bytes)


def read_token(settings: Settings, token: str) -> Address:
    """Raises Unknown for what was not signed here."""
    content = Signer(settings, "form").read(token, _BYTES - _MAC) if len(token) <= 2 * _BYTES else None
    if content is None:
        raise Unknown("form", "of this address")
    return Address(UUID(bytes=content[:16]), UUID(bytes=content[16:]))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
