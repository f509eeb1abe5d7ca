"""/v1/analytics/dashboards: what companies put together of their figures, and what that shows now or at a past day."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Request

from analytics import charts, dashboards, freshness
from analytics.bodies import DashboardBody
from analytics.charts import Said
from analytics.dashboards import Dashboard
from analytics.periods import asked_part
from analytics.pictures import Picture, picture, pixels
from analytics.projections import days, memberships, movements, teams
from analytics.reports import days_of, records_link
from analytics.routes.reports import AsOf, BeforeDay, FirstDay, MeasuredRecords, Spoken
from analytics.scopes import DashboardWriter, Reader
from analytics.views.dashboards import DashboardFiguresView, DashboardView
from analytics.views.reports import ReportRecordsView
from contracts.analytics import Tile
from tailrace.core.errors import Unknown
from tailrace.http.files.paper import Pixels
from tailrace.http.lists.filters import equal
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.routing import Tx, tenant_router

Key = Annotated[str, Path(description="The key of the tile.", pattern="^[a-z][a-z0-9-]{0,39}$")]
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
    moment = await dashboards.moment_of(tx, as_of)
    shown = [
        await dashboards.show(tx, tile, moment, request.app.state.engine)
        for tile in await dashboards.tiles_of(tx, dashboard)
    ]
    path = f"/v1/analytics/dashboards/{dashboard.id}/figures"
    return {
        "dashboard": dashboard,
        "as_of": moment,
        "tiles": [
            {
                "tile": one.tile,
                "picture": f"{path}/{one.tile.key}.svg",
                "parts": [
                    {
                        "begins_on": part.begins_on,
                        "ends_on": part.ends_on,
                        "value": value,
                        "records": records_link(f"{path}/{one.tile.key}/records", moment, **days_of(part)),
                    }
                    for part, value in zip(one.parts, one.values, strict=True)
                ],
            }
            for one in shown
        ],
        "freshness": stamp,
    }


async def _tile(tx: Tx, dashboard_id: UUID, key: Key) -> Tile:
    """Raises Unknown."""
    tiles = await dashboards.tiles_of(tx, await tx.find(Dashboard, dashboard_id))
    found = next((one for one in tiles if one.key == key), None)
    if found is None:
        raise Unknown("tile", key)
    return found


TileAsked = Annotated[Tile, Depends(_tile)]


@router.get("/{dashboard_id}/figures/{key}/records", response_model=ReportRecordsView)
async def read_dashboard_records(
    request: Request,
    tx: Tx,
    who: Reader,
    tile: TileAsked,
    page: MeasuredRecords,
    begin: FirstDay = None,
    until: BeforeDay = None,
    as_of: AsOf = None,
) -> dict[str, Any]:
    """What a tile adds up in some days, row by row: `records` of its parts leads here. The part that is running, unless days are given."""
    moment = await dashboards.moment_of(tx, as_of)
    part = asked_part(begin, until, (await days.calendar(tx)).day_of(moment), tile.period)
    return await freshness.page_of_records(tx, request, await dashboards.records(tx, tile, part, moment), page)


async def _drawn(request: Request, tx: Tx, tile: TileAsked, as_of: AsOf = None, language: Spoken = "en") -> str:
    said = Said(language, freshness.in_words(await freshness.stamp(tx, request), language))
    moment = await dashboards.moment_of(tx, as_of)
    return charts.of_tile(await dashboards.show(tx, tile, moment, request.app.state.engine), said)


TileDrawn = Annotated[str, Depends(_drawn)]


@router.get("/{dashboard_id}/figures/{key}.svg", response_class=Picture, response_model=None)
async def read_dashboard_picture(tx: Tx, who: Reader, key: str, drawn: TileDrawn) -> Picture:
    """A tile as a picture: a bar for each of its parts, and how fresh it is."""
    return picture(key, drawn)


@router.get("/{dashboard_id}/figures/{key}.png", response_class=Pixels, response_model=None)
async def read_dashboard_image(tx: Tx, who: Reader, key: str, drawn: TileDrawn) -> Pixels:
    """The same picture as a PNG, for what shows no SVG."""
    return pixels(key, drawn)
