"""The states of an approval, and what leads from one to the next."""

from typing import Literal

from tailrace.core.transitions import Transitions
from workflow.refusals import NotInThisState

Status = Literal["pending", "approved", "rejected", "recalled", "voided"]
STATES = Transitions[Status](
    "Approval",
    {
        "pending": {
            "decided": "pending",
            "changed": "pending",
            "approved": "approved",
            "rejected": "rejected",
            "restarted": "pending",
            "recalled": "recalled",
            "voided": "voided",
        },
        "approved": {"voided": "voided"},
        "rejected": {},
        "recalled": {},
        "voided": {},
    },
    NotInThisState,
)
