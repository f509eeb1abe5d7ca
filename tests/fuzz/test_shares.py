"""Nothing is left out for good: what one run does not ask another does, and what is alike somebody is asked."""

from types import SimpleNamespace
from typing import Any

import pytest
from shares import Share, paths_of, takes_many

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


_PATHS = [*(f"/v1/things/{number}" for number in range(463)), *(f"/v1/{name}/bulk" for name in "abcd")]


@pytest.mark.parametrize("first", [739_000, 7])
def test_every_path_has_its_turn_and_each_run_takes_many_things_somewhere(first: int) -> None:
    days = 9
    runs = [paths_of(_PATHS, 60, day) for day in range(first, first + 2 * days)]
    for run in runs:
        assert len(run) == len(set(run)) <= 60
        assert 1 <= sum(map(takes_many, run)) <= 3
    assert {path for run in runs for path in run} == set(_PATHS)
    assert runs == [paths_of(list(reversed(_PATHS)), 60, day) for day in range(first, first + 2 * days)]
    assert len(set(map(tuple, runs))) == len(runs), "what was asked together is not asked together for ever"


def test_a_run_of_everything_asks_everything() -> None:
    assert paths_of(_PATHS, 1_000_000, 1) == sorted(_PATHS)
    one_by_one = [path for path in _PATHS if not takes_many(path)]
    assert paths_of(one_by_one, 1_000_000, 1) == sorted(one_by_one)
