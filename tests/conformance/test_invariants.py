"""Every invariant, over every installed service. There is no list of exceptions, no marker and no setting: what a service declares decides."""

import pytest
from invariants.subject import Subject
from invariants.table import INVARIANTS

from tailrace.service import Service


@pytest.mark.parametrize("name", INVARIANTS)
async def test_it_holds(name: str, any_service: Service, subjects: dict[str, Subject]) -> None:
    invariant, subject = INVARIANTS[name], subjects[any_service.name]
    if invariant.applies_to(subject):
        assert await invariant.check(subject) == [], invariant.check.__doc__
