"""An address is a name and a domain, and nothing that a mail server or a header takes for more."""

import pytest

from tailrace.core.values.mailboxes import mailbox, sendable

FORGED = [
    "=?us-ascii?q?a=0abcc=3avictim=40v.example=0a=0ahello?=:@x.example",
    "=?utf-8?q?a=0d=0ab?=@x.example",
    "a:;b@x.example",
    "a@[x.example",
    "a@[192.0.2.1].example",
    "a,b@x.example",
    "a@x,y.example",
    "a@x.example>,<b.example",
    "a(b)@x.example",
    '"a"@x.example',
    "a\\b@x.example",
    "a；b@x.example",
]


@pytest.mark.parametrize("text", FORGED)
def test_what_means_more_than_a_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is nothing that an address holds here"):
        mailbox(text)


@pytest.mark.parametrize(
    "text", [*FORGED[:-1], "a@b@x.example", "a", "@x.example", "a b@x.example", "a\r\nb@x.example"]
)
def test_what_was_kept_all_the_same_is_not_sent_to(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        sendable(text)


@pytest.mark.parametrize("text", ["o'neill+a=b@x.example", "a..b.@docomo.example", "!#$%&*/^_`{|}~-?@x.example"])
def test_what_is_odd_and_in_use_is_taken(text: str) -> None:
    assert sendable(mailbox(text)) == text


@pytest.mark.parametrize(
    ("kept", "sent"),
    [
        ("a@münchen.example", "a@xn--mnchen-3ya.example"),
        ("a@日本語.jp", "a@xn--wgv71a119e.jp"),
        ("a@faß.example", "a@xn--fa-hia.example"),
        ("用户@münchen.example", "用户@xn--mnchen-3ya.example"),
        ("a@under_score.example", "a@under_score.example"),
    ],
)
def test_a_domain_is_sent_to_in_ascii(kept: str, sent: str) -> None:
    assert sendable(kept) == sendable(sent) == sent
    assert mailbox(sent) == kept


def test_what_is_no_domain_is_not_sent_to() -> None:
    with pytest.raises(ValueError, match="domain is not valid"):
        sendable("a@-ü.example")
