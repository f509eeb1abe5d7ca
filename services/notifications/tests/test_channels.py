"""Mail, Slack and Teams in their own forms, however they fail: each message once by its key, the feed has all, and what did not arrive is seen."""

import json
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from partner import DROP, PartnerListener, answer
from pydantic import ValidationError

from contracts.users import UserCreated, UserDeleted
from notifications import formats
from notifications.mailing import STORM
from notifications.models import Delivery
from stubs.faults import Fault
from stubs.routes.chat import SlackMessage, TeamsMessage
from tailrace.core.ids import uuid7
from tailrace.settings import Settings
from tailrace_testing import SetClock

from .conftest import CHANNELS, NEWS, Office


async def channel(office: Office, hook: PartnerListener, service: str, **more: Any) -> Any:
    secret = f"env:PARTNER_SECRET_{office.h.tenant.hex.upper()}_{service.upper()}"
    body = {"code": service, "name": service.title(), "service": service, "address": f"{hook.url}/chat/{service}/"}
    made = await office.h.client.post(
        CHANNELS, json={**body, "secret": secret, "kinds": ["approval.requested"], **more}
    )
    assert made.status_code == 201, made.text
    return made.json()


@pytest.fixture(autouse=True)
def secrets(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("SLACK", "TEAMS"):
        monkeypatch.setenv(f"PARTNER_SECRET_{office.h.tenant.hex.upper()}_{service}", f"T1/B2/hush-{service}")


async def test_the_companys_channels_get_their_kinds_once_in_their_forms(office: Office, hook: PartnerListener) -> None:
    for service in ("slack", "teams"):
        await channel(office, hook, service)
    await office.prefer(office.bo, choices=[{"kind": "approval.requested", "way": "email", "how": "never"}])
    event = await office.asks(office.bo, office.cy, number="Q-<1>*")
    await office.h.run_errands()
    slack, teams = sorted(hook.asked, key=lambda asked: asked.line)
    assert slack.line == "POST /chat/slack/T1/B2/hush-SLACK HTTP/1.1"
    assert teams.line == "POST /chat/teams/T1/B2/hush-TEAMS HTTP/1.1"
    message = SlackMessage.model_validate_json(slack.body)
    assert message.blocks[0].text is not None
    assert (message.blocks[0].text.text, message.text) == ("承認依頼: Q-<1>*", "承認依頼: Q-&lt;1&gt;*")
    assert f"`/v1/approvals/{event.approval_id}`" in str(message.blocks[1].text)
    card = TeamsMessage.model_validate_json(teams.body).attachments[0].content
    assert card.body[0]["text"] == "承認依頼: Q-\\<1\\>\\*"
    # Cy's mail, and one message to each channel although two were told.
    assert sorted(await office.deliveries()) == [
        ("email", "sent", None),
        ("slack", "sent", None),
        ("teams", "sent", None),
    ]


async def test_links_are_whole_where_it_is_said_at_which_address_people_reach_the_platform(
    office: Office, hook: PartnerListener
) -> None:
    office.h.settings.public_url = "https://erp.example.com/"
    for service in ("slack", "teams"):
        await channel(office, hook, service)
    event = await office.asks(office.bo)
    await office.h.run_errands()
    address = f"https://erp.example.com/v1/approvals/{event.approval_id}"
    slack, teams = sorted(hook.asked, key=lambda asked: asked.line)
    assert json.loads(slack.body)["blocks"][1]["text"]["text"].endswith(f"\n<{address}>")
    card = TeamsMessage.model_validate_json(teams.body).attachments[0].content
    assert card.body[-1]["text"] == f"[{address}]({address})"
    (mail,) = office.mail
    assert mail["text"].splitlines()[-1] == address
    # The feed is read below the address of the API, as ever.
    assert [one["link"] for one in await office.feed(office.bo)] == [f"/v1/approvals/{event.approval_id}"]


@pytest.mark.parametrize(
    ("base", "shown"),
    [
        ("", "<p><code>/v1/tasks/1</code></p>"),
        ("https://a.example/x?a=1&b=", '<p><a href="https://a.example/x?a=1&amp;b=/v1/tasks/1">'),
    ],
)
def test_a_mail_shows_a_path_or_a_link(base: str, shown: str) -> None:
    row = Delivery(kind="task.assigned", language="en", title="Call", text="You are to do this.", link="/v1/tasks/1")
    message = message_from_bytes(formats.mail([row], datetime.now(UTC), base), policy=default)
    html = message.get_body(("html",))
    assert html is not None
    assert shown in html.get_content()


def test_a_mail_shows_lines_as_they_were_written_and_says_its_language() -> None:
    """Without its language, a program that shows it takes Japanese for Chinese, by the shapes of letters."""
    row = Delivery(kind="message", language="ja", title="直<", text="一行目\n二行目 <b>", link=None)
    message = message_from_bytes(formats.mail([row], datetime.now(UTC)), policy=default)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None and html is not None
    assert plain.get_content().splitlines() == ["一行目", "二行目 <b>"]
    shown = "".join(html.get_content().splitlines())
    assert '<html lang="ja">' in shown and "直&lt;" in shown
    assert "<p>一行目<br>二行目 &lt;b&gt;</p>" in shown


@pytest.mark.parametrize("text", ["erp.example.com", "ftp://a.example", "https://a.example/<b>", "javascript:alert(1)"])
def test_what_is_no_address_is_refused_as_one(text: str) -> None:
    with pytest.raises(ValidationError, match="public_url"):
        Settings(public_url=text)


async def test_a_storm_is_one_message_in_the_companys_channel(
    office: Office, hook: PartnerListener, clock: SetClock
) -> None:
    clock("2026-11-28T12:00:00+09:00")
    await channel(office, hook, "slack")
    for number in range(12):
        await office.asks(office.bo, number=f"Q-{number}")
    await office.h.run_errands()
    assert len(hook.asked) == STORM
    clock("2026-11-28T12:10:00+09:00")
    await office.h.make_timers_due()
    await office.h.fire_timers()
    await office.h.run_errands()
    assert [json.loads(one.body)["text"] for one in hook.asked[STORM:]] == ["ほか 7 件: 承認依頼"]
    # It is over: the next one stands by itself.
    clock("2026-11-28T12:20:01+09:00")
    await office.asks(office.bo, number="Q-99")
    await office.h.run_errands()
    assert "Q-99" in hook.asked[-1].body.decode()


async def test_ones_own_channel_is_a_way_of_ones_own(office: Office, hook: PartnerListener) -> None:
    await channel(office, hook, "slack", user_id=str(office.bo), kinds=[])
    await office.prefer(office.bo, choices=[{"kind": "message", "way": "slack", "how": "now"}])
    await office.h.client.post(
        NEWS, json={"title": "Hello", "text": "You", "user_ids": [str(office.bo), str(office.cy)]}
    )
    await office.h.run_errands()
    (asked,) = hook.asked
    assert json.loads(asked.body)["blocks"][1]["text"]["text"] == "You"


async def test_what_goes_to_ones_own_channel_is_not_said_there_and_messages_go_to_no_channel_of_the_companys(
    office: Office, hook: PartnerListener
) -> None:
    made = await channel(office, hook, "slack", user_id=str(office.bo), kinds=[])
    at, body = (
        f"{CHANNELS}/{made['id']}",
        {name: made[name] for name in ("code", "name", "service", "address", "secret")},
    )
    for asked in (
        office.h.client.put(at, json={**body, "user_id": str(office.bo), "kinds": ["lead.assigned"]}),
        office.h.client.post(
            CHANNELS, json={**body, "code": "B", "user_id": str(office.bo), "kinds": ["lead.assigned"]}
        ),
    ):
        refused = await asked
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["/kinds"])
    refused = await office.h.client.post(CHANNELS, json={**body, "code": "C", "kinds": ["message"]})
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["/kinds/0"])


