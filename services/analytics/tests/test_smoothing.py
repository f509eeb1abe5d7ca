"""Smoothing and forecasts: published worked examples, the closed form of their variances, and what is answered of short series."""

import math

import pytest

from analytics.forecasts.methods import back_test, forecast, method_for
from analytics.forecasts.smoothing import Fitted, State, Weights, fit, smooth

AIR = [17.5534, 21.8601, 23.8866, 26.9293, 26.8885, 28.8314, 30.0751, 30.9535, 30.1857, 31.5797]
AIR += [32.577569, 33.477398, 39.021581, 41.386432, 41.596552]
"""Passengers of Australian airlines, in millions, 1990 to 2004: "Forecasting: Principles and Practice", first edition, example 7.2."""
SHEEP = [263.917747, 268.307222, 260.662556, 266.639419, 277.515778, 283.834045, 290.309028, 292.474198, 300.830694]
SHEEP += [309.286657, 318.331081, 329.37239, 338.883998, 339.244126, 328.600632, 314.255385, 314.459695, 321.413779]
SHEEP += [329.789292, 346.385165, 352.297882, 348.370515, 417.562922, 417.12357, 417.749459, 412.233904, 411.946817]
SHEEP += [394.697075, 401.49927, 408.270468, 414.2428]
"""Sheep in Asia, in millions, 1970 to 2000: the same, example 7.3, where a damped trend comes to a sum of squares of 6036.56."""
NIGHTS = [41.727458, 24.04185, 32.328103, 37.328708, 46.213153, 29.346326, 36.48291, 42.977719, 48.901525, 31.180221]
NIGHTS += [37.717881, 40.420211, 51.206863, 31.887228, 40.978263, 43.772491, 55.558567, 33.850915, 42.076383, 45.642292]
NIGHTS += [59.76678, 35.191877, 44.319737, 47.913736]
"""Nights of visitors in Australia, in millions, by quarter from 2005: the same, section 7.5."""


def test_holts_method_gives_the_published_trend_and_forecasts() -> None:
    weights, begin = Weights(0.8, 0.2), State(AIR[0], AIR[1] - AIR[0])
    trends = [smooth(AIR[:many], begin, weights)[0].trend for many in range(1, 16)]
    published = [3.617628, 3.59006512, 3.33438212, 3.23657639, 2.69263502, 2.46388914, 2.2229097, 1.95959226]
    published += [1.47054601, 1.3604894, 1.28045881, 1.20355193, 1.88267152, 2.09564416, 1.83655482]
    assert trends == pytest.approx(published, abs=1e-4)
    found = Fitted(weights, smooth(AIR, begin, weights)[0], 0).values(5)
    assert found == pytest.approx([43.76, 45.59, 47.43, 49.27, 51.10], abs=0.005)


def test_a_damped_trend_comes_to_the_published_sum_of_squares_and_its_weights_are_found() -> None:
    _, errors = smooth(SHEEP, State(257.36, 6.64), Weights(0.98, 0.0, 0.98))
    assert sum(error**2 for error in errors) == pytest.approx(6036.56, abs=0.05)
    found = fit(SHEEP).weights
    assert (found.level, found.trend, found.damping) == pytest.approx((0.98, 0.0, 0.98), abs=0.02)


def test_holt_and_winters_come_within_two_hundredths_of_the_published_forecasts() -> None:
    # Theirs has a trend that is not damped, and initial states that were estimated too.
    assert fit(NIGHTS, 4).values(4) == pytest.approx([60.9542, 36.8505, 46.1628, 50.1272], rel=0.02)


@pytest.mark.parametrize("step", range(1, 13))
def test_variances_are_those_of_the_closed_form(step: int) -> None:
    """Hyndman and others 2008, table 6.2: of ETS(A,Ad,N)."""
    level, share, damped, variance = 0.4, 0.3, 0.9, 2.5
    trend, h = level * share, step
    closed = 1 + level**2 * (h - 1)
    closed += trend * damped * h / (1 - damped) ** 2 * (2 * level * (1 - damped) + trend * damped)
    closed -= (
        trend
        * damped
        * (1 - damped**h)
        / ((1 - damped) ** 2 * (1 - damped**2))
        * (2 * level * (1 - damped**2) + trend * damped * (1 + 2 * damped - damped**h))
    )
    found = Fitted(Weights(level, share, damped), State(0, 0), variance).variances(step)
    assert found[-1] == pytest.approx(variance * closed)


def test_a_season_comes_back_and_widens_the_bounds_after_each_year() -> None:
    series = [100.0 + (10, -20, 30, -20)[at % 4] + at for at in range(24)]
    found = fit(series, 4)
    assert found.values(4) == pytest.approx([100 + (10, -20, 30, -20)[at % 4] + at for at in range(24, 28)], abs=1.5)
    still = Fitted(Weights(0.2, 0.0, 1.0, 0.5), State(0, 0, (0, 0, 0, 0)), 1.0).variances(6)
    assert still == pytest.approx([1, 1.04, 1.08, 1.12, 1.12 + 0.7**2, 1.12 + 0.7**2 + 0.04])


def test_the_length_of_a_series_decides_the_method() -> None:
    lengths = (0, 2, 3, 7, 8, 23, 24)
    assert [method_for(each, 12) for each in lengths] == [
        *("none", "none", "naive", "naive"),
        *("damped_trend", "damped_trend", "damped_trend_and_season"),
    ]
    assert forecast([1.0, 2.0], 3, 12).points == []
    assert back_test([1.0, 2.0, 3.0], 3, 12) is None
    naive = forecast([4.0, 6.0, 5.0], 2, 12)
    assert [point.value for point in naive.points] == [5.0, 5.0]
    low, high = naive.points[1].within[95]
    # The changes are 2 and -1: their mean square is 2.5, of two steps 5.
    assert (low, high) == pytest.approx((5 - 1.959964 * math.sqrt(5), 5 + 1.959964 * math.sqrt(5)), abs=1e-4)


def test_a_back_test_is_that_of_each_past_moment_alone() -> None:
    found = back_test([2.0, 4.0, 6.0, 5.0, 5.0], 2, 12)
    assert found is not None
    # After the third: 6 and 6, where 5 and 5 came; after the fourth 5, where 5 came. Changes until then: 2, 2; and -1 besides.
    assert (found.origins, found.forecasts) == (2, 3)
    assert found.smape == pytest.approx((200 / 11 + 200 / 11 + 0) / 3)
    assert found.mase == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    flat = back_test([5.0] * 6, 1, 12)
    assert flat is not None
    assert (flat.smape, flat.mase) == (0.0, None)


def test_bounds_hold_as_often_as_they_say() -> None:
    """Of a walk at random whose steps are drawn once and for all, by a generator that is written here."""
    state, held, all_of_them = 7, 0, 0
    for _ in range(60):
        walk = [100.0]
        for _ in range(41):
            total = 0.0
            for _ in range(12):
                state = (state * 1103515245 + 12345) % 2**31
                total += state / 2**31
            walk.append(walk[-1] + total - 6)
        for point, came in zip(forecast(walk[:36], 6, 52).points, walk[36:], strict=True):
            low, high = point.within[80]
            held, all_of_them = held + (low <= came <= high), all_of_them + 1
    assert 0.65 < held / all_of_them < 0.92
