"""The service on a database of its own."""

import pytest
from billing import Billing

from accounting.service import service
from tailrace_testing import Harness, MakeHarness


@pytest.fixture
async def accounting(make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


@pytest.fixture
async def billing(accounting: Harness) -> Billing:
    """The same, with a company that invoices and a customer."""
    desk = Billing(accounting)
    await desk.open()
    return desk