async def test_an_address_is_a_secret_that_stands_nowhere_and_is_no_other_companys(
    office: Office, hook: PartnerListener
) -> None:
    made = await channel(office, hook, "slack")
    stolen = {"secret": f"env:PARTNER_SECRET_{office.h.other_tenant.hex.upper()}_SLACK", "code": "X", "name": "X"}
    body = {name: made[name] for name in ("service", "address", "kinds")}
    refused = await office.h.client.post(CHANNELS, json={**body, **stolen})
    assert [each["field"] for each in refused.json()["errors"]] == ["/secret"]
    hook.answers = [answer(503)]
    await office.asks(office.bo)
    await office.h.run_errands()
    assert "hush" in hook.asked[0].line
    for table in ("errand", "delivery", "notification_channel", "outbox"):
        rows = await office.h.admin.fetch(f'SELECT row_to_json(t)::text AS said FROM "{table}" t')
        assert rows
        assert not any("hush" in row["said"] for row in rows)


async def test_what_fails_is_tried_again_under_its_key_until_it_arrives(office: Office, hook: PartnerListener) -> None:
    await channel(office, hook, "slack")
    hook.answers = [answer(503), DROP, answer(429, headers={"Retry-After": "1"}), answer(body=b"ok")]
    office.fails(
        Fault(partner="smtp", kind="status", status=451, times=1),
        Fault(partner="smtp", kind="drop", first=True, times=1),
    )
    await office.asks(office.bo)
    for _ in range(4):
        await office.h.make_errands_due()
        await office.h.run_errands()
    assert len({asked.headers["idempotency-key"] for asked in hook.asked}) == 1
    assert (len(hook.asked), len(office.log), len(office.mail)) == (4, 3, 1)
    assert sorted(await office.deliveries()) == [("email", "sent", None), ("slack", "sent", None)]


