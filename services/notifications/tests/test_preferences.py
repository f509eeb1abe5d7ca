"""What leaves the feed goes when and how its person wants: at once, in a digest, after quiet hours, one message for a storm; and once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from notifications.bodies import PreferencesBody
from notifications.preferences import Reader
from tailrace_testing import SetClock

from .conftest import NEWS, Office

TOKYO = "Asia/Tokyo"


def reader(zone: str = TOKYO, **said: Any) -> Reader:
    return Reader(PreferencesBody.model_validate(said), "en", zone)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "goes"),
    [
        ("2026-11-28T21:59:59+09:00", "2026-11-28T21:59:59+09:00"),
        ("2026-11-28T22:00:00+09:00", "2026-11-29T07:00:00+09:00"),
        ("2026-11-29T03:00:00+09:00", "2026-11-29T07:00:00+09:00"),
        ("2026-11-29T07:00:00+09:00", "2026-11-29T07:00:00+09:00"),
    ],
)
def test_quiet_hours_last_over_midnight(now: str, goes: str) -> None:
    assert reader(quiet={"begin": "22:00", "end": "07:00"}).due("now", at(now)) == at(goes)


def test_quiet_hours_of_a_day_end_on_it() -> None:
    siesta = reader(quiet={"begin": "13:00", "end": "15:00"})
    assert siesta.due("now", at("2026-11-28T14:00:00+09:00")) == at("2026-11-28T15:00:00+09:00")
    assert siesta.due("now", at("2026-11-28T12:00:00+09:00")) == at("2026-11-28T12:00:00+09:00")


@pytest.mark.parametrize(
    ("digest", "goes"),
    [
        ({"every": "day", "at": "08:00"}, "2026-11-29T08:00:00+09:00"),
        ({"every": "day", "at": "18:00"}, "2026-11-28T18:00:00+09:00"),
        ({"every": "week", "at": "08:00", "weekday": 6}, "2026-12-05T08:00:00+09:00"),
        ({"every": "week", "at": "18:00", "weekday": 6}, "2026-11-28T18:00:00+09:00"),
        ({"every": "week", "at": "08:00", "weekday": 5}, "2026-12-04T08:00:00+09:00"),
    ],
)
def test_a_digest_comes_at_its_hour(digest: dict[str, Any], goes: str) -> None:
    assert reader(digest=digest).due("digest", at("2026-11-28T12:00:00+09:00")) == at(goes)


def test_a_digest_within_quiet_hours_waits_for_their_end() -> None:
    both = reader(digest={"at": "06:00"}, quiet={"begin": "22:00", "end": "07:00"})
    assert both.due("digest", at("2026-11-28T12:00:00+09:00")) == at("2026-11-29T07:00:00+09:00")


def test_where_clocks_move_a_digest_comes_once_a_day() -> None:
    """Berlin: on 2026-03-29 there is no 02:30, on 2026-10-25 it comes twice."""
    here = reader("Europe/Berlin", digest={"at": "02:30"})
    for begin, days in ((at("2026-03-28T03:00:00+01:00"), 3), (at("2026-10-24T03:00:00+02:00"), 3)):
        moment, came = begin, []
        for _ in range(days):
            moment = here.due("digest", moment)
            came.append(moment)
        assert len({each.date() for each in came}) == days


async def test_what_is_urgent_is_mailed_at_once_and_nothing_else(office: Office) -> None:
    await office.asks(office.bo)
    await office.h.client.post(NEWS, json={"title": "Hello", "user_ids": [str(office.bo)]})
    await office.h.run_errands()
    (mail,) = office.mail
    assert (mail["to"], mail["subject"], mail["from"]) == (
        ["bo@acme.example"],
        "承認依頼: Q-1",
        "no-reply@acme.example",
    )
    assert "Q-1 があなたの承認を待っています。" in mail["text"]
    assert await office.deliveries() == [("email", "sent", None)]


async def test_a_choice_beats_the_rule(office: Office) -> None:
    choices = [
        {"kind": "approval.requested", "way": "email", "how": "never"},
        {"kind": "message", "way": "email", "how": "now"},
        {"kind": "message", "way": "in_app", "how": "never"},
    ]
    await office.prefer(office.bo, language="en", choices=choices)
    await office.asks(office.bo)
    await office.h.client.post(NEWS, json={"title": "Hello", "user_ids": [str(office.bo)]})
    await office.h.run_errands()
    assert [each["subject"] for each in office.mail] == ["Hello"]
    assert [each["kind"] for each in await office.feed(office.bo)] == ["approval.requested"]


async def test_a_digest_is_one_mail_once(office: Office, clock: SetClock) -> None:
    clock("2026-11-28T12:00:00+09:00")
    choices = [{"kind": "approval.requested", "way": "email", "how": "digest"}]
    await office.prefer(office.bo, language="en", choices=choices, digest={"at": "18:00"})
    for number in range(3):
        await office.asks(office.bo, number=f"Q-{number}")
    assert await office.h.run_errands() == 0
    first, *_ = await office.feed(office.bo)
    # What is seen before the digest stands in none.
    await office.as_(office.bo).patch(f"{NEWS}/{first['id']}/read")
    clock("2026-11-28T18:00:01+09:00")
    await office.h.make_timers_due()
    await office.h.fire_timers()
    await office.h.run_errands()
    (mail,) = office.mail
    assert mail["subject"] == "2 notifications"
    assert ("Q-0" in mail["text"], "Q-1" in mail["text"], "Q-2" in mail["text"]) == (False, True, True)
    assert [status for _, status, _ in await office.deliveries()] == ["dropped", "sent", "sent"]
    await office.h.make_timers_due()
    assert await office.h.fire_timers() == 0
    await office.asks(office.bo, number="Q-9")
    assert [row["due_at"] for row in await office.h.admin.fetch("SELECT due_at FROM timer WHERE name LIKE 'not%'")] == [
        at("2026-11-29T18:00:00+09:00")
    ]


async def test_what_is_in_no_feed_is_not_seen_there(office: Office, clock: SetClock) -> None:
    """Who marks all as read has seen what is shown; what was to come by mail alone still comes."""
    clock("2026-11-28T12:00:00+09:00")
    kind = "approval.requested"
    await office.prefer(
        office.bo,
        language="en",
        choices=[{"kind": kind, "way": "in_app", "how": "never"}, {"kind": kind, "way": "email", "how": "digest"}],
        digest={"at": "18:00"},
    )
    await office.asks(office.bo, number="Q-1")
    assert await office.feed(office.bo) == []
    assert (await office.as_(office.bo).patch(f"{NEWS}/read-all")).status_code == 200
    clock("2026-11-28T18:00:01+09:00")
    await office.h.make_timers_due()
    await office.h.fire_timers()
    await office.h.run_errands()
    (mail,) = office.mail
    assert "Q-1" in mail["subject"]
    assert [status for _, status, _ in await office.deliveries()] == ["sent"]


async def test_a_timer_that_comes_too_early_sends_nothing_and_comes_again(office: Office, clock: SetClock) -> None:
    clock("2026-11-28T23:00:00+09:00")
    await office.prefer(office.bo, quiet={"begin": "22:00", "end": "07:00"})
    await office.asks(office.bo)
    await office.h.make_timers_due()
    await office.h.fire_timers()
    assert await office.h.run_errands() == 0
    due = await office.h.admin.fetchval("SELECT due_at FROM timer WHERE name = 'notifications.due'")
    assert due == at("2026-11-29T07:00:00+09:00")


async def test_a_storm_is_one_mail_when_it_is_over(office: Office, clock: SetClock) -> None:
    clock("2026-11-28T12:00:00+09:00")
    await office.prefer(office.bo, language="en")
    for number in range(9):
        await office.asks(office.bo, number=f"Q-{number}")
    await office.h.run_errands()
    assert len(office.mail) == 5
    clock("2026-11-28T12:10:01+09:00")
    await office.h.make_timers_due()
    await office.h.fire_timers()
    await office.h.run_errands()
    assert [each["subject"] for each in office.mail[5:]] == ["4 more: approvals that wait for you"]
    await office.asks(office.bo, number="Q-10")
    assert (await office.feed(office.bo))[-1]["title"] == "Q-10 waits for your approval"


async def test_nonsense_is_refused_with_its_field(office: Office) -> None:
    for said, field in (
        ({"quiet": {"begin": "24:00", "end": "07:00"}}, "/quiet/begin"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"choices": [{"kind": "message", "way": "in_app", "how": "digest"}]}, "/choices/0/how"),
        ({"digest": {"weekday": 8}}, "/digest/weekday"),
    ):
        answer = await office.as_(office.bo).put(f"{NEWS}/preferences", json=said)
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["errors"]] == [field]
