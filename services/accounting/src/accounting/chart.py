"""The chart of accounts that a tenant begins with, and the codes that posting rules post to.

An account that a rule names may be renamed; it cannot be deactivated or deleted, so a posting never lacks its account.
"""

from dataclasses import dataclass
from typing import Final

from contracts.accounting import AccountKind

INVENTORY: Final = "1400"
UNBILLED_RECEIVABLE: Final = "1210"
GOODS_RECEIVED_NOT_INVOICED: Final = "2110"
OUTPUT_TAX: Final = "2200"
RETAINED_EARNINGS: Final = "3100"
OPENING_EQUITY: Final = "3900"
REVENUE: Final = "4000"
COST_OF_GOODS_SOLD: Final = "5000"
STOCK_USAGE: Final = "5100"
STOCK_ADJUSTMENTS: Final = "5200"
PURCHASE_PRICE_VARIANCE: Final = "5300"
PRODUCTION_CLEARING: Final = "5900"


@dataclass(frozen=True, slots=True)
class ChartEntry:
    """An account to be: its code, name and kind."""

    code: str
    name: str
    kind: AccountKind


DEFAULT_CHART: Final = (
    ChartEntry("1000", "Cash and bank", "asset"),
    ChartEntry("1200", "Accounts receivable", "asset"),
    ChartEntry(UNBILLED_RECEIVABLE, "Unbilled receivable", "asset"),
    ChartEntry(INVENTORY, "Inventory", "asset"),
    ChartEntry("2100", "Accounts payable", "liability"),
    ChartEntry(GOODS_RECEIVED_NOT_INVOICED, "Goods received, not invoiced", "liability"),
    ChartEntry(OUTPUT_TAX, "Output tax", "liability"),
    ChartEntry("3000", "Equity", "equity"),
    ChartEntry(RETAINED_EARNINGS, "Retained earnings", "equity"),
    ChartEntry(OPENING_EQUITY, "Opening balance equity", "equity"),
    ChartEntry(REVENUE, "Revenue", "revenue"),
    ChartEntry(COST_OF_GOODS_SOLD, "Cost of goods sold", "expense"),
    ChartEntry(STOCK_USAGE, "Stock usage", "expense"),
    ChartEntry(STOCK_ADJUSTMENTS, "Stock adjustments", "expense"),
    ChartEntry(PURCHASE_PRICE_VARIANCE, "Purchase price variance", "expense"),
    ChartEntry(PRODUCTION_CLEARING, "Production clearing", "expense"),
    ChartEntry("6000", "Operating expenses", "expense"),
)

POSTED_BY_RULES: Final = frozenset(
    {
        INVENTORY,
        UNBILLED_RECEIVABLE,
        GOODS_RECEIVED_NOT_INVOICED,
        OUTPUT_TAX,
        RETAINED_EARNINGS,
        OPENING_EQUITY,
        REVENUE,
        COST_OF_GOODS_SOLD,
        STOCK_USAGE,
        STOCK_ADJUSTMENTS,
        PURCHASE_PRICE_VARIANCE,
        PRODUCTION_CLEARING,
    }
)
