"""Users, roles, tenants and the audit log over HTTP. `own` routes concern the caller alone and need no scope."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import AwareDatetime
from sqlalchemy import select

from identity import commands, rotation, tenants
from identity.audit import From
from identity.bodies import ChangedUser, KeyRotation, NewTenant, NewUser, PasswordChange, RoleBody, TenantDescription
from identity.keys import SigningKeys
from identity.models import PLATFORM, AuditEntry, Role, Tenant, User
from identity.tokens import Issuer
from identity.views import AuditEntryView, Me, RoleView, SigningKeysView, TenantView, UserView
from tailrace.core.context import Principal
from tailrace.core.errors import Forbidden, Invalid
from tailrace.http.auth import Requires
from tailrace.http.etag import IfMatch
from tailrace.http.pagination import Listing, Page, Paging, paginate
from tailrace.http.problem_details import answer
from tailrace.http.routing import Tx, tenant_router

Anybody = Annotated[Principal, Requires()]
Reader = Annotated[Principal, Requires("users:read")]
Writer = Annotated[Principal, Requires("users:write")]
Auditor = Annotated[Principal, Requires("audit:read")]
TenantReader = Annotated[Principal, Requires("tenants:read")]
TenantWriter = Annotated[Principal, Requires("tenants:write")]
_OWN = {"x-policy": "own"}


def _operator(who: TenantWriter) -> Principal:
    if who.tenant_id != PLATFORM:
        raise Forbidden("Only the platform's operator does this.")
    return who


Operator = Annotated[Principal, Depends(_operator)]

auth = tenant_router("/v1/auth", tag="auth")
companies = tenant_router("/v1/tenants", tag="tenants")
routers = (auth, companies)


@auth.get("/me", response_model=Me, openapi_extra=_OWN)
async def me(tx: Tx, who: Anybody) -> dict[str, Any]:
    """Who is logged in, with scopes and tenant."""
    user = await commands.self_of(tx, who)
    tenant = await tx.find(Tenant, tx.tenant_id)
    return {**UserView.model_validate(user).model_dump(), "scopes": user.scopes, "tenant": tenant}


@auth.post("/password", status_code=204, openapi_extra=_OWN)
async def change_password(tx: Tx, who: Anybody, request: Request, body: PasswordChange, origin: From) -> Response:
    """Set one's own password; one's other sessions end. A wrong current password counts like a failed log-in."""
    current, new = body.current_password.get_secret_value(), body.new_password.get_secret_value()
    if await commands.change_password(tx, who, current, new, origin):
        return Response(status_code=204)
    # Answered, not raised: the failure must be counted, and an exception would roll that back.
    return answer(Invalid.field("/current_password", "This is not the current password."), request)


@auth.post("/users", status_code=201, response_model=UserView)
async def create_user(tx: Tx, who: Writer, body: NewUser, origin: From, response: Response) -> User:
    """Make a user of one's own tenant."""
    user = await commands.create_user(tx, body, who, origin)
    response.headers["Location"] = f"/v1/auth/users/{user.id}"
    return user


@auth.get("/users", response_model=Page[UserView])
async def list_users(
    tx: Tx,
    who: Reader,
    page: Paging,
    email: Annotated[str | None, Query(max_length=254)] = None,
    role: Annotated[str | None, Query(max_length=60)] = None,
    active: bool | None = None,
) -> Listing[User]:
    """The tenant's users; sort by `email`, `name`, `created_at` or `id`."""
    query = select(User).where(User.deleted_at.is_(None))
    if email is not None:
        query = query.where(User.email == email.lower())
    if role is not None:
        query = query.where(User.granted.any(Role.name == role))
    if active is not None:
        query = query.where(User.active == active)
    sortable: dict[str, Any] = {"email": User.email, "name": User.name, "created_at": User.created_at}
    return await paginate(tx, query, page, key=User.id, sortable=sortable)


@auth.get("/users/{user_id}", response_model=UserView)
async def read_user(tx: Tx, who: Reader, user_id: UUID) -> User:
    """One user."""
    return await tx.find(User, user_id)


@auth.put("/users/{user_id}", response_model=UserView)
async def change_user(tx: Tx, who: Writer, user_id: UUID, match: IfMatch, body: ChangedUser, origin: From) -> User:
    """Replace a user. Other roles, a new password or a deactivation log the user out everywhere."""
    return await commands.change_user(tx, user_id, match, body, who, origin)


@auth.delete("/users/{user_id}", status_code=204)
async def delete_user(tx: Tx, who: Writer, user_id: UUID, match: IfMatch, origin: From) -> None:
    """Delete a user, who is logged out everywhere."""
    await commands.delete_user(tx, user_id, match, who, origin)


@auth.post("/roles", status_code=201, response_model=RoleView)
async def create_role(tx: Tx, who: Writer, body: RoleBody, origin: From, response: Response) -> Role:
    """Make a role with scopes."""
    role = await commands.create_role(tx, body, who, origin)
    response.headers["Location"] = f"/v1/auth/roles/{role.id}"
    return role


