"""Two records of one party share a key, however the name is written; a copy's marks tell nothing without the key."""

import pytest

from tailrace.core.ids import uuid7
from tailrace.db.text_search.matching import bare_name, because, marks_of, match_keys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ａｄａ Works, Ltd.", "ada works"),
        ("株式会社山田製作所", "山田製作所 (株)"),
        ("Ada Works GmbH", "ADA-WORKS AG"),
        ("AG", "ag"),
    ],
)
def test_a_name_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert bare_name(one) == bare_name(other) != ""


def test_what_two_records_share_is_said_in_words_of_the_api() -> None:
    mine = match_keys("Ada", [{"country": "DE", "number": "1"}], ["a@b.example"], ["+491"])
    theirs = match_keys("ADA Ltd", [{"country": "AT", "number": "1"}], ["a@b.example"], [])
    assert because(mine, theirs) == ["email", "name"]
    assert match_keys("...", (), (), ()) == []


def test_marks_are_the_same_in_one_tenant_alone() -> None:
    tenant, other = uuid7(), uuid7()
    keys = match_keys("Ada", (), ["a@b.example"], [])
    assert marks_of(tenant, keys) == marks_of(tenant, reversed(keys))
    assert sorted(marks_of(tenant, keys).values()) == ["mail", "name"]
    assert not marks_of(tenant, keys).keys() & marks_of(other, keys).keys()
