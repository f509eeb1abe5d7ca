"""As many requests at once as the machine answers in time: more while it does, half as many when it does not.

What TCP does against congestion (additive increase, multiplicative decrease: RFC 5681). A slow machine is then asked slowly, and what it has to do
after each answer keeps up; without this, requests that time out are sent again and take from the others what they wait for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Answer = TypeVar("Answer")
_FIRST, _FEWEST, _MOST = 8.0, 2.0, 32.0
_SLOW = 2.0
"""Seconds that an answer takes where there are too many at once."""


class Lanes:
    """Of one fleet. `width` is how many requests are on their way at most."""

    def __init__(self) -> None:
        self.width = _FIRST
        self._used = 0
        self._narrowed = 0.0
        self._free = asyncio.Condition()

    async def send(self, request: Callable[[], Awaitable[Answer]], failed: Callable[[Answer], bool]) -> Answer:
        """Ask once there is room. `failed` says of an answer that it was none in time."""
        async with self._free:
            await self._free.wait_for(lambda: self._used < self.width)
            self._used += 1
        began = asyncio.get_running_loop().time()
        answer = None
        try:
            answer = await request()
            return answer
        finally:
            ended = asyncio.get_running_loop().time()
            self._learn(began, ended, answer is None or failed(answer) or ended - began > _SLOW)
            async with self._free:
                self._used -= 1
                self._free.notify_all()

    def _learn(self, began: float, ended: float, too_many: bool) -> None:
        if not too_many:
            self.width = min(self.width + 1 / self.width, _MOST)
        elif began >= self._narrowed:
            # Those that were on their way already say nothing of the new width.
            self.width, self._narrowed = max(self.width / 2, _FEWEST), ended
