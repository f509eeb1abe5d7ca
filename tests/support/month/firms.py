"""The two companies: in two zones and currencies, with what they sell, who buys it, and where their money arrives."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from tailrace_testing.gateway import PASSWORD, Gateway, Member, eventually

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
    limit: int
    """What the first customer may owe."""
    fee: int
    """What a reminder costs."""


HAMBURG = Kind(
    "Hamburg Plate",
    "EUR",
    "Europe/Berlin",
    "DE",
    (("PLATE", "0.19", 731, "1299.5"), ("BOLT", "0.19", 3, "7.125"), ("MANUAL", "0.07", 410, "990")),
    15_000,
    500,
)
OSAKA = Kind(
    "Osaka Foods",
    "JPY",
    "Asia/Tokyo",
    "JP",
    (("MISO", "0.08", 311, "498"), ("NORI", "0.08", 77, "123.4"), ("CROCK", "0.1", 2_150, "3300")),
    15_000,
    300,
)
OVERDUE = 2
"""Days after an invoice was due until the customer is reminded."""


@dataclass
class Firm:
    """A company that is ready to trade, and whose day it is."""

    kind: Kind
    member: Member
    items: dict[str, str] = field(default_factory=dict)
    warehouses: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    bank: str = ""
    reason: str = ""
    """Why goods come back."""
    manager: Member | None = None
    deputy: Member | None = None
    away: bool = False
    """Whether the manager is, so that the deputy decides."""
    stubs: str = ""
    """Where the carrier is, and says what became of a parcel."""
    signs: str = ""
    """The secret by which the carrier signs what it says by itself."""
    now: datetime = _NEVER
    live: bool = False
    """Whether it is today, when things happen at the moment at which they are said."""

    @classmethod
    async def found(cls, gateway: Gateway, kind: Kind, stubs: str, signs: str) -> Self:
        member = await gateway.new_tenant(kind.currency, time_zone=kind.zone)
        firm = cls(kind, member, stubs=stubs, signs=signs)
        await eventually(
            lambda: member.every("/v1/units"), lambda found: any(u["code"] == "pcs" for u in found), what="units"
        )
        for sku, rate, _, _ in kind.goods:
            item = await member.post("/v1/items", {"sku": sku, "name": sku.title(), "unit": "pcs", "tax_rate": rate})
            firm.items[sku] = item["id"]
        for code in ("N", "S"):
            firm.warehouses.append((await member.post("/v1/warehouses", {"code": code, "name": code}))["id"])
        for name in ("Ada Works", "Böhm & Söhne", "株式会社千代田"):
            address = {"use": "billing", "lines": ["1 Quay"], "city": "Town", "country": kind.country}
            said = {"name": name, "currency": kind.currency, "payment_terms_days": 4, "addresses": [address]}
            firm.customers.append((await member.post("/v1/customers", said))["id"])
        bank = {"code": "HB", "name": "House bank", "currency": kind.currency, "account": "1000"}
        firm.bank = (await member.post(f"{V1}/bank-accounts", bank))["id"]
        firm.reason = (await member.post("/v1/return-reasons", {"code": "BROKEN", "name": "Broken"}))["id"]
        firm.manager = await firm._hire(gateway, "Max", "manager")
        firm.deputy = await firm._hire(gateway, "Dora", "accountant")
        await firm._say_rules()
        await firm._find_carrier()
        return firm

    async def _hire(self, gateway: Gateway, name: str, role: str) -> Member:
        email = f"{name.lower()}@{self.member.slug}.example"
        said = {"email": email, "name": name, "password": PASSWORD, "roles": [role]}
        await self.member.post("/v1/auth/users", said)
        return await gateway.log_in(self.member.slug, email)

    async def _say_rules(self) -> None:
        """Where the company is, what its first customer may owe, and when customers are reminded."""
        issuer = {"lines": ["1 Mill Lane"], "city": "Town", "country": self.kind.country}
        ahead = "supplied" if self.kind.country == "JP" else "received"
        await self.member.put(f"{V1}/billing", {"issuer": issuer, "prepayments_taxed": ahead})
        limit = {"credit_limit": self.kind.limit, "reason": "As agreed."}
        await self.member.put(f"/v1/customers/{self.customers[0]}/credit", limit)
        await eventually(self._limit, lambda known: known == self.kind.limit, what="the limit")
        levels = [{"days": OVERDUE, "fee": self.kind.fee, "fee_currency": self.kind.currency}]
        await self.member.put(f"{V1}/dunning-policy", {"levels": levels})

    async def _limit(self) -> Any:
        answer = await self.member.send("GET", f"/v1/orders/credit/{self.customers[0]}")
        return answer.json().get("credit_limit")

    async def _find_carrier(self) -> None:
        carrier = await self.member.post("/v1/carriers", {"code": "KITE", "name": "Kite Express", "bookable": True})
        rates = [{"country": self.kind.country, "up_to_grams": 30_000, "price": 900}]
        said = {"code": "SLOW", "name": "Slow", "carrier_id": carrier["id"], "service": "STANDARD", "rates": rates}
        since = (self.today - timedelta(days=60)).isoformat()
        await self.member.post("/v1/tariffs", {**said, "currency": self.kind.currency, "valid_from": since})

    @property
    def decider(self) -> Member:
        """Who decides at present what waits for the manager."""
        decider = self.deputy if self.away else self.manager
        assert decider is not None
        return decider

    async def leave(self) -> None:
        """The manager is away from now on, and the deputy decides in their place."""
        assert self.manager is not None and self.deputy is not None
        now = datetime.now(UTC)
        said = {"begins_at": (now - timedelta(hours=1)).isoformat(), "ends_at": (now + timedelta(days=2)).isoformat()}
        deputy = (await self.deputy.get("/v1/auth/me"))["id"]
        await self.manager.post("/v1/approvals/delegations", {"to_user_id": deputy, "reason": "Ill.", **said})
        self.away = True

    async def come_back(self) -> None:
        """The manager decides again."""
        assert self.manager is not None
        for each in await self.manager.every("/v1/approvals/delegations", ended="false"):
            await self.manager.post(f"/v1/approvals/delegations/{each['id']}/end")
        self.away = False

    def begin(self, day: date) -> None:
        """A new day begins, just after midnight where the company is."""
        self.now = datetime.combine(day, time(0, 4), ZoneInfo(self.kind.zone))
        self.live = day == self.today

    def tick(self, minutes: int) -> str:
        """Some time later on the same day (RFC 3339); today, this moment."""
        if self.live:
            return datetime.now(ZoneInfo(self.kind.zone)).isoformat()
        later = self.now + timedelta(minutes=minutes)
        assert later.date() == self.now.date(), "the day is over"
        self.now = later
        return later.isoformat()

    @property
    def day(self) -> str:
        return (self.today if self.live else self.now.date()).isoformat()

    @property
    def today(self) -> date:
        return datetime.now(ZoneInfo(self.kind.zone)).date()


async def found_both(gateway: Gateway, stubs: str, signs: str) -> list[Firm]:
    """`stubs` is where the carrier is, and `signs` the secret of its calls."""
    return list(await asyncio.gather(*[Firm.found(gateway, kind, stubs, signs) for kind in (HAMBURG, OSAKA)]))


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
    "2320": "ahead",
    "3900": "equity",
    "4000": "revenue",
    "5000": "cost",
    "5100": "usage",
    "5200": "differences",
}
"""The accounts that the general chart gives the roles."""
