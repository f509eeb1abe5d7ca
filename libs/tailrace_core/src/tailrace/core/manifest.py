"""What a service promises of itself as data, one file for each, so that others read it and import nothing of it."""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

ANY_SCOPE = "*"
_PATH = r"^(/[A-Za-z0-9._~-]+)+$"
TEAM, OWN = "team", "own"
_BASE_SCOPE = r"[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*"
SCOPE = rf"{_BASE_SCOPE}(:({TEAM}|{OWN}))?"
"""`orders:write` for all rows; `orders:write:team` and `orders:write:own` for those that the caller's teams, or the caller, look after."""
ScopeName = Annotated[str, Field(pattern=f"^{SCOPE}$")]


class Route(BaseModel):
    """One path prefix that the edge forwards to the service, and its policy. Times in seconds, sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    prefix: str = Field(pattern=_PATH)
    public: bool = False
    stream: bool = False
    """Its answers go on for as long as their clients like: they count by themselves, and end with the session."""
    read_timeout: float = Field(default=2.0, gt=0)
    write_timeout: float = Field(default=5.0, gt=0)
    body_limit: int = Field(default=2 * 1024 * 1024, ge=0)


class Manifest(BaseModel):
    """`scopes`: each with a line that says what it allows. `default_roles`: what the roles that a new tenant gets grant of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    routes: list[Route] = []
    scopes: dict[ScopeName, str] = {}
    default_roles: dict[str, list[str]] = {}

    def text(self) -> str:
        """The file: what is as by default is left out."""
        told = self.model_dump(exclude_defaults=True)
        return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def routes_of(manifests: Iterable[Manifest]) -> list[Route]:
    """The routes of all, ordered by prefix. Raises ValueError when two services claim one prefix."""
    owners: dict[str, Route] = {}
    for route in (route for manifest in manifests for route in manifest.routes):
        other = owners.setdefault(route.prefix, route)
        if other is not route:
            raise ValueError(f"{route.service} and {other.service} both expose {route.prefix}")
    return [owners[prefix] for prefix in sorted(owners)]


def scopes_of(manifests: Iterable[Manifest]) -> dict[str, str]:
    """Every scope that can be granted by name, but wildcards. Raises ValueError when two services declare one."""
    owners: dict[str, str] = {}
    told: dict[str, str] = {}
    for manifest in manifests:
        for scope, says in manifest.scopes.items():
            if owners.setdefault(scope, manifest.service) != manifest.service:
                raise ValueError(f"{manifest.service} and {owners[scope]} both declare the scope {scope}")
            told[scope] = says
    return told


@lru_cache(maxsize=1024)
def granting(scope: str) -> frozenset[str]:
    """By which names a scope is granted: by its own, by that of a wider reach, by all of its resource, and by all there is."""
    resource, _, rest = scope.partition(":")
    action, _, reach = rest.partition(":")
    whole = f"{resource}:{action}"
    wider = {OWN: {f"{whole}:{TEAM}", whole}, TEAM: {whole}}.get(reach, set())
    return frozenset({scope, *wider, f"{resource}:{ANY_SCOPE}", ANY_SCOPE})


def is_known(scope: str, scopes: Mapping[str, str]) -> bool:
    """Whether a role may hold it: a declared scope, all of one resource (`orders:*`), or all there is (`*`)."""
    if scope == ANY_SCOPE or scope in scopes:
        return True
    resource, _, action = scope.partition(":")
    return action == ANY_SCOPE and any(each.partition(":")[0] == resource for each in scopes)


def default_roles_of(manifests: Iterable[Manifest]) -> dict[str, list[str]]:
    """What each role that a new tenant gets grants, of all services together."""
    roles: dict[str, set[str]] = {}
    for manifest in manifests:
        for role, scopes in manifest.default_roles.items():
            roles.setdefault(role, set()).update(scopes)
    return {role: sorted(roles[role]) for role in sorted(roles)}
