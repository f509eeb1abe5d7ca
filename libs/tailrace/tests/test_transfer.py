"""Imports and exports on a real PostgreSQL: good rows kept, bad ones named, a second time without effect, done once whatever is killed."""

import asyncio
import csv
import io
import os
import signal
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
import toy as toy_package
from python_calamine import CalamineWorkbook
from toy import NoteWritten
from toy.jobbing import STEPS, service_with_jobs

from tailrace.http.routing import Body
from tailrace.transfer import routes
from tailrace.transfer.importable import Importable
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

CSV, XLSX = routes.CSV, routes.XLSX


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(service_with_jobs)


async def _upload(toy: Harness, what: str, text: str | bytes, kind: str = CSV, **query: Any) -> httpx2.Response:
    content = text.encode() if isinstance(text, str) else text
    return await toy.client.post(f"/v1/{what}/import", content=content, headers={"Content-Type": kind}, params=query)


async def _import(toy: Harness, what: str, text: str | bytes, kind: str = CSV, **query: Any) -> dict[str, Any]:
    answer = await _upload(toy, what, text, kind, **query)
    assert answer.status_code == 202, answer.text

    async def over() -> dict[str, Any] | None:
        await toy.run_jobs()
        job = (await toy.client.get(answer.headers["location"])).json()
        return None if job["ended_at"] is None else dict(job)

    job = await eventually(over, bool, what="the end of the import")
    assert job is not None and job["state"] == "succeeded", job
    return job


async def _refused(toy: Harness, job: dict[str, Any]) -> list[list[str]]:
    answer = await toy.client.get(f"/v1/notes/jobs/{job['id']}/refused")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, CSV)
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def _labels(toy: Harness) -> dict[str, str]:
    return {row["code"]: row["name"] for row in await toy.admin.fetch("SELECT code, name FROM label ORDER BY code")}


LABELS = "コード,Name,tone\nA,Alpha,plain\nB,Beta,loud\nC,,\n"


async def test_rows_become_what_a_request_makes_and_a_second_time_changes_nothing(toy: Harness) -> None:
    job = await _import(toy, "labels", LABELS)
    assert (job["done"], job["total"], job["counts"]) == (3, 3, {"created": 3})
    assert await _labels(toy) == {"A": "Alpha", "B": "Beta", "C": "A label"}
    assert {event.type for event in await toy.published()} == {"label.created"}
    assert (await _import(toy, "labels", LABELS))["counts"] == {"unchanged": 3}
    assert len(await toy.published()) == 3


async def test_a_changed_row_replaces_in_the_columns_that_the_file_has(toy: Harness) -> None:
    await _import(toy, "labels", LABELS)
    job = await _import(toy, "labels", "code,name\nA,Alpha\nb,Better\n")
    assert job["counts"] == {"unchanged": 1, "replaced": 1}
    label = await toy.admin.fetchrow("SELECT * FROM label WHERE code = 'b'")
    assert (label["name"], label["tone"], label["version"]) == ("Better", "loud", 2)


async def test_good_rows_are_kept_and_bad_ones_named_by_row_column_and_reason(toy: Harness) -> None:
    rows = [f"L{number},Label {number},plain" for number in range(40)]
    rows[7] = "L7,forbidden,plain"
    rows[21] = ",Nameless,plain"
    rows[30] = "L30,Label 30,shrill"
    rows[33] = "L99,Long,plain,too much"
    job = await _import(toy, "labels", "Code,Name,Tone\n" + "\n".join(rows) + "\n")
    assert job["counts"] == {"created": 36, "refused": 4}
    assert len(await _labels(toy)) == 36
    header, *refused = await _refused(toy, job)
    assert header == ["Code", "Name", "Tone", "row", "column", "reason"]
    assert [(row[3], row[4]) for row in refused] == [("9", "Name"), ("23", "Code"), ("32", "Tone"), ("35", "")]
    assert refused[0][5] == "Nobody may be called that." and refused[3][5] == "There are more cells than headings."
    assert "Row 9, Name: Nobody may be called that." in job["messages"]


