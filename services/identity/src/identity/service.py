"""Identity: tenants, users, roles and sessions, on `user.events`; it signs the tokens that every service verifies."""

from contracts.users import PUBLISHED
from identity import projections, public, reactions, routes, sessions, start
from identity.models import Base
from identity.scopes import (
    read_audit,
    read_teams,
    read_tenants,
    read_users,
    write_teams,
    write_tenants,
    write_users,
)
from tailrace.service import Exposed, Service

service = Service(
    name="identity",
    topic="user.events",
    publishes=PUBLISHED,
    subscribers=[projections.uses, reactions.late_uses],
    timers=[sessions.expiry],
    routers=[public.router, *routes.routers],
    exposes=[
        Exposed(prefix="/.well-known", public=True),
        Exposed(prefix="/v1/auth"),
        Exposed(prefix="/v1/auth/login", public=True),
        Exposed(prefix="/v1/auth/refresh", public=True),
        Exposed(prefix="/v1/auth/logout", public=True),
        Exposed(prefix="/v1/auth/token", public=True),
        Exposed(prefix="/v1/tenants"),
    ],
    scopes=[read_users, write_users, read_teams, write_teams, read_tenants, write_tenants, read_audit],
    default_roles={
        "manager": ["teams:read", "tenants:read", "users:read"],
        "viewer": ["teams:read", "tenants:read", "users:read"],
        "auditor": ["audit:read", "tenants:read", "users:read"],
    },
    issues_tokens=True,
    metadata=Base.metadata,
    platform_tables=frozenset({"tenant_slug", "signing_key"}),
    operator_reads=frozenset({"tenant"}),
    on_start=start.prepare,
)
