"""What clients are shown. No secret is among it, save the tokens of a log-in."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from contracts.users import DateKind
from tailrace.core.personal_data import Personal
from tailrace.core.values.fields import Country
from tailrace.core.values.money import Currency
from tailrace.http.routing import ResourceView, View


class TimeZoneView(View):
    """`since` is the first day that is counted in this zone, 0001-01-01 for the one that the company began with."""

    since: date
    """The first day that is counted in it."""
    time_zone: str
    """Its IANA name."""


class DateBoundsView(View):
    """What the company has said of one kind of date; null where the default holds."""

    kind: DateKind
    """What is dated."""
    days_back: int | None
    """How many days before today it may lie; null too where it does not lie back."""
    days_ahead: int | None
    """How many days after today it may lie; for `requested_date` and `valid_until`, after the day of the order and of the quote."""


class TenantView(ResourceView):
    """`time_zone` is the one that today is counted in; `time_zones` are those of the past and of days to come as well."""

    slug: str
    """What its people type to say where they log in."""
    name: str
    """What the company is called."""
    currency: Currency
    """What its books are kept in, an ISO 4217 code."""
    industry: str | None
    """What the company does, in its own words."""
    time_zone: str
    """What today is counted in, by its IANA name."""
    time_zones: list[TimeZoneView]
    """The zones of the past, of today, and of days to come."""
    country: Country | None
    """Where the company is, an ISO 3166-1 alpha-2 code."""
    date_policy: list[DateBoundsView]
    """How far from today dates may lie, of the kinds for which the company has said so."""


class UserView(ResourceView):
    email: Personal[str]
    """What the user logs in with."""
    name: Personal[str]
    """What people call the user."""
    roles: list[str]
    """What the user may do: the names of roles of the tenant."""
    active: bool
    """Whether the user may log in."""


class Me(UserView):
    """The user who asks, with what the roles allow at this moment."""

    scopes: list[str]
    """What the roles together allow."""
    tenant: TenantView
    """The company that the user belongs to."""


class RoleView(ResourceView):
    name: str
    """What the role is known by."""
    scopes: list[str]
    """What its holders may do, such as `orders:read`, `orders:*` or `*`."""


class TeamView(ResourceView):
    name: str
    """What it is called."""
    parent_id: UUID | None
    """The team that it lies within; null for none."""
    lead_id: UUID | None
    """The user who leads it."""
    deputy_id: UUID | None
    """The user who takes over from those who leave."""
    member_ids: list[UUID]
    """The users in it, besides the lead and the deputy."""


class PositionView(View):
    """Where a user stands among the teams."""

    team_ids: list[UUID]
    """The teams that the user belongs to, the oldest first."""
    superior_id: UUID | None
    """The lead of the nearest team that somebody else leads; null for nobody."""
    successor_id: UUID | None
    """Who would take over, did the user leave: a deputy, else a lead; null for nobody."""


class SigningKeyView(View):
    """`verifies_until` is null while no later key replaces it."""

    id: UUID
    """What tokens name as `kid`."""
    state: Literal["next", "signing", "verifying", "retired", "revoked"]
    """Whether it signs, is still believed, or neither."""
    signs_from: datetime
    """When it begins to sign, in UTC."""
    verifies_until: datetime | None
    """Until when what it signed is believed, in UTC; null while no later key replaces it."""


class SigningKeysView(View):
    items: list[SigningKeyView]
    """The newest first."""


class AuditEntryView(View):
    """`actor_id` did `action` to `subject_id`; null where nobody was logged in, or nothing in particular was meant."""

    id: UUID
    """By which the entry is named; later ones sort behind earlier ones."""
    at: datetime
    """When it happened, in UTC."""
    action: str
    """What was done, such as `user.login_failed`."""
    actor_id: UUID | None
    """The user who did it; null where nobody was logged in."""
    subject_id: UUID | None
    """What it was done to; null where nothing in particular was meant."""
    ip: Personal[str] | None
    """The address that it came from."""
    user_agent: str | None
    """What the client called itself."""
    details: dict[str, Any]
    """What else is known of it, by action."""


class Tokens(View):
    """What a log-in or refresh answers with (RFC 6749, 5.1). Lifetimes in seconds."""

    access_token: str
    """To be sent as `Authorization: Bearer …`; an RS256 JWT (RFC 9068)."""
    token_type: str = "Bearer"
    """Always `Bearer`."""
    expires_in: int
    """How long the access token is good, in seconds."""
    refresh_token: str
    """Good once, for the next pair of tokens."""
    refresh_expires_in: int
    """How long the refresh token is good, in seconds."""


class ExchangedToken(View):
    """The answer of RFC 8693, section 2.2.1. `expires_in` in seconds."""

    access_token: str
    """To be handed on; good at the one service alone."""
    issued_token_type: str = "urn:ietf:params:oauth:token-type:access_token"
    """Says that it is an access token."""
    token_type: str = "Bearer"
    """Always `Bearer`."""
    expires_in: int
    """How long it is good, in seconds."""
    scope: str
    """What it is good for, separated by spaces."""