async def test_a_file_of_refused_rows_can_be_mended_and_sent_again(toy: Harness) -> None:
    job = await _import(toy, "labels", "Code,Name\nA,=1+1\nB,forbidden\n")
    header, row = await _refused(toy, job)
    mended = ",".join(header[:2]) + "\n" + ",".join([row[0], "allowed"]) + "\n"
    assert (await _import(toy, "labels", mended))["counts"] == {"created": 1}
    assert await _labels(toy) == {"A": "=1+1", "B": "allowed"}


async def test_a_code_that_stands_twice_is_refused_once(toy: Harness) -> None:
    job = await _import(toy, "labels", "Code,Name\nA,First\na,Second\n")
    assert job["counts"] == {"created": 1, "refused": 1}
    assert await _labels(toy) == {"A": "First"}
    assert (await _refused(toy, job))[1][-2:] == ["Code", "The same stands in row 2."]
    assert (await _import(toy, "labels", "Code,Name\nA,First\na,Second\n"))["counts"] == {"unchanged": 1, "refused": 1}


async def test_a_preview_changes_nothing_and_says_what_would_become_of_the_rows(toy: Harness) -> None:
    job = await _import(toy, "labels", LABELS + "D,forbidden,plain\n", dry_run=True)
    assert job["counts"] == {"created": 3, "refused": 1}
    assert (await _labels(toy), await toy.published()) == ({}, [])
    assert len(await _refused(toy, job)) == 2


LETTERS = "Title,Text,Times\nFirst,hello,2\n,world,\nSecond,bye,1\n"


async def test_rows_of_one_document_are_one_and_are_not_made_again(toy: Harness) -> None:
    job = await _import(toy, "letters", LETTERS)
    assert (job["done"], job["counts"]) == (3, {"created": 2})
    wrote = ["First: hello x2, world x1", "Second: bye x1"]
    assert [cast(NoteWritten, note.event).text for note in await toy.published("note.written")] == wrote
    assert (await _import(toy, "letters", LETTERS))["counts"] == {"unchanged": 2}
    other = await _import(toy, "letters", LETTERS.replace("bye", "farewell"))
    assert other["counts"] == {"unchanged": 1, "refused": 1}
    assert (await _refused(toy, other))[1][-1].startswith("It was imported before, with other content")
    assert len(await toy.published("note.written")) == 2


async def test_a_name_in_two_spellings_is_one_document(toy: Harness) -> None:
    job = await _import(toy, "letters", "Title,Text,Times\nRené,hello,2\nRene\u0301,world,1\nRen\u00e9,bye,1\n")
    assert job["counts"] == {"created": 1}
    wrote = ["René: hello x2, world x1, bye x1"]
    assert [cast(NoteWritten, note.event).text for note in await toy.published("note.written")] == wrote


async def test_what_is_wrong_in_a_line_names_its_row_and_refuses_the_document(toy: Harness) -> None:
    job = await _import(toy, "letters", LETTERS.replace("world,", "forbidden,").replace("bye,1", "bye,many"))
    assert job["counts"] == {"refused": 2}
    _, first, second, third = await _refused(toy, job)
    assert first[3:] == ["2", "", "Another row of it is refused: Nobody may say that."]
    assert second[3:] == ["3", "Text", "Nobody may say that."]
    assert third[3:5] == ["4", "Times"]


