"""A company's days: whatever the clocks of a zone do, days follow one another without gap or overlap, and a change of zone moves no day that was."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tailrace.core.values.days import ALWAYS, Calendar, Since, Span, TimeZone, known_zones
from tailrace.core.values.fields import MomentOrDay

ONE = timedelta(microseconds=1)


def days_in(zone: str, *later: tuple[str, str]) -> Calendar:
    return Calendar([Since(ALWAYS, zone), *(Since(date.fromisoformat(day), name) for day, name in later)])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "day", "begin", "end"),
    [
        ("Etc/UTC", "2026-11-01", "2026-11-01T00:00Z", "2026-11-02T00:00Z"),
        ("Asia/Tokyo", "2026-11-01", "2026-10-31T15:00Z", "2026-11-01T15:00Z"),
        # 23 and 25 hours.
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        # Midnight does not exist: the clocks go from 23:59:59 to 01:00.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z", "2018-11-05T02:00Z"),
        ("Asia/Beirut", "2024-03-31", "2024-03-30T22:00Z", "2024-03-31T21:00Z"),
        # The gap begins before midnight: at 23:30, the clocks went on to 00:30.
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30Z", "1919-04-01T04:00Z"),
        # Midnight comes twice: a minute after it, the clocks went back to 23:01. It counts the first time.
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30Z", "2010-11-08T03:30Z"),
        # The day was left out.
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00Z", "2011-12-30T10:00Z"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00Z", "2011-12-30T10:00Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00Z", "2011-12-31T10:00Z"),
        ("Pacific/Kwajalein", "1993-08-21", "1993-08-21T12:00Z", "1993-08-21T12:00Z"),
    ],
)
def test_a_day_lasts_from_its_first_moment_to_that_of_the_next(zone: str, day: str, begin: str, end: str) -> None:
    calendar, wanted = days_in(zone), date.fromisoformat(day)
    assert calendar.span(wanted) == Span(at(begin), at(end))
    if begin != end:
        assert calendar.day_of(at(begin)) == calendar.day_of(at(end) - ONE) == wanted
    assert calendar.day_of(at(begin) - ONE) < wanted < calendar.day_of(at(end))
    assert calendar.last_moment(wanted) == at(end) - ONE


@given(
    zone=st.sampled_from(sorted(known_zones())),
    minutes=st.integers(0, 300 * 366 * 24 * 60 - 10**6),
)
def test_every_moment_is_of_one_day_in_any_zone(zone: str, minutes: int) -> None:
    calendar, moment = days_in(zone), datetime(1900, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    day = calendar.day_of(moment)
    span = calendar.span(day)
    assert span.begin <= moment < span.end
    assert abs(day - moment.astimezone(ZoneInfo(zone)).date()) <= timedelta(days=1)


@given(
    zones=st.lists(
        st.tuples(st.dates(date(2026, 1, 1), date(2026, 1, 9)), st.sampled_from(sorted(known_zones()))), max_size=4
    ),
    hours=st.lists(st.integers(-48, 15 * 24), min_size=2, max_size=2),
)
def test_days_follow_one_another_however_often_the_zone_changes(
    zones: list[tuple[date, str]], hours: list[int]
) -> None:
    calendar = Calendar([Since(ALWAYS, "Pacific/Niue"), *(Since(day, zone) for day, zone in zones)])
    first, then = sorted(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=each) for each in hours)
    assert calendar.day_of(first) <= calendar.day_of(then)
    for moment in (first, then):
        span = calendar.span(calendar.day_of(moment))
        assert span.begin <= moment < span.end


def test_a_company_that_moves_keeps_the_days_it_had() -> None:
    calendar = days_in("Asia/Tokyo", ("2026-06-01", "Pacific/Honolulu"))
    assert (calendar.zone_of(date(2026, 5, 31)), calendar.zone_of(date(2026, 6, 1))) == (
        "Asia/Tokyo",
        "Pacific/Honolulu",
    )
    assert calendar.day_of(at("2026-05-30T15:00Z")) == date(2026, 5, 31)
    # The last day in Tokyo lasts until the first one begins in Honolulu.
    assert calendar.span(date(2026, 5, 31)) == Span(at("2026-05-30T15:00Z"), at("2026-06-01T10:00Z"))
    assert calendar.day_of(at("2026-05-31T23:00Z")) == date(2026, 5, 31)
    east = days_in("Etc/GMT+12", ("2026-06-01", "Etc/GMT-14"))
    # 26 hours on: 31 May is over before it begins.
    assert east.day_of(at("2026-05-31T09:59:59Z")) == date(2026, 5, 30)
    assert east.day_of(at("2026-05-31T10:00Z")) == date(2026, 6, 1)
    assert east.span(date(2026, 5, 31)) == Span(at("2026-05-31T10:00Z"), at("2026-05-31T10:00Z"))


def test_a_moment_stands_for_itself_and_a_day_for_its_first_or_last_moment() -> None:
    calendar, moment = days_in("Asia/Tokyo"), at("2026-11-01T08:30+09:00")
    assert calendar.begin_of(moment) == calendar.end_of(moment) == moment
    assert calendar.begin_of(date(2026, 11, 1)) == at("2026-10-31T15:00Z")
    assert calendar.end_of(date(2026, 11, 1)) == at("2026-11-01T15:00Z") - ONE


def test_a_calendar_begins_somewhere() -> None:
    with pytest.raises(ValueError, match="ALWAYS"):
        Calendar([Since(date(2026, 1, 1), "Asia/Tokyo")])


@pytest.mark.parametrize(
    "name", ["", "UTC", "localtime", "Europe/Atlantis", "europe/berlin", "../etc/passwd", "+09:00"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(TimeZone).validate_python(name)


@pytest.mark.parametrize("name", ["Etc/UTC", "Asia/Tokyo", "America/Argentina/Buenos_Aires", "America/Port-au-Prince"])
def test_a_zone_is_taken_by_its_name(name: str) -> None:
    assert TypeAdapter(TimeZone).validate_python(name) == name


@pytest.mark.parametrize(
    ("moment", "days", "later"),
    [
        ("2026-10-24T16:00Z", 1, "2026-10-25T17:00Z"),
        # The clocks of Berlin leave two o'clock out on 29 March, and show half past two twice on 25 October.
        ("2026-03-28T01:30Z", 1, "2026-03-29T01:30Z"),
        ("2026-10-25T01:30Z", 0, "2026-10-25T01:30Z"),
        # Tokyo from 2 December on.
        ("2026-12-01T08:00Z", 1, "2026-12-02T00:00Z"),
    ],
)
def test_days_later_clocks_show_the_same_time(moment: str, days: int, later: str) -> None:
    calendar = Calendar([Since(ALWAYS, "Europe/Berlin"), Since(date(2026, 12, 2), "Asia/Tokyo")])
    assert calendar.days_later(datetime.fromisoformat(moment), days) == datetime.fromisoformat(later)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("said", ["2026-11-01", "2026-11-01T09:30:00Z"])
def test_a_moment_or_a_day_is_written_as_which_of_the_two_it_is(said: str) -> None:
    kind: TypeAdapter[datetime | date] = TypeAdapter(MomentOrDay)
    assert kind.dump_json(kind.validate_python(said)) == f'"{said}"'.encode()
