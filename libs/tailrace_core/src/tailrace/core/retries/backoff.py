"""How long to wait before the next try: longer each time, up to a bound, and never in step with others that wait for the same."""

import random

_JITTER = 1.5


class Backoff:
    """Pauses between `first` and `most` seconds, each some twice the one before; `reset` after a success begins at `first` again."""

    def __init__(self, first: float, most: float) -> None:
        if not 0 < first <= most:
            raise ValueError("the first pause is above zero and not above the longest")
        self._first = self._step = first
        self._most = most

    def next(self) -> float:
        """The pause before the next try, in seconds."""
        pause = min(random.uniform(self._step, self._step * _JITTER), self._most)
        # The longest step leaves room for the jitter below the bound.
        self._step = max(self._first, min(self._step * 2, self._most / _JITTER))
        return pause

    def reset(self) -> None:
        self._step = self._first


def full_jitter(tries: int, first: float, most: float) -> float:
    """A pause in seconds after so many tries, anything from zero to `first` doubled with each try, `most` at most.

    Where many wait for the same, this spreads them best: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """
    return random.uniform(0, min(most, first * 2.0 ** min(max(tries - 1, 0), 32)))
