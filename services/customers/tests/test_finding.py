"""Customers are found by any part of what they are called, in any script; two records of one are noticed, joined, and parted again."""

from uuid import UUID

import pytest

from customers.models import Customer
from tailrace.db.text_search import search, search_order

from .conftest import AT, Sales

NAMES = {
    "山田製作所": "やまだせいさくしょ",
    "株式会社山本電機": "ヤマモトデンキ",
    "José Muñoz S.A.": None,
    "Ada Works Ltd": None,
    "O'Neill & Sons": None,
    "ＡＢＣ Ｔｒａｄｉｎｇ": None,
}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("山田", {"山田製作所"}),
        ("製作", {"山田製作所"}),
        ("山", {"山田製作所"}),
        ("電機", {"株式会社山本電機"}),
        ("ヤマダ", {"山田製作所"}),
        ("やま", {"山田製作所", "株式会社山本電機"}),
        ("ﾔﾏﾓﾄ", {"株式会社山本電機"}),
        ("jose", {"José Muñoz S.A."}),
        ("MUÑOZ jo", {"José Muñoz S.A."}),
        ("munoz ada", set()),
        ("abc", {"ＡＢＣ Ｔｒａｄｉｎｇ"}),
        ("trad", {"ＡＢＣ Ｔｒａｄｉｎｇ"}),
        ("o'neill", {"O'Neill & Sons"}),
        ("a", {"Ada Works Ltd", "José Muñoz S.A.", "ＡＢＣ Ｔｒａｄｉｎｇ"}),
        ("works ltd", {"Ada Works Ltd"}),
        ("dawo", set()),
        ("%", set()),
        ("_", set()),
        ("works%", {"Ada Works Ltd"}),
    ],
)
async def test_a_customer_is_found_by_parts_of_its_names(sales: Sales, asked: str, names: set[str]) -> None:
    for name, reading in NAMES.items():
        await sales.create(name, reading=reading)
    assert set(await sales.found(asked)) == names


async def test_a_number_is_found_by_any_digits_of_it(sales: Sales) -> None:
    for name in ("Ada 7777777", "Bob 7717777", "Kim 20261127x", "Lee 963"):
        await sales.create(name)
    found = {
        q: set(await sales.found(q)) for q in ("7777777", "7777", "７７１７", "777", "261127x", "1127", "963", "9634")
    }
    assert found == {
        "7777777": {"Ada 7777777"},
        "7777": {"Ada 7777777", "Bob 7717777"},
        "７７１７": {"Bob 7717777"},
        "777": {"Ada 7777777", "Bob 7717777"},
        "261127x": {"Kim 20261127x"},
        "1127": {"Kim 20261127x"},
        "963": {"Lee 963"},
        "9634": set(),
    }


async def test_a_search_pages_narrows_and_follows_changes(sales: Sales) -> None:
    for number in range(5):
        await sales.create(f"Ada {number}", status="active" if number % 2 else "prospect")
    assert await sales.found("ada", status="active") == ["Ada 1", "Ada 3"]
    first = (await sales.h.client.get(f"{AT}/search", params={"q": "ada", "limit": "3"})).json()
    rest = await sales.h.client.get(f"{AT}/search", params={"q": "ada", "limit": "3", "cursor": first["next_cursor"]})
    assert [item["name"] for item in first["items"] + rest.json()["items"]] == [f"Ada {n}" for n in range(5)]
    changed = first["items"][0]
    await sales.put(changed, "", name="Bertha", currency="EUR")
    await sales.act(changed, "people", 201, name="Kurt", emails=[{"address": "kurt@bertha.example"}])
    assert await sales.found("ada") == ["Ada 1", "Ada 2", "Ada 3", "Ada 4"]
    assert await sales.found("kurt") == await sales.found("bertha.example") == ["Bertha"]


async def test_a_search_stays_within_its_tenant(sales: Sales) -> None:
    await sales.create("Ada Works")
    stranger = sales.h.client_as(tenant=sales.h.other_tenant)
    assert (await stranger.get(f"{AT}/search", params={"q": "ada"})).json()["items"] == []


async def test_duplicates_are_told_with_what_they_share(sales: Sales) -> None:
    tax = [{"country": "DE", "number": "136695976"}]
    ada = await sales.create("Ada Works GmbH", tax_ids=tax, emails=[{"address": "office@ada.example"}])
    name = await sales.create("ＡＤＡ-works")
    both = await sales.create("Other", tax_ids=tax, emails=[{"address": "OFFICE@ada.example"}])
    japanese = await sales.create("株式会社山田")
    bare = await sales.create("山田 有限会社")
    await sales.create("Nobody")

    async def twins(of: dict[str, object]) -> list[tuple[object, list[str]]]:
        items = (await sales.h.client.get(f"{AT}/{of['id']}/duplicates")).json()["items"]
        return [(item["customer"]["id"], item["shared"]) for item in items]

    assert await twins(ada) == [(both["id"], ["email", "tax_id"]), (name["id"], ["name"])]
    assert await twins(japanese) == [(bare["id"], ["name"])]
    await sales.act(both, "merge", into_customer_id=ada["id"], reason="The same company")
    assert await twins(ada) == [(name["id"], ["name"])]


