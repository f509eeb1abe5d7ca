"""A quote goes to the customer by mail, once whatever fails: in their language, with a link that is good, to the address that is said or known."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from contracts.customers import EmailAddress, Person
from quotes.mailing import Letter, written
from stubs.books import Books
from stubs.faults import Fault, Faults
from stubs.log import Entry
from stubs.smtp import Sink
from tailrace.settings import PartnerAddress

from .conftest import AT, Desk

BASE = "https://erp.example.com"


def at(address: str) -> EmailAddress:
    return EmailAddress(address=address, label="work")


class Post:
    """The mail server, and what it took."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.books, self.faults = Books(), Faults()
        self.log: deque[Entry] = deque()

    async def open(self) -> None:
        self.server = await asyncio.start_server(Sink(self.books, self.faults, self.log).serve, "127.0.0.1", 0)
        place = f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        settings = self.desk.h.settings
        settings.partners = {"smtp": PartnerAddress(url=f"smtp://{place}", sender="quotes@acme.example")}
        settings.errands_allow, settings.public_url = [place], f"{BASE}/"

    @property
    def taken(self) -> list[dict[str, Any]]:
        return list(self.books.kept["smtp"].values())


@pytest.fixture
async def post(desk: Desk) -> AsyncIterator[Post]:
    post = Post(desk)
    await post.open()
    yield post
    post.server.close()


async def told(desk: Desk, type: str) -> list[Any]:
    return [each.event for each in await desk.h.published(type)]


async def approved(desk: Desk, **given: Any) -> dict[str, Any]:
    quote = await desk.create(**given)
    return await desk.act(quote, "submit")


async def test_it_goes_to_the_address_that_is_said_with_a_link_that_is_good(desk: Desk, post: Post) -> None:
    await desk.join()
    quote = await desk.act(await approved(desk), "send", mail_to="Buyer@Ada.example")
    assert (quote["status"], quote["mail"]["address"], quote["mail"]["status"]) == (
        "sent",
        "buyer@ada.example",
        "sending",
    )
    await desk.h.run_errands()
    assert ((await desk.read(quote))["mail"]["status"], await desk.h.run_errands()) == ("sent", 0)
    (mail,) = post.taken
    path = (await desk.h.client.get(f"{AT}/{quote['id']}/link")).json()["path"]
    lines = mail["text"].splitlines()
    assert f"{BASE}{path}" in lines
    assert f"{BASE}{path}/document" in lines
    assert quote["number"] in mail["subject"]
    offer = await desk.h.anonymous().get(path)
    assert (offer.status_code, offer.json()["number"]) == (200, quote["number"])
    (asked,) = await told(desk, "quote.mail_requested")
    (sent,) = await told(desk, "quote.mail_sent")
    assert (asked.address, sent.quote_id, str(sent.quote_id)) == ("buyer@ada.example", asked.quote_id, quote["id"])
    token = path.rpartition("/")[2]
    assert all(token not in each.event.model_dump_json() for each in await desk.h.published())


async def test_without_an_address_it_goes_to_the_person_or_else_to_the_customer(desk: Desk, post: Post) -> None:
    bo = Person(person_id=desk.person, name="Bo Buyer", emails=[at("bo@ada.example")])
    await desk.customer(desk.ada, "C-1", "Ada Works", emails=[at("office@ada.example")], people=[bo])
    first = await desk.act(await approved(desk, contact_id=str(desk.person)), "send", by_mail=True)
    second = await desk.act(await approved(desk), "send", by_mail=True)
    assert [each["mail"]["address"] for each in (first, second)] == ["bo@ada.example", "office@ada.example"]


async def test_nothing_is_mailed_unless_it_is_said_and_it_can_be_mailed_later(desk: Desk, post: Post) -> None:
    quote = await desk.sent()
    assert quote["mail"] is None
    draft = await desk.create()
    assert (await desk.act(draft, "mail", 409, mail_to="a@ada.example"))["type"].endswith("quote-state")
    for address in ("a@ada.example", "b@ada.example"):
        quote = await desk.act(quote, "mail", mail_to=address)
    await desk.h.run_errands()
    (mail,) = post.taken
    assert "b@ada.example" in mail["to"], "the first one was given up for the second"
    assert (await desk.read(quote))["mail"]["status"] == "sent"


async def test_what_the_server_refuses_is_seen_and_can_be_mailed_again(desk: Desk, post: Post) -> None:
    post.faults.switch([Fault(partner="smtp", kind="status", status=550, times=1)])
    quote = await desk.act(await approved(desk), "send", mail_to="nobody@ada.example")
    await desk.h.run_errands()
    mail = (await desk.read(quote))["mail"]
    assert (mail["status"], mail["failure"]) == ("failed", "status-550")
    (failed,) = await told(desk, "quote.mail_failed")
    assert (failed.number, failed.failure) == (quote["number"], "status-550")
    await desk.act(quote, "mail", mail_to="buyer@ada.example")
    await desk.h.run_errands()
    assert ((await desk.read(quote))["mail"]["status"], len(post.taken)) == ("sent", 1)


async def test_where_it_cannot_be_mailed_nothing_is_sent(desk: Desk, post: Post) -> None:
    quote = await approved(desk)
    refused = await desk.act(quote, "send", 422, by_mail=True)
    assert refused["errors"][0]["field"] == "/mail_to"
    assert (await desk.act(quote, "send", 422, mail_to="nobody"))["errors"][0]["field"] == "/mail_to"
    desk.h.settings.public_url = ""
    assert (await desk.act(quote, "send", 409, mail_to="a@ada.example"))["type"].endswith("cannot-mail")
    desk.h.settings.public_url, desk.h.settings.partners = BASE, {}
    assert (await desk.act(quote, "send", 409, mail_to="a@ada.example"))["type"].endswith("cannot-mail")
    assert (await desk.read(quote))["status"] == "approved"


@pytest.mark.parametrize(("language", "word"), [("en", "Quote Q-1/2 from Acme"), ("ja", "お見積書 Q-1/2（Acme）")])
def test_it_is_written_in_the_customers_language_and_breaks_no_header(language: str, word: str) -> None:

    letter = Letter(language, "Ada <b>\r\nBcc: x@y.example", "Q-1/2", "Acme\r\n", "2026-12-31", f"{BASE}/v1/x")
    made = message_from_bytes(written(letter, "a@a.example", "b@b.example", "me@acme.example"), policy=default)
    assert (made["Subject"], made["Reply-To"], made["Bcc"]) == (word, "me@acme.example", None)
    html = made.get_body(("html",))
    assert html is not None
    shown = html.get_content()
    assert "<b>" not in shown
    assert f'<a href="{BASE}/v1/x/document">' in shown
