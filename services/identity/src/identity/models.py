"""Tenants, people, roles and sessions. Each change of one is recorded as an event; secrets stand in rows of their own that no event describes."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Table, Uuid, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from contracts import users as events
from identity.grants import ADMIN
from identity.refusals import BuiltIn
from tailrace.core import clock
from tailrace.core.errors import NotDeleted
from tailrace.core.ids import derived_id, uuid7
from tailrace.core.manifest import ANY_SCOPE
from tailrace.core.values.days import ALWAYS, Calendar, Since
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.models import Aggregate, SoftDeleted, Tables, TenantRow
from tailrace.db.row_security import INSERT_ONLY, read_by
from tailrace.db.unique import LIVE, unique_value
from tailrace.messaging.uses import UseRow

PLATFORM = derived_id("tenant", "platform")
"""The operator's own tenant: the one that may make tenants and see all of them."""


class Base(Tables, DeclarativeBase):
    """The tables of identity."""


class Use(UseRow, Base):
    """Somebody needs a team, or a role by its name."""

    __tablename__ = "use"


class TenantSlug(Base):
    """Where a log-in is routed. A platform table: it is read before a tenant is known."""

    __tablename__ = "tenant_slug"

    slug: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]


class SigningKey(Base):
    """A key pair for access tokens, the private half encrypted. A platform table: it belongs to no tenant."""

    __tablename__ = "signing_key"

    id: Mapped[str] = mapped_column(primary_key=True)
    public_key: Mapped[dict[str, Any]]
    private_key: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    signs_from: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Tenant(Aggregate, Base):
    """A company. Its row is its own, so `id` and `tenant_id` are the same."""

    __tablename__ = "tenant"
    __table_args__ = (CheckConstraint("id = tenant_id", name="own"), read_by(PLATFORM))

    slug: Mapped[str]
    name: Mapped[str]
    currency: Mapped[str]
    industry: Mapped[str | None]
    time_zones: Mapped[list[dict[str, Any]]] = mapped_column(
        server_default=text("""'[{"since": "0001-01-01", "time_zone": "Etc/UTC"}]'::jsonb""")
    )
    """`{"since": day, "time_zone": name}`: the zone that days are counted in, from which day on, in order. Those of the past never change."""
    country: Mapped[str | None]
    date_policy: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'::jsonb"))
    """How far from today each kind of date may lie, as `events.DateBounds`; of those that are missing the defaults hold."""

    @classmethod
    def found(cls, id: UUID, *, time_zone: str, chart: str, **said: Any) -> "Tenant":
        """`said` are the columns that a client decides."""
        tenant = cls(id=id, tenant_id=id, time_zones=[_zone(ALWAYS, time_zone)], date_policy=[], **said)
        tenant.record(events.TenantCreated(tenant_id=id, time_zone=time_zone, chart=chart, **said))
        return tenant

    @property
    def calendar(self) -> Calendar:
        """The company's days."""
        return Calendar(Since(date.fromisoformat(each["since"]), each["time_zone"]) for each in self.time_zones)

    @property
    def time_zone(self) -> str:
        """The zone that today is counted in."""
        return self.calendar.zone_of(self.calendar.day_of(clock.now()))

    def change_time_zone(self, time_zone: str, since: date) -> None:
        """Count days in another zone from a day on that is still to come."""
        kept = [each for each in self.time_zones if each["since"] != since.isoformat()]
        self.time_zones = sorted([*kept, _zone(since, time_zone)], key=lambda each: str(each["since"]))
        self.record(events.TenantTimeZoneChanged(tenant_id=self.id, time_zone=time_zone, since=since))

    def bound_dates(self, bounds: Sequence[events.DateBounds]) -> None:
        """Say how far from today dates may lie, all of it."""
        self.date_policy = [each.model_dump() for each in bounds]
        self.record(events.TenantDatePolicyChanged(tenant_id=self.id, bounds=list(bounds)))

    def describe(self, name: str, industry: str | None) -> None:
        self.name, self.industry = name, industry
        self.record(events.TenantUpdated(tenant_id=self.id, name=name, industry=industry))

    def revoke_key(self, key_id: UUID) -> None:
        """Say that a signing key is good no more. The platform's tenant says it: the keys are the platform's."""
        self.record(events.SigningKeyRevoked(key_id=key_id))


def _zone(since: date, time_zone: str) -> dict[str, Any]:
    return {"since": since.isoformat(), "time_zone": time_zone}


def named_role(name: str) -> UUID:
    """What stands for a role in `Use`: others name it, and know no id."""
    return derived_id("identity.role", name)


