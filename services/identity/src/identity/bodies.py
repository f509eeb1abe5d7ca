"""What clients may send. Addresses are compared in lower case; passwords are never shown in a log or an error."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, SecretStr

from contracts.accounting import CHART_OF, ChartName
from contracts.users import DateBounds
from tailrace.core.personal_data import Personal
from tailrace.core.values.days import DEFAULT_ZONE, TimeZone
from tailrace.core.values.fields import Country, Day, Email, Name, Password, Sentence
from tailrace.core.values.money import Currency
from tailrace.core.values.text import address
from tailrace.core.values.wire import TextRule
from tailrace.http.routing import Body

RoleName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z][a-z0-9_-]*$")]
Scope = Annotated[
    str,
    Field(pattern=r"^(\*|[a-z][a-z0-9_-]*:(\*|[a-z][a-z0-9_-]*(:(team|own))?))$", examples=["orders:read"]),
]
Slug = Annotated[str, Field(min_length=2, max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*[a-z0-9]$")]
NewPassword = Annotated[Password, Field(min_length=8)]


class LogIn(Body):
    """Who logs in, and where: `tenant` is the company's slug."""

    tenant: Annotated[str, Field(max_length=40), BeforeValidator(TextRule(address))]
    """The slug of the company, in any case."""
    email: Personal[Email]
    """The user's address, in any case."""
    password: Password
    """In clear; sent over TLS, and kept nowhere."""


class RefreshBody(Body):
    refresh_token: Annotated[SecretStr, Field(max_length=200)]
    """As the last log-in or refresh answered it."""


class NewAdmin(Body):
    email: Personal[Email]
    """What the administrator logs in with."""
    name: Personal[Name]
    """What people call the administrator."""
    password: NewPassword
    """8 to 128 characters, to be changed after the first log-in."""


class NewTenant(Body):
    """A company and its first administrator."""

    slug: Slug
    """What its people type to say where they log in; never changes."""
    name: Name
    """What the company is called."""
    currency: Currency
    """What its books are kept in, an ISO 4217 code; never changes."""
    industry: Name | None = None
    """What the company does, in its own words."""
    time_zone: TimeZone = DEFAULT_ZONE
    """What its days are counted in, by its IANA name."""
    country: Country | None = None
    """Where the company is, an ISO 3166-1 alpha-2 code."""
    chart: ChartName | None = None
    """The chart of accounts that its books begin with; that of its country when left out, or else `general`."""
    admin: NewAdmin
    """Its first user, with every scope of the tenant."""

    @property
    def first_chart(self) -> ChartName:
        """The chart that was asked for, or the country's."""
        return self.chart or CHART_OF.get(self.country or "", "general")


class TenantDescription(Body):
    name: Name
    """What the company is called."""
    industry: Name | None = None
    """What the company does, in its own words."""


class NewTimeZone(Body):
    """`since`: the first day that is counted in this zone. It begins there in a day's time at the earliest, so that every service knows in time."""

    time_zone: TimeZone
    since: Day


class BoundsOfDates(DateBounds, Body):
    """How far from today one kind of date may lie; null where the default holds."""


class DatePolicyBody(Body):
    """Replaces what was said before; kinds that are not named have the defaults."""

    bounds: Annotated[list[BoundsOfDates], Field(max_length=50)]
    """Each kind of date at most once."""


class NewUser(Body):
    email: Personal[Email]
    """What the user logs in with; unique among the tenant's users."""
    name: Personal[Name]
    """What people call the user."""
    password: NewPassword
    """8 to 128 characters."""
    roles: Annotated[list[RoleName], Field(max_length=50)] = []
    """What the user may do: the names of roles of the tenant."""


class ChangedUser(Body):
    """Replaces the user; a `password` is set only when one is given."""

    email: Personal[Email]
    """What the user logs in with; unique among the tenant's users."""
    name: Personal[Name]
    """What people call the user."""
    roles: Annotated[list[RoleName], Field(max_length=50)]
    """What the user may do: the names of roles of the tenant."""
    active: bool = True
    """Whether the user may log in."""
    password: NewPassword | None = None
    """A new one, of 8 to 128 characters; null to keep the old one."""


class RoleBody(Body):
    name: RoleName
    """What the role is known by; unique within the tenant, and never changed."""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=300)]
    """What its holders may do, such as `orders:read`, `orders:*` or `*`."""


class TeamBody(Body):
    """A team as it is to be, whole."""

    name: Name
    """What it is called; unique among the teams of the tenant, in any case and width."""
    parent_id: UUID | None = None
    """The team that it lies within; null for none. Five may lie within each other."""
    lead_id: UUID | None = None
    """The user who leads it, and is the superior of the others in it."""
    deputy_id: UUID | None = None
    """The user who takes over from those who leave."""
    member_ids: Annotated[list[UUID], Field(max_length=500)] = []
    """The users in it; the lead and the deputy belong to it without being named here."""


class KeyRotation(Body):
    """`at_once`: sign with the new key now, not when every verifier has fetched it. `revoke`: refuse what older keys signed, too."""

    at_once: bool = False
    """Whether to sign with the new key now, not when every verifier has fetched it."""
    revoke: bool = False
    """Whether what older keys signed is refused from now on."""
    reason: Sentence | None = None
    """Why, for the audit log."""


class PasswordChange(Body):
    current_password: Password
    """To show that it is the user who asks."""
    new_password: NewPassword
    """8 to 128 characters."""


class TokenExchange(Body):
    """The form of RFC 8693, section 2.1, as far as it is supported. `scope` narrows; left out, the new token has the old one's."""

    grant_type: Literal["urn:ietf:params:oauth:grant-type:token-exchange"]
    """What is asked for: an exchange of tokens."""
    subject_token: Annotated[SecretStr, Field(max_length=8192)]
    """The access token to exchange, one that is for the whole platform."""
    subject_token_type: Literal["urn:ietf:params:oauth:token-type:access_token"]
    """Says that it is an access token."""
    audience: Annotated[str, Field(max_length=60, pattern=r"^[a-z][a-z0-9_-]*$", examples=["orders"])]
    """The service that the new token is to be good at."""
    scope: Annotated[str, Field(max_length=4000, pattern=r"^[\x21-\x7e]+( [\x21-\x7e]+)*$")] | None = None
    """What the new token is to be good for, separated by spaces; as the old one when left out."""
    requested_token_type: Literal["urn:ietf:params:oauth:token-type:access_token"] | None = None
    """Says that an access token is wanted; may be left out."""