@pytest.mark.parametrize("step", STEPS)
async def test_an_import_that_is_killed_at_each_step_is_done_once(
    toy: Harness, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_ROWS_OF_PIECE", 2)
    rows = "".join(f"L{number},Label {number}\n" for number in range(7)) + "L7,forbidden\n"
    answer = await _upload(toy, "labels", "code,name\n" + rows)
    path = {**os.environ, "PYTHONPATH": str(Path(toy_package.__file__).parents[1])}
    url = toy.settings.database("toy")
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "toy.jobbing", url, step, env=path)
    assert await child.wait() == -signal.SIGKILL
    assert len(await _labels(toy)) == (4 if step == "committed" else 2)
    await toy.admin.execute("UPDATE job_queue SET leased_until = now() - interval '1 second'")

    async def over() -> dict[str, Any] | None:
        await toy.run_jobs()
        job = (await toy.client.get(answer.headers["location"])).json()
        return None if job["ended_at"] is None else dict(job)

    job = await eventually(over, bool, what="the end of the import")
    assert job is not None and (job["done"], job["counts"]) == (8, {"created": 7, "refused": 1})
    assert len(await _labels(toy)) == 7
    assert [event.sequence for event in await toy.published("label.created")] == [1] * 7
    assert len(await _refused(toy, job)) == 2


@pytest.mark.parametrize(
    ("content", "kind", "status", "says"),
    [
        (b"", CSV, 422, "empty"),
        (b"code,name\n", CSV, 422, "no row below"),
        (b"code,nonsense\nA,1\n", CSV, 422, 'There is no column \\"nonsense\\"'),
        (b"code,Code\nA,1\n", CSV, 422, "stands twice"),
        (b"PK\x03\x04rest", CSV, 415, "This is not text/csv"),
        (b"code,name\nA,1\n", XLSX, 415, "This is not application/vnd"),
        (b"code,name\nA,1\n", "application/json", 415, "Send the file as"),
        (b"code,name\nA,M\xfcller\n", CSV, 422, "encoding=cp932"),
    ],
)
async def test_a_file_that_cannot_be_read_changes_nothing(
    toy: Harness, content: bytes, kind: str, status: int, says: str
) -> None:
    answer = await _upload(toy, "labels", content, kind)
    assert (answer.status_code, says in answer.text) == (status, True), answer.text
    for table in ("job", "job_piece", "job_queue", "label"):
        assert await toy.admin.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_larger_body_is_taken_there_and_nowhere_else(toy: Harness) -> None:
    large = "code,name\n" + "".join(f"L{number},{'x' * 190}\n" for number in range(15_000))
    assert len(large) > 2 * 1024 * 1024
    assert (await _upload(toy, "labels", large)).status_code == 202
    assert (await toy.client.post("/v1/notes/writings", json={"word": large, "times": 1})).status_code == 413


async def test_a_list_is_exported_whole_as_it_is_filtered_and_an_import_of_it_changes_nothing(toy: Harness) -> None:
    names = ["=cmd|'/c calc'!A1", "+1", "-5", "@x", "'quoted", "'=both", 'a, "b"\nc', "＝wide", "plain", "\u3042"]
    rows = io.StringIO()
    csv.writer(rows).writerows([["code", "name", "tone"], *([f"L{i}", name, "loud"] for i, name in enumerate(names))])
    made = await _import(toy, "labels", rows.getvalue().replace("'=both", "''=both"))
    kept = [name.replace("\n", " ") for name in names]
    if made["counts"] != {"created": len(names)}:
        assert made["counts"] == {"created": len(names) - 1, "refused": 1}  # a line break is no name
        kept.remove('a, "b" c')
    assert sorted((await _labels(toy)).values()) == sorted(kept)
    await _import(toy, "labels", "code,tone\nquiet,plain\n")
    answer = await toy.client.get("/v1/labels", params={"tone": "loud", "sort": "-code"}, headers={"Accept": CSV})
    assert (answer.status_code, answer.headers["content-disposition"]) == (200, 'attachment; filename="labels.csv"')
    assert answer.text.startswith("\ufeff")
    header, *exported = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    code, name = header.index("code"), header.index("name")
    assert {"id", "version", "tone"} < set(header)
    assert [row[code] for row in exported] == sorted((row[code] for row in exported), reverse=True)
    assert len(exported) == len(kept)
    assert not [row[name] for row in exported if row[name].lstrip()[:1] in set("=+-@＝")]
    assert (await _import(toy, "labels", answer.text))["counts"] == {"unchanged": len(kept)}


