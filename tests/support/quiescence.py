"""Proof that nothing will follow from what a tenant has done, if nobody asks for more.

The order of the looks is the proof. First, how many events every outbox holds; then that each of them is on its topic; then that every group has
committed all that its topics hold, which it does after the effects. So what follows from those events is in an outbox by now: when no outbox
holds more than at first, no timer will fall due, no errand is out and nothing waits to be redriven, nothing is under way. What runs by the clock
is left to the clock: it does not follow from what the tenant did.
"""

from collections.abc import Mapping
from typing import Any

import way

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import eventually

_EVERY = 0.2
"""Seconds between two looks: each asks every service."""
_AHEAD = "10 minutes"
"""For a timer that falls due later no test waits."""
_CLOCKED = "name LIKE 'schedule:%' OR name = 'notifications.due'"
"""Timers that wait for an hour: a schedule, a digest, the end of quiet hours or of a storm of news. Until then nothing is under way."""
_COMING = f"""
    SELECT 'timer ' || name || ' of ' || key FROM timer
    WHERE tenant_id = $1::uuid AND due_at < now() + interval '{_AHEAD}' AND (NOT ({_CLOCKED}) OR due_at < now())
    UNION ALL
    SELECT 'errand ' || name FROM errand_turn WHERE tenant_id = $1::uuid AND due_at < now() + interval '{_AHEAD}'
    UNION ALL
    SELECT kind || ' of ' || subscriber FROM dead_letter WHERE tenant_id = $1::uuid AND kind IN ('not_yet', 'gap', 'behind')
"""


async def quiescent(fleet: Stack, tenant: str, within: float = 600) -> None:
    """Returns when nothing is under way any more. Raises AssertionError with what is, when that does not come about in time."""
    async with way.admins(fleet) as connections:

        async def look() -> list[str]:
            first = await _recorded(connections, tenant)
            if lost := await way.missing_of(fleet, connections, tenant):
                return [f"{len(ids)} events of {name} are not in Kafka" for name, ids in lost.items()]
            # What is said to come comes before the groups are asked, which takes much longer.
            if coming := await _coming(connections, tenant):
                return coming
            await way.all_caught_up(fleet.kafka, {each.name: way.topics_of(each) for each in way.LISTENING}, within)
            coming = await _coming(connections, tenant)
            last = await _recorded(connections, tenant)
            return coming + [
                f"{name} recorded {last[name] - first[name]} events" for name in last if last[name] != first[name]
            ]

        await eventually(look, lambda found: not found, within=within, what="quiescence", every=_EVERY)


async def _recorded(connections: Mapping[str, Any], tenant: str) -> Mapping[str, int]:
    """How many events each outbox holds."""
    query = "SELECT count(*) FROM outbox WHERE tenant_id = $1::uuid"
    return {name: await connection.fetchval(query, tenant) for name, connection in connections.items()}


async def _coming(connections: Mapping[str, Any], tenant: str) -> list[str]:
    """What will happen without anybody asking."""
    return [
        f"{name}: {row[0]}"
        for name, connection in connections.items()
        for row in await connection.fetch(_COMING, tenant)
    ]
