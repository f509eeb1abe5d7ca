"""What an order goes through: its status is what people decided."""

from typing import Literal

from orders.refusals import AlreadyCancelled, NotADraft, NotConfirmed, NotOnHold
from tailrace.core.transitions import Transitions

Status = Literal["draft", "confirmed", "on_hold", "cancelled"]
STATES = Transitions[Status](
    "Order",
    {
        "draft": {"changed": "draft", "confirmed": "confirmed", "cancelled": "cancelled", "deleted": "cancelled"},
        "confirmed": {"held": "on_hold", "cancelled": "cancelled", "allocated": "confirmed"},
        "on_hold": {"resumed": "confirmed", "cancelled": "cancelled"},
        "cancelled": {},
    },
    NotADraft,
    {"held": NotConfirmed, "allocated": NotConfirmed, "resumed": NotOnHold, "cancelled": AlreadyCancelled},
)
