"""A published event or API keeps its promise: what would break a reader is found and named, and nothing else is."""

import copy
import json
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typer.testing import CliRunner

from tailrace.cli import app
from tailrace.cli import app as commands
from tailrace.codegen.compatibility import breaking, breaking_in_api, breaking_in_event
from tailrace.codegen.places import BUILT, OPENAPI, SCHEMAS
from tailrace.codegen.schema_diff import Kind, Schema, changes
from tailrace.core.events import Event
from tailrace.messaging.dead_letters import DeadLettered
from tailrace.service import Service

ROOT = Path(__file__).parents[3]


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class MoreColours(StrEnum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class Line(BaseModel):
    sku: str
    quantity: int


class Row(BaseModel):
    """A line, under another name."""

    sku: str
    quantity: int


class LineWithNote(Line):
    note: str | None = None


class LineWithPrice(Line):
    price: int


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


class TallTree(BaseModel):
    name: str
    height: int
    children: list["TallTree"] = []


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: int


class Square(BaseModel):
    kind: Literal["square"]
    side: int


def event(**fields: Any) -> Schema:
    """The schema of an event with these fields: a type, or a type and its default."""
    body = {name: each[1] for name, each in fields.items() if isinstance(each, tuple)}
    types = {name: each[0] if isinstance(each, tuple) else each for name, each in fields.items()}
    kind = type("Event", (Event,), {**body, "__annotations__": types, "type": "toy.event", "topic": "toy.events"})
    return cast(type[Event], kind).model_json_schema(mode="serialization")


FIXED: list[tuple[str, Any, Any, Kind | None, Kind | None]] = [
    # What differs, one form, the other, what it is to go from the first to the second, and back; None where nothing breaks.
    ("an optional field", {}, {"b": (str | None, None)}, None, Kind.REMOVED),
    ("a field with a default", {}, {"b": (int, 0)}, None, Kind.REMOVED),
    ("a required field", {}, {"b": str}, Kind.NEW_REQUIRED, Kind.REMOVED),
    ("required or not", {"b": str}, {"b": (str, "")}, Kind.NOW_OPTIONAL, Kind.NOW_REQUIRED),
    ("a name", {"b": (str, "")}, {"c": (str, "")}, Kind.REMOVED, Kind.REMOVED),
    ("null", {"b": str}, {"b": str | None}, Kind.WIDENED, Kind.NARROWED),
    ("a type", {"b": str}, {"b": int}, Kind.RETYPED, Kind.RETYPED),
    ("a list", {"b": str}, {"b": list[str]}, Kind.RETYPED, Kind.RETYPED),
    ("what is in a list", {"b": list[str]}, {"b": list[int]}, Kind.RETYPED, Kind.RETYPED),
    ("what is in a map", {"b": dict[str, str]}, {"b": dict[str, int]}, Kind.RETYPED, Kind.RETYPED),
    ("a member", {"b": Colour}, {"b": MoreColours}, Kind.MEMBER_NEW, Kind.MEMBER_GONE),
    ("a literal", {"b": Literal["x"]}, {"b": Literal["x", "y"]}, Kind.MEMBER_NEW, Kind.MEMBER_GONE),
    ("free text", {"b": Colour}, {"b": str}, Kind.WIDENED, Kind.NARROWED),
    ("a format", {"b": date}, {"b": datetime}, Kind.LIMIT, Kind.LIMIT),
    ("a format at all", {"b": str}, {"b": UUID}, Kind.LIMIT, Kind.LIMIT),
    ("a pattern", {"b": str}, {"b": Annotated[str, Field(pattern="^x")]}, Kind.LIMIT, Kind.LIMIT),
    ("a length", {"b": str}, {"b": Annotated[str, Field(max_length=9)]}, Kind.LIMIT, Kind.LIMIT),
    ("a bound", {"b": int}, {"b": Annotated[int, Field(ge=0)]}, Kind.LIMIT, Kind.LIMIT),
    ("how many", {"b": list[int]}, {"b": Annotated[list[int], Field(min_length=1)]}, Kind.LIMIT, Kind.LIMIT),
    ("a default", {"b": (int, 0)}, {"b": (int, 1)}, Kind.DEFAULT, Kind.DEFAULT),
    ("an optional field within", {"b": list[Line]}, {"b": list[LineWithNote]}, None, Kind.REMOVED),
    ("a required field within", {"b": Line}, {"b": LineWithPrice}, Kind.NEW_REQUIRED, Kind.REMOVED),
    ("a field far down", {"b": Tree}, {"b": TallTree}, Kind.NEW_REQUIRED, Kind.REMOVED),
    ("the name of a model", {"b": list[Line]}, {"b": list[Row]}, None, None),
    ("one more form", {"b": Circle}, {"b": Circle | Square}, Kind.WIDENED, Kind.NARROWED),
    ("the order of forms", {"b": Circle | Square}, {"b": Square | Circle}, None, None),
    ("places", {"b": tuple[int, str]}, {"b": tuple[int, str, str]}, Kind.LIMIT, Kind.LIMIT),
    ("words", {"b": str}, {"b": Annotated[str, Field(title="B", description="b", examples=["x"])]}, None, None),
    ("the order of fields", {"b": str, "c": int}, {"c": int, "b": str}, None, None),
]


@pytest.mark.parametrize(("what", "one", "other", "there", "back"), FIXED, ids=[row[0] for row in FIXED])
def test_changes_of_an_event(what: str, one: Any, other: Any, there: Kind | None, back: Kind | None) -> None:
    first, second = event(a=str, **one), event(a=str, **other)
    for old, new, expected in ((first, second, there), (second, first, back)):
        found = breaking_in_event(old, new)
        assert {change.kind for change in found} >= ({expected} if expected else set()), what
        assert bool(found) == (expected is not None), f"{what}: {[str(change) for change in found]}"
        assert all(change.field.startswith(("/b", "/c")) for change in found)


def test_a_change_is_named_by_its_path() -> None:
    (change,) = breaking_in_event(event(lines=list[Line]), event(lines=list[LineWithPrice]))
    assert str(change) == "/lines/*/price is new and required"


def test_a_event_stays_on_its_topic() -> None:
    schema = event(a=str)
    found = breaking_in_event({**schema, "x-topic": "a.events"}, {**schema, "x-topic": "b.events"})
    assert [str(change) for change in found] == ["moved from a.events to b.events"]


_leaves = st.one_of(
    st.sampled_from([{"type": "string"}, {"type": "integer"}, {"type": "null"}, {}, {"$ref": "#/$defs/Node"}]),
    st.builds(lambda m: {"enum": m, "type": "string"}, st.lists(st.text(max_size=3), min_size=1, unique=True)),
    st.builds(lambda low: {"type": "integer", "minimum": low}, st.integers()),
    st.builds(lambda value: {"const": value}, st.text(max_size=3)),
)


def _object(properties: dict[str, Schema], required: int) -> Schema:
    return {"type": "object", "properties": properties, "required": sorted(properties)[:required]}


def _grown(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    names = st.text("abc", min_size=1, max_size=2)
    return st.one_of(
        st.builds(_object, st.dictionaries(names, inner, max_size=3), st.integers(0, 3)),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda values: {"type": "object", "additionalProperties": values}, inner),
        st.builds(lambda forms: {"anyOf": forms}, st.lists(inner, min_size=1, max_size=3)),
    )


schemas = st.builds(
    lambda node, root: {**root, "$defs": {"Node": {"type": "object", "properties": {"next": node}}}},
    st.recursive(_leaves, _grown, max_leaves=6),
    st.builds(
        _object, st.dictionaries(st.sampled_from("xyz"), st.recursive(_leaves, _grown, max_leaves=8)), st.just(1)
    ),
)


@given(schemas)
def test_any_schema_is_compatible_with_itself(schema: Schema) -> None:
    assert changes(schema, copy.deepcopy(schema)) == []


@given(schemas)
def test_any_schema_may_gain_an_optional_field_and_not_lose_it(schema: Schema) -> None:
    more = copy.deepcopy(schema)
    more["properties"]["extra"] = {"type": "string"}
    assert breaking_in_event(schema, more) == []
    assert [change.field for change in breaking_in_event(more, schema)] == ["/extra"]


def test_everything_committed_is_compatible_with_itself() -> None:
    paths = [*(ROOT / SCHEMAS).glob("*.json"), *(ROOT / OPENAPI).glob("*.json")]
    files = {path.relative_to(ROOT): path.read_text() for path in paths}
    assert len(files) > 50
    assert breaking(files, ROOT) == []


API: Schema = {
    "paths": {
        "/v1/things/{id}": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {}}}}}}},
        "/v1/things": {
            "post": {
                "parameters": [{"name": "dry", "in": "query", "required": False, "schema": {"type": "boolean"}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewThing"}}},
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "409": {"description": "Not now"},
                },
            }
        },
    },
    "components": {
        "schemas": {
            "NewThing": _object({"name": {"type": "string"}, "size": {"type": "integer"}}, 1)
            | {"additionalProperties": False},
            "Thing": _object({"id": {"type": "string"}, "state": {"enum": ["new", "old"]}}, 2),
        }
    },
}
Change = Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], Any]
"""Changes the document, given its paths, the operation POST /v1/things, and its component schemas."""


