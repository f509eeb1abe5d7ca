"""Every invariant, over every installed service. There is no list of exceptions, no marker and no setting: what a service declares decides."""

import pytest
from findings import say_all
from invariants.subject import Subject
from invariants.table import INVARIANTS

from tailrace.runtime.fleet import load_services

_PAIRS = [
    pytest.param(service.name, invariant.name, id=f"{service.name}-{invariant.name}")
    for service in load_services()
    for invariant in INVARIANTS.values()
    if invariant.applies_to(service)
]


@pytest.mark.parametrize(("service_name", "name"), _PAIRS)
async def test_it_holds(service_name: str, name: str, subjects: dict[str, Subject]) -> None:
    check = INVARIANTS[name].check
    say_all(await check(subjects[service_name]), check.__doc__)
