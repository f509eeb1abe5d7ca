"""What a process has besides its database, found from any of its transactions: settings, a store, a key.

    kept: PerDatabase[Settings] = PerDatabase()

    kept.keep(app.state.database, settings)    # at the start
    kept.of(tx)                                # in a timer, an errand, a reaction

Tests run several services, and several databases, in one process.
"""

from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from tailrace.db.database import Database, Tx

T = TypeVar("T")


class PerDatabase(Generic[T]):
    """One value for each database of the process."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[object, T] = WeakKeyDictionary()

    def keep(self, database: Database, value: T) -> None:
        self._kept[database.engine] = value

    def of(self, tx: Tx) -> T:
        """Of the database that the transaction is on. Raises KeyError where nothing was kept."""
        return self._kept[tx.bind]

    def at(self, database: Database) -> T:
        """Raises KeyError where nothing was kept."""
        return self._kept[database.engine]