def _rename_path(paths: dict[str, Any], *_: Any) -> None:
    paths["/v1/things/{thing_id}"] = paths.pop("/v1/things/{id}")


API_CHANGES: list[tuple[str, Change, str | None]] = [
    ("nothing", lambda p, o, s: None, None),
    ("a new path", lambda p, o, s: p.update({"/v1/more": {"get": {}}}), None),
    ("a path gone", lambda p, o, s: p.pop("/v1/things/{id}"), "is gone"),
    ("a path parameter's name", _rename_path, None),
    ("a method gone", lambda p, o, s: p["/v1/things"].pop("post"), "is gone"),
    ("an answer's field gone", lambda p, o, s: s["Thing"]["properties"].pop("id"), "/id was removed"),
    ("an answer's new field", lambda p, o, s: s["Thing"]["properties"].update(b={}), None),
    ("an answer's type", lambda p, o, s: s["Thing"]["properties"].update(id={"type": "integer"}), "/id is integer"),
    ("an answer's status", lambda p, o, s: o["responses"].update({"200": o["responses"].pop("201")}), "with 201 no"),
    ("a refusal gone", lambda p, o, s: o["responses"].pop("409"), None),
    ("a field gone", lambda p, o, s: s["NewThing"]["properties"].pop("size"), "/size was removed"),
    ("a new field", lambda p, o, s: s["NewThing"]["properties"].update(b={}), None),
    ("a field required", lambda p, o, s: s["NewThing"]["required"].append("size"), "/size was optional"),
    ("a field optional", lambda p, o, s: s["NewThing"]["required"].clear(), None),
    ("a new parameter", lambda p, o, s: o["parameters"].append({"name": "b", "in": "query"}), None),
    (
        "a new required parameter",
        lambda p, o, s: o["parameters"].append({"name": "b", "in": "header", "required": True}),
        "parameter b is new and required",
    ),
    ("a parameter required", lambda p, o, s: o["parameters"][0].update(required=True), "dry is required now"),
    ("a parameter gone", lambda p, o, s: o["parameters"].clear(), "parameter dry is gone"),
    ("no body needed", lambda p, o, s: o["requestBody"].update(required=False), None),
]


