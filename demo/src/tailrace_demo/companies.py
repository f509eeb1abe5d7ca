"""Who trades: two manufacturers and a music shop, with what they keep in stock. The figures are made up; the shop's purchases are not."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Good:
    """An item: unit price and cost in minor units per base unit, opening stock per warehouse, typical quantity on an order line."""

    sku: str
    name: str
    unit: str
    price: str
    cost: int
    tax: str
    opening: int
    typical: int


@dataclass(frozen=True)
class Firm:
    slug: str
    name: str
    industry: str
    country: str
    currency: str
    digits: int
    """Decimal places of the currency."""
    fee: int
    """What a reminder costs a customer, in minor units."""
    time_zone: str
    warehouses: tuple[tuple[str, str], ...]
    goods: tuple[Good, ...]
    sellers: tuple[str, ...]
    customers: tuple[str, ...]


METAL = Firm(
    slug="hagane-works",
    name="Hagane Works",
    industry="metalworking",
    country="JP",
    currency="JPY",
    digits=0,
    fee=500,
    time_zone="Asia/Tokyo",
    warehouses=(("OSA", "Osaka plant"), ("NGO", "Nagoya depot")),
    goods=(
        Good("BRK-08", "Angle bracket M8", "pcs", "185", 92, "0.1", 60_000, 120),
        Good("FLG-50", "Flange DN50", "pcs", "2450", 1_310, "0.1", 9_000, 12),
        Good("SHF-20", "Ground shaft 20 mm", "m", "1880.5", 1_015, "0.1", 8_000, 9),
        Good("PLT-03", "Steel plate 3 mm", "kg", "164.25", 97, "0.1", 90_000, 240),
        Good("BLT-10", "Hex bolt M10", "pcs", "31.4", 14, "0.1", 200_000, 500),
        Good("HSG-02", "Milled housing", "pcs", "18900", 11_240, "0.1", 1_500, 3),
    ),
    sellers=("aiko", "kenji", "mei"),
    customers=("Kansai Pumps", "Tokai Rail", "Setouchi Marine", "Chubu Tooling", "Hokuriku Valves"),
)

FOOD = Firm(
    slug="campagna-foods",
    name="Campagna Foods",
    industry="food processing",
    country="IT",
    currency="EUR",
    digits=2,
    fee=400,
    time_zone="Europe/Rome",
    warehouses=(("BOL", "Bologna"), ("PAR", "Parma cold store")),
    goods=(
        Good("TOM-K5", "Crushed tomatoes 5 kg", "pcs", "742", 391, "0.1", 12_000, 24),
        Good("PES-01", "Basil pesto", "kg", "1189.5", 655, "0.1", 6_000, 8),
        Good("OIL-L1", "Olive oil", "l", "915", 604, "0.04", 15_000, 30),
        Good("PAS-12", "Penne, case of 12", "pcs", "1380", 790, "0.04", 9_000, 15),
        Good("PRM-24", "Parmesan, 24 months", "kg", "1945.75", 1_322, "0.04", 4_000, 6),
        Good("SAU-03", "Ragù sauce", "kg", "868.4", 470, "0.1", 7_000, 12),
    ),
    sellers=("giulia", "marco", "sofia"),
    customers=("Trattoria Lucia", "Nordhandel", "Épicerie du Port", "Casa Verde", "Bio Market"),
)

MUSIC = Firm(
    slug="cdnow-records",
    name="CDNOW Records",
    industry="music retail",
    country="US",
    currency="USD",
    digits=2,
    fee=0,
    time_zone="America/New_York",
    warehouses=(("PHL", "Philadelphia"),),
    goods=(Good("CD", "Compact disc", "pcs", "1500", 912, "0", 20_000, 2),),
    sellers=("dana", "lee"),
    customers=(),
)

FIRMS = (METAL, FOOD, MUSIC)
PASSWORD = "tailrace-demo-2026"
