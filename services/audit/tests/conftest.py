import pytest
from scribe import Scribe

from audit.service import service
from tailrace_testing import MakeHarness


@pytest.fixture
async def scribe(make_harness: MakeHarness) -> Scribe:
    return Scribe(await make_harness(service))
