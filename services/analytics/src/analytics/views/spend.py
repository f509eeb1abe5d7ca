"""What is shown of spend and of forecasts."""

from datetime import date, datetime

from analytics.forecasts.methods import Method
from analytics.forecasts.series import ForecastMeasure, Step
from analytics.views.freshness import FreshnessView
from analytics.views.reports import AmountFigure, ReportRow, ReportView
from contracts.analytics import KpiOutcome
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, MinorTotal, QuantityTotal
from tailrace.http.routing import View


class GoodsFigure(AmountFigure):
    quantity: QuantityTotal | None
    """How much, in the item's base unit: what quantities add up to, exactly. Null where the row is of several items."""


class SpendRow(ReportRow):
    """What was spent on goods in some days, in one currency."""

    supplier_name: Personal[str] | None
    """What the supplier is called, where rows are by supplier."""
    currency: Currency
    """What every amount of the row is in, an ISO 4217 code."""
    received: GoodsFigure
    """Goods that were bought, by the day on which they came in, at what they were received for."""
    returned: GoodsFigure
    """Goods that went back to their suppliers, at what is owed for them, or at their cost where that is not known."""
    issued: GoodsFigure
    """Goods that were sold or used, at their cost as it was booked when they left."""
    spent: MinorTotal
    """What was received less what was returned."""


class SpendView(ReportView):
    rows: list[SpendRow]
    """One for each part, key and currency."""


class ForecastPast(View):
    """What a measure came to in a whole week or month."""

    begins_on: date
    """The first day."""
    ends_on: date
    """The last day."""
    value: KpiOutcome
    """What it came to: whole minor units, documents, or a quantity in the item's base unit."""
    records: list[str]
    """Where the records behind it are listed: of each measure that is added up, and then of each that is taken off."""


class ForecastStep(View):
    """What is expected of a week or month, and between which bounds."""

    begins_on: date
    """The first day; the first step is the week or month that is running."""
    ends_on: date
    """The last day."""
    value: KpiOutcome
    """The middle of what is expected, as the past is shown."""
    low_80: KpiOutcome
    """Nine in ten times it comes to more than this."""
    high_80: KpiOutcome
    """Nine in ten times it comes to less than this."""
    low_95: KpiOutcome
    """Thirty-nine in forty times it comes to more than this."""
    high_95: KpiOutcome
    """Thirty-nine in forty times it comes to less than this."""


class ForecastWeights(View):
    """How much of an error each part takes up, from 0 to 1."""

    level: KpiOutcome
    """How much goes into where the series stands."""
    trend: KpiOutcome
    """How much of that goes into the trend, as a share."""
    damping: KpiOutcome
    """How much of the trend is left from step to step."""
    season: KpiOutcome | None
    """How much goes into what a season adds; null where there is none."""


class BackTestView(View):
    """How wrong the same procedure would have been lately, each time with no more than what came before."""

    origins: int
    """At how many past weeks or months it was made."""
    forecasts: int
    """How many steps of these have come by now."""
    smape: KpiOutcome
    """The symmetric mean absolute percentage error, from 0 to 200."""
    mase: KpiOutcome | None
    """The mean absolute scaled error: below 1 is better than taking what was last; null where nothing ever changed."""


class MeasureForecastView(View):
    """What is to come of a measure, how that was found, and how wrong it would have been."""

    measure: ForecastMeasure
    """What is forecast."""
    interval: Step
    """How long a step is."""
    currency: Currency | None
    """What amounts are in; null for what has none, and of nothing."""
    as_of: datetime
    """The moment that it is known at, in UTC."""
    method: Method
    """How: `none` of fewer than three whole weeks or months, of which nothing is forecast; `naive` of fewer than eight."""
    weights: ForecastWeights | None
    """Of what was smoothed; else null."""
    history: list[ForecastPast]
    """What was, from the first week or month in which anything was on: at most 260 weeks or 120 months."""
    points: list[ForecastStep]
    """What is to come; nothing where the method is `none`."""
    back_test: BackTestView | None
    """Null of fewer than four whole weeks or months."""
    freshness: FreshnessView
    """How far each topic was read when this was answered."""
