import pytest
from depot import TODAY, Depot

from contracts.users import TenantCreated
from inventory.service import service
from tailrace.core.ids import uuid7
from tailrace_testing import MakeHarness, SetClock


@pytest.fixture
async def depot(make_harness: MakeHarness) -> Depot:
    depot = Depot(await make_harness(service))
    async with depot.h.together():
        await depot.hear_the_catalog()
    return depot


@pytest.fixture
async def dairy(depot: Depot, clock: SetClock) -> Depot:
    """The same company, in London; the bolt is milk, tracked by lots that expire, and the flour is a pump with a serial number."""
    clock(f"{TODAY}T12:00:00+00:00")
    founded = TenantCreated(
        tenant_id=depot.h.tenant, slug="dairy", name="Dairy", time_zone="Europe/London", currency="EUR"
    )
    await depot.h.deliver(founded, aggregate_id=depot.h.tenant)
    depot.bolt, depot.flour = uuid7(), uuid7()
    await depot.item(depot.bolt, "MILK", tracking="lot", expires=True)
    await depot.item(depot.flour, "PUMP", tracking="serial")
    return depot
