"""Using the fleet through the gateway: every generated service once, single requests for their cost, and orders as fast as they are accepted."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from mix import trade
from mix.client import RefusedError, RequestLog, Session, User
from mix.plans import Job, firms, jobs, probes
from mix.setup import PASSWORD, Shop, found

from measure.arithmetic import summary
from measure.installation import Installation
from measure.latency import Arrivals
from measure.usage import Figures, above_idle, difference

Say = Callable[[str], None]
_AT_ONCE = 8
_TIMEOUT = 60.0


@asynccontextmanager
async def session(installation: Installation, folder: Path) -> AsyncIterator[tuple[Session, User]]:
    """A careful client of the gateway, and the platform's operator."""
    log = RequestLog(folder / "requests.jsonl")
    try:
        async with Session(installation.gateway, log) as asking:
            yield asking, await asking.user("platform", "operator@platform.local", installation.operator)
    finally:
        log.close()


async def visit_everyone(asking: Session, operator: User, installation: Installation) -> dict[str, Any]:
    """One write to each generated service, seen in its read model and in Kafka."""
    user = await customer(asking, operator)
    generated = installation.workspace.generated
    began = time.monotonic()
    async with Arrivals(installation.settings.kafka, [names.topic for names in generated]) as arrivals:
        some = asyncio.Semaphore(_AT_ONCE)

        async def visit(service: str) -> UUID:
            async with some:
                body = {"code": "FIRST", "name": "First"}
                made = await user.write("POST", f"/v1/{service}", body, key=f"visit/{service}")
                await user.until(f"/v1/{service}/tally", lambda tally: tally["active"] == 1, what="its read model")
                return UUID(made.body["id"])

        ids = await asyncio.gather(*[visit(names.service) for names in generated])
        deadline = time.monotonic() + _TIMEOUT
        while missing := [id for id in ids if id not in arrivals.seen]:
            assert time.monotonic() < deadline, f"{len(missing)} of {len(ids)} events are not in Kafka"
            await asyncio.sleep(0.1)
    return {"services": len(ids), "seconds": round(time.monotonic() - began, 1)}


async def single_requests(
    asking: Session, operator: User, installation: Installation, seconds: float, idle: Figures
) -> dict[str, Any]:
    """A read and a write of one generated service, one after another: how long each takes, and CPU milliseconds by part."""
    user = await customer(asking, operator)
    at = f"/v1/{installation.workspace.generated[0].service}"
    here = f"{at}/{(await user.post(at, {'code': 'READ', 'name': 'Read'}, key='single'))['id']}"

    async def write() -> int:
        body = {"code": uuid4().hex, "name": "Measured"}
        return (await asking.once("POST", at, _headers(user, write=True), body, None)).status

    async def read() -> int:
        return (await asking.once("GET", here, _headers(user), None, None)).status

    return {
        "read": await _one_by_one(read, 200, installation, seconds, idle),
        "write": await _one_by_one(write, 201, installation, seconds, idle),
    }


async def accepted_orders(
    asking: Session, operator: User, installation: Installation, seconds: float, seed: int, idle: Figures, say: Say
) -> dict[str, Any]:
    """Confirmed orders per second through the gateway, from eight clients at once; then how long one more takes all the way."""
    firm = firms(seed, 1)[0]
    say("a company, its items, its stock")
    shop = await found(asking, operator, firm, 0)
    planned = jobs(seed, [firm], 20_000)
    took: list[float] = []
    refused: dict[int, int] = {}
    before, began = installation.processes.cpu(), time.monotonic()

    async def client(number: int) -> None:
        turn = number
        while time.monotonic() - began < seconds:
            status, each = await _order(asking, shop, planned[turn % len(planned)], turn)
            took.append(each) if status == 201 else refused.update({status: refused.get(status, 0) + 1})
            turn += _AT_ONCE

    say(f"orders for {seconds:g} s")
    await asyncio.gather(*[client(number) for number in range(_AT_ONCE)])
    lasted = time.monotonic() - began
    used = difference(before, installation.processes.cpu())
    say("one more, all the way")
    return {
        "accepted per second": round(len(took) / lasted, 1),
        "clients": _AT_ONCE,
        "refused": {str(status): times for status, times in refused.items()},
        **summary(took),
        "cores": {part: round(value / lasted, 3) for part, value in used.items()},
        "CPU ms per order": above_idle(used, idle, lasted, len(took)),
        "one more, all the way": await _one_more(shop, next(probes(seed, [firm]))),
    }


async def _one_more(shop: Shop, job: Job) -> dict[str, Any]:
    """How long an order takes until it is reserved, shipped, issued and booked, behind all that were accepted before it."""
    began = time.monotonic()
    try:
        await trade.probe(shop, job)
    except (RefusedError, TimeoutError) as error:
        return {"error": str(error)[:500]}
    return {"seconds": round(time.monotonic() - began, 1)}


async def _order(asking: Session, shop: Shop, job: Job, number: int) -> tuple[int, float]:
    body = {**trade.order_body(shop, job), "customer_reference": f"PO-{number}", "confirm": True}
    began = time.monotonic()
    answer = await asking.once("POST", "/v1/orders", _headers(shop.somebody(number), write=True), body, None)
    return answer.status, time.monotonic() - began


async def _one_by_one(
    ask: Callable[[], Awaitable[int]], expected: int, installation: Installation, seconds: float, idle: Figures
) -> dict[str, Any]:
    for _ in range(20):
        assert await ask() == expected
    took: list[float] = []
    before, began = installation.processes.cpu(), time.monotonic()
    while time.monotonic() - began < seconds:
        asked = time.monotonic()
        status = await ask()
        assert status == expected, f"answered {status}"
        took.append(time.monotonic() - asked)
    used = difference(before, installation.processes.cpu())
    return {**summary(took), "CPU ms per request": above_idle(used, idle, time.monotonic() - began, len(took))}


async def viewer(asking: Session, operator: User) -> User:
    """Somebody of another company who may read and do nothing else."""
    admin = await customer(asking, operator)
    email = f"viewer@{admin.tenant}.example"
    body = {"email": email, "name": "Viewer", "password": PASSWORD, "roles": ["viewer"]}
    await admin.post("/v1/auth/users", body, key=f"viewer/{admin.tenant}")
    return await asking.user(admin.tenant, email, PASSWORD)


async def customer(asking: Session, operator: User) -> User:
    """The administrator of a new company."""
    slug = f"bench-{uuid4().hex[:12]}"
    email = f"admin@{slug}.example"
    admin = {"email": email, "name": "Administrator", "password": PASSWORD}
    await operator.post(
        "/v1/tenants", {"slug": slug, "name": slug, "currency": "EUR", "admin": admin}, key=f"tenant/{slug}"
    )
    return await asking.user(slug, email, PASSWORD)


def _headers(user: User, *, write: bool = False) -> dict[str, str]:
    token = {"Authorization": f"Bearer {user.token}"}
    return {**token, "Idempotency-Key": str(uuid4())} if write else token
