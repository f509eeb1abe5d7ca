"""Where parcels are and what has arrived, from the log of requests: by what carriers said, in any order and more than once, and by who signed at the
door. It imports nothing of the product.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from request_ledger import Log

ENDS = ("delivered", "returned", "lost")
MOVE_NOTHING = frozenset({"signed", "carrier_said"})
"""What is said of ways alone: neither goods nor money move by it."""


class Ways:
    """Reads the log of one company from its beginning to its end."""

    def __init__(self, log: Log) -> None:
        self.left: dict[str, datetime] = {}
        """By shipment, when it left."""
        self.arrived: dict[str, datetime] = {}
        """By shipment, when it was delivered."""
        self.steps: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
        """By shipment, what counts of what its carrier said, by the carrier's name for it."""
        self._over: set[str] = set()
        for said in log:
            if said["did"] in {"shipped", *MOVE_NOTHING}:
                getattr(self, f"_{said['did']}")(said)

    def status(self, shipment: str) -> str:
        return "delivered" if shipment in self.arrived else "dispatched"

    def tracking(self, shipment: str) -> str | None:
        """Where it is by all that was said: what ends a way is undone by nothing, and else the last by the carrier's clock."""
        last = self._last(shipment)
        return None if last is None else str(last["state"])

    def _last(self, shipment: str) -> Mapping[str, Any] | None:
        found = self.steps.get(shipment, {}).values()
        return max(found, key=lambda step: (step["state"] in ENDS, _moment(step["at"])), default=None)

    def _shipped(self, said: Mapping[str, Any]) -> None:
        self.left[said["shipment"]] = _moment(said["at"])

    def _signed(self, said: Mapping[str, Any]) -> None:
        self.arrived[said["shipment"]] = _moment(said["at"])

    def _carrier_said(self, said: Mapping[str, Any]) -> None:
        """A step counts once, and none after the way was over. Nothing arrives before it left, whatever the carrier's clock says."""
        shipment = said["shipment"]
        if shipment in self._over:
            return
        for step in said["steps"]:
            self.steps[shipment].setdefault(step["reference"], step)
        last = self._last(shipment)
        if last is None or last["state"] not in ENDS:
            return
        self._over.add(shipment)
        if last["state"] == "delivered":
            self.arrived.setdefault(shipment, max(_moment(last["at"]), self.left[shipment]))


def _moment(said: str) -> datetime:
    return datetime.fromisoformat(said)
