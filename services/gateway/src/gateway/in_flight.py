"""How many requests each caller has under way at once: far fewer than there are connections to a service, so that no caller can take them all."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from gateway.refusals import TooManyAtOnce


class InFlight:
    """At most `most` at once for each key. `what` and `whose` are for people: `requests`, `tenant`."""

    def __init__(self, what: str, whose: str, most: int) -> None:
        self._what = what
        self._whose = whose
        self._most = most
        self._held: Counter[Hashable] = Counter()

    @contextmanager
    def hold(self, key: Hashable) -> Iterator[None]:
        """One more, until the end of the block. Raises TooManyAtOnce."""
        self.enter(key)
        try:
            yield
        finally:
            self.leave(key)

    def enter(self, key: Hashable) -> None:
        """One more, until it is said to `leave`. Raises TooManyAtOnce."""
        held = self._held[key]
        if held >= self._most:
            raise TooManyAtOnce(self._what, self._whose, self._most)
        self._held[key] = held + 1

    def leave(self, key: Hashable) -> None:
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]

    def __len__(self) -> int:
        """Of how many keys there are any."""
        return len(self._held)