async def test_a_merge_stops_changes_and_can_be_undone(sales: Sales) -> None:
    ada, twin = await sales.create("Ada"), await sales.create("Ada again", status="active")
    merged = await sales.act(twin, "merge", into_customer_id=ada["id"], reason="The same company")
    assert (merged["status"], merged["merged_into_id"]) == ("merged", ada["id"])
    for action in (
        sales.put(twin, "", 409, name="Ada", currency="EUR"),
        sales.assigned(twin, sales.bo, 409),
        sales.act(twin, "people", 409, name="Grace"),
        sales.act(twin, "merge", 409, into_customer_id=ada["id"], reason="Again"),
        sales.act(ada, "merge", 409, into_customer_id=twin["id"], reason="In a circle"),
    ):
        assert (await action)["type"] == "urn:tailrace:problem:was-merged"
    assert (await sales.h.client.delete(f"{AT}/{ada['id']}")).json()["type"] == "urn:tailrace:problem:in-use"
    parted = await sales.act(twin, "unmerge", reason="A sister company")
    assert (parted["status"], parted["merged_into_id"]) == ("active", None)
    assert (await sales.act(twin, "unmerge", 409, reason="Twice"))["type"] == "urn:tailrace:problem:not-merged"
    assert (await sales.act(ada, "merge", 422, into_customer_id=ada["id"], reason="Itself"))["errors"][0][
        "field"
    ] == "/into_customer_id"
    kinds = [one.type for one in await sales.h.published() if str(one.aggregate_id) == twin["id"]]
    assert kinds == ["customer.created", "customer.merged", "customer.updated", "customer.unmerged", "customer.updated"]


async def test_what_many_share_is_found_all_the_same(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is looked for: by what is marked, or along the list."""
    for number in range(6):
        await sales.create(f"Ada {number}", emails=[{"address": f"a{number}@b.example"}])
    await sales.create("Bob 100 %")
    asked = ("ada", "ad", "a", "b.example", "ada 3", "bob", "dada", "100 %")
    before = [await sales.found(q) for q in asked]
    assert [len(names) for names in before] == [6, 6, 6, 6, 1, 1, 0, 1]
    for bound in ("MOST_LOOKED_UP", "MOST_IN_ORDER"):
        monkeypatch.setattr(f"tailrace.db.text_search.search.{bound}", 0)
    monkeypatch.setattr("tailrace.db.text_search.search_order.WALKED", (1,))
    assert [await sales.found(q) for q in asked] == before
    assert await sales.found("ada", sort="-name") == [f"Ada {number}" for number in range(5, -1, -1)]
    assert await sales.found("ada", sort="-id", limit="2") == ["Ada 5", "Ada 4"]


async def test_what_many_share_is_listed_by_name_page_by_page(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is a tree of beginnings: blocks of characters, names of one beginning, of one name alone, and names that end in another's middle."""
    names = [
        *(
            "Ada",
            "Ada",
            "Ada W",
            "Ada Works",
            "Ada Works 1",
            "Ada Works 2",
            "ada",
            "Adalbert",
            "Zada",
            "Éada",
            "ada 山田",
        ),
        *(
            "山田ada",
            "山田 ada",
            "山川ada",
            "株式会社山田ada",
            "株式会社山田ada",
            "株式会社山川ada",
            "\ud7a3ada",
            "ﾔada",
        ),
        *("ꯍada", "\ufb01ada", "𠮷野ada", "𠮷ada", "a" * 40 + " ada", "a" * 40 + "b ada", "Nobody", "山本電機"),
    ]
    monkeypatch.setattr("tailrace.db.text_search.search._PICKED", 2)
    made = [await sales.create(name) for name in names]
    names = [each["name"] for each in made]
    [pick] = search._hashes(Customer, sales.h.tenant, search.TEXT, [search._PICK])
    marked = await sales.h.admin.fetch("SELECT id FROM search_entry WHERE $1 = ANY(marks)", pick)
    assert {row["id"] for row in marked} == {id for each in made if (id := UUID(each["id"])).int % 2 == 0}
    wanted = sorted(name for name in names if "ada" in name.lower().replace("é", "e"))
    branches = [(0, 1, (1,)), (0, 32, (1, 1, 1)), (2, 2, (3, 1, 2)), (1000, 32, (2,))]
    # Looked up after the first rows: what is marked is few enough, or mostly not what is asked for.
    after, other = (1000, 32, (3,)), (2, 2, (4,))
    for turn, (many, listed, walked) in enumerate((*branches, after, other)):
        # Where it begins say some of those that are picked, or of all.
        monkeypatch.setattr("tailrace.db.text_search.search._SURELY_MANY", 0 if turn % 2 else 1000)
        monkeypatch.setattr(
            "tailrace.db.text_search.search.MOST_IN_ORDER", 1000 if (many, listed, walked) == after else 0
        )
        monkeypatch.setattr(
            "tailrace.db.text_search.search._OF_A_BRANCH", 2 if (many, listed, walked) == other else 1 / 20
        )
        monkeypatch.setattr("tailrace.db.text_search.search_order.WALKED", walked)
        monkeypatch.setattr("tailrace.db.text_search.search_order.MANY", many)
        monkeypatch.setattr("tailrace.db.text_search.search_order._LISTED", listed)
        monkeypatch.setattr("tailrace.db.text_search.search_order._ENOUGH", many)
        for sort, expected in (("name", wanted), ("-name", wanted[::-1])):
            for limit in (2, 50):
                assert await _all(sales, "ada", sort, limit) == expected
    monkeypatch.setattr("tailrace.db.text_search.search_order._WALK", search_order._WALK.replace("'Z' < 'a'", "false"))
    assert await _all(sales, "ada", "name", 50) == wanted, "where beginnings do not follow one another as texts do"
    assert await _all(sales, "ada", "name", 2, status="inactive") == []


async def _all(sales: Sales, q: str, sort: str, limit: int, **narrowed: str) -> list[str]:
    """Every page of what is found."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        params = {"q": q, "sort": sort, "limit": str(limit), **narrowed, **cursor}
        page = (await sales.h.client.get(f"{AT}/search", params=params)).json()
        found += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}