async def test_what_is_refused_for_good_is_seen_and_can_be_sent_again(office: Office) -> None:
    office.fails(Fault(partner="smtp", kind="status", status=550, times=1))
    await office.asks(office.bo)
    await office.h.run_errands()
    assert len(await office.feed(office.bo)) == 1
    failed = (await office.h.client.get(f"{NEWS}/deliveries", params={"status": "failed"})).json()["items"]
    assert [(each["way"], each["failure"]) for each in failed] == [("email", "status-550")]
    assert (await office.as_(office.bo).get(f"{NEWS}/deliveries")).status_code == 403
    at = f"{NEWS}/deliveries/{failed[0]['id']}/retry"
    assert (await office.h.client.post(at)).json()["status"] == "sending"
    await office.h.run_errands()
    assert len(office.mail) == 1
    assert (await office.h.client.post(at)).json()["type"] == "urn:tailrace:problem:not-to-be-sent"


async def test_without_a_mail_server_the_feed_has_it_and_the_failure_is_seen(office: Office) -> None:
    office.h.settings.partners = {}
    await office.asks(office.bo)
    assert len(await office.feed(office.bo)) == 1
    assert await office.deliveries() == [("email", "failed", "no-mail-server")]


@pytest.mark.parametrize(
    "address",
    ["=?us-ascii?q?a=0abcc=3avictim=40v.example=0a=0ahello?=:@x.example", "a:;b@x.example", "a@[x.example"],
)
async def test_an_address_that_is_none_fails_for_good_and_keeps_nobody_from_being_told(
    office: Office, address: str
) -> None:
    user = UserCreated(user_id=office.bo, email=address, name="Bo", roles=["manager"])
    await office.h.deliver(user, aggregate_id=office.bo)
    await office.asks(office.bo)
    assert len(await office.feed(office.bo)) == 1
    assert await office.deliveries() == [("email", "failed", "bad-address")]


async def test_mail_reaches_an_international_address(office: Office) -> None:
    user = UserCreated(user_id=office.bo, email="bo@日本語.jp", name="Bo", roles=["manager"])
    await office.h.deliver(user, aggregate_id=office.bo)
    await office.asks(office.bo)
    await office.h.run_errands()
    assert [mail["to"] for mail in office.mail] == [["bo@xn--wgv71a119e.jp"]]


async def test_what_a_title_quotes_makes_no_other_field(office: Office) -> None:
    await office.asks(office.bo, number="=?us-ascii?q?a=0abcc=3avictim=40v.example=0a=0ahello?=")
    await office.h.run_errands()
    (mail,) = office.mail
    assert "=?us-ascii?q?a=0abcc=3avictim=40v.example=0a=0ahello?=" in mail["subject"]
    assert "\nbcc:" not in office.log[-1].body.lower()