@pytest.mark.parametrize(("what", "change", "why"), API_CHANGES, ids=[row[0] for row in API_CHANGES])
def test_changes_of_an_api(what: str, change: Change, why: str | None) -> None:
    new = copy.deepcopy(API)
    change(new["paths"], new["paths"]["/v1/things"]["post"], new["components"]["schemas"])
    found = breaking_in_api(API, new)
    if why is None:
        assert found == []
    else:
        assert len(found) == 1
        assert why in found[0][1]


def _contracts(root: Path, **files: Any) -> None:
    (root / "contracts/schemas").mkdir(parents=True)
    (root / "contracts/pyproject.toml").touch()
    for name, document in files.items():
        (root / "contracts/schemas" / f"{name}.v1.json").write_text(json.dumps(document))


def test_a_version_does_not_go(tmp_path: Path) -> None:
    _contracts(tmp_path, kept=event(a=str), gone=event(a=str))
    kept = Path("contracts/schemas/kept.v1.json")
    (found,) = breaking({kept: (tmp_path / kept).read_text()}, tmp_path)
    assert str(found).startswith("gone v1: is published no more")
    (tmp_path / "contracts/schemas/gone.v1.json").unlink()
    assert breaking({kept: (tmp_path / kept).read_text()}, tmp_path) == []


