"""What time it is for the business, asked in one place, so that a test can say so. Deadlines of the machinery go by the machine's own clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, in UTC."""
    return _read()


def _read() -> datetime:
    return datetime.now(UTC)
