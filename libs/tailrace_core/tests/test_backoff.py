"""Pauses grow to their bound, never beyond it, begin again after a success, and differ between two that wait."""

import pytest

from tailrace.core.retries.backoff import Backoff


def test_pauses_grow_to_the_bound_and_begin_again() -> None:
    backoff = Backoff(0.2, 5.0)
    for _ in range(2):
        pauses = [backoff.next() for _ in range(50)]
        assert 0.2 <= pauses[0] <= 0.3
        assert 0.4 <= pauses[1] <= 0.6
        assert all(5 / 1.5 <= pause <= 5 for pause in pauses[6:])
        backoff.reset()


def test_two_that_wait_for_the_same_do_not_ask_in_step() -> None:
    pauses = {Backoff(1.0, 60.0).next() for _ in range(20)}
    assert len(pauses) == 20
    at_the_bound = Backoff(1.0, 2.0)
    assert len({at_the_bound.next() for _ in range(20)}) == 20


def test_a_bound_below_the_first_is_refused_and_equal_to_it_kept() -> None:
    assert [Backoff(2.0, 2.0).next() for _ in range(3)] == [2.0] * 3
    for first, most in ((0.0, 1.0), (2.0, 1.0)):
        with pytest.raises(ValueError, match="first pause"):
            Backoff(first, most)
