"""Lists of records as files: rows alone, and how fresh they are beside them."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from kafka_seen import Looked
from python_calamine import CalamineWorkbook
from selling_desk import NOON, Desk, sell

from contracts import orders
from tailrace.http.files.exports import CSV, XLSX

RECORDS = "/v1/reports/sales-summary/records"
LISTS = [RECORDS, "/v1/reports/funnel/records?start=order", "/v1/analytics/spend/records"]
UNTIL = NOON + timedelta(days=1, microseconds=7)
SAID_UNTIL = "2026-10-11T03:00:00.000007Z"
_MEMBER = re.compile(r"([a-z_]+)=(\"[^\"]*\"|\d+|\([^)]*\))(?:, |$)")
_TOPIC = re.compile(r"([a-z.]+)((?:;[a-z_]+=(?:\"[^\"]*\"|\d+))*)(?: |$)")


def read_header(header: str) -> dict[str, Any]:
    """The members of the header, and `topics` by name with what is said of each; not parsed by what wrote it."""
    members = dict(_MEMBER.findall(header))
    assert ", ".join(f"{key}={value}" for key, value in members.items()) == header
    found = _TOPIC.findall(members.pop("topics")[1:-1])
    topics = {name: dict(one.split("=") for one in said.split(";")[1:]) for name, said in found}
    return {**members, "topics": topics}


async def file(desk: Desk, path: str, kind: str) -> Any:
    answer = await desk.h.client.get(path, headers={"Accept": kind})
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("path", LISTS)
async def test_a_file_of_records_says_as_much_as_a_page_of_them(desk: Desk, path: str) -> None:
    await sell(desk, 1, 100, desk.bo)
    desk.h.app.state.watch = Looked(UNTIL)
    page = await desk.ask(path)
    csv, book = await file(desk, path, CSV), await file(desk, path, XLSX)
    # Whatever reads CSV takes each line for a row.
    assert len(csv.text.splitlines()) == len(page["items"]) + 1
    for each in (csv, book):
        said = read_header(each.headers["Tailrace-Freshness"])
        assert (said["complete_until"], said["set_aside"]) == (f'"{SAID_UNTIL}"', "0")
        assert list(said["topics"]) == [one["topic"] for one in page["freshness"]["topics"]]
        for one in page["freshness"]["topics"]:
            told = said["topics"][one["topic"]]
            assert (told["behind"], told["complete_until"]) == ("0", f'"{SAID_UNTIL}"')
            assert told.get("event_id") == (one["event_id"] and f'"{one["event_id"]}"')
            assert ("age_seconds" in told) == (one["age_seconds"] is not None)
    sheets = CalamineWorkbook.from_filelike(io.BytesIO(book.content))
    assert sheets.sheet_names[1:] == ["freshness"]
    (words, *_), *lines = sheets.get_sheet_by_index(1).to_python()
    assert words == "Complete until 2026-10-11T03:00:00Z."
    topics = [dict(zip(lines[-11], line, strict=True)) for line in lines[-10:]]
    assert [(one["topic"], one["event_id"] or None, one["behind"]) for one in topics] == [
        (one["topic"], one["event_id"], 0) for one in page["freshness"]["topics"]
    ]


async def test_a_file_says_what_is_missing_and_does_not_guess(desk: Desk) -> None:
    said = await sell(desk, 1, 100, desk.bo)
    gap = orders.OrderCancelled(order_id=said["order_id"], reason="no")
    await desk.h.deliver(gap, aggregate_id=said["order_id"], sequence=9, may_dead_letter=True)
    desk.h.app.state.watch = Looked(None)
    book = await file(desk, RECORDS, XLSX)
    header = read_header(book.headers["Tailrace-Freshness"])
    assert (header["set_aside"], "complete_until" in header) == ("1", False)
    assert {"behind", "complete_until"}.isdisjoint(header["topics"]["order.events"])
    words = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(1).to_python()[0][0]
    assert words == "Until when it is complete cannot be told at the moment. Events set aside: 1."
