"""Who may have a password hashed now: few at once, a bounded queue behind them, and those who wait take turns by where they come from.

So a crowd from one place holds up itself, a wait is short, and who would wait longer is told at once.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from identity.refusals import Busy


class Turns:
    """`at_once` have their turn, up to `waiting` wait for one, each at most `within` seconds; of them all, up to `share` for one key.

    A key is an address, or a tenant whose users somebody writes.
    """

    def __init__(self, *, at_once: int, waiting: int, share: int, within: float) -> None:
        self._free = at_once
        self._room = waiting
        self._share = share
        self._within = within
        self._held: Counter[Hashable] = Counter()
        # The key whose turn comes next is the first.
        self._queues: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, key: Hashable) -> AsyncIterator[None]:
        """Raises Busy at once when the queue or the key's share of it is full, and after `within` seconds of waiting."""
        if self._held[key] >= self._share or (not self._free and self.waiting >= self._room):
            raise Busy
        self._held[key] += 1
        try:
            await self._wait(key)
            try:
                yield
            finally:
                self._pass_on()
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]

    @property
    def waiting(self) -> int:
        return sum(map(len, self._queues.values()))

    async def _wait(self, key: Hashable) -> None:
        if self._free:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append(mine)
        try:
            async with asyncio.timeout(self._within):
                await mine
        except BaseException as error:
            self._leave(key, mine)
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise

    def _leave(self, key: Hashable, mine: asyncio.Future[None]) -> None:
        """Whose turn came in the very moment that it was given up passes it on."""
        if not mine.cancelled():
            self._pass_on()
        elif mine in (queue := self._queues.get(key, deque())):
            queue.remove(mine)
            if not queue:
                del self._queues[key]

    def _pass_on(self) -> None:
        """To the next key that waits: the one that had its turn longest ago, and of its own the first."""
        while self._queues:
            key, queue = self._queues.popitem(last=False)
            first = queue.popleft()
            if queue:
                self._queues[key] = queue
            # One that gave up in this moment has not left the queue yet.
            if not first.done():
                first.set_result(None)
                return
        self._free += 1
