"""Events of identity, on `user.events`: tenants, users, roles and sessions (CRM design, Auth service)."""

from datetime import date
from typing import Annotated, ClassVar, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.accounting import ChartName
from tailrace.core.events import Described, Event
from tailrace.core.personal_data import Personal
from tailrace.core.values.days import DEFAULT_ZONE, TimeZone
from tailrace.core.values.fields import Country
from tailrace.core.values.money import Currency

DateKind = Literal[
    "order",
    "requested_date",
    "quote",
    "valid_until",
    "movement",
    "opening_stock",
    "journal",
    "period",
    "consent",
    "review",
    "invoice",
    "payment",
    "exchange_rate",
    "expected_delivery",
    "expiry",
    "bank_line",
    "account_roles",
    "price_list",
    "tariff",
    "tax",
    "target",
    "expected_close",
    "close",
    "meeting",
    "task",
    "delegation",
]
"""What is dated: orders, the days that goods are wanted on, quotes, their last days, moves of stock and shipments, opening stock, journals by hand,
periods, consents, the days on which a customer was asked and is to be asked again, invoices, payments and refunds, exchange rates, the days on which
suppliers' deliveries are expected, the last days of goods, lines of banks' statements, the days from which roles have other accounts, price lists,
tariffs, rates of tax and their rounding, targets of KPIs, the days on which opportunities are expected to close and did, meetings, when tasks are
due, and the begins of delegations."""

MAY_LIE_AHEAD: frozenset[DateKind] = frozenset(get_args(DateKind)) - {
    *("order", "movement", "opening_stock", "consent", "invoice", "payment", "close")
}
"""The others took place."""
MAY_LIE_BACK: frozenset[DateKind] = frozenset(get_args(DateKind)) - {"requested_date", "valid_until", "tax", "target"}
"""Goods are wanted when they are ordered or later, a quote ends on its day or later, and a rate or a target may have held ever since."""

DayCount = Annotated[int, Field(ge=0, le=100_000, examples=[366])]


class DateBounds(BaseModel):
    """How far from today one kind of date may lie; null where the default holds."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    kind: DateKind
    """What is dated."""
    days_back: DayCount | None = None
    """How many days before today it may lie."""
    days_ahead: DayCount | None = None
    """How many days after today it may lie; only where it need not have taken place."""


class UserEvent(Event):
    topic: ClassVar[str] = "user.events"
    publisher: ClassVar[str] = "identity"


class TenantCreated(UserEvent):
    """A company joined. Its slug is what people type to say where they log in; its days are those of `time_zone` (IANA).

    `chart`: the name of the chart of accounts that its books begin with.
    """

    type: ClassVar[str] = "iam.tenant.created"

    tenant_id: UUID
    slug: str
    name: str
    currency: Currency
    industry: str | None = None
    time_zone: TimeZone = DEFAULT_ZONE
    country: Country | None = None
    chart: ChartName = "general"


class TenantDatePolicyChanged(UserEvent):
    """How far from today the company's dates may lie, all of it; kinds that are not named have the defaults."""

    type: ClassVar[str] = "iam.tenant.date_policy_changed"

    tenant_id: UUID
    bounds: list[DateBounds]


class TenantTimeZoneChanged(UserEvent):
    """The company counts its days in another zone (IANA) from the day `since` on, which begins when it does there."""

    type: ClassVar[str] = "iam.tenant.time_zone_changed"

    tenant_id: UUID
    time_zone: TimeZone
    since: date


class TenantUpdated(UserEvent):
    """The company has another name or industry."""

    type: ClassVar[str] = "iam.tenant.updated"

    tenant_id: UUID
    name: str
    industry: str | None = None


class RoleChanged(UserEvent):
    """A role was made or its scopes were changed; no scopes means that it is gone."""

    type: ClassVar[str] = "user.role.changed"

    role_id: UUID
    name: str
    scopes: list[str]


class UserCreated(UserEvent):
    """A user was made, with these roles."""

    type: ClassVar[str] = "user.created"

    user_id: UUID
    email: Personal[str]
    name: Personal[str]
    roles: list[str]


class UserUpdated(UserEvent):
    """A user is different now; carries the whole. One that is not active cannot log in."""

    type: ClassVar[str] = "user.updated"

    user_id: UUID
    email: Personal[str]
    name: Personal[str]
    roles: list[str]
    active: bool


class UserDeleted(UserEvent):
    """A user is gone, and logged out everywhere. Who keeps something for the user hands it to `successor_id`; to nobody, when null."""

    type: ClassVar[str] = "user.deleted"

    user_id: UUID
    successor_id: UUID | None = None


class TeamDescription(UserEvent):
    """What both describing events say. A team lies within `parent_id`; who leads it and who deputises need not be among its members."""

    team_id: UUID
    name: str
    parent_id: UUID | None = None
    lead_id: UUID | None = None
    deputy_id: UUID | None = None
    member_ids: list[UUID] = []


class TeamCreated(TeamDescription):
    """There is a new team."""

    type: ClassVar[str] = "user.team.created"


class TeamUpdated(TeamDescription):
    """The team is different now: another name or place, other people. Carries the whole of it."""

    type: ClassVar[str] = "user.team.updated"


class TeamRestored(TeamDescription):
    """The team was dissolved and is there again, without those who left meanwhile."""

    type: ClassVar[str] = "user.team.restored"


class TeamDeleted(UserEvent):
    """The team is dissolved; its people stay."""

    type: ClassVar[str] = "user.team.deleted"

    team_id: UUID


class UserLoggedIn(UserEvent):
    """A session began."""

    type: ClassVar[str] = "user.login"

    user_id: UUID
    session_id: UUID


class UserLoggedOut(UserEvent):
    """A session ended; `reason` is logout, expired, revoked or reuse."""

    type: ClassVar[str] = "user.logout"

    user_id: UUID
    session_id: UUID
    reason: str = "logout"


class SigningKeyRevoked(UserEvent):
    """Access tokens that this key signed are good no more, whatever they say. Of the platform's tenant."""

    type: ClassVar[str] = "iam.signing_key.revoked"

    key_id: UUID


USER = Described("user_id", (UserCreated, UserUpdated), UserDeleted)
TEAM = Described("team_id", (TeamCreated, TeamUpdated, TeamRestored), TeamDeleted)

PUBLISHED: tuple[type[UserEvent], ...] = (
    TenantCreated,
    TenantTimeZoneChanged,
    TenantDatePolicyChanged,
    TenantUpdated,
    RoleChanged,
    UserCreated,
    UserUpdated,
    UserDeleted,
    TeamCreated,
    TeamUpdated,
    TeamRestored,
    TeamDeleted,
    UserLoggedIn,
    UserLoggedOut,
    SigningKeyRevoked,
)
