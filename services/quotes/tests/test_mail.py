"""A quote goes to the customer by mail, once whatever fails: in their language, with a link that is good, to the address that is said or known."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from contracts.customers import CustomerDeleted, EmailAddress, Person
from contracts.users import UserCreated
from quotes.document import fingerprint
from quotes.mailing import Letter, written
from quotes.models import Quote
from stubs.books import Books
from stubs.faults import Fault, Faults
from stubs.log import Entry
from stubs.smtp import Sink
from tailrace.core.ids import uuid7
from tailrace.errands.mail import head
from tailrace.settings import PartnerAddress
from tailrace_testing import SetClock, today

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
    raw = head("a@a.example", "b@b.example", letter.subject, "me@acme.example") + written(letter)
    made = message_from_bytes(raw, policy=default)
    assert (made["Subject"], made["Reply-To"], made["Bcc"]) == (word, "me@acme.example", None)
    html = made.get_body(("html",))
    assert html is not None
    shown = html.get_content()
    assert "<b>" not in shown
    assert f'<a href="{BASE}/v1/x/document">' in shown


FORGED = [
    "=?us-ascii?q?a=0abcc=3avictim=40v.example=0a=0ahello?=:@x.example",
    "=?utf-8?q?a=0d=0ab?=@x.example",
    "a:;b@x.example",
    "a@[x.example",
    "a,b@x.example",
]


@pytest.mark.parametrize("address", FORGED)
async def test_nothing_is_mailed_to_what_is_no_address_said_or_kept(desk: Desk, post: Post, address: str) -> None:
    quote = await approved(desk)
    assert (await desk.act(quote, "send", 422, mail_to=address))["errors"][0]["field"] == "/mail_to"
    await desk.customer(desk.ada, "C-1", "Ada Works", emails=[at(address)])
    refused = await desk.act(quote, "send", 422, by_mail=True)
    assert refused["errors"][0]["field"] == "/mail_to"
    assert address not in str(refused)
    assert (await desk.read(quote))["status"] == "approved"
    assert await told(desk, "quote.mail_requested") == []


async def test_mail_reaches_an_international_address_and_an_odd_seller_keeps_none_from_it(
    desk: Desk, post: Post
) -> None:
    joined = UserCreated(user_id=desk.h.user, email="a:;b@x.example", name="Me", roles=["sales"])
    await desk.h.deliver(joined, aggregate_id=desk.h.user)
    quote = await desk.act(await approved(desk), "send", mail_to="buyer@xn--mnchen-3ya.example")
    assert quote["mail"]["address"] == "buyer@münchen.example"
    await desk.h.run_errands()
    assert [mail["to"] for mail in post.taken] == [["buyer@xn--mnchen-3ya.example"]]
    assert "reply-to" not in post.log[-1].body.lower()


async def test_it_goes_to_the_very_person_whatever_they_are_called_by_now(desk: Desk, post: Post) -> None:
    namesake = Person(person_id=uuid7(), name="Bo Buyer", emails=[at("other@ada.example")])
    bo = Person(person_id=desk.person, name="Bo Buyer", emails=[at("bo@ada.example")])
    await desk.customer(desk.ada, "C-1", "Ada Works", people=[namesake, bo])
    quote = await desk.act(await approved(desk, contact_id=str(desk.person)), "send", by_mail=True)
    assert quote["mail"]["address"] == "bo@ada.example"
    renamed = Person(person_id=desk.person, name="Bo Baker", emails=[at("baker@ada.example")])
    await desk.customer(desk.ada, "C-1", "Ada Works", people=[namesake, renamed])
    assert (await desk.act(quote, "mail"))["mail"]["address"] == "baker@ada.example"


async def test_who_is_gone_is_not_mailed_in_the_name_of_somebody_else(desk: Desk, post: Post) -> None:
    quote = await approved(desk, contact_id=str(desk.person))
    namesake = Person(person_id=uuid7(), name="Bo Buyer", emails=[at("other@ada.example")])
    await desk.customer(desk.ada, "C-1", "Ada Works", emails=[at("office@ada.example")], people=[namesake])
    assert (await desk.act(quote, "send", 422, by_mail=True))["errors"][0]["field"] == "/mail_to"
    assert (await desk.act(quote, "send", mail_to="new@ada.example"))["mail"]["address"] == "new@ada.example"


async def test_who_sees_no_address_of_a_customer_sees_none_of_a_mail(desk: Desk, post: Post) -> None:
    quote = await desk.act(await approved(desk), "send", mail_to="buyer@ada.example")
    blind = (await desk.h.client_as("quotes:read").get(f"{AT}/{quote['id']}")).json()
    assert (blind["mail"]["status"], "address" in blind["mail"], "@ada" in str(blind)) == ("sending", False, False)
    seeing = (await desk.h.client_as("quotes:read customers:pii").get(f"{AT}/{quote['id']}")).json()
    assert seeing["mail"]["address"] == "buyer@ada.example"


async def test_a_customer_who_is_deleted_is_not_mailed_unless_it_is_said_where(desk: Desk, post: Post) -> None:
    quote = await approved(desk)
    gone = CustomerDeleted(customer_id=desk.ada, number="C-1")
    await desk.h.deliver(gone, aggregate_id=desk.ada)
    assert (await desk.act(quote, "send", 422, by_mail=True))["errors"][0]["field"] == "/mail_to"
    assert (await desk.act(quote, "send", mail_to="a@ada.example"))["status"] == "sent"


async def test_nothing_is_mailed_after_the_last_day(desk: Desk, post: Post, clock: SetClock) -> None:
    quote = await desk.sent(valid_until=today().isoformat())
    clock(f"{today() + timedelta(days=1)}T00:01:00Z")
    assert (await desk.act(quote, "mail", 409, mail_to="a@ada.example"))["type"].endswith("quote-expired")
    assert (await desk.read(quote))["mail"] is None


async def test_who_the_contact_is_changes_nothing_of_what_is_approved(desk: Desk) -> None:
    made = await desk.create(contact_id=str(desk.person))
    assert "contact_id" not in made["customer"]
    async with desk.h.tx() as tx:
        quote = await tx.find(Quote, made["id"])
        before = fingerprint(quote, "Acme Ltd", 1)
        tx.expunge(quote)
    assert quote.customer["contact_id"] == str(desk.person)
    quote.customer = {name: value for name, value in quote.customer.items() if name != "contact_id"}
    assert fingerprint(quote, "Acme Ltd", 1) == before
