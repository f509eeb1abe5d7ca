"""A service is a value: what it owns, publishes, listens to and offers. Everything else about it is derived from this."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, FastAPI
from sqlalchemy import MetaData

from tailrace.core.events import Event, by_type
from tailrace.core.manifest import ANY_SCOPE, SCOPE, is_known
from tailrace.core.screens import Screen, linked
from tailrace.errands.errands import Errand
from tailrace.http.auth import Scope, scopes_of
from tailrace.http.routing import TenantRoute
from tailrace.jobs.kinds import JobKind
from tailrace.messaging.sagas import Saga
from tailrace.messaging.schedules import Schedule
from tailrace.messaging.subscribers import Projection, Subscriber
from tailrace.messaging.teams import Teams
from tailrace.messaging.timers import Timer
from tailrace.settings import Settings
from tailrace.storage.attachments import Attachments
from tailrace.storage.routes import UploadRoute
from tailrace.transfer.importable import Importable
from tailrace.transfer.importing import serve
from tailrace.verify.replay import Proof


@dataclass(frozen=True, kw_only=True)
class Exposed:
    """A path prefix that the edge forwards to the service, and its policy. Times in seconds, sizes in bytes.

    `public` paths need no token; the service decides what they tell. Their bodies are 64 kB at most, whatever `body_limit` says.

    `stream` paths answer for as long as their clients like, with a sign of life within each `read_timeout`. Tenants have an allowance of their own
    for these, and the edge ends them when the token or the session that opened them does.
    """

    prefix: str
    public: bool = False
    stream: bool = False
    read_timeout: float = 2.0
    write_timeout: float = 5.0
    body_limit: int = 2 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Service:
    """The manifest. `name` is also the import package, the database and the consumer group.

    `topic` and `metadata` are None for a service without a database; `build` replaces the app of one that needs its own.
    Raises ValueError when the parts contradict each other.
    """

    name: str
    topic: str | None = None
    publishes: Sequence[type[Event]] = ()
    awaits: Sequence[type[Event]] = ()
    """Of what it listens to, the events that no service of the fleet publishes as yet: another system does, or a service that is still to come."""
    subscribers: Sequence[Subscriber] = ()
    follows: Sequence[str] = ()
    """Topics that its processes read besides those of its subscribers, without a group."""
    tells: Sequence[str] = ()
    """Topics that its processes write without an outbox: of what is no event of business (`tailrace.kafka.diary`)."""
    gives_access: bool = False
    """It makes users of Kafka and topics for them, and fills those in transactions of its own: its own user may alter the cluster's lists."""
    timers: Sequence[Timer] = ()
    attachments: Sequence[Attachments] = ()
    """Which of its aggregates have files; `attachment_routes` makes the routes of each."""
    stores: bool = False
    """It keeps objects besides attachments, in the store that `tailrace.storage.store` opens: its deployment needs one."""
    schedules: Sequence[Schedule] = ()
    """What runs by a cron expression; each is a subscriber of the service too, since it has to hear of tenants and their zones."""
    errands: Sequence[Errand] = ()
    """Calls that it makes to others on the Internet."""
    jobs: Sequence[JobKind] = ()
    """Long work that it does in chunks; what imports and exports need comes by itself."""
    imports: Sequence[Importable] = ()
    """What files of rows can be made of."""
    routers: Sequence[APIRouter] = ()
    exposes: Sequence[Exposed] = ()
    scopes: Sequence[Scope] = ()
    """What its routes may ask of a caller, named `<resource>:<action>`."""
    default_roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What the roles that a new tenant gets grant of these scopes; `<resource>:*` grants all of one resource."""
    screens: Sequence[Screen] = ()
    """What the edge shows of several services in one answer."""
    also_promises: Mapping[str, Callable[[Mapping[str, dict[str, Any]]], str]] = field(default_factory=dict)
    """Further documents that follow from the OpenAPI documents of all services, by their path below `contracts/`."""
    edge: bool = False
    """It faces the world and forwards to the others; clients reach them through it alone."""
    issues_tokens: bool = False
    """It signs the tokens that the others verify, publishes the keys for that, and has the operator's log-in."""
    stands_in: bool = False
    """It stands in for what others run, in development and in tests: it has no chart and is not deployed."""
    released: bool = True
    """Somebody relies on its events and its API: a change that breaks them is refused. Until then they may change freely."""
    metadata: MetaData | None = None
    platform_tables: frozenset[str] = frozenset()
    """Tables that are read before a tenant is known; they hold routing data only and alone lack row-level security."""
    operator_reads: frozenset[str] = frozenset()
    """Tables whose rows the platform's operator may read, of every tenant, by a policy `operator` for SELECT alone."""
    proof: Proof | None = None
    """How its read models follow from its event streams, for a service that is event-sourced: `tailrace verify` goes by it."""
    on_start: Callable[[FastAPI, Settings], Awaitable[None]] | None = None
    works: Sequence[Callable[[FastAPI, Settings, asyncio.Event], Coroutine[Any, Any, None]]] = ()
    """What its process does besides, where it consumes, until the event is set."""
    build: Callable[[Settings], FastAPI] | None = None
    all_timers: Sequence[Timer] = field(init=False)
    all_jobs: Sequence[JobKind] = field(init=False)

    @property
    def grantable(self) -> Mapping[str, str]:
        """Every name by which a role may hold one of its scopes, and what that allows."""
        return {name: says for scope in self.scopes for name, says in scope.grantable.items()}

    @property
    def teams(self) -> Teams | None:
        """What it keeps of the company's teams."""
        return next((each for each in self.subscribers if isinstance(each, Teams)), None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "subscribers", tuple(dict.fromkeys((*self.subscribers, *self.schedules))))
        by_type(self.publishes)
        for event in self.publishes:
            if event.topic != self.topic:
                raise ValueError(f"{event.type} goes to {event.topic}; {self.name} publishes to {self.topic}")
            if event.publisher not in (None, self.name):
                raise ValueError(f"{event.type} is {event.publisher}'s to publish, not {self.name}'s")
        names = [subscriber.name for subscriber in self.subscribers]
        if len(names) != len(set(names)):
            raise ValueError(f"{self.name} has two subscribers of one name")
        _check_tables(self)
        linked(self.screens)
        for route in (route for router in self.routers for route in router.routes if isinstance(route, TenantRoute)):
            if strangers := [reads.name for reads in route.reads if reads not in self.subscribers]:
                raise ValueError(f"{route.path} of {self.name} reads {strangers[0]}, which is no subscriber of it")
        _check_scopes(self)
        _check_attachments(self)
        _check_body_limits(self)
        sagas = [subscriber.timer for subscriber in self.subscribers if isinstance(subscriber, Saga)]
        object.__setattr__(self, "all_timers", (*self.timers, *sagas, *(each.timer for each in self.schedules)))
        object.__setattr__(self, "all_jobs", (*self.jobs, *map(serve, self.imports)))
        _check_names(self)


