"""An allowance per tenant or address: a token bucket that refills steadily, in bounded memory, told to clients in RateLimit headers."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from gateway.refusals import TooManyRequests

_MOST_KEYS = 50_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Limit:
    """`rate` requests per second each, with bursts of up to `burst`.

    Keeps at most `most` buckets; the one longest unused goes first, and is the fullest or close to it.
    """

    def __init__(
        self,
        whose: str,
        *,
        rate: float,
        burst: int,
        most: int = _MOST_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(f"the {whose} limit needs a rate above 0 and a burst of at least 1")
        self._whose = whose
        self._rate = rate
        self._burst = burst
        self._most = most
        self._clock = clock
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()
        self._policy = f'"{whose}";q={burst};w={math.ceil(burst / rate)}'

    def take(self, key: Hashable) -> dict[str, str]:
        """Spend one request; the RateLimit headers to answer with. Raises TooManyRequests when none is left."""
        bucket = self._filled(key)
        if bucket.tokens < 1:
            raise self._refusal(bucket)
        bucket.tokens -= 1
        return self._headers(bucket)

    def check(self, key: Hashable) -> None:
        """Raises TooManyRequests when none is left; spends nothing."""
        bucket = self._filled(key)
        if bucket.tokens < 1:
            raise self._refusal(bucket)

    def __len__(self) -> int:
        return len(self._buckets)

    def _filled(self, key: Hashable) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(float(self._burst), now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end(key)
        bucket.tokens = min(float(self._burst), bucket.tokens + (now - bucket.at) * self._rate)
        bucket.at = now
        return bucket

    def _refusal(self, bucket: _Bucket) -> TooManyRequests:
        return TooManyRequests(self._whose, (1 - bucket.tokens) / self._rate, self._headers(bucket))

    def _headers(self, bucket: _Bucket) -> dict[str, str]:
        """draft-ietf-httpapi-ratelimit-headers-11: what is left, and in how many seconds the allowance is whole again."""
        whole_again = math.ceil((self._burst - bucket.tokens) / self._rate)
        return {
            "RateLimit-Policy": self._policy,
            "RateLimit": f'"{self._whose}";r={int(bucket.tokens)};t={whole_again}',
        }
