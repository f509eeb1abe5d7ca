"""A silence is told from a backlog by whether the slot moves, and from a moment's absence by how long everything has been there."""

from datetime import timedelta

from tailrace.capture.slots import Outbox
from tailrace.capture.watch import Memory, judge

LIMIT, NOW, WRITTEN = 30.0, 10_000.0, 5_000
LONG_AGO, JUST_NOW = NOW - 100, NOW - 5


def outbox(missing: float | None, *, published: bool = True) -> Outbox:
    age = None if missing is None else timedelta(seconds=missing)
    return Outbox(age, timedelta(seconds=1), WRITTEN, published)


def memory(*, confirmed: int = 1_000, moved_at: float = LONG_AGO, steady_since: float = LONG_AGO) -> Memory:
    return Memory(steady_since=steady_since, confirmed=confirmed, moved_at=moved_at)


def judged(found: Memory, missing: float | None = 45, *, published: bool = True) -> tuple[str | None, bool]:
    trouble = judge(found, outbox(missing, published=published), LIMIT, NOW)
    return (trouble.kind if trouble else None), found.ripe


def test_a_canary_that_arrived_or_is_young_is_no_trouble() -> None:
    assert judged(memory(), None) == (None, False)
    assert judged(memory(), 29) == (None, False)


def test_a_slot_that_stands_still_before_the_canary_is_stuck() -> None:
    assert judged(memory()) == ("silent", True)


def test_a_slot_that_still_moves_towards_the_canary_is_a_backlog() -> None:
    assert judged(memory(moved_at=JUST_NOW)) == ("silent", False)


def test_a_slot_that_moved_past_the_canary_dropped_it() -> None:
    assert judged(memory(confirmed=WRITTEN, moved_at=JUST_NOW)) == ("silent", True)


def test_nothing_is_done_before_everything_was_there_for_a_while() -> None:
    assert judged(memory(steady_since=JUST_NOW)) == ("silent", False)
    assert judged(memory(confirmed=WRITTEN, steady_since=JUST_NOW)) == ("silent", False)


def test_the_position_of_the_canary_is_taken_when_it_is_first_missed() -> None:
    found = memory(confirmed=WRITTEN - 1, moved_at=JUST_NOW)
    assert judged(found) == ("silent", False)
    found.confirmed = WRITTEN
    assert judged(found) == ("silent", True)


def test_a_publication_without_the_outbox_is_mended_at_once() -> None:
    assert judged(memory(steady_since=JUST_NOW), published=False)[0] == "publication"
