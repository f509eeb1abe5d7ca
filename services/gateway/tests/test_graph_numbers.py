"""A number that a client sends goes on to the service digit for digit, in a variable and in a document."""

import json
from typing import Any

import pytest
from graphql import parse_value

from gateway.graph.endpoint import _decoded
from gateway.graph.numbers import Written, as_json
from gateway.graph.scalars import JSON

EXACT = "12345678901.123456"


@pytest.mark.parametrize("text", [EXACT, "-0.10", "1e3", "1E-400", "1e999", "12345678901234567890"])
def test_a_variable_keeps_its_digits(text: str) -> None:
    sent = f'{{"x":{text},"more":[{{"y":[{text},true,null,"{text}"]}}]}}'
    assert as_json(JSON.parse_value(_decoded(sent, ""))) == sent


def test_a_literal_keeps_its_digits() -> None:
    node = parse_value(f'{{x: {EXACT}, more: [1.10, 2, "a", $v, {{y: -1e5}}], z: null}}')
    value = JSON.parse_literal(node, {"v": Written("3.30")})
    assert as_json(value) == f'{{"x":{EXACT},"more":[1.10,2,"a",3.30,{{"y":-1e5}}],"z":null}}'


def test_names_and_texts_are_json() -> None:
    said: Any = {'a "b"\n': ["鋼", "\\", 1, -2, False], "": {}, "z": []}
    assert json.loads(as_json(said)) == said


def test_to_graphql_it_is_a_float() -> None:
    assert Written("1.5") == 1.5
    assert isinstance(Written("1e999"), float)
