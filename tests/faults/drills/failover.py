"""`make drill DRILL=failover`: the primary is lost while its standby lags, and the standby takes its place.

What was committed meanwhile is gone, and readers have seen it. Looked at are how soon the doctor is red, that changes are refused, what is lost by
name, and, after an operator accepted it, that an independent reader finds outbox and topic equal but for that, and that trade goes on exactly.
"""

import asyncio
import time
from pathlib import Path

from company import Company

from drills.pair import Pair
from drills.restored import decided
from drills.stage import Figures, doctor_is_red, folder_of_its_own, stack_in
from tailrace.stack.artifacts import cache_folder
from tailrace.stack.credentials import Credentials
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import Layout, Ports
from tailrace.stack.plan import External
from tailrace.stack.state import Board, State
from tailrace_testing.gateway import Gateway

RED_WITHIN = 60.0
ORDERS = 5
"""That the standby does not hear of."""


def main() -> None:
    figures = Figures()
    with folder_of_its_own("failover") as folder:
        asyncio.run(_drill(folder, figures))
    figures.say("It came right.")


async def _drill(folder: Path, figures: Figures) -> None:
    layout = Layout(folder / "data")
    layout.create()
    password = Credentials.load_or_create(layout.credentials).postgres
    board, cache = Board(folder / "pair.json", State()), cache_folder(layout.data)
    pair = Pair(folder, Ports.free().postgres, password, board, cache, synchronous=False)
    await pair.start()
    try:
        async with stack_in(folder, External(postgres=pair.url)) as stack:
            figures.say("a fleet runs on a PostgreSQL with a standby")
            lost = await _fail_over(stack, pair, figures)
            await decided(stack, figures)
            figures.say(
                f"RTO, with an operator who accepts at once and a company that trades: {time.monotonic() - lost:.1f} s"
            )
    finally:
        await pair.stop()


async def _fail_over(stack: Stack, pair: Pair, figures: Figures) -> float:
    """Returns when the primary was lost."""
    async with Gateway(stack.gateway_url, stack.supervisor.credentials.operator) as gateway:
        company = await Company.found(gateway)
        await company.ship((await company.order(1))["id"])
        await company.settled(stack)
        await pair.fall_behind()
        behind = time.monotonic()
        for _ in range(ORDERS):
            await company.ship((await company.order(2))["id"])
        await company.settled(stack)
        lag = await pair.lag()
        await pair.lose_primary()
        lost = time.monotonic()
        await pair.promote()
        figures.say(
            f"the standby is promoted {time.monotonic() - lost:.1f} s after the loss, {lost - behind:.1f} s "
            f"and {lag / 1e6:.1f} MB of log behind the primary (RPO)"
        )
        took = await doctor_is_red(stack, lambda said: "restored behind Kafka" in said, RED_WITHIN)
        figures.say(f"the doctor was red {took:.1f} s later")
        refused = await company.member.send("POST", "/v1/orders", json=company.body(1))
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:tailrace:problem:restored"), refused.text
        assert len(await company.member.every("/v1/orders")) == 1, "reads go on, of what is left"
    return lost


if __name__ == "__main__":
    main()
