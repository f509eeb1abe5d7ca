"""The two companies: in two zones and currencies, with what they sell, who buys it, and where their money arrives."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from tailrace_testing.gateway import Gateway, Member, eventually

V1 = "/v1/accounting"
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Kind:
    """What a company is before anything happens. Costs and prices in minor units; a good is its code, its rate of tax, cost and price."""

    name: str
    currency: str
    zone: str
    country: str
    goods: tuple[tuple[str, str, int, str], ...]


HAMBURG = Kind(
    "Hamburg Plate",
    "EUR",
    "Europe/Berlin",
    "DE",
    (("PLATE", "0.19", 731, "1299.5"), ("BOLT", "0.19", 3, "7.125"), ("MANUAL", "0.07", 410, "990")),
)
OSAKA = Kind(
    "Osaka Foods",
    "JPY",
    "Asia/Tokyo",
    "JP",
    (("MISO", "0.08", 311, "498"), ("NORI", "0.08", 77, "123.4"), ("CROCK", "0.1", 2_150, "3300")),
)


@dataclass
class Firm:
    """A company that is ready to trade, and whose day it is."""

    kind: Kind
    member: Member
    items: dict[str, str] = field(default_factory=dict)
    warehouses: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    bank: str = ""
    now: datetime = _NEVER

    @classmethod
    async def found(cls, gateway: Gateway, kind: Kind) -> Self:
        member = await gateway.new_tenant(kind.currency, time_zone=kind.zone)
        firm = cls(kind, member)
        await eventually(
            lambda: member.every("/v1/units"), lambda found: any(u["code"] == "pcs" for u in found), what="units"
        )
        for sku, rate, _, _ in kind.goods:
            item = await member.post("/v1/items", {"sku": sku, "name": sku.title(), "unit": "pcs", "tax_rate": rate})
            firm.items[sku] = item["id"]
        for code in ("N", "S"):
            firm.warehouses.append((await member.post("/v1/warehouses", {"code": code, "name": code}))["id"])
        address = {"use": "billing", "lines": ["1 Quay"], "city": "Town", "country": kind.country}
        for name in ("Ada Works", "Böhm & Söhne", "株式会社千代田"):
            said = {"name": name, "currency": kind.currency, "payment_terms_days": 10, "addresses": [address]}
            firm.customers.append((await member.post("/v1/customers", said))["id"])
        bank = {"code": "HB", "name": "House bank", "currency": kind.currency, "account": "1000"}
        firm.bank = (await member.post(f"{V1}/bank-accounts", bank))["id"]
        return firm

    def begin(self, day: date) -> None:
        """A new day begins, just after midnight where the company is."""
        self.now = datetime.combine(day, time(0, 4), ZoneInfo(self.kind.zone))

    def tick(self, minutes: int) -> str:
        """Some time later on the same day (RFC 3339)."""
        later = self.now + timedelta(minutes=minutes)
        assert later.date() == self.now.date(), "the day is over"
        self.now = later
        return later.isoformat()

    @property
    def day(self) -> str:
        return self.now.date().isoformat()

    @property
    def today(self) -> date:
        return datetime.now(ZoneInfo(self.kind.zone)).date()


async def found_both(gateway: Gateway) -> list[Firm]:
    return list(await asyncio.gather(*[Firm.found(gateway, kind) for kind in (HAMBURG, OSAKA)]))


async def figures(firm: Firm, day: str | None = None) -> dict[tuple[str, str], int]:
    """Debits less credits at the end of a day, or of all, by what it is and currency."""
    query = {} if day is None else {"effective": day}
    trial = await firm.member.get(f"{V1}/trial-balance", **query)
    sums: dict[tuple[str, str], int] = {}
    for row in trial["rows"]:
        key = (ACCOUNTS[row["account"]], row["currency"])
        sums[key] = sums.get(key, 0) + row["balance"]
    return {key: amount for key, amount in sums.items() if amount}


ACCOUNTS: dict[str, Any] = {
    "1000": "cash",
    "1200": "receivable",
    "1210": "unbilled",
    "1400": "stock",
    "2110": "supplied",
    "2200": "tax",
    "2300": "credit",
    "2310": "unknown",
    "3900": "equity",
    "4000": "revenue",
    "5000": "cost",
    "5100": "usage",
    "5200": "differences",
}
"""The accounts that the general chart gives the roles."""
