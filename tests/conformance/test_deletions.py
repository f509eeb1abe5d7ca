"""What a route deletes, another restores; the deletions that are final are said here, and in `docs/explanation/in-use.md`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tailrace.service import Service

OPENAPI = Path(__file__).parents[2] / "contracts/src/contracts/openapi"

_A_DRAFT, _ONES_OWN, _FORGOTTEN = (
    "nothing was bound by it",
    "it is one's own, and made once more",
    "who it was is forgotten",
)
FINAL: Mapping[str, Mapping[str, str]] = {
    "accounting": {"/v1/accounting/invoices/{invoice_id}": _A_DRAFT},
    "activities": {"/v1/calendar-feeds/{feed_id}": _ONES_OWN},
    "identity": {
        "/v1/auth/users/{user_id}": "all that was theirs went to who takes over; the address is free for a new user"
    },
    "notifications": {
        "/v1/notifications/{notification_id}": _ONES_OWN,
        "/v1/subscriptions/{subscription_id}": _ONES_OWN,
    },
    "opportunities": {"/v1/leads/{lead_id}": _FORGOTTEN},
    "orders": {"/v1/orders/{order_id}": _A_DRAFT},
    "quotes": {"/v1/quotes/{quote_id}": _A_DRAFT},
}
"""By service, the paths whose deletion nothing takes back, and why."""


def final_deletions(paths: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The paths that can be deleted, and not restored. A part of something is none: it is put there once more."""
    return {
        path
        for path, operations in paths.items()
        if "delete" in operations and path.count("{") == 1 and f"{path}/restore" not in paths
    }


def test_what_is_deleted_can_be_restored_or_is_said_to_be_final(service: Service) -> None:
    document = json.loads((OPENAPI / f"{service.name}.json").read_text())
    assert final_deletions(document["paths"]) == FINAL.get(service.name, {}).keys()


def test_a_final_deletion_is_found() -> None:
    paths: dict[str, dict[str, Any]] = {
        "/a/{id}": {"get": {}, "delete": {}},
        "/a/{id}/restore": {"post": {}},
        "/b/{id}": {"delete": {}},
        "/b/{id}/parts/{part_id}": {"delete": {}},
        "/c": {},
    }
    assert final_deletions(paths) == {"/b/{id}"}
