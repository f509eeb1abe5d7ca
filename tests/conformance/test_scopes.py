"""Every scope that a route asks for can be granted, and every default role grants what there is."""

from contracts.promised import manifests
from tailrace.core.manifest import default_roles_of, is_known, scopes_of
from tailrace.http import auth
from tailrace.service import Service


def test_every_scope_that_a_route_asks_for_is_promised(any_service: Service) -> None:
    asked = {scope.name for router in any_service.routers for route in router.routes for scope in auth.scopes_of(route)}
    assert asked <= scopes_of(manifests()).keys()
    assert asked == {scope.name for scope in any_service.scopes}, "a scope that no route asks for grants nothing"


def test_default_roles_grant_scopes_that_there_are() -> None:
    known = scopes_of(manifests())
    roles = default_roles_of(manifests())
    assert {"sales", "warehouse", "accountant", "viewer"} <= roles.keys()
    assert [scope for scopes in roles.values() for scope in scopes if not is_known(scope, known)] == []
    assert all(scope.endswith(":read") for scope in roles["viewer"])
