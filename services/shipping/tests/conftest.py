import pytest
from ordered import Order

from shipping.service import service
from tailrace_testing import Harness, MakeHarness


@pytest.fixture
async def shipping(make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


@pytest.fixture
def order(shipping: Harness) -> Order:
    return Order(shipping)
