"""A link lets its holder see one quote and answer it once, for as long as it is offered, and nobody else anything."""

import asyncio
import base64
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from approvals import APPROVED
from printed import text_of
from sqlalchemy import QueuePool
from structlog.testing import capture_logs

from contracts.customers import PostalAddress
from contracts.users import TenantUpdated
from quotes import papers
from tailrace.documents import typeset
from tailrace_testing import SetClock

from .conftest import AT, Desk

BUYER = {"name": "Bo Buyer"}


@contextmanager
def _informed() -> Iterator[None]:
    """While this lasts, log lines of the level INFO are made."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        yield
    finally:
        structlog.configure(**before)


async def ask(desk: Desk, path: str, what: str = "", **body: Any) -> Any:
    client = desk.h.anonymous()
    return await (client.post(f"{path}{what}", json=body) if what else client.get(path))


async def test_the_holder_of_a_link_sees_the_offer_and_no_more(desk: Desk) -> None:
    await desk.came_in(desk.bolt, "10", 700)
    quote = await desk.sent(desk.line(), notes="As discussed.")
    shown = await ask(desk, await desk.link(quote))
    assert shown.status_code == 200, shown.text
    assert (shown.headers["cache-control"], shown.headers["referrer-policy"]) == ("no-store", "no-referrer")
    offer = shown.json()
    assert (offer["number"], offer["seller"], offer["total"], offer["status"]) == (
        quote["number"],
        "Acme Ltd",
        1326,
        "sent",
    )
    assert not {"unit_cost", "list_price", "owner_id", "warehouse_id", "customer_id"} & (
        offer.keys() | offer["lines"][0].keys()
    )


async def test_it_is_accepted_once_however_often(desk: Desk) -> None:
    quote = await desk.sent()
    link = await desk.link(quote)
    answers = [await ask(desk, link, "/accept", **BUYER, customer_reference="PO-7") for _ in range(3)]
    answers.append(await ask(desk, link, "/accept", name="Somebody Else"))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.text for answer in answers}) == 1
    now = await desk.read(quote)
    assert (now["status"], now["accepted_by"], now["customer_reference"]) == ("accepted", "Bo Buyer", "PO-7")
    assert len(await desk.h.published("quote.accepted")) == 1


async def test_of_many_at_once_one_wins(desk: Desk) -> None:
    quote = await desk.sent()
    link = await desk.link(quote)
    answers = await asyncio.gather(
        *[ask(desk, link, "/accept", name=f"Buyer {number}") for number in range(4)],
        *[ask(desk, link, "/decline", reason="no") for _ in range(4)],
    )
    now = await desk.read(quote)
    accepted, declined = await desk.h.published("quote.accepted"), await desk.h.published("quote.declined")
    assert len(accepted) + len(declined) == 1
    won = answers[:4] if now["status"] == "accepted" else answers[4:]
    lost = answers[4:] if now["status"] == "accepted" else answers[:4]
    assert {answer.status_code for answer in won} == {200}
    assert {answer.status_code for answer in lost} <= {409, 410}


async def test_a_revision_and_an_acceptance_at_once_leave_one_of_them(desk: Desk) -> None:
    quote = await desk.sent()
    link = await desk.link(quote)
    revised, accepted = await asyncio.gather(
        desk.h.client.post(f"{AT}/{quote['id']}/revise"), ask(desk, link, "/accept", **BUYER)
    )
    assert sorted((revised.status_code < 300, accepted.status_code < 300)) == [False, True]
    assert len(await desk.h.published("quote.accepted")) + len(await desk.h.published("quote.revised")) == 1


@pytest.mark.parametrize(
    ("action", "status", "body"),
    [("revise", 201, {}), ("decline", 200, {"reason": "no"}), ("cancel", 200, {"reason": "no"})],
)
async def test_whatever_ends_the_offer_ends_the_link(
    desk: Desk, action: str, status: int, body: dict[str, str]
) -> None:
    quote = await desk.sent()
    link = await desk.link(quote)
    await desk.act(quote, action, status, **body)
    for answer in (await ask(desk, link), await ask(desk, link, "/accept", **BUYER)):
        assert (answer.status_code, answer.json()["type"]) == (410, "urn:tailrace:problem:link-ended")
    assert await desk.h.published("quote.accepted") == []
    await desk.link(quote, 409)


async def test_it_is_over_after_the_last_day(desk: Desk, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    quote = await desk.sent(dated="2026-11-27", valid_until="2026-11-30")
    link = await desk.link(quote)
    clock("2026-11-30T23:59:59Z")
    assert (await ask(desk, link)).status_code == 200
    clock("2026-12-01T00:00:00Z")
    answer = await ask(desk, link, "/accept", **BUYER)
    assert (answer.status_code, answer.json()["title"]) == (410, "This link leads nowhere any more")


async def test_a_declined_offer_says_so_again(desk: Desk) -> None:
    link = await desk.link(await desk.sent())
    answers = [await ask(desk, link, "/decline", reason="too dear") for _ in range(2)]
    assert [answer.json()["status"] for answer in answers] == ["declined"] * 2
    assert len(await desk.h.published("quote.declined")) == 1


async def test_what_was_not_signed_here_leads_nowhere(desk: Desk) -> None:
    quote = await desk.sent()
    link = await desk.link(quote)
    head, _, token = link.rpartition("/")
    header, claims, signature = token.split(".")
    other = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**other, "exp": other["exp"] + 1}).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"quote-link+jwt"}').decode().rstrip("=")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    tries = (
        f"{header}.{claims}.{flipped}",
        f"{header}.{forged}.{signature}",
        f"{none}.{claims}.",
        f"{header}.{claims}",
        "x",
        "x" * 5000,
        desk.h.token(),
    )
    for bad in tries:
        answer = await ask(desk, f"{head}/{bad}")
        assert answer.status_code == 404, (bad[:80], answer.text)
        assert (await ask(desk, f"{head}/{bad}", "/accept", **BUYER)).status_code == 404
    assert (await desk.read(quote))["status"] == "sent"


async def test_only_what_was_sent_has_a_link_and_only_for_those_who_may_write(desk: Desk) -> None:
    draft = await desk.create()
    await desk.link(draft, 409)
    reader = desk.h.client_as("quotes:read")
    assert (await reader.get(f"{AT}/{draft['id']}/link")).status_code == 403


async def test_margin_is_shown_to_those_who_may_see_it(desk: Desk) -> None:
    await desk.came_in(desk.bolt, "10", 700, days_ago=1)
    await desk.came_in(desk.bolt, "10", 600, days_ago=3)
    quote = await desk.create(desk.line(), desk.line(item_id=str(desk.flour), quantity="1"))
    here = f"{AT}/{quote['id']}"
    seller = desk.h.client_as("quotes:read quotes:write")
    assert "cost" not in (await seller.get(here)).text
    assert (await seller.get(f"{here}/margin")).status_code == 403
    controller = desk.h.client_as("quotes:read quotes:margin")
    shown = (await controller.get(f"{here}/margin")).json()
    assert [line["cost"] for line in shown["lines"]] == [700, None]
    assert (shown["cost"], shown["margin"]) == (None, None)
    costs = {"lines": [{"line_id": quote["lines"][1]["id"], "unit_cost": "31.4"}]}
    assert (await seller.put(f"{here}/costs", json=costs)).status_code == 403
    shown = (await controller.put(f"{here}/costs", json=costs)).json()
    assert (shown["net"], shown["cost"], shown["margin"], shown["margin_rate"]) == (1285, 731, 554, "0.431128")


async def test_no_log_line_holds_what_stands_below_the_public_prefix(desk: Desk) -> None:
    link = await desk.link(await desk.sent())
    token = link.rpartition("/")[2]
    with _informed(), capture_logs() as lines:
        for path in (link, f"{link}/document", f"{link}/no-such-thing", f"{link[:-1]}"):
            await ask(desk, path)
        await ask(desk, link, "/accept", **BUYER)
    logged = [line["path"] for line in lines if line["event"] == "request"]
    assert logged == ["/v1/quotes/public/…"] * 5
    assert token[:40] not in str(lines)


async def test_the_document_is_a_pdf_that_says_what_was_quoted(desk: Desk) -> None:
    """Texts and options stand in it too, and its amounts add up, or it would not have been set."""
    lines = [
        desk.text("For the bridge"),
        desk.line(discount_rate="0.05"),
        desk.text("M8"),
        desk.line(inclusion="optional"),
    ]
    await desk.join()
    await desk.limit({"user_id": str(desk.h.user), "max_discount_rate": "0.2"})
    quote = await desk.sent(*lines, discount_rate="0.02", terms="Net 14 days.")
    made = await desk.h.client.get(f"{AT}/{quote['id']}/document")
    assert (made.status_code, made.headers["content-type"], made.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert made.headers["content-disposition"] == f'attachment; filename="{quote["number"]}-1.pdf"'
    seen = {"If-None-Match": made.headers["etag"]}
    assert (await desk.h.client.get(f"{AT}/{quote['id']}/document", headers=seen)).status_code == 304
    public = await ask(desk, f"{await desk.link(quote)}/document")
    assert (public.status_code, public.content) == (200, made.content)
    assert public.headers["cache-control"] == "no-store"


async def test_what_was_offered_names_the_seller_as_it_was(desk: Desk) -> None:
    sent, waiting, draft = await desk.sent(), await desk.waiting(), await desk.create()
    link, subject = await desk.link(sent), await desk.subject()
    was = (await ask(desk, f"{link}/document")).content
    renamed = TenantUpdated(tenant_id=desk.h.tenant, name="Zenith Ltd")
    await desk.h.deliver(renamed, aggregate_id=desk.h.tenant)
    assert (await ask(desk, link)).json()["seller"] == "Acme Ltd"
    assert (await ask(desk, f"{link}/document")).content == was
    await desk.decide(APPROVED, subject)
    await desk.act(waiting, "send")
    assert (await ask(desk, await desk.link(waiting))).json()["seller"] == "Acme Ltd", "that was approved"
    said = text_of((await desk.h.client.get(f"{AT}/{draft['id']}/document")).content)
    assert "ZenithLtd" in said and "AcmeLtd" not in said


async def test_what_is_taken_back_names_the_seller_as_it_is(desk: Desk) -> None:
    quote = await desk.waiting()
    renamed = TenantUpdated(tenant_id=desk.h.tenant, name="Zenith Ltd")
    await desk.h.deliver(renamed, aggregate_id=desk.h.tenant)
    here = f"{AT}/{quote['id']}/document"
    assert "AcmeLtd" in text_of((await desk.h.client.get(here)).content)
    await desk.act(quote, "recall", reason="Another name.")
    assert "ZenithLtd" in text_of((await desk.h.client.get(here)).content)


async def test_a_japanese_customer_gets_a_japanese_document(desk: Desk) -> None:
    address = PostalAddress(
        use="billing", lines=["丸の内1-1-1"], city="千代田区", region="東京都", postal_code="100-0005", country="JP"
    )
    given = {"language": "ja", "addresses": [address], "currency": "EUR"}
    await desk.customer(desk.ada, "C-1", "株式会社エイダ", **given)
    quote = await desk.create(desk.line(), desk.line(quantity="1", inclusion="optional"))
    assert (quote["customer"]["language"], quote["customer"]["lines"]) == (
        "ja",
        ["〒100-0005", "東京都千代田区", "丸の内1-1-1"],
    )
    printed = text_of((await desk.h.client.get(f"{AT}/{quote['id']}/document")).content)
    assert "お支払条件請求書の日付から14日以内" in printed


async def test_one_link_does_not_keep_the_typesetter_from_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    links = [f"{await desk.link(await desk.sent())}/document" for _ in range(2)]
    entered, go = asyncio.Semaphore(0), asyncio.Event()

    async def held_up(*of: Any) -> bytes:
        entered.release()
        await go.wait()
        return await typeset(*of)

    monkeypatch.setattr(papers, "typeset", held_up)
    monkeypatch.setattr("tailrace.http.files.paper._OF_ONE", 2)
    held = [asyncio.create_task(ask(desk, path)) for path in (links[0], links[0], links[1])]
    async with asyncio.timeout(300):
        for _ in held:
            await entered.acquire()
    refused = await ask(desk, links[0])
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    go.set()
    assert [(await each).status_code for each in held] == [200, 200, 200]
    assert (await ask(desk, links[0])).status_code == 200


async def test_a_document_that_is_made_holds_no_connection(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    here = f"{AT}/{(await desk.sent())['id']}/document"
    held: list[int] = []

    async def watched(*of: Any) -> bytes:
        pool = desk.h.database.engine.pool
        assert isinstance(pool, QueuePool)
        held.append(pool.checkedout())
        return await typeset(*of)

    monkeypatch.setattr(papers, "typeset", watched)
    made = await desk.h.client.get(here)
    assert (made.status_code, made.headers["content-length"], made.content[:5]) == (
        200,
        str(len(made.content)),
        b"%PDF-",
    )
    assert held == [0]
