"""What is shown of dashboards."""

from datetime import date, datetime
from uuid import UUID

from analytics.views.freshness import FreshnessView
from contracts.analytics import KpiOutcome, Tile
from tailrace.http.routing import ResourceView, View


class DashboardView(ResourceView):
    code: str
    """What the dashboard is known by."""
    name: str
    """What people call it."""
    parent_id: UUID | None
    """The dashboard that it stands on."""
    tiles: list[Tile]
    """Its own tiles."""


class TilePartView(View):
    """What a tile shows of some days."""

    begins_on: date
    """The first day."""
    ends_on: date
    """The last day."""
    value: KpiOutcome | None
    """What it came to: a count, an amount in minor units, a share of one or seconds; null where there is none."""
    records: str
    """Where the records are listed that it adds up: of a share or an average, all that it is of."""


class TileView(View):
    """A tile with its figures, for who asks."""

    tile: Tile
    """What is shown."""
    picture: str
    """Where it is drawn, as SVG."""
    parts: list[TilePartView]
    """One for each part, the running one last."""


class DashboardFiguresView(View):
    """All tiles of a dashboard, its parent's among them, with their figures."""

    dashboard: DashboardView
    """What is shown."""
    as_of: datetime
    """The moment that it is known at, in UTC."""
    tiles: list[TileView]
    """In their order."""
    freshness: FreshnessView
    """How far each topic was read when this was answered."""
