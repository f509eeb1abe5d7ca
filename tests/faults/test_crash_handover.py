"""The customers of somebody who left are handed over once each, wherever the process dies that does it."""

from typing import Any
from uuid import UUID

import pytest
from asking import free_port
from failpoints import Failpoint
from forkserver import ForkServer
from leaving import leaving

from customers.commands import handover
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

CUSTOMERS = handover.at_once + 100
"""Two batches."""
DEATHS = {
    "before the first batch": Failpoint("tailrace.messaging.timers:Timer.fire", "before"),
    "in the middle of a batch": Failpoint("customers.models:Customer.hand_over", "after", nth=handover.at_once // 2),
    "at its end, not committed": Failpoint("tailrace.messaging.timers:Timer.fire", "after"),
    "committed": Failpoint("tailrace.messaging.timers:TimerRunner._fire_one", "after"),
    "in the middle of the second": Failpoint("customers.models:Customer.hand_over", "after", nth=handover.at_once + 50),
}
_FILL = """
INSERT INTO customer (tenant_id, id, number, kind, status, currency, payment_terms_days, tax_ids, addresses, emails, phones, tax_id_checks,
                      sales_rep_id, consents, match_keys, name, search_text, code_key, version)
SELECT $1, gen_random_uuid(), n, 'company', 'active', 'EUR', 30, '[]', '[]', '[]', '[]', '[]', $2, '{}', '[]', 'Ada ' || n, '', n, 1
FROM (SELECT 'A-' || generate_series(1, $3::int) AS n)
"""


async def _count(h: Harness, query: str, *given: object) -> int:
    return int(await h.admin.fetchval(query, *given))


async def _owned(h: Harness, user: UUID) -> int:
    return await _count(h, "SELECT count(*) FROM customer WHERE sales_rep_id = $1", user)


@pytest.mark.parametrize("where", DEATHS)
async def test_each_is_handed_over_once(where: str, make_harness: MakeHarness, forkserver: ForkServer) -> None:
    h = await make_harness(leaving)
    leaver, heir = uuid7(), uuid7()
    await h.admin.execute(_FILL, h.tenant, leaver, CUSTOMERS)
    for user, active in ((leaver, False), (heir, True)):
        await h.admin.execute(
            "INSERT INTO user_copy (tenant_id, id, active) VALUES ($1, $2, $3)", h.tenant, user, active
        )
    async with h.tx() as tx:
        await handover.leave(tx, leaver, heir)

    settings = {"database_url": h.settings.database_url, "log_level": "ERROR"}
    given: dict[str, Any] = {"service": "leaving", "settings": settings, "parts": ["consumer"]}
    await forkserver.start("serve", [DEATHS[where]], port=free_port(), **given).struck()
    assert 0 < await _owned(h, leaver) + await _owned(h, heir) == CUSTOMERS
    life = forkserver.start("serve", port=free_port(), **given)
    await eventually(
        lambda: _count(h, "SELECT count(*) FROM timer"), lambda left: left == 0, what="the end of the handover"
    )
    await life.kill()

    assert (await _owned(h, leaver), await _owned(h, heir)) == (0, CUSTOMERS)
    query = "SELECT count(*), count(DISTINCT aggregate_id) AS once, max(sequence) AS last FROM outbox WHERE type = 'customer.assigned'"
    row = await h.admin.fetchrow(query)
    assert (row["count"], row["once"], row["last"]) == (CUSTOMERS, CUSTOMERS, 2)
