"""What an order goes through: its status is what people decided."""

from typing import Literal

from orders.credit.refusals import NotHeldForCredit
from orders.refusals import AlreadyCancelled, NotADraft, NotConfirmed, NotOnHold, NotReopened
from tailrace.core.transitions import Transitions

Status = Literal["draft", "credit_hold", "confirmed", "on_hold", "reopening", "cancelled"]
_UNBOUND: dict[str, Status] = {"changed": "draft", "confirmed": "confirmed", "held for credit": "credit_hold"}
_ENDS: dict[str, Status] = {"cancelled": "cancelled"}
STATES = Transitions[Status](
    "Order",
    {
        "draft": {**_UNBOUND, **_ENDS, "deleted": "cancelled"},
        "credit_hold": {**_UNBOUND, **_ENDS, "released": "confirmed"},
        "confirmed": {
            "held": "on_hold",
            **_ENDS,
            "allocated": "confirmed",
            "performed": "confirmed",
            "reopened": "reopening",
        },
        "on_hold": {"resumed": "confirmed", **_ENDS, "reopened": "reopening"},
        "reopening": {"freed": "draft", "left": "confirmed", **_ENDS},
        "cancelled": {},
    },
    NotADraft,
    {
        "held": NotConfirmed,
        "allocated": NotConfirmed,
        "performed": NotConfirmed,
        "resumed": NotOnHold,
        "cancelled": AlreadyCancelled,
        "released": NotHeldForCredit,
        "reopened": NotConfirmed,
        "freed": NotReopened,
        "left": NotReopened,
    },
)
