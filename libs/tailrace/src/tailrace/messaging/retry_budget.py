"""A failure that may pass is met with a few tries, and then counts as the fact's own fault; whatever surely passes sets the count back.

So a fact that runs into a defect of the server does not hold its partition for ever, and no fact is blamed while the database is unwell.
"""

from collections import defaultdict
from collections.abc import Hashable

from tailrace.db.error_classes import Passing, is_transient, is_uncertain

TRIES = 5


class TryAgain(Passing):
    """Facts failed in a way that may pass: hand in the same records again, after a pause."""


class Patience:
    """Counts in memory, per fact and subscriber; a restart begins anew."""

    def __init__(self, tries: int = TRIES) -> None:
        self._tries = tries
        self._failed: defaultdict[Hashable, int] = defaultdict(int)

    def bears(self, fact: Hashable, error: Exception) -> bool:
        """Whether to try once more what failed like this. Raises `error` itself when it passes by itself."""
        if is_transient(error):
            self.forget()
            raise error
        if not is_uncertain(error):
            return False
        self._failed[fact] += 1
        return self._failed[fact] < self._tries

    def forget(self) -> None:
        self._failed.clear()
