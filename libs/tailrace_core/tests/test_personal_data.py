"""What is marked as personal is found wherever it stands, by its path, in its schema, and in what an event said."""

from typing import Any

import pytest
from pydantic import BaseModel

from tailrace.core.events import Event
from tailrace.core.personal_data import REDACTED, Personal, personal_paths, without_personal


class Address(BaseModel):
    lines: Personal[list[str]]
    country: str


class Contact(BaseModel):
    email: Personal[str] | None = None
    role: str
    addresses: tuple[Address, ...] = ()


class CompanyTold(Event):
    topic = "company.events"
    type = "company.told"

    name: Personal[str]
    nicknames: list[Personal[str]] = []
    seat: Address | None = None
    contacts: list[Contact] = []
    by_branch: dict[str, Contact] = {}
    employees: int


SAID: dict[str, Any] = {
    "name": "Ada",
    "nicknames": ["Countess"],
    "seat": {"lines": ["1 Mill Lane"], "country": "GB"},
    "contacts": [{"email": None, "role": "buyer"}, {"email": "b@x", "role": "boss", "addresses": [{"lines": ["2"]}]}],
    "by_branch": {"Kobe": {"email": "k@x", "role": "clerk"}},
    "employees": 3,
    "of_tomorrow": "who knows whose",
}


def test_every_path_is_told_through_objects_lists_and_mappings() -> None:
    assert personal_paths(CompanyTold) == (
        "$.by_branch[*].addresses[*].lines",
        "$.by_branch[*].email",
        "$.contacts[*].addresses[*].lines",
        "$.contacts[*].email",
        "$.name",
        "$.nicknames",
        "$.seat.lines",
    )


def test_a_model_that_holds_itself_is_refused() -> None:
    class Person(BaseModel):
        name: Personal[str]
        boss: "Person | None" = None

    Person.model_rebuild(_types_namespace={"Person": Person})
    with pytest.raises(TypeError, match=r"Person holds itself at \$.boss"):
        personal_paths(Person)


def test_personal_and_unknown_fields_are_replaced_and_nothing_else() -> None:
    masked = without_personal(CompanyTold, SAID)
    assert masked == {
        "name": REDACTED,
        "nicknames": REDACTED,
        "seat": {"lines": REDACTED, "country": "GB"},
        "contacts": [
            {"email": None, "role": "buyer"},
            {"email": REDACTED, "role": "boss", "addresses": [{"lines": REDACTED}]},
        ],
        "by_branch": {"Kobe": {"email": REDACTED, "role": "clerk"}},
        "employees": 3,
        "of_tomorrow": REDACTED,
    }
    assert SAID["contacts"][1]["email"] == "b@x"


def test_they_are_left_out_when_nothing_is_said_instead() -> None:
    left = without_personal(CompanyTold, SAID, lambda name, value: {})
    assert left == {
        "seat": {"country": "GB"},
        "contacts": [{"email": None, "role": "buyer"}, {"role": "boss", "addresses": [{}]}],
        "by_branch": {"Kobe": {"role": "clerk"}},
        "employees": 3,
    }


@pytest.mark.parametrize("said", ["a text", ["Ada"], 5])
def test_what_is_no_object_is_left_out_as_a_whole(said: Any) -> None:
    assert without_personal(CompanyTold, said) == REDACTED


def test_the_json_schema_carries_the_mark() -> None:
    schema = CompanyTold.model_json_schema(mode="serialization")
    assert schema["properties"]["name"]["x-personal"] is True
    assert "x-personal" not in schema["properties"]["employees"]
    assert schema["$defs"]["Address"]["properties"]["lines"]["x-personal"] is True
    assert schema["$defs"]["Contact"]["properties"]["email"]["anyOf"][0]["x-personal"] is True
