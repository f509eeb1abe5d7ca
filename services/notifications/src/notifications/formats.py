"""Messages as the programs that show them want them: mail (RFC 5322, MIME), Slack's Block Kit, an Adaptive Card of Teams.

Of one delivery a message is that; of several, a list under a title. What others wrote is escaped as each program has it. With a
`base`, the address that people reach the platform at, what a message is about is a link; without one, its path is told.
"""

import html
import json
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from notifications.models import Delivery, Way
from notifications.wording import digest_title

_HEADER = 150
_BLOCKS, _SECTION = 48, 2400
"""Slack takes 50 blocks of a message at most, 150 characters of a header, and 3000 of a section."""
_TEAMS_BYTES = 26 * 1024
"""A webhook of Teams takes messages of about 28 KB (Microsoft, "Limits and specifications for Teams")."""


def fitting(rows: Sequence[Delivery], way: Way, base: str = "") -> int:
    """How many of these, from the first on, one message shows whole; one at least, where there is any."""
    most = min(len(rows), _BLOCKS) if way == "slack" else len(rows)
    while way == "teams" and most > 1 and (size := _bytes(teams(rows[:most], base))) > _TEAMS_BYTES:
        most = max(1, min(most - 1, most * _TEAMS_BYTES // size))
    return most


def _bytes(message: dict[str, Any]) -> int:
    """As the longest JSON of it is, which escapes all that is not ASCII."""
    return len(json.dumps(message))


def title_of(rows: Sequence[Delivery]) -> str:
    if len(rows) == 1:
        return rows[0].title
    return digest_title(len(rows), "ja" if rows[0].language == "ja" else "en")


def mail(rows: Sequence[Delivery], at: datetime, base: str = "") -> bytes:
    """The message as text and as HTML, but for the fields that say from whom, to whom, and what of."""
    message = EmailMessage(policy=SMTP)
    message["Date"] = at
    # RFC 3834: nobody's absence is to be told of to a program.
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = rows[0].language
    message.set_content("\n\n".join(_plain(row, base, alone=len(rows) == 1) for row in rows) + "\n", cte="base64")
    listed = "".join(
        f"<h3>{html.escape(row.title)}</h3><p>{_lines_html(row.text)}</p>{_link_html(row, base)}" for row in rows
    )
    message.add_alternative(
        f'<!doctype html><html lang="{rows[0].language}"><body>{listed}</body></html>\n', subtype="html", cte="base64"
    )
    return message.as_bytes()


def slack(rows: Sequence[Delivery], base: str = "") -> dict[str, Any]:
    """The body of an incoming webhook: `text` for where blocks are not shown."""
    title = title_of(rows)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:_HEADER], "emoji": False}}
    ]
    for row in rows:
        said = [f"*{_mrkdwn(row.title)}*", _mrkdwn(row.text)[:_SECTION], _link_mrkdwn(row, base)]
        shown = [each for each in (said[1:] if len(rows) == 1 else said) if each]
        text = "\n".join(shown) or _mrkdwn(title)
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    return {"text": _mrkdwn(title), "blocks": blocks}


def teams(rows: Sequence[Delivery], base: str = "") -> dict[str, Any]:
    """A message with one Adaptive Card, as the webhooks of Teams take it."""
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "size": "Medium", "weight": "Bolder", "text": _markdown(title_of(rows)), "wrap": True}
    ]
    for row in rows:
        if len(rows) > 1:
            body.append({"type": "TextBlock", "weight": "Bolder", "text": _markdown(row.title), "wrap": True})
        said = [_markdown(row.text), _link_markdown(row, base)]
        body += [{"type": "TextBlock", "text": each, "wrap": True} for each in said if each]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _plain(row: Delivery, base: str, *, alone: bool) -> str:
    lines = [] if alone else [row.title]
    return "\n".join([*lines, row.text, *([_address(row.link, base)] if row.link else [])])


def _address(link: str, base: str) -> str:
    """The whole of it, or the path as it is."""
    return base.rstrip("/") + link


def _lines_html(text: str) -> str:
    return html.escape(text).replace("\n", "<br>\n")


def _link_html(row: Delivery, base: str) -> str:
    if not row.link:
        return ""
    shown = html.escape(_address(row.link, base))
    return f'<p><a href="{shown}">{shown}</a></p>' if base else f"<p><code>{shown}</code></p>"


def _link_mrkdwn(row: Delivery, base: str) -> str:
    if not row.link:
        return ""
    return f"<{_mrkdwn(_address(row.link, base))}>" if base else f"`{row.link}`"


def _link_markdown(row: Delivery, base: str) -> str:
    if not row.link:
        return ""
    # A bracket would end the address.
    address = _address(row.link, base).replace("(", "%28").replace(")", "%29")
    return f"[{_markdown(address)}]({address})" if base else _markdown(row.link)


def _mrkdwn(text: str) -> str:
    """Slack's three characters of control, escaped: nothing that was written calls a channel, or is a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _markdown(text: str) -> str:
    """What Teams would take for a link or emphasis, as it stands."""
    return "".join(f"\\{each}" if each in "\\`*_[]()#!|<>" else each for each in text)
