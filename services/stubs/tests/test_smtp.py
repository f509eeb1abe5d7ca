"""A message is handed in to a mail server on a real port, once by its key, and what the server says settles it or not."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from stubs.books import Books
from stubs.faults import Fault, Faults
from stubs.log import Entry
from stubs.smtp import Sink
from tailrace.errands.calls import Call, Caller
from tailrace.errands.guard import Guard, TargetRefused
from tailrace.errands.partners import Partner
from tailrace.errands.response import Response, Unanswered
from tailrace.errands.secrets import Secret
from tailrace.settings import PartnerAddress

MESSAGE = "Content-Type: text/plain; charset=utf-8\r\n\r\n.A dot begins\r\nthis 承認.\r\n"


class Post:
    """The sink, listening."""

    def __init__(self) -> None:
        self.books, self.faults, self.log = Books(), Faults(), deque[Entry]()

    async def open(self, *, wide: bool = True) -> None:
        sink = Sink(self.books, self.faults, self.log, wide=wide)
        self.server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.caller = Caller(Guard([f"127.0.0.1:{self.port}"]), Path("/nowhere"))
        self.partner = Partner(
            "smtp", PartnerAddress(url=f"smtp://127.0.0.1:{self.port}", sender="no-reply@acme.example")
        )

    async def send(
        self, key: str = "key-1", to: str = "ada@acme.example", subject: str = "承認", reply_to: str | None = None
    ) -> Response:
        call = self.partner.mail(to, subject, MESSAGE.encode(), reply_to=reply_to)
        return await self.caller.call(call, key=key, within=30, largest=1000)

    @property
    def fields(self) -> list[str]:
        """Of the newest message that was taken, as it was on the wire."""
        return self.log[-1].body.partition("\r\n\r\n")[0].split("\r\n")

    @property
    def taken(self) -> list[dict[str, object]]:
        return list(self.books.kept["smtp"].values())


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    post = Post()
    await post.open()
    yield post
    post.server.close()


async def test_a_message_is_taken_once_by_its_key(post: Post) -> None:
    assert (await post.send()).status == 250
    assert (await post.send()).status == 250
    (taken,) = post.taken
    assert (taken["subject"], taken["to"], taken["key"]) == ("承認", ["ada@acme.example"], "<key-1@acme.example>")
    assert str(taken["text"]).splitlines() == [".A dot begins", "this 承認."]


@pytest.mark.parametrize(("status", "down"), [(451, False), (421, True)])
async def test_what_passes_is_to_be_tried_again(post: Post, status: int, down: bool) -> None:
    post.faults.switch([Fault(partner="smtp", kind="status", status=status)])
    with pytest.raises(Unanswered) as why:
        await post.send()
    assert (why.value.kind, why.value.passing, why.value.down) == (f"status-{status}", True, down)
    assert post.taken == []


async def test_a_refusal_for_good_settles_it(post: Post) -> None:
    post.faults.switch([Fault(partner="smtp", kind="status", status=550)])
    assert (await post.send()).status == 550


async def test_what_was_taken_and_not_heard_of_is_taken_once(post: Post) -> None:
    post.faults.switch([Fault(partner="smtp", kind="drop", first=True, times=1)])
    with pytest.raises(Unanswered) as why:
        await post.send()
    assert why.value.kind == "broken-off"
    await post.send()
    assert (len(post.log), len(post.taken)) == (2, 1)


async def test_an_international_domain_is_in_ascii_in_the_envelope_and_in_the_header(post: Post) -> None:
    assert (await post.send(to="ada@münchen.example", reply_to="me@日本語.jp")).status == 250
    (taken,) = post.taken
    assert taken["to"] == ["ada@xn--mnchen-3ya.example"]
    assert post.fields[1:4] == [
        "From: no-reply@acme.example",
        "To: ada@xn--mnchen-3ya.example",
        "Reply-To: me@xn--wgv71a119e.jp",
    ]


async def test_a_name_in_unicode_takes_a_server_that_takes_it(post: Post) -> None:
    assert (await post.send(to="用户@münchen.example", reply_to="用户@acme.example")).status == 250
    assert post.taken[0]["to"] == ["用户@xn--mnchen-3ya.example"]
    assert "To: 用户@xn--mnchen-3ya.example" in post.fields
    assert not any(each.startswith("Reply-To") for each in post.fields)


async def test_a_server_that_takes_no_such_name_ends_it_with_a_word() -> None:
    post = Post()
    await post.open(wide=False)
    with pytest.raises(Unanswered) as why:
        await post.send(to="用户@münchen.example")
    post.server.close()
    assert (why.value.kind, why.value.passing, post.taken) == ("no-smtputf8", False, [])


@pytest.mark.parametrize(
    "subject",
    [
        "Quote Q-1 from =?us-ascii?q?a=0d=0abcc=3av=40v.example=0d=0a?=",
        "Quote Q-1\r\nBcc: v@v.example",
        "x" * 200,
        "承認 " * 80,
    ],
)
async def test_no_subject_is_more_than_one_field(post: Post, subject: str) -> None:
    await post.send(subject=subject)
    assert post.taken[0]["subject"] == " ".join(subject.split())
    assert [each.partition(":")[0] for each in post.fields if not each.startswith(" ")] == [
        *("Message-ID", "From", "To", "Subject", "Content-Type")
    ]


async def test_a_message_to_no_address_is_never_asked_for(post: Post) -> None:
    for address in ("a:;b@x.example", "a@[x.example", "=?utf-8?q?a=0d=0ab?=@x.example", "a,b@x.example"):
        with pytest.raises(ValueError, match="address"):
            await post.send(to=address)
    assert not post.log


def test_a_sender_is_an_address_alone() -> None:
    at = PartnerAddress(url="smtp://mail.example", sender="No-Reply@münchen.example")
    assert at.sender == "No-Reply@xn--mnchen-3ya.example"
    with pytest.raises(ValidationError, match="sender"):
        PartnerAddress(url="smtp://mail.example", sender="Acme <no-reply@acme.example>")


async def test_a_password_is_never_sent_without_tls(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_SECRET_SMTP", "hush")
    at = PartnerAddress(url=f"smtp://127.0.0.1:{post.port}", sender="a@b.example", secret="env:PARTNER_SECRET_SMTP")
    with pytest.raises(Unanswered):
        await post.caller.call(Partner("smtp", at).mail("c@d.example", "S", b"\r\n"), key="k", within=30, largest=1000)
    assert not post.log


async def test_mail_goes_to_mail_servers_alone_and_calls_to_none() -> None:
    for method, url in (("MAIL", "http://mail.example.com"), ("POST", "smtp://mail.example.com")):
        with pytest.raises(TargetRefused):
            Call(method, url).target()
    for url in ("smtp://mail.example.com:25", "smtp://10.0.0.1", "smtp://localhost"):
        with pytest.raises(TargetRefused):
            await Guard().pin(url, mail=True)


async def test_a_secret_tail_leads_to_the_same_host_or_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TargetRefused):
        Call("POST", "https://hooks.example.com", tail=Secret("env:PARTNER_SECRET_TAIL")).target()
    monkeypatch.setenv("PARTNER_SECRET_TAIL", "a\\b@elsewhere")
    caller = Caller(Guard(), Path("/nowhere"))
    call = Call("POST", "https://hooks.example.com/", tail=Secret("env:PARTNER_SECRET_TAIL"))
    with pytest.raises(Unanswered) as why:
        await caller.call(call, key="k", within=5, largest=10)
    assert why.value.kind == "refused-url"
