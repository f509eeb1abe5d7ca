"""What others feel while one client takes up what all share: ordinary traffic of a tenant, in turns with and without an attack on the gateway's pool.

The attacks are those of `tests/e2e/test_pool_attacks.py`. The turns are short and many, so that whatever else happens on the machine meets all alike.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

from attack import Attack, begun
from mix.client import Session, User
from mix.setup import PASSWORD

from measure.arithmetic import summary

CALM = "calm"
_CLIENTS, _ROUNDS, _THINKS = 4, 4, 0.02
_LOG_IN_EVERY = 20


async def measure(
    asking: Session, gateway: str, victim: User, viewer: User, at: str, seconds: float, say: Callable[[str], None]
) -> dict[str, Any]:
    """Latencies of the others' requests by attack, and how many times that of calm turns their p99 is. `at` is a collection to read and write."""
    attacks: dict[str, Attack | None] = {
        CALM: None,
        "258 log-ins that never come": Attack(gateway, begun("/v1/auth/login"), 258),
        "275 writes of a viewer that never come": Attack(gateway, begun(at, viewer.token), 275),
    }
    took: dict[str, list[float]] = {name: [] for name in attacks}
    failed: dict[str, int] = dict.fromkeys(attacks, 0)
    each = seconds / _ROUNDS / len(attacks)
    for turn in range(_ROUNDS):
        say(f"attacks, turn {turn + 1} of {_ROUNDS}")
        for name, attack in [*attacks.items()][:: 1 if turn % 2 == 0 else -1]:
            async with AsyncExitStack() as stack:
                if attack is not None:
                    await stack.enter_async_context(attack)
                failed[name] += await _traffic(asking, victim, at, each, took[name])
    told: dict[str, Any] = {name: {**summary(each), "failed": failed[name]} for name, each in took.items()}
    worst = max(told[name]["p99 ms"] for name in attacks if name != CALM)
    return {**told, "p99 times calm": round(worst / told[CALM]["p99 ms"], 2)}


async def _traffic(asking: Session, victim: User, at: str, seconds: float, took: list[float]) -> int:
    """Some clients who read and write, and now and then log in. Returns how many requests failed."""
    failed = 0
    until = time.monotonic() + seconds

    async def client(number: int) -> None:
        nonlocal failed
        turn = number * 5
        while time.monotonic() < until:
            turn += 1
            began = time.monotonic()
            failed += not await _one(asking, victim, at, turn)
            took.append(time.monotonic() - began)
            await asyncio.sleep(_THINKS)

    await asyncio.gather(*[client(number) for number in range(_CLIENTS)])
    return failed


async def _one(asking: Session, victim: User, at: str, turn: int) -> bool:
    if turn % _LOG_IN_EVERY == 0:
        body = {"tenant": victim.tenant, "email": victim.email, "password": PASSWORD}
        return (await asking.once("POST", "/v1/auth/login", {}, body, None)).status == 200
    token = {"Authorization": f"Bearer {victim.token}"}
    if turn % 3 == 0:
        body = {"code": uuid4().hex, "name": "Measured"}
        return (await asking.once("POST", at, {**token, "Idempotency-Key": str(uuid4())}, body, None)).status == 201
    return (await asking.once("GET", f"{at}?limit=5", token, None, None)).status == 200
