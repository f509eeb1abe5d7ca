"""What is looked up once, and what is written once, for all the documents that are submitted together."""

from tailrace.db.database import Tx
from tailrace.messaging.timers import Deadlines
from workflow.deploying import serving
from workflow.people import Directory
from workflow.processes import Process, ProcessVersion


class Desk:
    """Good for one stretch of a transaction, in which neither people nor processes change. `close` writes what was noted."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._serving: dict[str, tuple[Process, ProcessVersion]] = {}
        self.directory = Directory(tx)
        self.deadlines = Deadlines()

    async def serving(self, kind: str) -> tuple[Process, ProcessVersion]:
        """The process that documents of a kind begin with, and its version."""
        if kind not in self._serving:
            self._serving[kind] = await serving(self._tx, kind)
        return self._serving[kind]

    async def close(self) -> None:
        """Set the deadlines that were noted."""
        await self.deadlines.set(self._tx)
