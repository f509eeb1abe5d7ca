from collections.abc import AsyncIterator

import pytest
from desk import Carrier, Desk
from ordered import Order
from partner import PartnerListener

from shipping.service import service
from tailrace.settings import PartnerAddress
from tailrace_testing import Harness, MakeHarness


@pytest.fixture
async def shipping(make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


@pytest.fixture
def order(shipping: Harness) -> Order:
    return Order(shipping)


@pytest.fixture
async def partner(shipping: Harness) -> AsyncIterator[Carrier]:
    async with PartnerListener() as listener:
        shipping.settings.partners = {"carrier": PartnerAddress(url=listener.url)}
        shipping.settings.errands_allow = [listener.target]
        yield Carrier(shipping, listener)


@pytest.fixture
def desk(shipping: Harness, order: Order) -> Desk:
    return Desk(shipping, order)
