"""The service on a database of its own."""

import pytest

from accounting.service import service
from tailrace_testing import Harness, MakeHarness


@pytest.fixture
async def accounting(make_harness: MakeHarness) -> Harness:
    return await make_harness(service)
