"""Templates: what a parent says reaches its children, what a child says stays; and items have the fields that the company's template adds."""

import asyncio
import random
from typing import Any

import pytest

from catalog.templates import MOST_BELOW
from contracts.catalog import ItemCreated, TemplateUpdated
from contracts.templates import TemplateSettings
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

PATH = "/v1/templates"
ITEM = {"sku": "BOLT-8", "name": "Bolt M8", "tax_rate": "0.1"}
COLOUR = {"key": "colour", "label": "Colour"}


async def made(catalog: Harness, code: str, parent: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    level = "standard" if parent is None else "industry" if parent["level"] == "standard" else "customer"
    body = {"code": code, "name": code, "level": level, "parent_id": parent and parent["id"], "settings": settings}
    answer = await catalog.client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def changed(catalog: Harness, template: dict[str, Any], **settings: Any) -> dict[str, Any]:
    body = {name: template[name] for name in ("code", "name", "level", "parent_id")}
    answer = await catalog.client.put(f"{PATH}/{template['id']}", json={**body, "settings": settings})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def effective(catalog: Harness, template: dict[str, Any]) -> dict[str, Any]:
    return dict((await catalog.client.get(f"{PATH}/{template['id']}")).json()["effective"])


async def choose(catalog: Harness, template: dict[str, Any] | None) -> None:
    answer = await catalog.client.put("/v1/template-choice", json={"template_id": template and template["id"]})
    assert answer.status_code == 200, answer.text


async def test_a_new_company_finds_a_standard_and_two_industries(catalog: Harness) -> None:
    found = {each["code"]: each for each in (await catalog.client.get(PATH)).json()["items"]}
    assert {code: each["level"] for code, each in found.items()} == {
        "STANDARD": "standard",
        "METAL": "industry",
        "FOOD": "industry",
    }
    assert found["METAL"]["parent_id"] == found["FOOD"]["parent_id"] == found["STANDARD"]["id"]
    food = await effective(catalog, found["FOOD"])
    assert food["shipping"] == {
        "lots": True,
        "first_expired_first": True,
        "heat_numbers": False,
        "certificates": False,
        "in_parts": True,
        "when_short": "wait",
    }
    assert [link["target"] for link in food["links"]] == ["quote", "order", "shipment", "invoice"]


async def test_a_change_reaches_every_level_below_and_what_is_said_there_stays(catalog: Harness) -> None:
    top = await made(catalog, "TOP", fields={"item": [COLOUR, {"key": "size", "label": "Size"}]})
    middle = await made(catalog, "MIDDLE", top, fields={"item": [{"key": "size", "label": "Width", "kind": "number"}]})
    own = await made(catalog, "OWN", middle, numbering={"quote": "OWN-{number:06}"})
    other = await made(catalog, "OTHER", top, without={"item": ["colour", "size", "weight"]})
    assert [(f["key"], f["label"]) for f in own["effective"]["fields"]["item"]] == [
        ("colour", "Colour"),
        ("size", "Width"),
    ]

    weight = {"key": "weight", "label": "Weight", "kind": "number"}
    await changed(
        catalog, top, fields={"item": [COLOUR, weight]}, numbering={"quote": "Q-{number}", "order": "O-{number}"}
    )
    now = await effective(catalog, own)
    assert [f["key"] for f in now["fields"]["item"]] == ["colour", "weight", "size"]
    assert now["numbering"] == {"quote": "OWN-{number:06}", "order": "O-{number}"}
    assert (await effective(catalog, other))["fields"] == {}
    told = [each.event for each in await catalog.published(TemplateUpdated)]
    assert [event.code for event in told] == ["TOP", "MIDDLE", "OWN", "OTHER"]
    (last,) = (event for event in told if event.code == "OWN")
    assert last.effective == TemplateSettings.model_validate(now)
    assert (await catalog.client.get(f"{PATH}/{own['id']}")).json()["version"] == 2


async def test_a_child_that_is_not_touched_by_a_change_is_not_published(catalog: Harness) -> None:
    top = await made(catalog, "TOP", approval={"quote": "BIG"})
    await made(catalog, "SELF", top, approval={"quote": None})
    await changed(catalog, top, approval={"quote": "SMALL"})
    assert [each.event.code for each in await catalog.published(TemplateUpdated)] == ["TOP"]


async def test_what_holds_is_what_reading_up_the_tree_says(catalog: Harness) -> None:
    """Against another way to work it out: for each field and word, the nearest template that says it, from the bottom up."""
    dice = random.Random(7)
    keys = [f"k{n}" for n in range(4)]

    def settings() -> dict[str, Any]:
        fields = [{"key": key, "label": f"L{dice.randrange(99)}"} for key in keys if dice.random() < 0.5]
        rules = {rule: dice.random() < 0.5 for rule in ("lots", "certificates") if dice.random() < 0.5}
        numbers = {kind: f"{dice.randrange(99)}-{{number}}" for kind in ("quote", "order") if dice.random() < 0.5}
        without = [key for key in keys if dice.random() < 0.2 and key not in {field["key"] for field in fields}]
        return {"fields": {"item": fields}, "without": {"item": without}, "shipping": rules, "numbering": numbers}

    said: dict[str, dict[str, Any]] = {}
    rows: list[tuple[dict[str, Any], list[str]]] = []
    for code in ("S", "I1", "I2", "C1", "C2", "C3"):
        parent = {"S": None, "I1": 0, "I2": 0, "C1": 1, "C2": 1, "C3": 2}[code]
        said[code] = settings()
        row = await made(catalog, code, None if parent is None else rows[parent][0], **said[code])
        rows.append((row, [code, *([] if parent is None else rows[parent][1])]))
    for _ in range(12):
        row, _path = dice.choice(rows)
        said[row["code"]] = settings()
        await changed(catalog, row, **said[row["code"]])
        for each, path in rows:
            now = await effective(catalog, each)
            labels = {field["key"]: field["label"] for field in now["fields"].get("item", [])}
            for key in keys:
                assert labels.get(key) == _nearest_label(said, path, key), (each["code"], key)
            for rule in ("lots", "certificates"):
                told = (said[code]["shipping"][rule] for code in path if rule in said[code]["shipping"])
                assert now["shipping"][rule] == next(told, None)
            for kind in ("quote", "order"):
                told = (said[code]["numbering"][kind] for code in path if kind in said[code]["numbering"])
                assert now["numbering"].get(kind) == next(told, None)


def _nearest_label(said: dict[str, dict[str, Any]], path: list[str], key: str) -> str | None:
    for code in path:
        for field in said[code]["fields"]["item"]:
            if field["key"] == key:
                return str(field["label"])
        if key in said[code]["without"]["item"]:
            return None
    return None


async def test_a_child_made_while_its_parent_changes_has_the_change(catalog: Harness) -> None:
    top = await made(catalog, "TOP")
    for n in range(6):
        formats = {"numbering": {"quote": f"{n}-{{number}}"}}
        children = [made(catalog, f"C{n}-{k}", top) for k in range(4)]
        _, *new = await asyncio.gather(changed(catalog, top, **formats), *children)
        for child in new:
            assert (await effective(catalog, child))["numbering"] == formats["numbering"]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"fields": {"item": [COLOUR, COLOUR]}}, "/settings/fields/item"),
        ({"fields": {"machine": [COLOUR]}}, "/settings/fields/machine"),
        ({"fields": {"item": [{"key": "a", "label": "A", "kind": "choice"}]}}, "/settings/fields/item/0/choices"),
        ({"fields": {"item": [{"key": "a", "label": "A", "pattern": "("}]}}, "/settings/fields/item/0/pattern"),
        ({"numbering": {"quote": "Q-{year}"}}, "/settings/numbering/quote"),
        ({"numbering": {"quote": "Q-{number.__class__}"}}, "/settings/numbering/quote"),
        ({"numbering": {"quote": "Q-{number:99999999}"}}, "/settings/numbering/quote"),
        ({"numbering": {"quote": "Q\r\n-{number}"}}, "/settings/numbering/quote"),
        ({"numbering": {"quote": "Q\u202e-{number}"}}, "/settings/numbering/quote"),
        ({"approval": {"quote": ""}}, "/settings/approval/quote"),
        ({"shipping": {"lots": "yes"}}, "/settings/shipping/lots"),
        ({"shipping": {"boxes": True}}, "/settings/shipping/boxes"),
        ({"links": [{"screen": "a", "target": "b", "label": "x"}] * 2}, "/settings/links"),
        ({"links": [{"screen": "javascript:", "target": "b", "label": "x"}]}, "/settings/links/0/screen"),
    ],
)
async def test_what_no_template_may_say_is_named(catalog: Harness, settings: dict[str, Any], field: str) -> None:
    body = {"code": "T", "name": "T", "level": "standard", "settings": settings}
    answer = await catalog.client.post(PATH, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_levels_go_from_the_general_to_the_particular(catalog: Harness) -> None:
    top = await made(catalog, "TOP")
    middle = await made(catalog, "MIDDLE", top)
    own = await made(catalog, "OWN", middle)

    async def refused(level: str, parent: str | None) -> str:
        body = {"code": "T", "name": "T", "level": level, "parent_id": parent}
        answer = await catalog.client.post(PATH, json=body)
        assert answer.status_code == 422, answer.text
        return str(answer.json()["errors"][0]["field"])

    for level, parent in [
        ("standard", top["id"]),
        ("industry", middle["id"]),
        ("industry", None),
        ("customer", own["id"]),
        ("customer", str(uuid7())),
    ]:
        assert await refused(level, parent) == "/parent_id"
    moved = await catalog.client.put(
        f"{PATH}/{own['id']}", json={"code": "OWN", "name": "O", "level": "customer", "parent_id": top["id"]}
    )
    assert (moved.status_code, moved.json()["errors"][0]["field"]) == (409, "/parent_id")


async def test_what_others_are_below_stays_and_a_deleted_one_comes_back_with_what_is_said_by_now(
    catalog: Harness,
) -> None:
    top = await made(catalog, "TOP")
    child = await made(catalog, "CHILD", top, approval={"quote": "MINE"})
    kept = await catalog.client.delete(f"{PATH}/{top['id']}")
    assert (kept.status_code, kept.json()["type"]) == (409, "urn:tailrace:problem:in-use")
    assert (await catalog.client.delete(f"{PATH}/{child['id']}")).status_code == 204
    await changed(catalog, top, approval={"journal": "ALL"})
    back = await catalog.client.post(f"{PATH}/{child['id']}/restore")
    assert (back.status_code, back.json()["effective"]["approval"]) == (200, {"journal": "ALL", "quote": "MINE"})
    await catalog.client.delete(f"{PATH}/{child['id']}")
    assert (await catalog.client.delete(f"{PATH}/{top['id']}")).status_code == 204
    alone = await catalog.client.post(f"{PATH}/{child['id']}/restore")
    assert (alone.status_code, alone.json()["errors"][0]["field"]) == (409, "/parent_id")


async def test_the_companys_template_stays_until_another_is_chosen(catalog: Harness) -> None:
    first = await catalog.client.get("/v1/template-choice")
    assert first.json() == {"version": 0, "template_id": None}
    own = await made(catalog, "OWN")
    await choose(catalog, own)
    assert (await catalog.client.delete(f"{PATH}/{own['id']}")).status_code == 409
    stale = await catalog.client.put("/v1/template-choice", json={"template_id": None}, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    unknown = await catalog.client.put("/v1/template-choice", json={"template_id": str(uuid7())})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "/template_id")
    await choose(catalog, None)
    assert (await catalog.client.delete(f"{PATH}/{own['id']}")).status_code == 204


async def test_items_have_the_fields_of_the_companys_template(catalog: Harness) -> None:
    number = {"key": "weight", "label": "Weight", "kind": "number", "decimals": 3, "required": True}
    own = await made(catalog, "OWN", fields={"item": [COLOUR, number]})
    early = (await catalog.client.post("/v1/items", json={**ITEM, "sku": "EARLY"})).json()
    assert early["custom_fields"] == {}
    await choose(catalog, own)

    async def wrong(values: dict[str, Any]) -> list[str]:
        answer = await catalog.client.post("/v1/items", json={**ITEM, "custom_fields": values})
        assert answer.status_code == 422, answer.text
        return [error["field"] for error in answer.json()["errors"]]

    assert await wrong({}) == ["/custom_fields/weight"]
    assert await wrong({"weight": "1.2345", "size": "L"}) == ["/custom_fields/weight", "/custom_fields/size"]
    assert (await wrong({"weight": {"kg": 1}}))[0].startswith("/custom_fields/weight")
    answer = await catalog.client.post(
        "/v1/items",
        content=b'{"sku":"B","name":"B","tax_rate":"0.1","custom_fields":{"weight":12345678901.125,"colour":"red"}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["custom_fields"] == {"weight": "12345678901.125", "colour": "red"}
    told = (await catalog.published("catalog.item.created"))[-1].event
    assert isinstance(told, ItemCreated)
    assert told.custom_fields == {"weight": "12345678901.125", "colour": "red"}
    # An item from before the template lacks what it needs, and is asked for it when it is changed.
    at = f"/v1/items/{early['id']}"
    assert (await catalog.client.get(at)).json()["custom_fields"] == {}
    assert (await catalog.client.put(at, json={**ITEM, "sku": "EARLY"})).status_code == 422
    given = {**ITEM, "sku": "EARLY", "custom_fields": {"weight": 1, "colour": None}}
    assert (await catalog.client.put(at, json=given)).json()["custom_fields"] == {"weight": "1"}


async def test_no_tenant_sees_or_inherits_from_anothers(catalog: Harness) -> None:
    top = await made(catalog, "TOP")
    stranger = catalog.client_as(tenant=catalog.other_tenant)
    assert (await stranger.get(f"{PATH}/{top['id']}")).status_code == 404
    body = {"code": "T", "name": "T", "level": "industry", "parent_id": top["id"]}
    assert (await stranger.post(PATH, json=body)).json()["errors"][0]["field"] == "/parent_id"
    chosen = await stranger.put("/v1/template-choice", json={"template_id": top["id"]})
    assert chosen.json()["errors"][0]["field"] == "/template_id"


async def test_so_many_are_below_one_and_no_more(catalog: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_BELOW >= 500
    monkeypatch.setattr("catalog.templates.MOST_BELOW", 2)
    top = await made(catalog, "TOP")
    for n in range(2):
        await made(catalog, f"C{n}", top)
    body = {"code": "C2", "name": "C2", "level": "industry", "parent_id": top["id"]}
    assert (await catalog.client.post(PATH, json=body)).json()["errors"][0]["field"] == "/parent_id"