@auth.get("/roles", response_model=Page[RoleView])
async def list_roles(
    tx: Tx, who: Reader, page: Paging, name: Annotated[str | None, Query(max_length=60)] = None
) -> Listing[Role]:
    """The tenant's roles with their scopes; sort by `name` or `id`."""
    query = select(Role).where(Role.deleted_at.is_(None))
    if name is not None:
        query = query.where(Role.name == name)
    return await paginate(tx, query, page, key=Role.id, sortable={"name": Role.name})


@auth.get("/roles/{role_id}", response_model=RoleView)
async def read_role(tx: Tx, who: Reader, role_id: UUID) -> Role:
    """One role."""
    return await tx.find(Role, role_id)


@auth.put("/roles/{role_id}", response_model=RoleView)
async def change_role(tx: Tx, who: Writer, role_id: UUID, match: IfMatch, body: RoleBody, origin: From) -> Role:
    """Grant other scopes; the name stays. Its holders' access tokens end; they have the new scopes when they refresh."""
    return await commands.change_role(tx, role_id, match, body, who, origin)


@auth.delete("/roles/{role_id}", status_code=204)
async def delete_role(tx: Tx, who: Writer, role_id: UUID, match: IfMatch, origin: From) -> None:
    """Delete a role that nobody has and that is not built in."""
    await commands.delete_role(tx, role_id, match, who, origin)


@auth.get("/keys", response_model=SigningKeysView)
async def list_keys(tx: Tx, who: Operator, request: Request) -> SigningKeysView:
    """The keys that access tokens are signed with, the newest first. The operator's."""
    return SigningKeysView(items=await rotation.listed(tx, _keys(request)))


@auth.post("/keys", response_model=SigningKeysView)
async def rotate_keys(tx: Tx, who: Operator, request: Request, body: KeyRotation, origin: From) -> SigningKeysView:
    """Replace the signing key; nobody is logged out. With `revoke`, tokens of older keys are refused and clients refresh. The operator's."""
    return SigningKeysView(items=await rotation.rotate(tx, _keys(request), body, origin))


@auth.get("/audit-logs", response_model=Page[AuditEntryView])
async def audit_log(
    tx: Tx,
    who: Auditor,
    page: Paging,
    action: Annotated[str | None, Query(max_length=60, examples=["user.login_failed"])] = None,
    actor_id: UUID | None = None,
    subject_id: UUID | None = None,
    since: Annotated[AwareDatetime | None, Query(description="At this moment or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this moment.")] = None,
) -> Listing[AuditEntry]:
    """Who did what when, the newest first unless `sort` says otherwise."""
    query = select(AuditEntry).where(*_equal(action=action, actor_id=actor_id, subject_id=subject_id))
    query = query.where(*_between(since, until))
    return await paginate(tx, query, page, key=AuditEntry.id, sortable={"at": AuditEntry.at}, default="-id")


@companies.post("", status_code=201, response_model=TenantView)
async def create_tenant(tx: Tx, who: Operator, body: NewTenant, origin: From, response: Response) -> Tenant:
    """Found a company with its default roles and its first administrator. The operator's."""
    tenant = await tenants.create(tx, body, origin)
    response.headers["Location"] = f"/v1/tenants/{tenant.id}"
    return tenant


@companies.get("", response_model=Page[TenantView])
async def list_tenants(
    tx: Tx, who: TenantReader, page: Paging, slug: Annotated[str | None, Query(max_length=40)] = None
) -> Listing[Tenant]:
    """Every tenant for the operator; for everybody else, by row-level security, their own."""
    query = select(Tenant) if slug is None else select(Tenant).where(Tenant.slug == slug)
    sortable: dict[str, Any] = {"slug": Tenant.slug, "name": Tenant.name, "created_at": Tenant.created_at}
    return await paginate(tx, query, page, key=Tenant.id, sortable=sortable)


@companies.get("/current", response_model=TenantView, openapi_extra=_OWN)
async def read_own_tenant(tx: Tx, who: Anybody) -> Tenant:
    """One's own tenant."""
    return await tx.find(Tenant, tx.tenant_id)


@companies.put("/current", response_model=TenantView)
async def describe_own_tenant(
    tx: Tx, who: TenantWriter, match: IfMatch, body: TenantDescription, origin: From
) -> Tenant:
    """Change the name and industry; slug and currency stay."""
    return await tenants.describe(tx, match, body, origin)


@companies.get("/{tenant_id}", response_model=TenantView)
async def read_tenant(tx: Tx, who: TenantReader, tenant_id: UUID) -> Tenant:
    """One tenant: for the operator any, for everybody else their own."""
    return await tx.find(Tenant, tenant_id)


def _keys(request: Request) -> SigningKeys:
    issuer: Issuer = request.app.state.issuer
    return issuer.keys


def _equal(**wanted: Any) -> Sequence[Any]:
    return [getattr(AuditEntry, name) == value for name, value in wanted.items() if value is not None]


def _between(since: datetime | None, until: datetime | None) -> Sequence[Any]:
    return [
        *([AuditEntry.at >= since] if since is not None else []),
        *([AuditEntry.at < until] if until is not None else []),
    ]
