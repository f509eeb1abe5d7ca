"""A failure that may pass is met with a few tries, and then counts as the event's own fault; whatever surely passes sets the count back.

So an event that runs into a defect of the server does not hold its partition for ever, and no event is blamed while the database is unwell.
"""

from collections import defaultdict
from collections.abc import Hashable

from tailrace.db.error_classes import Passing, is_transient, is_uncertain

TRIES = 5


class TryAgain(Passing):
    """Events failed in a way that may pass: hand in the same records again, after a pause."""


class RetryBudget:
    """Counts in memory, per event and subscriber; a restart begins at zero."""

    def __init__(self, tries: int = TRIES) -> None:
        self._tries = tries
        self._failed: defaultdict[Hashable, int] = defaultdict(int)

    def allows(self, event: Hashable, error: Exception) -> bool:
        """Whether to try once more what failed like this. Raises `error` itself when it surely passes."""
        if is_transient(error):
            self.forget()
            raise error
        if not is_uncertain(error):
            return False
        self._failed[event] += 1
        return self._failed[event] < self._tries

    def forget(self) -> None:
        self._failed.clear()
