"""Nothing is left out for good: what one run does not ask another does, and what is alike somebody is asked."""

from types import SimpleNamespace
from typing import Any

from shares import Share

_AFTER = {"name": "after", "in": "header", "schema": {"type": "string", "maxLength": 9}}
_NAME = {"type": "string", "maxLength": 20}


def _body(**fields: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": fields}
    return {"content": {"application/json": {"schema": schema}}}


_THINGS = {
    "parameters": [{"$ref": "#/components/parameters/after"}],
    "requestBody": _body(name={"$ref": "#/components/schemas/Name"}, note={"type": "string", "description": "Free"}),
}
_OTHERS = {
    "parameters": _THINGS["parameters"],
    "requestBody": _body(title={**_NAME, "description": "What it is called"}, size={"type": "integer"}),
}
_DOCUMENT = {
    "paths": {"/things": {"post": _THINGS}, "/others": {"post": _OTHERS}},
    "components": {"parameters": {"after": _AFTER}, "schemas": {"Name": _NAME}},
}
_OPERATIONS = {"POST /things": _THINGS, "POST /others": _OTHERS}


def _case(location: str | None = None, parameter: str | None = None, scenario: str = "incorrect_type") -> Any:
    return SimpleNamespace(location=location, parameter=parameter, scenario=scenario)


def _asks(label: str, case: Any, *, good: bool = False) -> bool:
    return Share(_DOCUMENT, "1").has(label, _OPERATIONS[label], case, good=good)


def test_what_is_alike_is_asked_of_one() -> None:
    # A parameter that both have, a method that none has, and a field that is written alike, whatever it is called and whatever is said of it.
    after, other = _case("/type", "after"), _case(scenario="unspecified_http_method")
    name, title, size = (_case(f"/properties/{field}/type") for field in ("name", "title", "size"))
    assert all(_asks("POST /things", case) for case in (after, other, name))
    assert not any(_asks("POST /others", case) for case in (after, other, title))
    assert _asks("POST /others", size)
    assert _asks("POST /others", after, good=True)


def test_each_case_has_its_turn() -> None:
    asked: set[int] = set()
    for day in range(60):
        share = Share(_DOCUMENT, str(day))
        today = {n for n in range(200) if share.has("POST /things", _THINGS, _case("/x/y"), good=True)}
        assert set(range(20)) <= today
        assert 50 < len(today) < 90
        asked |= today
    assert asked == set(range(200))