def _check_names(service: Service) -> None:
    named = (("subscriber", service.subscribers), ("errand", service.errands), ("job", service.all_jobs))
    for what, name in ((what, each.name) for what, several in named for each in several):
        if not name.startswith(f"{service.name}."):
            raise ValueError(f"the {what} {name} of {service.name} must be called {service.name}.…")


def _check_scopes(service: Service) -> None:
    known = service.grantable
    if any(scope.by_owner for scope in service.scopes) and service.teams is None:
        raise ValueError(f"{service.name} has scopes that come by owner and no Teams among its subscribers")
    for name in known:
        if not re.fullmatch(SCOPE, name):
            raise ValueError(f"the scope {name} of {service.name} is no <resource>:<action>")
    for route in (route for router in service.routers for route in router.routes):
        if unknown := sorted(scope.name for scope in scopes_of(route) - set(service.scopes)):
            raise ValueError(f"{service.name} asks for the scope {unknown[0]}, which its manifest does not declare")
    for role, scopes in service.default_roles.items():
        for scope in scopes:
            if scope == ANY_SCOPE or not is_known(scope, known):
                raise ValueError(f"the role {role} grants {scope}, which is no scope of {service.name}")


def _check_attachments(service: Service) -> None:
    events = {event for attachments in service.attachments for event in attachments.events.all()}
    if unpublished := sorted(event.type for event in events - {*service.publishes}):
        raise ValueError(f"{service.name} records {unpublished[0]}, which it does not publish")
    routes = [route for router in service.routers for route in router.routes if isinstance(route, UploadRoute)]
    for route in routes:
        if route.attachments not in service.attachments:
            raise ValueError(f"{route.path} takes files that `attachments` of {service.name} does not have")
    for attachments in service.attachments:
        if not any(route.attachments is attachments for route in routes):
            raise ValueError(f"nothing takes the files of {attachments.kind}: put attachment_routes into `routers`")


def _check_body_limits(service: Service) -> None:
    """What a route takes, the gateway lets through."""
    for route in (route for router in service.routers for route in router.routes if isinstance(route, TenantRoute)):
        wanted: int = getattr(route, "body_limit", None) or 0
        under = [each for each in service.exposes if f"{route.path}/".startswith(f"{each.prefix}/")]
        limit = max(under, key=lambda each: len(each.prefix)).body_limit if under else 0
        if limit < wanted:
            raise ValueError(
                f"{route.path} takes bodies of {wanted} bytes; its prefix lets {limit} through: "
                f"exposes=[…, Exposed(prefix={route.path!r}, body_limit={wanted})]"
            )


def _check_tables(service: Service) -> None:
    owned: dict[str, str] = {}
    for projection in (subscriber for subscriber in service.subscribers if isinstance(subscriber, Projection)):
        for table in projection.tables:
            if service.metadata is not None and table.metadata is not service.metadata:
                raise ValueError(f"{projection.name} owns {table.name}, which is no table of {service.name}")
            if owner := owned.get(table.name):
                raise ValueError(f"{owner} owns {table.name}; {projection.name} cannot own it too")
            owned[table.name] = projection.name
