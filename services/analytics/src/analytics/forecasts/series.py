"""The series of a measure: what it came to in each whole week or month of the company's, from the first in which anything was on, and its forecast.

The running week or month is the first step of a forecast: what it came to so far is no value of the series.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from analytics.forecasts.methods import BackTest, Forecast, back_test, forecast
from analytics.lake.engine import Engine
from analytics.measures import Measure
from analytics.periods import Part, cut, moments, part_of
from analytics.reports import Asked, Sums, day_after, happened, link, part_before
from analytics.shown import SALES, SPEND, Report
from tailrace.core import clock
from tailrace.core.errors import Invalid
from tailrace.core.values.days import Calendar
from tailrace.db.database import Tx

ForecastMeasure = Literal["revenue", "orders", "order_net", "spend", "quantity_received", "quantity_issued"]
Step = Literal["week", "month"]
MOST_STEPS = 52
_LONGEST: Mapping[Step, int] = {"week": 260, "month": 120}
"""How many steps are looked back at most: five years of weeks, ten of months."""
_NOT_OF = {"sales-summary": ("item_id", "warehouse_id", "supplier_id"), "spend": ("owner_id", "team_id", "customer_id")}
"""What the rows of a report do not say: a figure of nothing would pass for one."""
YEAR: Mapping[Step, int] = {"week": 52, "month": 12}


@dataclass(frozen=True, slots=True)
class Formula:
    """What a value is made of: amounts, counts or quantities, those `less` taken off."""

    report: Report
    what: Literal["amount", "count", "quantity"]
    of: tuple[Measure, ...]
    less: tuple[Measure, ...] = ()

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (*self.of, *self.less)


FORMULAS: Mapping[ForecastMeasure, Formula] = {
    "revenue": Formula(SALES, "amount", ("invoice_issued",), ("credit_note_issued",)),
    "orders": Formula(SALES, "count", ("order_confirmed",)),
    "order_net": Formula(SALES, "amount", ("order_confirmed",)),
    "spend": Formula(SPEND, "amount", ("goods_received",), ("goods_returned",)),
    "quantity_received": Formula(SPEND, "quantity", ("goods_received",)),
    "quantity_issued": Formula(SPEND, "quantity", ("goods_issued",)),
}


@dataclass(frozen=True, slots=True)
class Series:
    """What was: the parts and their values, in minor units, documents, or millionths of a base unit."""

    asked: Asked
    parts: Sequence[Part]
    values: Sequence[int]
    currency: str | None

    def links(self, formula: Formula, part: Part) -> list[str]:
        """Where the records behind a value are listed: those of each of its measures."""
        return [link(formula.report, each, self.asked, part, None, self.currency) for each in formula.measures]


async def series_of(
    tx: Tx, measure: ForecastMeasure, step: Step, asked: Asked, calendar: Calendar, engine: Engine | None
) -> Series:
    """What there was before the running week or month. Raises Invalid where it is not said of which item or currency, and for what it is not of."""
    formula = FORMULAS[measure]
    for name in _NOT_OF[formula.report.name]:
        if getattr(asked, name) is not None:
            raise Invalid.field(f"/{name}", f"{measure} is not told apart by it.")
    if formula.what == "quantity" and asked.item_id is None:
        raise Invalid.field("/item_id", "Say of which item: quantities of several are in no unit.")
    if formula.what != "amount" and asked.currency is not None:
        raise Invalid.field("/currency", f"{measure} has none.")
    until = part_of(calendar.day_of(asked.as_of or clock.now()), step).begins_on
    parts = cut(_back(until, step), until, step)
    asked = replace(asked, begin=parts[0].begins_on, until=until, interval=step)
    bounds = moments(calendar, parts)
    sums = await happened(tx, formula.measures, asked, bounds, formula.what == "amount", engine)
    currency = _currency(sums, asked) if formula.what == "amount" else None
    values = [0] * len(parts)
    for (part, _, _, of), total in sums.items():
        values[part] += (1 if of in formula.of else -1) * getattr(total, formula.what)
    first = min((place[0] for place in sums), default=len(parts))
    return Series(asked, parts[first:], values[first:], currency)


def _back(until: date, step: Step) -> date:
    """The first day of the first part."""
    day = until
    for _ in range(_LONGEST[step]):
        day = part_of(part_before(day), step).begins_on
    return day


def _currency(sums: Sums, asked: Asked) -> str | None:
    """The one that all is in. Raises Invalid where there are several."""
    found = sorted({place[2] for place in sums if place[2] is not None})
    if len(found) > 1:
        raise Invalid.field("/currency", f"Say which; there is something in each of {', '.join(found)}.")
    return asked.currency or (found[0] if found else None)


def forecast_of(series: Series, step: Step, horizon: int) -> tuple[Forecast, BackTest | None]:
    """Of processor alone, some hundredths of a second: call it in a thread."""
    values = [float(each) for each in series.values]
    return forecast(values, horizon, YEAR[step]), back_test(values, horizon, YEAR[step])


def steps_from(until: date, step: Step, horizon: int) -> list[Part]:
    """The weeks or months that are forecast."""
    parts, day = [], until
    for _ in range(horizon):
        parts.append(part_of(day, step))
        day = day_after(parts[-1].ends_on)
    return parts


def shown_past(value: int, formula: Formula) -> Decimal:
    """As it is answered: exactly."""
    return Decimal(value).scaleb(-6) if formula.what == "quantity" else Decimal(value)


def shown_value(value: float, formula: Formula) -> Decimal:
    """As it is answered: whole minor units or documents, or a quantity; half up. What cannot be below nothing is not."""
    if formula.what != "amount":
        value = max(value, 0.0)
    whole = Decimal(value).quantize(Decimal(1), ROUND_HALF_UP)
    return whole.scaleb(-6) if formula.what == "quantity" else whole


def shown_point(part: Part, point: Any, formula: Formula) -> dict[str, Any]:
    """What a view of a step shows."""
    bounds = {
        f"{end}_{level}": shown_value(each, formula)
        for level, ends in point.within.items()
        for end, each in zip(("low", "high"), ends, strict=True)
    }
    return {
        "begins_on": part.begins_on,
        "ends_on": part.ends_on,
        "value": shown_value(point.value, formula),
        **bounds,
    }