async def test_an_xlsx_export_is_what_the_csv_one_is_and_an_import_of_it_changes_nothing(toy: Harness) -> None:
    names = ["=1+1", "-5", "@x", "\u3042 <&>", "plain"]
    rows = io.StringIO()
    csv.writer(rows).writerows([["code", "name", "tone"], *([f"L{i}", name, "loud"] for i, name in enumerate(names))])
    await _import(toy, "labels", rows.getvalue())
    answer = await toy.client.get("/v1/labels", params={"sort": "-code"}, headers={"Accept": XLSX})
    assert (answer.status_code, answer.headers["content-type"]) == (200, XLSX)
    assert answer.headers["content-disposition"] == 'attachment; filename="labels.xlsx"'
    header, *shown = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    text = (await toy.client.get("/v1/labels", params={"sort": "-code"}, headers={"Accept": CSV})).text
    headings, *lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert header == headings
    name, version = header.index("name"), header.index("version")
    assert [row[name] for row in shown] == [line[name] for line in lines]
    assert {type(row[version]) for row in shown} == {float}
    assert {type(row[header.index("created_at")]) for row in shown} == {datetime}
    assert (await _import(toy, "labels", answer.content, XLSX))["counts"] == {"unchanged": len(names)}
    foreign = await toy.client_as(tenant=toy.other_tenant).get("/v1/labels", headers={"Accept": XLSX})
    assert CalamineWorkbook.from_filelike(io.BytesIO(foreign.content)).get_sheet_by_index(0).to_python() == [header]
    assert (await toy.client_as("").get("/v1/labels", headers={"Accept": XLSX})).status_code == 403
    first = {"Accept": f"application/json, {XLSX}"}
    page = await toy.client.get("/v1/labels", headers=first)
    assert page.json()["next_cursor"] is None
    # One address has several forms: a cache has to tell them apart (RFC 9110, 12.5.5).
    assert {each.headers["vary"] for each in (answer, foreign, page)} == {"Accept"}


async def test_an_export_has_the_scopes_filters_and_refusals_of_its_list(toy: Harness) -> None:
    accept = {"Accept": CSV}
    assert (await toy.client_as("").get("/v1/labels", headers=accept)).status_code == 403
    assert (await toy.client.get("/v1/labels", params={"sort": "nonsense"}, headers=accept)).status_code == 400
    await _import(toy, "labels", LABELS)
    foreign = await toy.client_as(tenant=toy.other_tenant).get("/v1/labels", headers=accept)
    (header,) = foreign.text.removeprefix("\ufeff").splitlines()
    assert {"id", "code", "name", "tone", "version"} <= set(header.split(","))
    both = {"Accept": "application/json, text/csv"}
    assert (await toy.client.get("/v1/labels", headers=both)).json()["next_cursor"] is None


async def test_an_export_is_one_snapshot_over_many_pages(toy: Harness) -> None:
    await _import(toy, "labels", "code,name\n" + "".join(f"L{n:04},x\n" for n in range(1201)))
    async with toy.client.stream("GET", "/v1/labels", headers={"Accept": CSV}) as answer:
        text = "".join([part async for part in answer.aiter_text()])
    header, *rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    codes = [row[header.index("code")] for row in rows]
    assert len(codes) == len(set(codes)) == 1201


def test_a_manifest_that_lets_too_little_through_is_refused() -> None:
    with pytest.raises(ValueError, match="its prefix lets 0 through"):
        replace(service_with_jobs, exposes=[])


def test_what_is_no_master_data_needs_a_command() -> None:
    with pytest.raises(TypeError, match="letters: say `create`, or `kind`"):
        Importable(service="toy", name="letters", body=Body)
