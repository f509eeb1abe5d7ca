"""A point in the product where a process dies or stands still, made from outside: what passes there is wrapped, nothing is built in."""

import asyncio
import inspect
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Failpoint:
    """`where` is `module:attribute.attribute`, looked up as the product looks it up; the process is struck at the `nth` passage.

    A call that raises does not come `after`. Only calls with an argument equal to `having` are counted, when one is given. `once` is a
    file that is made with the first strike and keeps later processes from being struck.
    """

    where: str
    when: Literal["before", "after"] = "before"
    nth: int = 1
    having: str | None = None
    does: Literal["die", "hang"] = "die"
    once: str | None = None

    def arm(self) -> None:
        """Wrap what is at the point, in this process. Raises AttributeError when there is nothing of that name any more."""
        module, _, path = self.where.partition(":")
        *parents, name = path.split(".")
        owner: Any = import_module(module)
        for parent in parents:
            owner = getattr(owner, parent)
        setattr(owner, name, self._wrapped(getattr(owner, name)))

    def _wrapped(self, original: Callable[..., Any]) -> Callable[..., Any]:
        passed = 0

        def due(arguments: tuple[Any, ...]) -> bool:
            nonlocal passed
            if self.having is None or any(isinstance(a, str) and a == self.having for a in arguments):
                passed += 1
                return passed == self.nth
            return False

        async def passing(*arguments: Any, **named: Any) -> Any:
            given = (*arguments, *named.values())
            if self.when == "before" and due(given):
                await self._strike()
            result = await original(*arguments, **named)
            if self.when == "after" and due(given):
                await self._strike()
            return result

        def passing_at_once(*arguments: Any, **named: Any) -> Any:
            given = (*arguments, *named.values())
            if self.when == "before" and due(given):
                self._die()
            result = original(*arguments, **named)
            if self.when == "after" and due(given):
                self._die()
            return result

        return passing if inspect.iscoroutinefunction(original) else passing_at_once

    async def _strike(self) -> None:
        if self.does == "hang":
            await asyncio.Event().wait()
        self._die()

    def _die(self) -> None:
        if self.once is not None:
            try:
                # Two processes may come to the point at the same moment.
                Path(self.once).touch(exist_ok=False)
            except FileExistsError:
                return
        os.kill(os.getpid(), signal.SIGKILL)
