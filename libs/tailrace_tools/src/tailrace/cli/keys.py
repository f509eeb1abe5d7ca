"""`tailrace keys`: the signing keys, listed and replaced through the API of the service that issues tokens.

With the operator's log-in, so that each step is audited.
"""

import asyncio
import os
from typing import Any

import httpx2
from rich.table import Table

from tailrace.cli.console import out
from tailrace.cli.running import enter_environment
from tailrace.core.ids import uuid7
from tailrace.core.operator_error import OperatorError
from tailrace.http import outgoing

_OPERATOR = {"tenant": "platform", "email": "operator@platform.local"}
_STATES = {
    "next": "published, signs from",
    "signing": "signs since",
    "verifying": "replaced; verifies until",
    "retired": "verifies nothing since",
    "revoked": "revoked at",
}


def list_keys() -> None:
    _show(asyncio.run(_ask("GET", None)))


def rotate_keys(*, now: bool, revoke: bool, reason: str | None) -> None:
    """Raises OperatorError; for a revocation without a reason, too: it makes every client refresh, and an operator will ask why."""
    if revoke and not reason:
        raise OperatorError("a revocation needs a reason", 'say why: --reason "…"')
    body: dict[str, Any] = {"at_once": now, "revoke": revoke, "reason": reason}
    _show(asyncio.run(_ask("POST", body)))
    if revoke:
        out.print("Tokens of the revoked keys are refused: at the edge now, at each service within a minute.")
        out.print("Clients refresh their tokens; no user has to log in again.")
    else:
        out.print("No user is logged out: tokens of the key before are good until they expire.")


async def _ask(method: str, body: dict[str, Any] | None) -> list[dict[str, Any]]:
    password = os.environ.get("TAILRACE_OPERATOR_PASSWORD")
    plan = enter_environment()
    password = password or os.environ["TAILRACE_OPERATOR_PASSWORD"]
    base = plan.issuer_url
    try:
        async with outgoing.client(base, within=15) as client:
            token = await _log_in(client, password)
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid7())}
            answer = await client.request(method, "/v1/auth/keys", json=body, headers=headers)
            if not answer.is_success:
                raise OperatorError(f"{plan.issuer} refused: {answer.text[:300]}", f"see: tailrace logs {plan.issuer}")
            items: list[dict[str, Any]] = answer.json()["items"]
            return items
    except outgoing.UNREACHED as error:
        raise OperatorError(f"{plan.issuer} does not answer: {error!r}", "see: tailrace status") from None


async def _log_in(client: httpx2.AsyncClient, password: str) -> str:
    answer = await client.post("/v1/auth/login", json={**_OPERATOR, "password": password})
    if answer.status_code == 401:
        raise OperatorError(
            "the operator's log-in was refused",
            "was the password changed? give it in TAILRACE_OPERATOR_PASSWORD",
        )
    if answer.status_code != 200:
        raise OperatorError(f"the operator's log-in failed: {answer.text[:300]}", "see: tailrace status")
    return str(answer.json()["access_token"])


def _show(keys: list[dict[str, Any]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for key in keys:
        moment = key["signs_from"] if key["state"] in {"next", "signing"} else key["verifies_until"]
        table.add_row(key["id"], _STATES[key["state"]], moment[:19].replace("T", " ") + " UTC")
    out.print(table)
