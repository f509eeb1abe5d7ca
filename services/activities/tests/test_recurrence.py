"""Rules against dates that are found another way: day by day, by the definition of RFC 5545, and by what clocks show in their zone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from activities.recurrence import Rule, canonical

BERLIN, TOKYO = "Europe/Berlin", "Asia/Tokyo"
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo(BERLIN))
"""A Monday, four weeks before the clocks move on."""


def _weeks(day: date) -> int:
    return (day - timedelta(days=day.weekday()) - date(2026, 3, 2)).days // 7


def _last_friday(day: date) -> bool:
    return day.weekday() == 4 and (day + timedelta(days=7)).month != day.month


BY_DAY: dict[str, Callable[[date], bool]] = {
    "FREQ=DAILY": lambda day: True,
    "FREQ=DAILY;INTERVAL=3": lambda day: (day - date(2026, 3, 2)).days % 3 == 0,
    "FREQ=WEEKLY;BYDAY=MO,WE": lambda day: day.weekday() in (0, 2),
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR": lambda day: day.weekday() in (0, 4) and _weeks(day) % 2 == 0,
    "FREQ=MONTHLY;BYMONTHDAY=2": lambda day: day.day == 2,
    "FREQ=MONTHLY;BYMONTHDAY=2,-1": lambda day: day.day == 2 or (day + timedelta(days=1)).day == 1,
    "FREQ=MONTHLY;BYDAY=1MO": lambda day: day.weekday() == 0 and day.day <= 7,
    "FREQ=MONTHLY;BYDAY=1MO,-1FR": lambda day: (day.weekday() == 0 and day.day <= 7) or _last_friday(day),
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1": lambda day: (
        day.weekday() < 5
        and not any(
            (day - timedelta(days=n)).month == day.month and (day - timedelta(days=n)).weekday() < 5
            for n in range(1, 8)
        )
    ),
    "FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=2": lambda day: (day.month, day.day) in {(3, 2), (9, 2)},
}


def by_hand(holds: Callable[[date], bool], zone: str, days: int) -> list[datetime]:
    """Nine o'clock on each day that the rule holds of."""
    some = (date(2026, 3, 2) + timedelta(days=n) for n in range(days))
    return [
        datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in some if holds(day)
    ]


@pytest.mark.parametrize("text", BY_DAY)
def test_a_rule_finds_what_is_found_day_by_day(text: str) -> None:
    wanted = by_hand(BY_DAY[text], BERLIN, 400)
    rule = Rule(text, BEGIN, BERLIN)
    assert rule.between(BEGIN, BEGIN + timedelta(days=400)) == wanted
    found = [BEGIN.astimezone(UTC)]
    while len(found) < len(wanted):
        following = rule.following(found[-1], found[-1])
        assert following is not None
        found.append(following)
    assert found == wanted, "one after another, as the next one is made"


def test_nine_o_clock_stays_nine_o_clock_when_the_clocks_are_moved() -> None:
    rule = Rule("FREQ=WEEKLY", BEGIN, BERLIN)
    found = rule.between(BEGIN, BEGIN + timedelta(days=300))
    assert {each.astimezone(ZoneInfo(BERLIN)).hour for each in found} == {9}
    assert {each.hour for each in found} == {7, 8}


def test_a_time_that_the_clocks_leave_out_comes_an_hour_later_and_one_that_comes_twice_comes_once() -> None:
    early = datetime(2026, 3, 27, 2, 30, tzinfo=ZoneInfo(BERLIN))
    found = Rule("FREQ=DAILY", early, BERLIN).between(early, early + timedelta(days=4))
    assert [f"{each.astimezone(ZoneInfo(BERLIN)):%d %H:%M}" for each in found] == [
        "27 02:30",
        "28 02:30",
        "29 03:30",
        "30 02:30",
    ]
    late = datetime(2026, 10, 24, 2, 30, tzinfo=ZoneInfo(BERLIN))
    found = Rule("FREQ=DAILY", late, BERLIN).between(late, late + timedelta(days=3))
    assert [f"{each:%d %H:%M}" for each in found] == ["24 00:30", "25 00:30", "26 01:30"]


def test_what_has_passed_meanwhile_is_passed_over() -> None:
    rule = Rule("FREQ=DAILY", BEGIN, BERLIN)
    late = BEGIN + timedelta(days=10, hours=1)
    assert rule.following(BEGIN, late) == (BEGIN + timedelta(days=11)).astimezone(UTC)


def test_it_ends_and_leaves_days_out() -> None:
    thrice = Rule("FREQ=DAILY;COUNT=3", BEGIN, BERLIN)
    assert len(thrice.between(BEGIN, BEGIN + timedelta(days=99))) == 3
    assert thrice.following(BEGIN + timedelta(days=2), BEGIN) is None
    for until, last in (("20260305", 5), ("20260305T080000Z", 5), ("20260305T075959Z", 4), ("20260305T090000", 5)):
        found = Rule(f"FREQ=DAILY;UNTIL={until}", BEGIN, BERLIN).between(BEGIN, BEGIN + timedelta(days=99))
        assert found[-1].day == last, until
    without = Rule("FREQ=DAILY", BEGIN, BERLIN, [date(2026, 3, 3), date(2026, 3, 4)])
    assert without.following(BEGIN, BEGIN) == (BEGIN + timedelta(days=3)).astimezone(UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FREQ=HOURLY",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;BYHOUR=1",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=1001",
        "FREQ=DAILY;COUNT=2;UNTIL=20260401",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=TU",
        "FREQ=MONTHLY;BYMONTHDAY=99",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=DAILY;UNTIL=20261399",
        "FREQ=DAILY;UNTIL=20250101",
        "FREQ=DAILY;X=1",
        "INTERVAL=2",
        "FREQ=MONTHLY;BYDAY=99MO",
        "FREQ=DAILY;BYSETPOS=2",
        "FREQ=MONTHLY;BYMONTHDAY=2;BYSETPOS=2",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=5",
    ],
)
def test_what_is_no_rule_of_its_first_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        Rule(text, BEGIN, BERLIN)


def test_a_rule_that_never_comes_is_refused_without_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def search(*_: object, **__: object) -> None:
        raise AssertionError("it is looked for until the year 9999")

    leap = datetime(2028, 2, 29, 9, tzinfo=ZoneInfo(BERLIN))
    assert Rule("FREQ=YEARLY", leap, BERLIN).following(leap, leap) == datetime(2032, 2, 29, 8, tzinfo=UTC)
    monkeypatch.setattr("activities.recurrence.rrulestr", search)
    for never in ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYMONTHDAY=99", "FREQ=DAILY;BYYEARDAY=367"):
        with pytest.raises(ValueError, match="no time of its own rule"):
            Rule(never, BEGIN, BERLIN)


def test_a_rule_has_one_spelling() -> None:
    assert canonical("RRULE:freq=weekly;byday=mo") == "FREQ=WEEKLY;BYDAY=MO"


def test_parts_of_a_second_do_not_count() -> None:
    begin = BEGIN.astimezone(UTC)
    rule = Rule("FREQ=DAILY", begin + timedelta(microseconds=843_077), BERLIN)
    current = begin + timedelta(microseconds=843_077)
    assert rule.following(current, current) == begin + timedelta(days=1)
