"""Which address is meant, and how it is printed."""

from tailrace.core.values.postal import address_for, address_lines, stated_address

OSAKA = {
    "use": "billing",
    "lines": ["梅田3-1-3"],
    "city": "大阪市北区",
    "region": "大阪府",
    "postal_code": "530-0001",
    "country": "JP",
}
HAMBURG = {
    "use": "office",
    "lines": ["Hafenstraße 12"],
    "city": "Hamburg",
    "region": None,
    "postal_code": "20457",
    "country": "DE",
}


def test_an_address_is_found_by_its_use_else_the_first() -> None:
    assert address_for([HAMBURG, OSAKA], "billing", "office") is OSAKA
    assert address_for([HAMBURG, OSAKA], "shipping", "office") is HAMBURG
    assert address_for([HAMBURG, OSAKA], "shipping") is HAMBURG
    assert address_for([], "billing") is None


def test_goods_go_to_an_address_for_goods_and_to_no_other() -> None:
    depot = {**HAMBURG, "use": "shipping", "lines": ["Kai 3"]}
    assert stated_address([OSAKA, depot], "shipping") == {
        "lines": ["Kai 3"],
        "city": "Hamburg",
        "postal_code": "20457",
        "country": "DE",
    }
    assert stated_address([OSAKA, HAMBURG], "shipping") is None
    assert stated_address([], "shipping") is None


def test_an_address_is_printed_in_the_order_of_its_country() -> None:
    assert address_lines(OSAKA) == ["〒530-0001", "大阪府大阪市北区", "梅田3-1-3"]
    assert address_lines(HAMBURG) == ["Hafenstraße 12", "20457 Hamburg", "DE"]
    assert address_lines({**HAMBURG, "postal_code": None}) == ["Hafenstraße 12", "Hamburg", "DE"]
    assert address_lines(None) == []
