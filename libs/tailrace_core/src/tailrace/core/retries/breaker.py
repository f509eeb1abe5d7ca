"""What cannot be reached is left alone for a moment, so that its callers hear so at once and it gets room to start."""

import time
from collections.abc import Callable

_THRESHOLD = 5
_COOL_OFF = 1.0


class Breaker:
    """Opens after `threshold` connection failures in a row; then lets one request through per `cool_off` seconds, until one succeeds.

    A probe that never reports back blocks nothing: the next one is due a cool-off later.
    """

    def __init__(
        self,
        *,
        threshold: int = _THRESHOLD,
        cool_off: float = _COOL_OFF,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._cool_off = cool_off
        self._clock = clock
        self._failures = 0
        self._probe_at = 0.0

    @property
    def open(self) -> bool:
        return self._failures >= self._threshold

    def allows(self) -> bool:
        """Whether to try now; when open, taking the one probe that is due."""
        if not self.open:
            return True
        now = self._clock()
        if now < self._probe_at:
            return False
        self._probe_at = now + self._cool_off
        return True

    def retry_after(self) -> float:
        """Seconds until the next probe."""
        return max(0.0, self._probe_at - self._clock())

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        if self.open:
            self._probe_at = self._clock() + self._cool_off
