"""Analytics: reports and KPIs made of what every context told, on `analytics.events`."""

from analytics import means, projections, schedules, scopes
from analytics.base import Base
from analytics.lake import exporter
from analytics.routes import dashboards, kpis, reports, spend
from contracts.analytics import PUBLISHED
from tailrace.service import Exposed, Service

service = Service(
    name="analytics",
    topic="analytics.events",
    publishes=PUBLISHED,
    subscribers=[
        projections.days,
        projections.dates,
        projections.teams,
        projections.memberships,
        projections.people,
        projections.goods,
        projections.movements,
    ],
    schedules=[schedules.nights],
    routers=[reports.router, spend.router, kpis.router, dashboards.router],
    exposes=[Exposed(prefix=prefix, read_timeout=10.0) for prefix in ("/v1/reports", "/v1/kpis", "/v1/analytics")],
    scopes=[scopes.read, scopes.kpis_read, scopes.kpis_write, scopes.dashboards_write],
    default_roles={
        "sales": ["reports:read:team", "kpis:read:team"],
        "manager": ["reports:read", "kpis:read", "kpis:write", "dashboards:write"],
        "viewer": ["reports:read", "kpis:read"],
    },
    released=False,
    metadata=Base.metadata,
    platform_tables=frozenset({"queued_movement"}),
    stores=True,
    works=[exporter.run],
    on_start=means.prepare,
)