def test_a_service_that_is_not_released_changes_freely(tmp_path: Path) -> None:
    _contracts(
        tmp_path, mine={**event(a=str), "x-topic": "new.events"}, other={**event(a=str), "x-topic": "old.events"}
    )
    (tmp_path / OPENAPI).mkdir(parents=True)
    for name in ("new", "old"):
        (tmp_path / OPENAPI / f"{name}.json").write_text(json.dumps(API))
    services = [Service(name="new", topic="new.events", released=False), Service(name="old", topic="old.events")]
    found = {each.subject.partition(":")[0] for each in breaking({}, tmp_path, services)}
    assert found == {"other v1", "old"}
    assert {each.subject.partition(":")[0] for each in breaking({}, tmp_path)} == {"mine v1", "other v1", "new", "old"}


def test_parameters_that_are_referred_to_are_compared(tmp_path: Path) -> None:
    old = copy.deepcopy(API)
    old["components"]["parameters"] = {"dry": old["paths"]["/v1/things"]["post"]["parameters"][0]}
    old["paths"]["/v1/things"]["post"]["parameters"] = [{"$ref": "#/components/parameters/dry"}]
    assert breaking_in_api(API, old) == breaking_in_api(old, API) == []
    new = copy.deepcopy(old)
    new["components"]["parameters"]["dry"]["required"] = True
    assert [why for _, why in breaking_in_api(old, new)] == ["the parameter dry is required now"]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    _contracts(tmp_path, torn={})
    path = Path("contracts/schemas/torn.v1.json")
    (tmp_path / path).write_text("<<<<<<< HEAD")
    (found,) = breaking({path: "{}"}, tmp_path)
    assert str(found).startswith("torn v1: is no JSON on disk")


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_describe_refuses_to_break_a_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    old = DeadLettered.model_json_schema(mode="serialization")
    old["properties"]["author"] = {"type": "string"}
    _contracts(tmp_path, **{"tailrace.dead_lettered": {**old, "x-topic": "<service>.dlq"}})
    path = tmp_path / "contracts/schemas/tailrace.dead_lettered.v1.json"
    before = path.read_text()
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, ["describe", *options])
    assert answer.exit_code == 1
    assert "breaks its readers: tailrace.dead_lettered v1: /author was removed or renamed; add an" in answer.stdout
    assert answer.stdout.count("breaks its readers") == 1
    assert "nothing was written" in answer.stderr
    assert path.read_text() == before
    assert [each.name for each in tmp_path.iterdir() if each.name != "dist"] == ["contracts"]
    assert [file for file in tmp_path.glob("contracts/**/*") if file.is_file()] == [
        tmp_path / "contracts/pyproject.toml",
        path,
    ]


def test_describe_keeps_the_schemas_of_older_versions(tmp_path: Path) -> None:
    from toy import Asked

    from tailrace.codegen.describe import build, describe

    _contracts(tmp_path, **{"asking.asked": {**event(key=UUID, words=str), "title": "asking.asked"}})
    path = Path("contracts/schemas/asking.asked.v1.json")
    first = json.loads((tmp_path / path).read_text()) | {"$id": "urn:asked:v1", "x-topic": "asking.events"}
    (tmp_path / path).write_text(json.dumps(first))
    services = [Service(name="asking", topic="asking.events", publishes=[Asked])]
    files = describe(services, tmp_path, commands)
    assert json.loads(files[path]) == first
    assert "text" in json.loads(files[Path("contracts/schemas/asking.asked.v2.json")])["properties"]
    built = build(services, tmp_path)
    messages = json.loads(built[BUILT / "asyncapi.yaml"])["channels"]["asking.events"]["messages"]
    assert list(messages) == ["asking.asked.v1", "asking.asked.v2"]
    assert json.loads(built[BUILT / "schemas/asking.asked.v1.json"]) == first
    assert breaking(files, tmp_path) == []