async def test_who_is_so_new_that_their_address_is_on_its_way_is_mailed_when_it_comes(
    office: Office, clock: SetClock
) -> None:
    clock("2026-11-28T12:00:00+09:00")
    new = uuid7()
    await office.asks(new)
    assert await office.deliveries() == [("email", "waiting", None)]
    user = UserCreated(user_id=new, email="new@acme.example", name="New", roles=["sales"])
    await office.h.deliver(user, aggregate_id=new)
    clock("2026-11-28T12:00:06+09:00")
    await office.h.make_timers_due()
    await office.h.fire_timers()
    await office.h.run_errands()
    assert [mail["to"] for mail in office.mail] == [["new@acme.example"]]


async def test_who_never_comes_is_given_up(office: Office, clock: SetClock) -> None:
    clock("2026-11-28T12:00:00+09:00")
    await office.asks(uuid7())
    clock("2026-11-28T13:00:01+09:00")
    await office.h.make_timers_due()
    await office.h.fire_timers()
    assert await office.deliveries() == [("email", "failed", "user-unknown")]


async def test_a_channel_that_is_gone_gets_nothing_more(office: Office, hook: PartnerListener) -> None:
    made = await channel(office, hook, "slack")
    await office.h.client.delete(f"{CHANNELS}/{made['id']}", headers={"If-Match": f'"{made["version"]}"'})
    await office.asks(office.bo)
    await office.h.run_errands()
    assert hook.asked == []


async def test_ones_own_channel_ends_with_its_person_and_what_waits_for_it_is_not_sent(
    office: Office, hook: PartnerListener, clock: SetClock
) -> None:
    clock("2026-11-28T12:00:00+09:00")
    made = await channel(office, hook, "slack", user_id=str(office.bo), kinds=[])
    await office.prefer(
        office.bo, choices=[{"kind": "message", "way": "slack", "how": "digest"}], digest={"at": "18:00"}
    )
    await office.h.client.post(NEWS, json={"title": "Prices of next year", "user_ids": [str(office.bo)]})
    await office.h.deliver(UserDeleted(user_id=office.bo), aggregate_id=office.bo)
    assert len(await office.h.published("notification.channel.deleted")) == 1
    assert (await office.h.client.get(f"{CHANNELS}/{made['id']}")).status_code == 404
    again = await office.h.client.post(f"{CHANNELS}/{made['id']}/restore")
    assert again.json()["errors"][0]["field"] == "/user_id", again.text
    clock("2026-11-28T18:00:01+09:00")
    await office.h.make_timers_due()
    await office.h.fire_timers()
    await office.h.run_errands()
    assert hook.asked == []
    assert ("slack", "failed", "channel-gone") in await office.deliveries()


async def test_what_one_message_does_not_hold_goes_with_the_next(
    office: Office, hook: PartnerListener, clock: SetClock
) -> None:
    clock("2026-11-28T12:00:00+09:00")
    await channel(office, hook, "slack", user_id=str(office.bo), kinds=[])
    await office.prefer(
        office.bo, choices=[{"kind": "message", "way": "slack", "how": "digest"}], digest={"at": "18:00"}
    )
    for number in range(50):
        await office.h.client.post(NEWS, json={"title": f"Message {number}.", "user_ids": [str(office.bo)]})
    clock("2026-11-28T18:00:01+09:00")
    await office.h.make_timers_due()
    await office.h.fire_timers()
    await office.h.run_errands()
    bodies = [json.loads(asked.body) for asked in hook.asked]
    assert [len(body["blocks"]) for body in bodies] == [49, 3]
    said = "".join(block["text"]["text"] for body in bodies for block in body["blocks"])
    assert all(f"Message {number}." in said for number in range(50)), "as sent is what was shown"


def test_a_message_of_teams_is_no_larger_than_it_takes() -> None:
    rows = [Delivery(title=f"第{number}号", text="あ" * 2000, link=None, language="ja") for number in range(50)]
    shown = 0
    while shown < len(rows):
        some = formats.fitting(rows[shown:], "teams")
        assert some >= 1
        assert some == 1 or len(json.dumps(formats.teams(rows[shown : shown + some]))) < 28 * 1024
        shown += some
    short = [Delivery(title=f"N{number}", text="x", link=None, language="en") for number in range(50)]
    assert formats.fitting(short, "teams") == 50
    assert (formats.fitting(short, "slack"), formats.fitting(rows, "email")) == (48, 50)
