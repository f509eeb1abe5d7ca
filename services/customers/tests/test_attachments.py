"""A customer's papers: added, read, replaced, deleted with it and moved by a merge, each told by an event that carries the hash."""

from hashlib import sha256
from typing import Any

import httpx2
import pytest

from contracts import customers as events
from customers.service import service
from tailrace_testing import Harness, MakeHarness

PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"
AT = "/v1/customers"


@pytest.fixture
async def customers(make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


async def made(customers: Harness, name: str = "Ada Works") -> str:
    answer = await customers.client.post(AT, json={"name": name, "currency": "EUR"})
    return str(answer.json()["id"])


async def upload(
    customers: Harness, id: str, content: bytes = PDF, name: str = "a.pdf", **more: Any
) -> httpx2.Response:
    files = {"file": (name, content, more.pop("media_type", "application/pdf"))}
    return await customers.client.post(f"{AT}/{id}/attachments", files=files, **more)


async def names(customers: Harness, id: str) -> list[str]:
    return [each["name"] for each in (await customers.client.get(f"{AT}/{id}/attachments")).json()["items"]]


async def test_a_paper_is_kept_told_of_and_read_back(customers: Harness) -> None:
    id = await made(customers)
    added = await upload(customers, id, name="契約.pdf")
    assert added.status_code == 201, added.text
    shown = added.json()
    assert (shown["name"], shown["size"], shown["sha256"]) == ("契約.pdf", len(PDF), sha256(PDF).hexdigest())
    at = f"{AT}/{id}/attachments/{shown['id']}"
    assert (added.headers["location"], added.headers["etag"]) == (at, '"1"')
    read = await customers.client.get(f"{at}/content")
    assert (read.content, read.headers["content-type"], read.headers["etag"]) == (
        PDF,
        "application/pdf",
        f'"{shown["sha256"]}"',
    )
    (told,) = await customers.published("customer.attachment_added")
    assert isinstance(told.event, events.CustomerAttachmentAdded)
    assert (str(told.event.customer_id), str(told.aggregate_id)) == (id, shown["id"])
    assert (told.event.sha256, told.event.content_version) == (shown["sha256"], 1)
    assert PDF.decode() not in told.event.model_dump_json()


async def test_each_version_can_be_read_and_the_same_again_is_none(customers: Harness) -> None:
    id = await made(customers)
    at = f"{AT}/{id}/attachments/{(await upload(customers, id)).json()['id']}"
    second = {"file": ("b.pdf", PDF + b"2", "application/pdf")}
    replaced = await customers.client.put(f"{at}/content", files=second, headers={"If-Match": '"1"'})
    assert (replaced.json()["content_version"], replaced.headers["etag"]) == (2, '"2"')
    again = await customers.client.put(f"{at}/content", files=second)
    assert (again.json()["content_version"], again.headers["etag"]) == (2, '"2"')
    stale = await customers.client.put(
        f"{at}/content", files={"file": ("c.pdf", PDF, "application/pdf")}, headers={"If-Match": '"1"'}
    )
    assert stale.status_code == 412
    versions = (await customers.client.get(f"{at}/versions")).json()["items"]
    assert [(each["content_version"], each["name"], each["added_by"]) for each in versions] == [
        (1, "a.pdf", str(customers.user)),
        (2, "b.pdf", str(customers.user)),
    ]
    assert [(await customers.client.get(f"{at}/versions/{n}/content")).content for n in (1, 2)] == [PDF, PDF + b"2"]
    assert (await customers.client.get(f"{at}/versions/3/content")).status_code == 404


async def test_a_deleted_customer_hides_its_papers_and_a_restored_one_has_them(customers: Harness) -> None:
    id = await made(customers)
    at = f"{AT}/{id}/attachments/{(await upload(customers, id)).json()['id']}"
    await customers.client.delete(f"{AT}/{id}")
    hidden = [
        await customers.client.get(path) for path in (f"{AT}/{id}/attachments", at, f"{at}/content", f"{at}/versions")
    ]
    assert {answer.status_code for answer in hidden} == {404}
    assert (await upload(customers, id)).status_code == 404
    assert (await customers.client.delete(at)).status_code == 404
    await customers.client.post(f"{AT}/{id}/restore")
    assert (await customers.client.get(f"{at}/content")).content == PDF


async def test_a_merge_moves_papers_and_its_undoing_brings_back_what_came_by_it(customers: Harness) -> None:
    first, second, third = [await made(customers, name) for name in ("First", "Second", "Third")]
    for id, name in ((first, "1.pdf"), (second, "2.pdf"), (third, "3.pdf")):
        await upload(customers, id, name=name)
    for id, into in ((first, second), (second, third)):
        answer = await customers.client.post(f"{AT}/{id}/merge", json={"into_customer_id": into, "reason": "One firm"})
        assert answer.status_code == 200, answer.text
    assert [await names(customers, id) for id in (first, second, third)] == [[], [], ["1.pdf", "2.pdf", "3.pdf"]]
    refused = await upload(customers, first)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:was-merged")
    await upload(customers, third, name="4.pdf")
    # Out of order: the first one goes while the second still stands for the third.
    await customers.client.post(f"{AT}/{first}/unmerge", json={"reason": "Two firms"})
    assert [await names(customers, id) for id in (first, second, third)] == [["1.pdf"], [], ["2.pdf", "3.pdf", "4.pdf"]]
    await customers.client.post(f"{AT}/{second}/unmerge", json={"reason": "Two firms"})
    assert [await names(customers, id) for id in (first, second, third)] == [["1.pdf"], ["2.pdf"], ["3.pdf", "4.pdf"]]
    moved = [event.event for event in await customers.published("customer.attachment_moved")]
    assert [event.name for event in moved if isinstance(event, events.CustomerAttachmentMoved)] == [
        "1.pdf",
        "1.pdf",
        "2.pdf",
        "1.pdf",
        "2.pdf",
    ]
    at = f"{AT}/{first}/attachments"
    (paper,) = (await customers.client.get(at)).json()["items"]
    assert (await customers.client.get(f"{at}/{paper['id']}/content")).content == PDF


async def test_reading_needs_the_scope_to_read_and_adding_that_to_write(customers: Harness) -> None:
    id = await made(customers)
    added = await upload(customers, id)
    reader = customers.client_as("customers:read")
    refused = await reader.post(f"{AT}/{id}/attachments", files={"file": ("a.pdf", PDF, "application/pdf")})
    assert refused.status_code == 403
    assert (await reader.get(f"{AT}/{id}/attachments/{added.json()['id']}/content")).status_code == 200
    other = customers.client_as("*", tenant=customers.other_tenant)
    assert (await other.get(f"{AT}/{id}/attachments/{added.json()['id']}/content")).status_code == 404
