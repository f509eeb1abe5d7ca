"""What is looked up once, and what is written once, for all the documents that are submitted together."""

from tailrace.db.database import Tx
from tailrace.messaging.timers import Deadlines
from workflow.choosing import Choice, chosen
from workflow.people import Directory


class Desk:
    """Good for one stretch of a transaction, in which neither people nor processes nor templates change. `close` writes what was noted."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._chosen: dict[str, Choice | None] = {}
        self.directory = Directory(tx)
        self.deadlines = Deadlines()

    async def chosen(self, kind: str) -> Choice | None:
        """What documents of a kind begin with; None where nobody is asked."""
        if kind not in self._chosen:
            self._chosen[kind] = await chosen(self._tx, kind)
        return self._chosen[kind]

    async def close(self) -> None:
        """Set the deadlines that were noted."""
        await self.deadlines.set(self._tx)
