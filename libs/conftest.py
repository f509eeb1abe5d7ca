import pytest
from toy import service

from tailrace_testing import Harness, MakeHarness


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(service)
