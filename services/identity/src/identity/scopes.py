"""What a token must be good for here. `Anybody` who is logged in may see to what is their own."""

from typing import Annotated

from fastapi import Depends

from identity.models import PLATFORM
from tailrace.core.context import Principal
from tailrace.core.errors import Forbidden
from tailrace.http.auth import Requires, Scope, scopes

read_users, write_users = scopes("users", read="See users and roles", write="Keep users and roles, end sessions")
read_tenants, write_tenants = scopes("tenants", read="See tenants", write="Make and describe tenants")
read_teams, write_teams = scopes("teams", read="See teams, and who is whose superior", write="Keep teams")
read_audit = Scope("audit:read", "See who did what at identity")

Anybody = Annotated[Principal, Requires()]
Reader = Annotated[Principal, Requires(read_users)]
Writer = Annotated[Principal, Requires(write_users)]
TeamReader = Annotated[Principal, Requires(read_teams)]
TeamWriter = Annotated[Principal, Requires(write_teams)]
Auditor = Annotated[Principal, Requires(read_audit)]
TenantReader = Annotated[Principal, Requires(read_tenants)]
TenantWriter = Annotated[Principal, Requires(write_tenants)]


def _operator(who: TenantWriter) -> Principal:
    if who.tenant_id != PLATFORM:
        raise Forbidden("Only the platform's operator does this.")
    return who


Operator = Annotated[Principal, Depends(_operator)]
