"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope

read = Scope("reports:read", "See reports, and the records behind each figure", by_owner=True)
kpis_read = Scope("kpis:read", "See KPIs, their targets, what they came to, and the records behind that", by_owner=True)
kpis_write = Scope("kpis:write", "Say what the company measures itself by, and have it measured now")
dashboards_write = Scope("dashboards:write", "Put dashboards together, for everybody who may see reports")

Reader = Annotated[Principal, Requires(read)]
KpiReader = Annotated[Principal, Requires(kpis_read)]
KpiWriter = Annotated[Principal, Requires(kpis_write)]
DashboardWriter = Annotated[Principal, Requires(dashboards_write)]
