"""What reports, a KPI and a dashboard's tile must say as of three past moments, and now: counted in the log of requests.

An answer says when what was asked for was done, to the microsecond, and the event of it bears the same moment. That is not so of what follows from a
request by events: when it followed, the log does not say. So orders that quotes became are left out, and with them the customers who accepted one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tailrace_demo.client import User

MOMENTS = {"a quarter in": (1, 4), "half way": (1, 2), "three quarters in": (3, 4)}
"""After which share of the orders."""
NOW = "now"
_ORDERED = "ordered, {}, net"
_PLACED, _SENT, _TAKEN = "orders entered, {}", "quotes sent (KPI), {}", "quotes accepted (tile), {}"
_KPI = {"code": "SENT", "name": "Quotes sent", "measure": "quotes_sent", "period": "quarter"}
_TILE = {
    "key": "taken",
    "title": "Quotes accepted",
    "measure": "quotes_accepted",
    "period": "quarter",
    "periods": 8,
}


@dataclass
class Past:
    """One company's log, each thing with its moment. `moments` has None for now."""

    orders: list[tuple[datetime, str | None, int]] = field(default_factory=list)
    """When it was entered, for whom, and its net amount."""
    sent: list[datetime] = field(default_factory=list)
    taken: list[datetime] = field(default_factory=list)
    by_quote: set[str | None] = field(default_factory=set)
    """Customers who accepted a quote."""

    @property
    def moments(self) -> dict[str, datetime | None]:
        times = sorted(at for at, _, _ in self._entered())
        ends = {name: times[len(times) * part // whole - 1] for name, (part, whole) in MOMENTS.items()}
        return {**ends, NOW: None}

    @property
    def customers(self) -> set[str | None]:
        """Whose orders are all in the log; None for those who have no record."""
        return {who for _, who, _ in self._entered()}

    def wanted(self) -> dict[str, int]:
        """Every figure by its name."""
        found: dict[str, int] = {}
        for name, moment in self.moments.items():
            entered = [net for at, _, net in self._entered() if _is_by(at, moment)]
            found[_PLACED.format(name)] = len(entered)
            found[_ORDERED.format(name)] = sum(entered)
            found[_SENT.format(name)] = sum(_is_by(at, moment) for at in self.sent)
            found[_TAKEN.format(name)] = sum(_is_by(at, moment) for at in self.taken)
        return found

    def _entered(self) -> list[tuple[datetime, str | None, int]]:
        return [each for each in self.orders if each[1] not in self.by_quote]


def past(entries: Iterable[dict[str, Any]], tenant: str, nets: Mapping[str, int]) -> Past:
    """Read the accepted requests of a company. `nets`: what each order comes to, by its id, as the same log says."""
    found, asked = Past(), dict[str, str | None]()
    for entry in entries:
        if entry["tenant"] != tenant or entry["method"] != "POST":
            continue
        answer, body = entry["answer"], entry["body"]
        match entry["path"].split("/")[2:]:
            case ["orders"]:
                found.orders.append((_moment(answer["created_at"]), body.get("customer_id"), nets[answer["id"]]))
            case ["quotes"]:
                asked[answer["id"]] = body["customer_id"]
            case ["quotes", _, "send"]:
                found.sent.append(_moment(answer["updated_at"]))
            case ["quotes", quote_id, "accept"]:
                found.taken.append(_moment(answer["updated_at"]))
                found.by_quote.add(asked[quote_id])
    return found


@dataclass(frozen=True)
class Screens:
    """A KPI and a dashboard that the manager keeps."""

    kpi: str
    dashboard: str


async def keep(manager: User) -> Screens:
    """Define them. A later run finds them there."""
    kpi = await manager.post("/v1/kpis", {**_KPI, "target": "10", "near": "5"}, key="kpi/quotes")
    body = {"code": "QUOTES", "name": "Quotes", "tiles": [_TILE]}
    dashboard = await manager.post("/v1/analytics/dashboards", body, key="dashboard/quotes")
    return Screens(kpi["id"], dashboard["id"])


async def read(manager: User, screens: Screens, seen: Past, days: str) -> dict[str, int]:
    """What the platform says, by the same names."""
    found: dict[str, int] = {}
    for name, moment in seen.moments.items():
        as_of = {} if moment is None else {"as_of": moment.isoformat().replace("+00:00", "Z")}
        sales = await manager.get(f"/v1/reports/sales-summary?{days}&by=customer", **as_of)
        rows = [row["placed"] for row in sales["rows"] if row["key"] in seen.customers]
        found[_PLACED.format(name)] = sum(row["count"] for row in rows)
        found[_ORDERED.format(name)] = sum(row["amount"] for row in rows)
        card = await manager.get(f"/v1/kpis/{screens.kpi}/scorecard?{days}", **as_of)
        found[_SENT.format(name)] = _total(card["scores"])
        shown = await manager.get(f"/v1/analytics/dashboards/{screens.dashboard}/figures", **as_of)
        found[_TAKEN.format(name)] = _total(shown["tiles"][0]["parts"])
    return found


def _total(parts: Sequence[dict[str, Any]]) -> int:
    return sum(int(part["value"]) for part in parts)


def _moment(said: str) -> datetime:
    return datetime.fromisoformat(said)


def _is_by(at: datetime, moment: datetime | None) -> bool:
    return moment is None or at <= moment
