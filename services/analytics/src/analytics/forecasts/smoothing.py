"""Exponential smoothing with a damped trend and, where asked for, an additive season: the method of Holt (1957) and Winters (1960), damped as by
Gardner and McKenzie (1985), in the error-correction form ETS(A,Ad,N) and ETS(A,Ad,A) of Hyndman, Koehler, Ord and Snyder, "Forecasting with
Exponential Smoothing" (2008).

Initial states are those of Hyndman, Koehler, Snyder and Grose (2002): seasons from a classical decomposition, level and trend by least squares over
the first ten values. The weights are those with the smallest sum of squared one-step errors, found by the pattern search of Hooke and Jeeves
(1961), which draws nothing at random: the same series gives the same forecast. Numbers here are floats: nothing of it is money before it is rounded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from statistics import fmean

_FIRST = 10
"""How many values the first level and trend are fitted to."""
_STEPS = (0.2, 0.1, 0.05, 0.02, 0.01)
_LEAST, _MOST = 0.01, 0.99
_DAMPING = (0.8, 0.98)
"""Below, a trend is gone at once; above, a short series cannot tell damping from none ("Forecasting: Principles and Practice", 8.2)."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much of an error goes into the level, the trend (as a share of what went into the level) and the season; `damping` of a trend is left
    from step to step."""

    level: float
    trend: float
    damping: float = 1.0
    season: float = 0.0


@dataclass(frozen=True, slots=True)
class State:
    """Where a series stands. `seasons`: what each of the coming ones adds, the next first; one of 0 where there are none."""

    level: float
    trend: float
    seasons: tuple[float, ...] = (0.0,)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A series as it was understood: its weights, where it stands, and the variance of its one-step errors."""

    weights: Weights
    state: State
    variance: float

    def values(self, horizon: int) -> list[float]:
        """What is to come, step by step."""
        return list(_ahead(self.state, self.weights, horizon))

    def variances(self, horizon: int) -> list[float]:
        """Of the error of each step (Hyndman and others 2008, table 6.1, class 1): each step hears of the errors of those before."""
        one, period, found, total = self.weights, len(self.state.seasons), [], 1.0
        damped = kept = one.damping
        for step in range(1, horizon + 1):
            found.append(self.variance * total)
            heard = one.level + one.level * one.trend * damped
            if period > 1 and step % period == 0:
                heard += one.season
            total += heard**2
            kept *= one.damping
            damped += kept
        return found


def smooth(series: Sequence[float], state: State, weights: Weights) -> tuple[State, list[float]]:
    """Where a series leads from a state, and the error of each one-step forecast on the way."""
    level, trend, seasons = state.level, state.trend, list(state.seasons)
    period, errors = len(seasons), []
    for number, value in enumerate(series):
        place = number % period
        carried = weights.damping * trend
        error = value - level - carried - seasons[place]
        level += carried + weights.level * error
        trend = carried + weights.level * weights.trend * error
        seasons[place] += weights.season * error
        errors.append(error)
    turned = len(series) % period
    return State(level, trend, (*seasons[turned:], *seasons[:turned])), errors


def fit(series: Sequence[float], period: int = 1) -> Fitted:
    """A damped trend, with seasons of a `period` above 1: of these there have to be two whole ones, else four values. Raises ValueError."""
    if len(series) < max(2 * period, 4):
        raise ValueError(f"{len(series)} values are too few")
    first = _first(series, period)
    weights = _best(series, first, seasonal=period > 1)
    state, errors = smooth(series, first, weights)
    estimated = 5 if period == 1 else 5 + period
    return Fitted(weights, state, sum(error**2 for error in errors) / max(len(series) - estimated, 1))


def _ahead(state: State, weights: Weights, horizon: int) -> Iterator[float]:
    level, carried = state.level, state.trend
    for step in range(horizon):
        carried *= weights.damping
        level += carried
        yield level + state.seasons[step % len(state.seasons)]


def _first(series: Sequence[float], period: int) -> State:
    """The state before the first value."""
    seasons = _seasons(series, period)
    begin = [value - seasons[place % period] for place, value in enumerate(series[:_FIRST])]
    mean_at, mean = (len(begin) + 1) / 2, fmean(begin)
    over = sum((at - mean_at) ** 2 for at in range(1, len(begin) + 1))
    slope = sum((at - mean_at) * (value - mean) for at, value in enumerate(begin, 1)) / over
    return State(mean - slope * mean_at, slope, tuple(seasons))


def _seasons(series: Sequence[float], period: int) -> list[float]:
    """What each season adds: the mean of what is left of the first three periods when their moving average is taken away, together nothing."""
    if period == 1:
        return [0.0]
    begin, half = series[: 3 * period], period // 2
    left: list[list[float]] = [[] for _ in range(period)]
    for at in range(half, len(begin) - half):
        around = begin[at - half : at + half + 1]
        # Of an even number of seasons, the two at the ends count half each.
        average = fmean(around) if period % 2 else (sum(around) - (around[0] + around[-1]) / 2) / period
        left[at % period].append(begin[at] - average)
    means = [fmean(each) if each else 0.0 for each in left]
    return [each - fmean(means) for each in means]


def _best(series: Sequence[float], first: State, *, seasonal: bool) -> Weights:
    """Pattern search: a step up or down in each weight while that is better, then smaller steps."""
    names = ("level", "trend", "damping", *(("season",) if seasonal else ()))
    best, least = Weights(0.3, 0.1, 0.9, 0.1 if seasonal else 0.0), inf

    def cost(weights: Weights) -> float:
        return sum(error**2 for error in smooth(series, first, weights)[1])

    least = cost(best)
    for step in _STEPS:
        better = True
        while better:
            better = False
            for name in names:
                for more in (step, -step):
                    tried = replace(best, **{name: _within(name, getattr(best, name) + more)})
                    if tried != best and (found := cost(tried)) < least:
                        best, least, better = tried, found, True
                        break
    return best


def _within(name: str, value: float) -> float:
    low, high = _DAMPING if name == "damping" else (_LEAST, _MOST)
    return min(max(value, low), high)
