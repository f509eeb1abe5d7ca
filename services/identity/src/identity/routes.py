"""Users, roles, teams, tenants and the audit log over HTTP. `own` routes concern the caller alone and need no scope."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import select

from identity import commands, rotation, teams, tenants
from identity.audit import From
from identity.bodies import (
    ChangedUser,
    DatePolicyBody,
    KeyRotation,
    NewTenant,
    NewTimeZone,
    NewUser,
    PasswordChange,
    RoleBody,
    RoleName,
    TeamBody,
    TenantDescription,
)
from identity.keys import SigningKeys
from identity.models import AuditEntry, Role, Tenant, User
from identity.scopes import (
    Anybody,
    Auditor,
    Operator,
    Reader,
    TeamReader,
    TeamWriter,
    TenantReader,
    TenantWriter,
    Writer,
)
from identity.teams import Team
from identity.tokens import Issuer
from identity.views import AuditEntryView, Me, PositionView, RoleView, SigningKeysView, TeamView, TenantView, UserView
from tailrace.core.errors import Invalid
from tailrace.core.values.fields import Email, Name
from tailrace.core.values.text import folded
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import Deleted, between, equal, where
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.protocol.problem_details import answer
from tailrace.http.routing import Tx, tenant_router

_OWN = {"x-policy": "own"}

auth = tenant_router("/v1/auth", tag="auth", about="Log-in and tokens, users, roles and teams, keys, and who did what.")
companies = tenant_router("/v1/tenants", tag="tenants", about="Companies: each sees nothing of the others.")
routers = (auth, companies)

Users = Annotated[
    PageRequest,
    listed(
        User,
        equal(User.email, Email),
        where("role", RoleName, lambda name: User.granted.any(Role.name == name), "Who has this role."),
        equal(User.active),
        sort=[User.email, User.name, User.created_at],
    ),
]
Roles = Annotated[PageRequest, listed(Role, equal(Role.name), sort=[Role.name])]
Teams = Annotated[
    PageRequest,
    listed(
        Team,
        where("name", Name, lambda name: Team.code_key == folded(name), "The name, in any case."),
        equal(Team.parent_id),
        equal(Team.lead_id),
        sort=[Team.name, Team.created_at],
    ),
]
AuditEntries = Annotated[
    PageRequest,
    listed(
        AuditEntry,
        equal(AuditEntry.action, description="Such as `user.login_failed`."),
        equal(AuditEntry.actor_id),
        equal(AuditEntry.subject_id),
        *between(AuditEntry.at, tenants.days),
        sort=[AuditEntry.at],
        default="-id",
    ),
]
Tenants = Annotated[PageRequest, listed(Tenant, equal(Tenant.slug), sort=[Tenant.slug, Tenant.name, Tenant.created_at])]


@auth.get("/me", response_model=Me, openapi_extra=_OWN)
async def read_me(tx: Tx, who: Anybody) -> dict[str, Any]:
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
async def create_user(tx: Tx, who: Writer, body: NewUser, origin: From) -> User:
    """Make a user of one's own tenant."""
    return await commands.create_user(tx, body, who, origin)


@auth.get("/users", response_model=Page[UserView])
async def list_users(tx: Tx, who: Reader, page: Users) -> Listing[User]:
    """The tenant's users."""
    return await paginate(tx, select(User).where(User.deleted_at.is_(None)), page)


@auth.get("/users/{user_id}", response_model=UserView)
async def read_user(tx: Tx, who: Reader, user_id: UUID) -> User:
    """One user."""
    return await tx.find(User, user_id)


@auth.put("/users/{user_id}", response_model=UserView)
async def replace_user(tx: Tx, who: Writer, user_id: UUID, match: IfMatch, body: ChangedUser, origin: From) -> User:
    """Replace a user. Other roles, a new password or a deactivation log the user out everywhere."""
    return await commands.change_user(tx, user_id, match, body, who, origin)


