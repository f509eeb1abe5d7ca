"""What clients are shown. No secret is among it, save the tokens of a log-in."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from tailrace.core.money import Currency
from tailrace.core.personal_data import Personal
from tailrace.http.routing import ResourceView, View


class TimeZoneView(View):
    """`since` is the first day that is counted in this zone, 0001-01-01 for the one that the company began with."""

    since: date
    time_zone: str


class TenantView(ResourceView):
    """`time_zone` is the one that today is counted in; `time_zones` are those of the past and of days to come as well."""

    slug: str
    name: str
    currency: Currency
    industry: str | None
    time_zone: str
    time_zones: list[TimeZoneView]


class UserView(ResourceView):
    email: Personal[str]
    name: Personal[str]
    roles: list[str]
    active: bool


class Me(UserView):
    """The user who asks, with what the roles allow at this moment."""

    scopes: list[str]
    tenant: TenantView


class RoleView(ResourceView):
    name: str
    scopes: list[str]


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


class Tokens(View):
    """What a log-in or refresh answers with (RFC 6749, 5.1). Lifetimes in seconds."""

    access_token: str
    token_type: str = "Bearer"
    expires_in: int
    refresh_token: str
    refresh_expires_in: int


class ExchangedToken(View):
    """The answer of RFC 8693, section 2.2.1. `expires_in` in seconds."""

    access_token: str
    issued_token_type: str = "urn:ietf:params:oauth:token-type:access_token"
    token_type: str = "Bearer"
    expires_in: int
    scope: str
