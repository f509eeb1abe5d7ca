"""What a return goes through. How far goods have come is counted; people request, authorise and cancel."""

from contracts.returns import ReturnStatus
from orders.returns.refusals import ReturnState
from tailrace.core.transitions import Transitions

STATES = Transitions[ReturnStatus](
    "Return",
    {
        "requested": {"authorised": "authorised", "cancelled": "cancelled"},
        # Goods may be at the door: whether it is cancelled, shipping decides.
        "authorised": {"cancelled": "authorised"},
        "partly_received": {"cancelled": "partly_received"},
        "received": {},
        "inspected": {},
        "closed": {},
        "cancelled": {},
    },
    ReturnState,
)
OVER: tuple[ReturnStatus, ...] = ("closed", "cancelled")
"""In these, nothing more happens."""
