"""What comes in over HTTP is taken to the digit or refused under its name, in an answer of bounded size."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import Query
from toy import Note, Reader, Writer, service

from tailrace.core.ids import uuid7
from tailrace.core.values.fields import Day, Moment, Text
from tailrace.core.values.money import Quantity
from tailrace.http.lists.pagination import LONGEST_CURSOR
from tailrace.http.routing import Body, Tx, View, tenant_router
from tailrace_testing import Harness, MakeHarness

JSON = {"Content-Type": "application/json"}
scales = tenant_router("/v1/scales", tag="scales")


class Inner(Body):
    quantity: Quantity = Decimal(1)


class Weighed(Body):
    quantity: Quantity = Decimal(1)
    pieces: int = 0
    text: Text = "x"
    inner: Inner | None = None
    more: list[Inner] = []


class Shown(View):
    quantity: Quantity
    pieces: int
    inner: Inner | None


@scales.post("", response_model=Shown)
async def weigh(tx: Tx, who: Writer, body: Weighed) -> Weighed:
    return body


@scales.get("")
async def read_scales(
    tx: Tx,
    who: Reader,
    whole: int = 0,
    exact: Quantity | None = None,
    flag: bool = False,
    day: Day | None = None,
    either: Annotated[Moment | Day | None, Query()] = None,
    id: UUID | None = None,
    several: Annotated[list[int] | None, Query()] = None,
    text: Text | None = None,
) -> dict[str, Any]:
    return {"whole": whole, "exact": str(exact), "flag": flag, "several": several, "text": text}


@scales.post("/tare")
@scales.delete("/tare")
async def tare(tx: Tx, who: Writer) -> dict[str, str]:
    return {"said": "nothing"}


@scales.get("/{code}/{number}")
async def read_scale(tx: Tx, who: Reader, code: str, number: int) -> dict[str, Any]:
    return {"code": code, "number": number}


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(replace(service, routers=[*service.routers, scales]))


async def _weigh(toy: Harness, body: str | bytes) -> tuple[int, Any, list[str]]:
    answer = await toy.client.post("/v1/scales", content=body, headers=JSON)
    said = answer.json()
    return answer.status_code, said, [error["field"] for error in said.get("errors", [])]


@pytest.mark.parametrize("number", ["12345678901.123456", "999999999999.999999", "0.000001", "1.10", "1e3", "1E-6"])
async def test_a_number_keeps_its_digits(toy: Harness, number: str) -> None:
    status, said, _ = await _weigh(toy, f'{{"quantity": {number}}}')
    assert (status, Decimal(said["quantity"])) == (200, Decimal(number))


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ('{"quantity": 0.0000001}', ["/quantity"]),
        ('{"quantity": NaN}', ["/quantity"]),
        ('{"quantity": Infinity}', ["/quantity"]),
        ('{"quantity": 1e400}', ["/quantity"]),
        ('{"quantity": 1e99999999999999999999}', ["/quantity"]),
        (f'{{"quantity": 0.{"1" * 5000}}}', ["/quantity"]),
        (f'{{"quantity": {"9" * 5000}}}', ["/quantity"]),
        (f'{{"pieces": {"9" * 5000}}}', ["/pieces"]),
        ('{"pieces": 9223372036854775808}', ["/pieces"]),
        ('{"pieces": 1.0}', ["/pieces"]),
        ('{"pieces": true, "quantity": false}', ["/quantity", "/pieces"]),
        ('{"inner": {"quantity": 1e400}}', ["/inner/quantity"]),
        ('{"inner": 1.5}', ["/inner"]),
        ('{"more": [{}, {"quantity": "1_0"}]}', ["/more/1/quantity"]),
        ('{"text": "a\\u0000b"}', ["/text"]),
        ('{"text": "\\ud800"}', ["/text"]),
        ('{"a\\u0000/~": 1}', ["/a\x00~1~0"]),
        ('{"quantity": 1, "quantity": 2}', ["/quantity"]),
        ('{"inner": {}, "inner": {}}', ["/inner"]),
        ('{"more": [{"quantity": 1, "quantity": 1}]}', ["/more/0/quantity"]),
        ("NaN", [""]),
        ("1.5", [""]),
        ("[]", [""]),
    ],
)
async def test_what_is_no_value_is_refused_where_it_stands(toy: Harness, body: str, fields: list[str]) -> None:
    status, _, named = await _weigh(toy, body)
    assert (status, named) == (422, fields)


@pytest.mark.parametrize(
    "body", [b"{", b'{"text": "\xff"}', '{"text": "é"}'.encode("utf-16"), b"[" * 100_000, b"{} {}"]
)
async def test_what_is_no_json_is_refused_as_a_whole(toy: Harness, body: bytes) -> None:
    status, said, named = await _weigh(toy, body)
    assert (status, said["type"], named) == (400, "urn:tailrace:problem:bad-request", [""])


async def test_a_byte_order_mark_is_passed_over(toy: Harness) -> None:
    assert (await _weigh(toy, b'\xef\xbb\xbf{"pieces": 2}'))[1]["pieces"] == 2


async def test_a_refusal_names_fifty_fields_and_stays_small(toy: Harness) -> None:
    many = "{" + ",".join(f'"{"k" * 60}{number}": 1' for number in range(20_000)) + "}"
    long = f'{{"{"k" * 1_000_000}": 1}}'
    for body, most in ((many, 50), (long, 1)):
        answer = await toy.client.post("/v1/scales", content=body, headers=JSON)
        assert (answer.status_code, len(answer.json()["errors"]), len(answer.content) < 20_000) == (422, most, True)
    assert "20000 errors" in (await _weigh(toy, many))[1]["detail"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("whole", value) for value in ("1_0", " 5", "+5", "5.0", "٣", "0x10", "9" * 30, "")),
        *(("exact", value) for value in ("1_0", " 5", "1e3", "٣", "NaN", ".5")),
        *(("flag", value) for value in ("yes", "1", "on", "TRUE", "")),
        *(("day", value) for value in ("1699920000", "20260131", "2026-01-31T00:00:00Z")),
        *(("either", value) for value in ("1700000000", "2026-01-31T00:00:00", "now")),
        *(("id", value) for value in ("7", "0196b0a0000070008000000000000000")),
        ("several", "1_0"),
        *(("text", value) for value in ("a\x00b", "a\nb", "a\u202eb", "")),
    ],
)
async def test_a_query_is_as_strict_as_a_body(toy: Harness, name: str, value: str) -> None:
    answer = await toy.client.get("/v1/scales", params={name: value})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) in (
        (422, [name]),
        (422, [f"{name}.0"]),
    )


async def test_a_query_written_as_it_should_be(toy: Harness) -> None:
    query: list[tuple[str, str | int | float | bool | None]] = [
        ("whole", "-5"),
        ("exact", "1.50"),
        ("flag", "true"),
        ("several", "1"),
        ("several", "2"),
        ("text", "cafe\u0301"),
    ]
    query += [("day", "2026-01-31"), ("id", str(uuid7()))]
    said = (await toy.client.get("/v1/scales", params=query)).json()
    assert said == {"whole": -5, "exact": "1.50", "flag": True, "several": [1, 2], "text": "café"}
    for either in ("2026-01-31", "2026-01-31T09:00:00+09:00"):
        assert (await toy.client.get("/v1/scales", params={"either": either})).status_code == 200


async def test_a_path_names_its_parameter_too(toy: Harness) -> None:
    for path, field in (("a%00b/1", "code"), ("a/1_0", "number"), ("a/%D9%A3", "number")):
        answer = await toy.client.get(f"/v1/scales/{path}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), path
    assert (await toy.client.get("/v1/scales/%C3%A9/1")).json() == {"code": "é", "number": 1}


async def test_a_query_that_is_not_utf8_says_where(toy: Harness) -> None:
    answer = await toy.client.get("/v1/scales?whole=1&text=%ff")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "text")


async def test_an_unknown_parameter_is_told_which_there_are(toy: Harness) -> None:
    answer = await toy.client.get("/v1/notes", params={"statuss": "open"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "statuss")
    assert all(name in answer.json()["detail"] for name in ("status", "cursor", "sort", "limit", "created_from"))


@pytest.mark.parametrize("keys", [[""], [" "], ["a", "b"], ["\x7f"], ["é"], ["a\tb"], ["k" * 256]])
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_idempotency_key_is_one_or_there_is_none(toy: Harness, keys: list[str], method: str) -> None:
    label = (await toy.client.post("/v1/labels", json={"code": "a"})).json()
    path = "/v1/labels" if method == "POST" else f"/v1/labels/{label['id']}"
    headers = [(b"idempotency-key", key.encode("latin-1")) for key in keys]
    answer = await toy.client.request(method, path, json={"code": "b"}, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")


ALPHABETS = {
    "kanji": "漢",
    "emoji": "😀",
    "combining": "a\u0330\u0353",
    "quotes": '"\\',
    "arabic": "ش",
    "joined": "क्\u200dष",
    "hangul": "각",
    "slashes": "</",
    "fullwidth": "Ａ",
}


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("length", [54, 200, 500])
async def test_a_cursor_that_was_given_is_taken(toy: Harness, alphabet: str, length: int) -> None:
    unit = ALPHABETS[alphabet]
    async with toy.tx() as tx:
        tx.add_all(Note.write((unit * length)[: length - 1] + str(number)) for number in range(3))
    for sort in ("text", "-text", "id", "created_at", "-created_at"):
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 1, "sort": sort}
        while len(seen) < 4:
            answer = await toy.client.get("/v1/notes", params=query)
            assert answer.status_code == 200, answer.text
            seen += [note["text"] for note in answer.json()["items"]]
            if answer.json()["next_cursor"] is None:
                break
            query["cursor"] = answer.json()["next_cursor"]
            assert len(query["cursor"]) <= LONGEST_CURSOR
        assert len(seen) == len(set(seen)) == 3


async def test_what_two_readers_could_read_differently_is_one_row(toy: Harness) -> None:
    """A code is one in every spelling and case, and is found so."""
    made = await toy.client.post("/v1/labels", json={"code": "Café", "name": "cafe\u0301"})
    assert (made.status_code, made.json()["name"]) == (201, "café")
    for code in ("cafe\u0301", "CAFÉ", "ＣＡＦÉ", "café"):
        again = await toy.client.post("/v1/labels", json={"code": code})
        assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "/code"), code


async def test_what_has_one_value_is_given_once(toy: Harness) -> None:
    for path, name in (
        ("/v1/scales?whole=1&whole=2", "whole"),
        ("/v1/scales?whole=1&wh%6fle=1", "whole"),
        ("/v1/scales?several=1&text=a&text=a&several=2", "text"),
        ("/v1/notes?limit=1&limit=200", "limit"),
        ("/v1/notes?cursor=a&cursor=a", "cursor"),
    ):
        answer = await toy.client.get(path)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [name]), path


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("body", ['{"reason": "dust"}', '"{}"', "[]", "null", "plain text", " {} {}"])
async def test_a_body_that_nobody_would_read_is_refused(toy: Harness, method: str, body: str) -> None:
    answer = await toy.client.request(method, "/v1/scales/tare", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "", "detail": "This takes no body. Send none, or {}."}]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("body", [None, b"", b"{}", b" {}\n"])
async def test_an_empty_object_is_no_body(toy: Harness, method: str, body: bytes | None) -> None:
    assert (await toy.client.request(method, "/v1/scales/tare", content=body)).status_code == 200


async def test_a_body_in_pieces_is_seen_as_well(toy: Harness) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"reason"'
        yield b': "dust"}'

    assert (await toy.client.post("/v1/scales/tare", content=pieces())).status_code == 400
