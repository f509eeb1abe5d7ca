"""How fresh an answer is: of each topic the newest event that was applied and its age, how many are left to be read, and until when none is missing.

How that is known, `tailrace.capture.freshness` says.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import Select, select

from analytics.lake.queue import LAKE
from analytics.movements import Heard
from analytics.projections import SOURCES, days, memberships, movements, teams
from analytics.wording import WORDS, Language
from tailrace.capture.freshness import Reading, set_aside
from tailrace.core import clock
from tailrace.core.events import Event
from tailrace.db.database import Tx
from tailrace.http.files import exports
from tailrace.http.files.csv_text import simple
from tailrace.http.lists.pagination import PageRequest, paginate

PUBLISHERS: Mapping[str, str] = {
    "accounting.events": "accounting",
    "approval.events": "workflow",
    "customer.events": "customers",
    "inventory.events": "inventory",
    "opportunity.events": "opportunities",
    "order.events": "orders",
    "quote.events": "quotes",
    "sales.events": "activities",
    "shipment.events": "shipping",
    "user.events": "identity",
}
"""Which service publishes each topic that reports are made of: what is counted, and who was in which team, and when a day begins."""
HEADER = "Tailrace-Freshness"
_MADE_OF = (movements.name, memberships.name, teams.name, days.name)


async def stamp(tx: Tx, request: Request) -> dict[str, Any]:
    """What `views.freshness.FreshnessView` shows. Each statement sees what is committed by then: ask before the rows are read."""
    seen: Mapping[str, Reading] = await request.app.state.watch.look()
    now = clock.now()
    newest: dict[str, Heard] = {}
    for row in await tx.scalars(select(Heard).order_by(Heard.recorded_at, Heard.partition)):
        newest[row.topic] = row
    told = [seen.get(topic) for topic in PUBLISHERS]
    until = [None if each is None else each.complete_until for each in told]
    return {
        "at": now,
        "complete_until": None if None in until else min(each for each in until if each is not None),
        "set_aside": await set_aside(tx, *_MADE_OF),
        "lake": (await tx.execute(LAKE, {"tenant": tx.tenant_id})).one()._asdict(),
        "topics": [_topic(topic, newest.get(topic), seen.get(topic), now) for topic in PUBLISHERS],
    }


def in_words(stamp: Mapping[str, Any], language: Language = "en") -> str:
    """What a stamp says, in the words that stand in a picture. Parts of a second are left off, so that it says no more than is so."""
    words, until = WORDS[language], stamp["complete_until"]
    said = (
        words.unknown if until is None else words.complete.format(simple(until.astimezone(UTC).replace(microsecond=0)))
    )
    return words.aside.format(said, stamp["set_aside"]) if stamp["set_aside"] else said


def of_file(stamp: Mapping[str, Any]) -> exports.Beside:
    """What a file of rows says of the stamp: in brief in a header, and whole on a sheet.

    The header is a dictionary of RFC 9651, its keys those of `views.freshness.FreshnessView`; what is null there is not there. What names
    the newest event of a topic but its id is left out: proxies bound what all headers together may have.
    """
    topics = " ".join(_item(each) for each in stamp["topics"])
    said = [f"{key}={_bare(stamp[key])}" for key in ("at", "complete_until", "set_aside") if stamp[key] is not None]
    header = ", ".join([*said, f"topics=({topics})"])
    return exports.Beside({HEADER: header}, "freshness", list(_sheet(stamp)))


def _item(topic: Mapping[str, Any]) -> str:
    told = [(key, topic[key]) for key in ("event_id", "age_seconds", "behind", "complete_until")]
    return ";".join([topic["topic"], *(f"{key}={_bare(value)}" for key, value in told if value is not None)])


def _bare(value: datetime | UUID | int) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
    return str(value) if isinstance(value, int) else f'"{simple(value)}"'


def _sheet(stamp: Mapping[str, Any]) -> Iterator[list[Any]]:
    """The words, the moments, and a line for each topic."""
    yield [in_words(stamp)]
    yield from ([key, stamp[key]] for key in ("at", "complete_until", "set_aside"))
    yield from (["lake", key, value] for key, value in stamp["lake"].items())
    yield list(stamp["topics"][0])
    yield from (list(each.values()) for each in stamp["topics"])


async def page_of_records(tx: Tx, request: Request, query: Select[Any], page: PageRequest) -> dict[str, Any]:
    """A page with its stamp, which is read first, as that of every answer. Raises Exporting: then the rows are read later still."""
    stamped = await stamp(tx, request)
    with exports.beside(partial(of_file, stamped)):
        found = await paginate(tx, query, page)
    return {"items": found.items, "next_cursor": found.next_cursor, "freshness": stamped}


def _topic(topic: str, heard: Heard | None, reading: Reading | None, now: datetime) -> dict[str, Any]:
    age = None if heard is None else max(int((now - heard.recorded_at.astimezone(UTC)).total_seconds()), 0)
    event_id: UUID | None = None if heard is None else heard.event_id
    return {
        "topic": topic,
        "event_id": event_id,
        "type": None if heard is None else heard.type,
        "committed_at": None if heard is None else heard.recorded_at,
        "age_seconds": age,
        "partition": None if heard is None else heard.partition,
        "offset": None if heard is None else heard.offset,
        "behind": None if reading is None else reading.behind,
        "complete_until": None if reading is None else reading.complete_until,
    }


def topics_heard() -> frozenset[str]:
    """The topics that reports are made of."""
    events: list[type[Event]] = [event for source in SOURCES for event in source.events]
    return frozenset(event.topic for event in events) | memberships.topics
