"""What clients are shown. No secret is among it, save the tokens of a log-in."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from tailrace.core.money import Currency
from tailrace.core.personal_data import Personal
from tailrace.http.routing import View


class TenantView(View):
    id: UUID
    slug: str
    name: str
    currency: Currency
    industry: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class UserView(View):
    id: UUID
    email: Personal[str]
    name: Personal[str]
    roles: list[str]
    active: bool
    version: int
    created_at: datetime
    updated_at: datetime


class Me(UserView):
    """The user who asks, with what the roles allow at this moment."""

    scopes: list[str]
    tenant: TenantView


class RoleView(View):
    id: UUID
    name: str
    scopes: list[str]
    version: int
    created_at: datetime
    updated_at: datetime


class SigningKeyView(View):
    """`verifies_until` is null while no later key replaces it."""

    id: UUID
    state: Literal["next", "signing", "verifying", "retired", "revoked"]
    signs_from: datetime
    verifies_until: datetime | None


class SigningKeysView(View):
    items: list[SigningKeyView]


class AuditEntryView(View):
    """`actor_id` did `action` to `subject_id`; null where nobody was logged in, or nothing in particular was meant."""

    id: UUID
    at: datetime
    action: str
    actor_id: UUID | None
    subject_id: UUID | None
    ip: Personal[str] | None
    user_agent: str | None
    details: dict[str, Any]