@auth.delete("/users/{user_id}", status_code=204)
async def delete_user(tx: Tx, who: Writer, user_id: UUID, match: IfMatch, origin: From) -> None:
    """Delete a user, who is logged out everywhere. It is final: all that was theirs goes to who takes over; `active: false` can be taken back."""
    await commands.delete_user(tx, user_id, match, who, origin)


@auth.post("/roles", status_code=201, response_model=RoleView)
async def create_role(tx: Tx, who: Writer, body: RoleBody, origin: From) -> Role:
    """Make a role with scopes."""
    return await commands.create_role(tx, body, who, origin)


@auth.get("/roles", response_model=Page[RoleView])
async def list_roles(tx: Tx, who: Reader, page: Roles, deleted: Deleted = False) -> Listing[Role]:
    """The tenant's roles with their scopes."""
    return await paginate(tx, select(Role).where(Role.deleted_at.is_not(None) == deleted), page)


@auth.get("/roles/{role_id}", response_model=RoleView)
async def read_role(tx: Tx, who: Reader, role_id: UUID) -> Role:
    """One role."""
    return await tx.find(Role, role_id)


@auth.put("/roles/{role_id}", response_model=RoleView)
async def replace_role(tx: Tx, who: Writer, role_id: UUID, match: IfMatch, body: RoleBody, origin: From) -> Role:
    """Grant other scopes; the name stays. Its holders' access tokens end; they have the new scopes when they refresh."""
    return await commands.change_role(tx, role_id, match, body, who, origin)


@auth.delete("/roles/{role_id}", status_code=204)
async def delete_role(tx: Tx, who: Writer, role_id: UUID, match: IfMatch, origin: From) -> None:
    """Delete a role that nobody has, that nothing names, and that is not built in."""
    await commands.delete_role(tx, role_id, match, who, origin)


@auth.post("/roles/{role_id}/restore", response_model=RoleView)
async def restore_role(tx: Tx, who: Writer, role_id: UUID, match: IfMatch, origin: From) -> Role:
    """Take a deleted role back into use, with the scopes that it had, unless another one has its name by now. Nobody has it as yet."""
    return await commands.restore_role(tx, role_id, match, who, origin)


@auth.post("/teams", status_code=201, response_model=TeamView)
async def create_team(tx: Tx, who: TeamWriter, body: TeamBody, origin: From) -> Team:
    """Form a team."""
    return await teams.create(tx, body.model_dump(), origin)


@auth.get("/teams", response_model=Page[TeamView])
async def list_teams(tx: Tx, who: TeamReader, page: Teams, deleted: Deleted = False) -> Listing[Team]:
    """The tenant's teams."""
    return await paginate(tx, master_data.rows(Team, deleted=deleted), page)


@auth.get("/teams/{team_id}", response_model=TeamView)
async def read_team(tx: Tx, who: TeamReader, team_id: UUID) -> Team:
    """One team."""
    return await tx.find(Team, team_id)


@auth.put("/teams/{team_id}", response_model=TeamView)
async def replace_team(tx: Tx, who: TeamWriter, team_id: UUID, match: IfMatch, body: TeamBody, origin: From) -> Team:
    """Replace a team. Whose rows its people see by a scope that ends in `:team` follows within seconds; no token has to be renewed."""
    return await teams.replace(tx, team_id, match, body.model_dump(), origin)


@auth.delete("/teams/{team_id}", status_code=204)
async def delete_team(tx: Tx, who: TeamWriter, team_id: UUID, match: IfMatch, origin: From) -> None:
    """Dissolve a team that none lies within and that nothing names; its people stay."""
    await teams.delete(tx, team_id, match, origin)


@auth.post("/teams/{team_id}/restore", response_model=TeamView)
async def restore_team(tx: Tx, who: TeamWriter, team_id: UUID, match: IfMatch, origin: From) -> Team:
    """Form a dissolved team again, as it was, without those who left meanwhile, unless another one has its name by now."""
    return await teams.restore(tx, team_id, match, origin)


