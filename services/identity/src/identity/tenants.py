"""Tenants come with their default roles and a first administrator; the operator's own tenant is there from the first start."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from contracts.users import MAY_LIE_AHEAD, MAY_LIE_BACK, DateBounds
from identity import audit
from identity.audit import Origin
from identity.bodies import NewAdmin, NewTenant, NewTimeZone, TenantDescription
from identity.commands import add_user
from identity.grants import ADMIN, default_roles
from identity.models import PLATFORM, Role, Tenant, TenantSlug, User
from tailrace.core import clock
from tailrace.core.context import Context
from tailrace.core.errors import FieldProblem, Invalid, Taken
from tailrace.core.ids import uuid7
from tailrace.core.values.days import ALWAYS, DEFAULT_ZONE, Calendar, Since
from tailrace.core.values.plausible import checked_day
from tailrace.db.database import Database, Tx
from tailrace.messaging.days import CompanyDays
from tailrace.observability.logs import log
from tailrace.settings import Settings

PLATFORM_SLUG = "platform"
OPERATOR_EMAIL = "operator@platform.local"
_AHEAD, _LATEST = timedelta(days=1), timedelta(days=5 * 366)
"""How long before a day begins in another zone that has to be said. A service that hears of it later than that counts some moments wrongly."""


async def tenant_called(tx: Tx, slug: str) -> UUID | None:
    return await tx.scalar(select(TenantSlug.tenant_id).where(TenantSlug.slug == slug))


async def create(tx: Tx, body: NewTenant, origin: Origin) -> Tenant:
    """A company that can be logged in to once this commits. Raises Taken."""
    said = body.model_dump(include={"slug", "name", "currency", "industry", "time_zone", "country"})
    tenant = await _found(tx, uuid7(), chart=body.first_chart, **said)
    async with _acting_for(tx, tenant.id):
        tx.add(tenant)
        await _people(tx, body.admin, origin)
    audit.note(tx, origin, "tenant.created", tenant.id, slug=tenant.slug)
    return tenant


async def describe(tx: Tx, match: int | None, body: TenantDescription, origin: Origin) -> Tenant:
    tenant = await tx.load(Tenant, tx.tenant_id, match)
    tenant.describe(body.name, body.industry)
    audit.note(tx, origin, "tenant.updated", tenant.id)
    return tenant


async def change_time_zone(tx: Tx, match: int | None, body: NewTimeZone, origin: Origin) -> Tenant:
    """Raises Stale, Implausible, and Invalid for a day that has begun, here or there, or begins within a day's time."""
    tenant = await tx.load(Tenant, tx.tenant_id, match)
    now, calendar = clock.now(), tenant.calendar
    # Whatever day a moment of the past was of, it stays of that day.
    begins = min(calendar.first_moment(body.since), _begin_there(body))
    if begins < now + _AHEAD or body.since <= calendar.day_of(now):
        raise Invalid.field("/since", f"{body.since} has to begin in a day's time at the earliest, here and there.")
    today = calendar.day_of(now)
    checked_day(body.since, today, today + _LATEST, "/since")
    tenant.change_time_zone(body.time_zone, body.since)
    audit.note(tx, origin, "tenant.time_zone_changed", tenant.id, time_zone=body.time_zone, since=str(body.since))
    return tenant


async def bound_dates(tx: Tx, match: int | None, bounds: Sequence[DateBounds], origin: Origin) -> Tenant:
    """Raises Stale, and Invalid for a kind that is named twice, or that lies on the other side of today."""
    tenant = await tx.load(Tenant, tx.tenant_id, match)
    _check_bounds(bounds)
    tenant.bound_dates(bounds)
    audit.note(tx, origin, "tenant.date_policy_changed", tenant.id, bounds=tenant.date_policy)
    return tenant


class OwnDays(CompanyDays):
    """The days of a tenant, of whom identity knows first."""

    async def calendar(self, tx: Tx) -> Calendar:
        return (await tx.find(Tenant, tx.tenant_id)).calendar


days = OwnDays()


async def ensure_operator(database: Database, settings: Settings) -> None:
    """The platform's tenant and its operator exist, however many processes start at once. An existing password stays."""
    async with database.transaction(Context(tenant_id=PLATFORM)) as tx:
        await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("identity.operator", 0))))
        if await tenant_called(tx, PLATFORM_SLUG) is not None:
            return
        if settings.operator_password is None:
            log.warning("nobody can make tenants yet", reason="TAILRACE_OPERATOR_PASSWORD is not set")
            return
        platform = {"slug": PLATFORM_SLUG, "name": "Platform", "currency": "USD", "time_zone": DEFAULT_ZONE}
        tx.add(await _found(tx, PLATFORM, chart="general", industry=None, country=None, **platform))
        operator = NewAdmin(email=OPERATOR_EMAIL, name="Operator", password=SecretStr(settings.operator_password))
        await _people(tx, operator, Origin())


async def _found(tx: Tx, id: UUID, *, slug: str, **said: Any) -> Tenant:
    claimed = insert(TenantSlug).values(slug=slug, tenant_id=id).on_conflict_do_nothing().returning(TenantSlug.slug)
    if (await tx.execute(claimed)).scalar_one_or_none() is None:
        raise Taken(f"Another tenant is called {slug}.", field="/slug")
    return Tenant.found(id, slug=slug, **said)


async def _people(tx: Tx, body: NewAdmin, origin: Origin) -> None:
    roles = {name: Role.make(name, scopes) for name, scopes in default_roles().items()}
    tx.add_all(roles.values())
    admin = User.join(body.email, body.name, [roles[ADMIN]])
    await add_user(tx, admin, body.password.get_secret_value())
    audit.note(tx, origin, "user.created", admin.id, roles=admin.roles)


def _check_bounds(bounds: Sequence[DateBounds]) -> None:
    errors = []
    kinds = [one.kind for one in bounds]
    for place, one in enumerate(bounds):
        if one.kind in kinds[:place]:
            errors.append(FieldProblem(field=f"/bounds/{place}/kind", detail=f"{one.kind} is named twice."))
        if one.days_ahead is not None and one.kind not in MAY_LIE_AHEAD:
            detail = f"What {one.kind} dates took place: it does not lie ahead."
            errors.append(FieldProblem(field=f"/bounds/{place}/days_ahead", detail=detail))
        if one.days_back is not None and one.kind not in MAY_LIE_BACK:
            detail = f"A {one.kind} may begin ever so long ago, or counts from the day of what it is of."
            errors.append(FieldProblem(field=f"/bounds/{place}/days_back", detail=detail))
    if errors:
        raise Invalid(errors[0].detail, errors=errors)


@asynccontextmanager
async def _acting_for(tx: Tx, tenant_id: UUID) -> AsyncIterator[None]:
    """Write another tenant's rows, and come back: what follows, the stored answer included, is the caller's again."""
    home = tx.tenant_id
    await tx.enter_tenant(tenant_id)
    yield
    await tx.settle()
    await tx.enter_tenant(home)


def _begin_there(body: NewTimeZone) -> datetime:
    return Calendar([Since(ALWAYS, body.time_zone)]).first_moment(body.since)
