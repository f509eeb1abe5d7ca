import pytest
from depot import Depot

from inventory.service import service
from tailrace_testing import MakeHarness


@pytest.fixture
async def depot(make_harness: MakeHarness) -> Depot:
    depot = Depot(await make_harness(service))
    async with depot.h.together():
        await depot.hear_the_catalog()
    return depot
