"""A sample of an event, or the reason why there is none and what to do."""

from typing import ClassVar

import pytest

from tailrace.codegen.samples import sample
from tailrace.core.events import Event
from tailrace.core.operator_error import OperatorError
from tailrace.core.personal_data import Personal
from tailrace.core.values.fields import Email


class Greeted(Event):
    topic: ClassVar[str] = "greeting.events"
    type: ClassVar[str] = "greeting.said"

    name: Personal[str]
    address: Email


class Written(Event):
    topic: ClassVar[str] = "greeting.events"
    type: ClassVar[str] = "greeting.written"

    address: Personal[Email]


def test_what_tells_of_a_person_is_left_out() -> None:
    assert sample(Greeted) == {"name": "[personal]", "address": "ada@example.org"}


def test_a_field_that_takes_no_specimen_is_named_with_the_cure() -> None:
    with pytest.raises(
        OperatorError, match=r"no sample can be made of Written: address: .*nothing that an address holds"
    ) as refused:
        sample(Written)
    assert "Personal[str]" in refused.value.remedy
