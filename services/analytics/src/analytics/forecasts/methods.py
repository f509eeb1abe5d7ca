"""Which method a series is forecast by, between which bounds it is to be expected, and how wrong the same would have been in the past.

The length of a series decides: below three whole periods nothing is forecast; below eight, what was last goes on (the naive method); from two whole
years on damped trend and season, between them a damped trend alone. Nothing is chosen by the error that is then told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist, fmean
from typing import Literal

from analytics.forecasts.smoothing import Weights, fit

Method = Literal["none", "naive", "damped_trend", "damped_trend_and_season"]
NAIVE_FROM, TREND_FROM = 3, 8
LEVELS = (80, 95)
"""Percent of what comes that is to lie within the bounds."""
_ORIGINS = 6
"""At how many past moments the forecast is made once more, at most."""


@dataclass(frozen=True, slots=True)
class Point:
    """A step that is to come, and by level the bounds within which it is to be expected."""

    value: float
    within: dict[int, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to come. `weights` of what was smoothed."""

    method: Method
    points: list[Point]
    weights: Weights | None = None


@dataclass(frozen=True, slots=True)
class BackTest:
    """How wrong forecasts were that were made at `origins` past moments, of what was known of the series by then: `forecasts` steps in all.

    `smape`: the mean of |error| over the mean of both sizes, in percent, from 0 to 200. `mase`: the mean |error| over that of naive one-step
    forecasts of the series before; below 1 is better than those (Hyndman and Koehler, "Another look at measures of forecast accuracy", 2006).
    None where that never changed.
    """

    origins: int
    forecasts: int
    smape: float
    mase: float | None


def method_for(length: int, period: int) -> Method:
    """By how many values there are, and how many make a year."""
    if length < NAIVE_FROM:
        return "none"
    if length < TREND_FROM:
        return "naive"
    return "damped_trend" if length < 2 * period else "damped_trend_and_season"


def forecast(series: Sequence[float], horizon: int, period: int) -> Forecast:
    """So many steps ahead; none of a series that is too short."""
    method = method_for(len(series), period)
    if method == "none":
        return Forecast(method, [])
    if method == "naive":
        changes = [after - before for before, after in pairwise(series)]
        variance = fmean(change**2 for change in changes)
        return Forecast(method, _points([series[-1]] * horizon, [variance * (step + 1) for step in range(horizon)]))
    fitted = fit(series, period if method == "damped_trend_and_season" else 1)
    return Forecast(method, _points(fitted.values(horizon), fitted.variances(horizon)), fitted.weights)


def back_test(series: Sequence[float], horizon: int, period: int) -> BackTest | None:
    """The same procedure at past moments, the latest a step ago, each time with no more than what came before (Tashman 2000: rolling origins).

    None where no forecast could have been made.
    """
    errors: list[float] = []
    shares: list[float] = []
    scaled: list[float] = []
    origins = 0
    for origin in range(max(len(series) - _ORIGINS, NAIVE_FROM), len(series)):
        before = series[:origin]
        scale = fmean(abs(after - each) for each, after in pairwise(before))
        origins += 1
        for point, came in zip(forecast(before, horizon, period).points, series[origin:], strict=False):
            error, size = abs(came - point.value), abs(came) + abs(point.value)
            errors.append(error)
            shares.append(200 * error / size if size else 0.0)
            if scale:
                scaled.append(error / scale)
    if not errors:
        return None
    return BackTest(origins, len(errors), fmean(shares), fmean(scaled) if len(scaled) == len(errors) else None)


def _points(values: Sequence[float], variances: Sequence[float]) -> list[Point]:
    quantiles = {level: NormalDist().inv_cdf(0.5 + level / 200) for level in LEVELS}
    return [
        Point(
            value,
            {level: (value - far * variance**0.5, value + far * variance**0.5) for level, far in quantiles.items()},
        )
        for value, variance in zip(values, variances, strict=True)
    ]
