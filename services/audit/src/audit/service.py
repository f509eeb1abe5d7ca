"""Audit: every event of every topic and every access, in a signed log for each company, on `audit.events`."""

from audit import archiving, heads, means, pruning, public, routes, scopes
from audit.archives import routes as archives
from audit.models import Base
from audit.subscribers import days, journals, links
from contracts.access import Accessed
from contracts.audit import PUBLISHED
from tailrace.service import Exposed, Service

service = Service(
    name="audit",
    topic="audit.events",
    publishes=PUBLISHED,
    awaits=[Accessed],
    subscribers=[*journals, links, days],
    stores=True,
    timers=[heads.signing, heads.shipping, pruning.pruning, archiving.archiving],
    routers=[public.router, archives.router, routes.router, routes.trace_router],
    exposes=[
        Exposed(prefix="/v1/audit", read_timeout=30.0),
        Exposed(prefix=public.KEYS, public=True),
        Exposed(prefix="/v1/trace", read_timeout=5.0),
    ],
    scopes=[scopes.read, scopes.pii, scopes.manage],
    default_roles={"auditor": ["audit-log:read"]},
    released=False,
    metadata=Base.metadata,
    platform_tables=frozenset({"signing_key"}),
    on_start=means.prepare,
)
