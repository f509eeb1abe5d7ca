"""Fixtures for services, on the real parts: a database of one's own per test, tokens that verify, events delivered as Kafka would."""

from tailrace_testing.days import today
from tailrace_testing.harness import Harness, MakeHarness, Published, SetClock

__all__ = ["Harness", "MakeHarness", "Published", "SetClock", "today"]
