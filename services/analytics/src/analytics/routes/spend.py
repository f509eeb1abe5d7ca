"""/v1/analytics/spend and /v1/analytics/forecast: what was spent on goods, with the records behind it, and what is to come of a measure."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request

from analytics import figures, freshness, periods, reports
from analytics.bodies import ForecastBody
from analytics.forecasts import series
from analytics.forecasts.methods import BackTest
from analytics.forecasts.smoothing import Weights
from analytics.movements import Movement
from analytics.projections import days, memberships, movements, teams
from analytics.reports import Asked
from analytics.routes.reports import AsOf, Cut, From, OfCurrency, Until
from analytics.scopes import Reader
from analytics.shown import SPEND
from analytics.suppliers import names_of
from analytics.views.reports import ReportRecordsView
from analytics.views.spend import MeasureForecastView, SpendView
from tailrace.core import clock
from tailrace.core.values.days import Calendar
from tailrace.core.values.fields import Text
from tailrace.http.lists.pagination import PageRequest, listed
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/analytics",
    tag="analytics",
    about="What was spent on goods, and what is to come of a measure, as of now and of any past day.",
    reads=[movements, memberships, days, teams],
)
By = Literal["company", "item", "warehouse", "supplier"]


async def _filters(
    tx: Tx,
    begin: From = None,
    until: Until = None,
    as_of: AsOf = None,
    item_id: Annotated[UUID | None, Query(description="Only this item.")] = None,
    warehouse_id: Annotated[UUID | None, Query(description="Only what came into this warehouse, or left it.")] = None,
    supplier_id: Annotated[
        UUID | None, Query(description="Only what this supplier delivered: the key of a row by supplier.")
    ] = None,
    currency: OfCurrency = None,
) -> tuple[Asked, Calendar]:
    said = {"item_id": item_id, "warehouse_id": warehouse_id, "supplier_id": supplier_id, "currency": currency}
    return await reports.asked_of(tx, begin, until, as_of, **said)


Filters = Annotated[tuple[Asked, Calendar], Depends(_filters)]


@router.get("/spend", response_model=SpendView)
async def read_spend(
    request: Request,
    tx: Tx,
    who: Reader,
    filters: Filters,
    interval: Cut = "whole",
    by: Annotated[By, Query(description="What the rows are of.")] = "company",
) -> dict[str, Any]:
    """What was received of what was bought, what went back, and what was sold or used; never two currencies in one sum."""
    stamp = await freshness.stamp(tx, request)
    asked, calendar = filters
    found = await figures.answer(
        tx, SPEND, replace(asked, interval=interval, by=by), calendar, request.app.state.engine
    )
    rows = figures.rows_of(SPEND, found)
    names = await names_of(tx) if by == "supplier" else {}
    of_one = by == "item" or asked.item_id is not None
    for row in rows:
        row["supplier_name"] = names.get(row["key"])
        row["spent"] = row["received"]["amount"] - row["returned"]["amount"]
        if not of_one:
            for field in SPEND.happened:
                row[field]["quantity"] = None
    return {**figures.heading(found), "rows": rows, "freshness": stamp}


@router.get("/spend/records", response_model=ReportRecordsView)
async def read_spend_records(
    request: Request,
    tx: Tx,
    who: Reader,
    filters: Filters,
    page: Annotated[PageRequest, listed(Movement, sort=[Movement.at, Movement.known_at])],
    measure: Annotated[
        Literal["goods_received", "goods_returned", "goods_issued"] | None,
        Query(description="The measure of the figure; whatever happened, when left out."),
    ] = None,
    by: Annotated[By, Query(description="What `key` is the key of.")] = "company",
    key: Annotated[Text | None, Query(description="The row's key; `none` for no supplier who is known.")] = None,
) -> dict[str, Any]:
    """What a figure of /v1/analytics/spend adds up, row by row: `records` of the figure leads here."""
    asked, calendar = filters
    bounds = periods.moments(calendar, periods.cut(asked.begin, asked.until, "whole"))
    query = reports.records(SPEND, measure, replace(asked, by=by), bounds, key)
    return await freshness.page_of_records(tx, request, query, page)


@router.post("/forecast", response_model=MeasureForecastView)
async def make_forecast(request: Request, tx: Tx, who: Reader, body: ForecastBody) -> dict[str, Any]:
    """What is to come of a measure, by week or month: a damped trend, with seasons from two years on, bounds and a back-test. Nothing is kept."""
    stamp = await freshness.stamp(tx, request)
    filters = {name: getattr(body, name) for name in ("owner_id", "team_id", "customer_id", "item_id", "warehouse_id")}
    filters |= {"supplier_id": body.supplier_id, "currency": body.currency}
    asked, calendar = await reports.asked_of(tx, None, None, body.as_of, **filters)
    engine = request.app.state.engine
    was = await series.series_of(tx, body.measure, body.interval, asked, calendar, engine)
    formula = series.FORMULAS[body.measure]
    found, tested = await asyncio.to_thread(series.forecast_of, was, body.interval, body.horizon)
    steps = series.steps_from(was.asked.until, body.interval, body.horizon)
    return {
        "measure": body.measure,
        "interval": body.interval,
        "currency": was.currency,
        "as_of": asked.as_of or clock.now(),
        "method": found.method,
        "weights": _weights(found.weights, seasonal=found.method == "damped_trend_and_season"),
        "history": [
            {
                "begins_on": part.begins_on,
                "ends_on": part.ends_on,
                "value": series.shown_past(value, formula),
                "records": was.links(formula, part),
            }
            for part, value in zip(was.parts, was.values, strict=True)
        ],
        "points": [series.shown_point(part, point, formula) for part, point in zip(steps, found.points, strict=False)],
        "back_test": _tested(tested),
        "freshness": stamp,
    }


def _weights(found: Weights | None, *, seasonal: bool) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "level": _decimal(found.level),
        "trend": _decimal(found.trend),
        "damping": _decimal(found.damping),
        "season": _decimal(found.season) if seasonal else None,
    }


def _tested(found: BackTest | None) -> dict[str, Any] | None:
    if found is None:
        return None
    mase = None if found.mase is None else _decimal(found.mase)
    return {"origins": found.origins, "forecasts": found.forecasts, "smape": _decimal(found.smape), "mase": mase}


def _decimal(value: float) -> Decimal:
    """To six decimals."""
    return round(Decimal(value), 6)
