import pytest

from catalog.service import service
from contracts.users import TenantCreated
from tailrace_testing import Harness, MakeHarness


@pytest.fixture
async def catalog(make_harness: MakeHarness) -> Harness:
    """The service for a tenant that has its standard units."""
    harness = await make_harness(service)
    event = TenantCreated(tenant_id=harness.tenant, slug="acme", name="Acme", currency="EUR")
    await harness.deliver(event, aggregate_id=harness.tenant)
    return harness
