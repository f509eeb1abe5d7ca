"""A process that runs errands dies at each step: the outcome is applied once all the same, and the partner sees one key, however often."""

from typing import Any

import pytest
from crash_toy import errand_to
from failpoints import Failpoint
from partner import PartnerListener, answer

from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

ERRANDS = 6
GOOD = answer(body=b'{"word": "yes"}')
_RUNNER = "tailrace.errands.runner:ErrandRunner"
DEATHS = {
    "taken": Failpoint(f"{_RUNNER}.take", "after", nth=1),
    "read": Failpoint(f"{_RUNNER}._read", "after", nth=3),
    "about to call": Failpoint("tailrace.errands.calls:Caller.call", "before", nth=3),
    "answered": Failpoint("tailrace.errands.calls:Caller.call", "after", nth=3),
    "applied, not settled": Failpoint("tailrace.errands.errands:Errand.apply", "after", nth=3),
    "committed": Failpoint(f"{_RUNNER}._apply", "after", nth=3),
    "put off": Failpoint(f"{_RUNNER}._put_off", "after", nth=1),
}


async def _ended(toy: Harness) -> list[str]:
    rows = await toy.admin.fetch("SELECT payload::json ->> 'text' AS text FROM outbox WHERE type = 'note.written'")
    return sorted(row["text"] for row in rows)


async def _left(toy: Harness) -> int:
    return int(await toy.admin.fetchval("SELECT (SELECT count(*) FROM errand) + (SELECT count(*) FROM errand_turn)"))


@pytest.mark.parametrize("where", DEATHS)
async def test_one_dies_and_another_goes_on(where: str, toy: Harness, running: Any) -> None:
    first = answer(503) if where == "put off" else GOOD
    async with PartnerListener([first, GOOD], pause=0.02) as partner:
        toy.settings.errands_allow = [partner.target]
        expected = []
        async with toy.tx() as tx:
            for number in range(ERRANDS):
                expected.append(str(await errand_to(tx, partner.url, number)))
        async with running(DEATHS[where]) as (life, _):
            await life.struck()
        async with running():
            # Their leases end after two seconds, the pauses of what was put off after one.
            await eventually(lambda: _left(toy), lambda left: left == 0, what="no errand left")
        keys = [asked.headers["idempotency-key"] for asked in partner.asked]
    assert await _ended(toy) == sorted(f"outcome {number}: yes" for number in range(ERRANDS))
    assert set(keys) == set(expected)
    if where in {"answered", "applied, not settled"}:
        assert len(keys) > ERRANDS