class Role(SoftDeleted, Base):
    """A name for a set of scopes. `admin` is built in: it always exists and grants everything."""

    __tablename__ = "role"
    __table_args__ = (unique_value("name", where=LIVE),)

    name: Mapped[str]
    scopes: Mapped[list[Any]]

    @classmethod
    def make(cls, name: str, scopes: Sequence[str]) -> "Role":
        role = cls(id=uuid7(), name=name)
        role.allow(scopes)
        return role

    def allow(self, scopes: Sequence[str]) -> None:
        """Grant exactly these from now on. Raises BuiltIn for the role that is never without `*`."""
        if self.name == ADMIN and list(scopes) != [ANY_SCOPE]:
            raise BuiltIn(self.name)
        self.scopes = sorted(set(scopes))
        self.record(events.RoleChanged(role_id=self.id, name=self.name, scopes=self.scopes))

    def delete(self, now: datetime) -> None:
        if self.name == ADMIN:
            raise BuiltIn(self.name)
        self.deleted_at = now
        self.record(events.RoleChanged(role_id=self.id, name=self.name, scopes=[]))

    def restore(self) -> None:
        """Take it back into use with the scopes that it had. Raises NotDeleted."""
        if self.deleted_at is None:
            raise NotDeleted(f"The role {self.name} is in use.")
        self.deleted_at = None
        self.record(events.RoleChanged(role_id=self.id, name=self.name, scopes=self.scopes))


user_role = Table(
    "user_role",
    Base.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Column("role_id", Uuid, primary_key=True),
    refers_to("user_account", "user_id"),
    refers_to("role", "role_id"),
    tenant_index("role_id"),
)
"""Who has which role. It changes with the user, who records it."""


class User(SoftDeleted, Base):
    """A person who may log in at one tenant. E-mail addresses are kept in lower case and are unique among those not deleted."""

    __tablename__ = "user_account"
    __table_args__ = (unique_value("email", where=LIVE),)

    email: Mapped[str]
    name: Mapped[str]
    active: Mapped[bool]
    granted: Mapped[list[Role]] = relationship(secondary=user_role, lazy="selectin", order_by=Role.name)

    @classmethod
    def join(cls, email: str, name: str, granted: Iterable[Role]) -> "User":
        user = cls(id=uuid7(), email=email, name=name, active=True, granted=list(granted))
        user.record(events.UserCreated(user_id=user.id, email=email, name=name, roles=user.roles))
        return user

    @property
    def roles(self) -> list[str]:
        return sorted(role.name for role in self.granted)

    @property
    def scopes(self) -> list[str]:
        return sorted({scope for role in self.granted for scope in role.scopes})

    @property
    def may_log_in(self) -> bool:
        return self.active and self.deleted_at is None

    @property
    def administers(self) -> bool:
        return self.may_log_in and ADMIN in self.roles

    def change(self, *, email: str, name: str, granted: Iterable[Role], active: bool) -> None:
        self.email, self.name, self.active, self.granted = email, name, active, list(granted)
        self.record(
            events.UserUpdated(user_id=self.id, email=email, name=name, roles=self.roles, active=active),
        )

    def delete(self, now: datetime, successor_id: UUID | None) -> None:
        """`successor_id`: to whom all that is the user's is to go."""
        self.deleted_at, self.granted = now, []
        self.record(events.UserDeleted(user_id=self.id, successor_id=successor_id))


class Credential(TenantRow, Base):
    """A user's password, as an argon2id hash."""

    __tablename__ = "credential"
    __table_args__ = (refers_to("user_account", "user_id"),)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    password_hash: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class UserSession(Aggregate, Base):
    """One log-in and all the refresh tokens that followed from it. Ended for good when `ended_at` is set."""

    __tablename__ = "user_session"
    __table_args__ = (refers_to("user_account", "user_id"), tenant_index("user_id", where="ended_at IS NULL"))

    user_id: Mapped[UUID]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]

    @classmethod
    def start(cls, user: User) -> "UserSession":
        session = cls(id=uuid7(), user_id=user.id)
        session.record(events.UserLoggedIn(user_id=user.id, session_id=session.id))
        return session

    def end(self, reason: str, now: datetime) -> None:
        """End it, once; `reason` is logout, expired, revoked or reuse."""
        if self.ended_at is None:
            self.ended_at, self.end_reason = now, reason
            self.record(events.UserLoggedOut(user_id=self.user_id, session_id=self.id, reason=reason))


class RefreshToken(TenantRow, Base):
    """A refresh token's SHA-256 and whether it was used. Used once, it is exchanged; used again, it was stolen."""

    __tablename__ = "refresh_token"
    __table_args__ = (refers_to("user_session", "session_id"), tenant_index("session_id"))

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LogInFailures(TenantRow, Base):
    """How often in a row a log-in failed under an e-mail address, whether or not anybody has it."""

    __tablename__ = "log_in_failures"
    __table_args__ = (tenant_index("last_at"),)

    email: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class AuditEntry(TenantRow, Base):
    """Who did what, when and from where. Written once, never changed."""

    __tablename__ = "audit_log"
    __table_args__ = (tenant_index("at"), tenant_index("actor_id"), tenant_index("subject_id"), INSERT_ONLY)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-10)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    action: Mapped[str]
    actor_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    details: Mapped[dict[str, Any]]
