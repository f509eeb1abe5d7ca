"""By which names a scope is granted, and how far it reaches."""

import pytest
from pydantic import ValidationError

from tailrace.core.context import Principal, Reach
from tailrace.core.ids import uuid7
from tailrace.core.manifest import Manifest


def holding(*scopes: str) -> Principal:
    return Principal(user_id=uuid7(), tenant_id=uuid7(), scopes=frozenset(scopes))


@pytest.mark.parametrize(
    ("held", "reach"),
    [
        ("customers:read", Reach.ALL),
        ("customers:read:team", Reach.TEAM),
        ("customers:read:own", Reach.OWN),
        ("customers:*", Reach.ALL),
        ("*", Reach.ALL),
        ("customers:write", None),
        ("customers:write:own", None),
        ("orders:read", None),
        ("customers:*:own", None),
        ("customers", None),
        ("", None),
    ],
)
def test_a_scope_reaches_as_far_as_the_widest_that_is_held(held: str, reach: Reach | None) -> None:
    assert holding(held).reach("customers:read") is reach
    assert holding(held, "customers:write:own").reach("customers:read") is reach


def test_the_widest_counts() -> None:
    assert holding("customers:read:own", "customers:read:team").reach("customers:read") is Reach.TEAM
    assert Reach.OWN < Reach.TEAM < Reach.ALL


def test_the_wider_grants_the_narrower_and_never_the_other_way_round() -> None:
    names = ["customers:read:own", "customers:read:team", "customers:read"]
    for rank, held in enumerate(names):
        assert [holding(held).may(name) for name in names] == [place <= rank for place in range(3)]


def test_a_manifest_names_scopes_by_their_grammar() -> None:
    Manifest(service="x", scopes={"x:read": "a", "x:read:own": "b", "x:read:team": "c"})
    for wrong in ("x:read:mine", "x:read:own:team", "x:read:", "x::own", "x:*:own"):
        with pytest.raises(ValidationError):
            Manifest(service="x", scopes={wrong: "a"})
