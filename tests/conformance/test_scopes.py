"""Every scope that a route asks for, or that shows a property, can be granted, and every default role grants what there is."""

import json
import re

from contracts.promised import manifests
from tailrace.core.manifest import default_roles_of, is_known, scopes_of
from tailrace.http import auth, masks
from tailrace.runtime.app import build_app
from tailrace.service import Service
from tailrace.settings import Settings


def _masks_of(service: Service) -> set[str]:
    """The scopes that show a property of one of its answers."""
    document = json.dumps(build_app(service, Settings()).openapi())
    return set(re.findall(f'"{masks.SAID}": "([^"]*)"', document))


def test_every_scope_that_a_route_asks_for_is_promised(any_service: Service) -> None:
    asked = {scope.name for router in any_service.routers for route in router.routes for scope in auth.scopes_of(route)}
    asked |= _masks_of(any_service)
    assert asked <= scopes_of(manifests()).keys()
    own = {scope.name for scope in any_service.scopes}
    # What is another service's own, such as the address of a customer, its scope shows here too.
    borrowed = _masks_of(any_service) - own
    assert asked - borrowed == own, "a scope that no route asks for grants nothing"


def test_default_roles_grant_scopes_that_there_are(services: list[Service]) -> None:
    known = scopes_of(manifests())
    roles = default_roles_of(manifests())
    assert {"sales", "warehouse", "accountant", "viewer"} <= roles.keys()
    assert [scope for scopes in roles.values() for scope in scopes if not is_known(scope, known)] == []
    shows = {scope for service in services if service.build is None for scope in _masks_of(service)}
    # Nobody's scope reaches another's notifications: who has seen their own changes nothing of the company's.
    own = {"notifications:write"}
    assert [scope for scope in roles["viewer"] if not scope.endswith(":read") and scope not in shows | own] == []
