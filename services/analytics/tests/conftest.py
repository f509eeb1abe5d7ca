"""The company that every test of analytics has."""

import pytest
from selling_desk import Desk

from analytics.service import service
from tailrace_testing import MakeHarness


@pytest.fixture
async def desk(make_harness: MakeHarness) -> Desk:
    desk = Desk(await make_harness(service))
    await desk.open()
    return desk
