"""/v1/analytics/dashboards: what companies put together of their figures, and what that shows now or at a past day."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Request

from analytics import charts, dashboards, freshness
from analytics.bodies import DashboardBody
from analytics.dashboards import Dashboard
from analytics.pictures import Picture, picture, pixels
from analytics.projections import days, memberships, movements, teams
from analytics.routes.reports import AsOf
from analytics.scopes import DashboardWriter, Reader
from analytics.views.dashboards import DashboardFiguresView, DashboardView
from tailrace.core import clock
from tailrace.core.errors import Unknown
from tailrace.http.filters import equal
from tailrace.http.master_data import master_data_routes
from tailrace.http.paper import Pixels
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/analytics/dashboards",
    tag="dashboards",
    about="Figures that people want beside one another, as data: tiles, with those of a parent.",
    reads=[movements, memberships, days, teams],
)

master_data_routes(
    router,
    Dashboard,
    "a dashboard",
    body=DashboardBody,
    view=DashboardView,
    reader=Reader,
    writer=DashboardWriter,
    filters=[equal(Dashboard.parent_id)],
)


@router.get("/{dashboard_id}/figures", response_model=DashboardFiguresView)
async def read_dashboard_figures(
    request: Request, tx: Tx, who: Reader, dashboard_id: UUID, as_of: AsOf = None
) -> dict[str, Any]:
    """What every tile of the dashboard shows to who asks, those of its parent among them."""
    stamp = await freshness.stamp(tx, request)
    dashboard = await tx.find(Dashboard, dashboard_id)
    shown = [
        await dashboards.show(tx, tile, as_of, request.app.state.engine)
        for tile in await dashboards.tiles_of(tx, dashboard)
    ]
    calendar = await days.calendar(tx)
    return {
        "dashboard": dashboard,
        "as_of": clock.now() if as_of is None else calendar.end_of(as_of),
        "tiles": [
            {
                "tile": one.tile,
                "picture": f"/v1/analytics/dashboards/{dashboard.id}/figures/{one.tile.key}.svg",
                "parts": [
                    {"begins_on": part.begins_on, "ends_on": part.ends_on, "value": value}
                    for part, value in zip(one.parts, one.values, strict=True)
                ],
            }
            for one in shown
        ],
        "freshness": stamp,
    }


async def _drawn(
    request: Request,
    tx: Tx,
    dashboard_id: UUID,
    key: Annotated[str, Path(description="The key of the tile.", pattern="^[a-z][a-z0-9-]{0,39}$")],
    as_of: AsOf = None,
) -> str:
    tiles = await dashboards.tiles_of(tx, await tx.find(Dashboard, dashboard_id))
    tile = next((one for one in tiles if one.key == key), None)
    if tile is None:
        raise Unknown("tile", key)
    return charts.of_tile(await dashboards.show(tx, tile, as_of, request.app.state.engine))


TileDrawn = Annotated[str, Depends(_drawn)]


@router.get("/{dashboard_id}/figures/{key}.svg", response_class=Picture, response_model=None)
async def read_dashboard_picture(tx: Tx, who: Reader, key: str, drawn: TileDrawn) -> Picture:
    """A tile as a picture: a bar for each of its parts."""
    return picture(key, drawn)


@router.get("/{dashboard_id}/figures/{key}.png", response_class=Pixels, response_model=None)
async def read_dashboard_image(tx: Tx, who: Reader, key: str, drawn: TileDrawn) -> Pixels:
    """The same picture as a PNG, for what shows no SVG."""
    return pixels(key, drawn)