@auth.get("/users/{user_id}/position", response_model=PositionView)
async def read_user_position(tx: Tx, who: TeamReader, user_id: UUID) -> dict[str, Any]:
    """A user's teams, superior, and who would take over."""
    user = await tx.find(User, user_id)
    organisation = await teams.organisation(tx)
    return {
        "team_ids": [team.id for team in organisation.teams_of(user.id)],
        "superior_id": organisation.superior(user.id),
        "successor_id": await teams.successor_of(tx, user.id),
    }


@auth.get("/keys", response_model=SigningKeysView)
async def read_signing_keys(tx: Tx, who: Operator, request: Request) -> SigningKeysView:
    """The keys that access tokens are signed with, the newest first. The operator's."""
    return SigningKeysView(items=await rotation.listed(tx, _keys(request)))


@auth.post("/keys", response_model=SigningKeysView)
async def rotate_keys(tx: Tx, who: Operator, request: Request, body: KeyRotation, origin: From) -> SigningKeysView:
    """Replace the signing key; nobody is logged out. With `revoke`, tokens of older keys are refused and clients refresh. The operator's."""
    return SigningKeysView(items=await rotation.rotate(tx, _keys(request), body, origin))


@auth.get("/audit-logs", response_model=Page[AuditEntryView])
async def list_audit_entries(tx: Tx, who: Auditor, page: AuditEntries) -> Listing[AuditEntry]:
    """Who did what when, the newest first unless `sort` says otherwise."""
    return await paginate(tx, select(AuditEntry), page)


@companies.post("", status_code=201, response_model=TenantView)
async def create_tenant(tx: Tx, who: Operator, body: NewTenant, origin: From) -> Tenant:
    """Found a company with its default roles and its first administrator. The operator's."""
    return await tenants.create(tx, body, origin)


@companies.get("", response_model=Page[TenantView])
async def list_tenants(tx: Tx, who: TenantReader, page: Tenants) -> Listing[Tenant]:
    """Every tenant for the operator; for everybody else, by row-level security, their own."""
    return await paginate(tx, select(Tenant), page)


@companies.get("/current", response_model=TenantView, openapi_extra=_OWN)
async def read_own_tenant(tx: Tx, who: Anybody) -> Tenant:
    """One's own tenant."""
    return await tx.find(Tenant, tx.tenant_id)


@companies.put("/current", response_model=TenantView)
async def replace_own_tenant(
    tx: Tx, who: TenantWriter, match: IfMatch, body: TenantDescription, origin: From
) -> Tenant:
    """Change the name and industry; slug and currency stay."""
    return await tenants.describe(tx, match, body, origin)


@companies.put("/current/time-zone", response_model=TenantView)
async def replace_own_time_zone(tx: Tx, who: TenantWriter, match: IfMatch, body: NewTimeZone, origin: From) -> Tenant:
    """Count the company's days in another zone from a day on that is still to come. Earlier days stay as they are."""
    return await tenants.change_time_zone(tx, match, body, origin)


@companies.put("/current/date-policy", response_model=TenantView)
async def replace_own_date_policy(
    tx: Tx, who: TenantWriter, match: IfMatch, body: DatePolicyBody, origin: From
) -> Tenant:
    """Say how far from today dates may lie, by kind, in place of the defaults. What was taken before stays."""
    return await tenants.bound_dates(tx, match, body.bounds, origin)


@companies.get("/{tenant_id}", response_model=TenantView)
async def read_tenant(tx: Tx, who: TenantReader, tenant_id: UUID) -> Tenant:
    """One tenant: for the operator any, for everybody else their own."""
    return await tx.find(Tenant, tenant_id)


def _keys(request: Request) -> SigningKeys:
    issuer: Issuer = request.app.state.issuer
    return issuer.keys
