"""What day it is for a test."""

from datetime import UTC, date, datetime


def today() -> date:
    """The day in UTC, asked for while a test runs.

    A module of tests must not keep one: it is read when tests are collected, and a suite runs past midnight.
    """
    return datetime.now(UTC).date()
