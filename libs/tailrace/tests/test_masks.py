"""What is masked is left out for whoever lacks the scope, nested or in lists, and for nobody in particular; OpenAPI says so."""

from typing import Annotated

import pytest

from tailrace.core.context import Principal
from tailrace.core.ids import uuid7
from tailrace.http.auth import Scope
from tailrace.http.files import exports
from tailrace.http.masks import Masked, ensure_shown, kept, masked, shown_to, shows
from tailrace.http.routing import Body, View

pay, bank = Scope("people:pay", "See pay"), Scope("people:bank", "See accounts")


class PersonView(View):
    name: str
    """What people call them."""
    pay: Annotated[int | None, masked(pay)]
    """How much a month."""
    account: Annotated[str, masked(bank)]
    """Where it goes."""


class TeamView(View):
    people: list[PersonView]
    """Who is in it."""


class PersonBody(Body):
    name: str
    pay: int | None = None
    account: str = ""


TEAM = TeamView(people=[PersonView(name="Ada", pay=None, account="DE02")])


def holding(*scopes: str) -> Principal:
    return Principal(user_id=uuid7(), tenant_id=uuid7(), scopes=frozenset(scopes))


@pytest.mark.parametrize(
    ("scopes", "seen"),
    [
        ((), {"name"}),
        (("people:pay",), {"name", "pay"}),
        (("people:bank",), {"name", "account"}),
        (("people:*",), {"name", "pay", "account"}),
        (("people:read",), {"name"}),
    ],
)
def test_a_property_is_there_with_its_scope_alone(scopes: tuple[str, ...], seen: set[str]) -> None:
    with shown_to(holding(*scopes)):
        assert TEAM.model_dump(mode="json")["people"][0].keys() == seen
        assert set(PersonView.model_validate_json('{"name": "Ada", "pay": 1, "account": "x"}').model_dump()) == seen
    assert TEAM.model_dump()["people"][0].keys() == {"name"}, "nobody in particular sees nothing that is masked"


def test_openapi_says_which_may_be_missing() -> None:
    schema = PersonView.model_json_schema(mode="serialization")
    assert schema["required"] == ["name"]
    assert schema["properties"]["pay"]["x-scope"] == "people:pay"


def test_what_is_not_seen_stays_and_is_not_named() -> None:
    masks = {"pay": pay, "account": bank}
    with shown_to(holding("people:pay")):
        assert kept(PersonBody(name="Ada", pay=5), masks) == {"account"}
        with pytest.raises(Masked) as refusal:
            kept(PersonBody(name="Ada", account=""), masks)
    assert [error.field for error in refusal.value.errors] == ["/account"]
    with shown_to(holding("*")):
        assert kept(PersonBody(name="Ada", account="x"), masks) == frozenset()


def test_one_may_ask_before_looking() -> None:
    with shown_to(holding("people:pay")):
        ensure_shown(pay, ["pay"])
        ensure_shown(bank, [])
        assert (shows(pay), shows(bank)) == (True, False)
        with pytest.raises(Masked, match="people:bank"):
            ensure_shown(bank, ["account"])
    assert not shows(pay)


def test_an_export_has_no_column_of_what_is_masked() -> None:
    """An empty one would be imported again as values that were taken away."""
    ada = TEAM.people[0]
    for scopes, seen in (((), ["name"]), (("people:bank",), ["name", "account"])):
        with shown_to(holding(*scopes)):
            names = exports.columns(PersonView)
            assert (names, exports.cells(PersonView, names, ada)) == (seen, [getattr(ada, name) for name in seen])
