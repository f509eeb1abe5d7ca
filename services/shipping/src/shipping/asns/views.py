"""What clients are shown of advance shipping notices."""

from datetime import date, datetime
from uuid import UUID

from contracts.asns import Direction
from shipping.asns.models import Status
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Exact
from tailrace.http.routing import ResourceView, View


class AsnLineView(View):
    sku: str
    """What the sender calls the item."""
    name: str | None = None
    """What people call it."""
    quantity: Exact
    """How much of it."""
    gtin: str | None = None
    """The GTIN of one piece."""
    lot: str | None = None
    """The batch or lot that it is of."""
    expires_on: date | None = None
    """The last day that it is good."""


class AsnPackageView(View):
    sscc: str
    """By which it is scanned."""
    weight_grams: int | None
    """What it weighs; null when nobody said."""
    lines: list[AsnLineView]
    """What was announced; nothing of a parcel that nobody expected."""
    received: list[AsnLineView] | None
    """What was found; null while it was not scanned."""


class AsnDifferenceView(View):
    sscc: str
    """In which parcel."""
    sku: str
    """Of which item."""
    lot: str | None
    """The batch or lot that the quantities are of; null where none was said."""
    announced: Exact
    """How much was to come."""
    received: Exact
    """How much came."""


class AsnSummary(ResourceView):
    number: str
    """What people call it."""
    direction: Direction
    """`outbound` is ours, to who ordered; `inbound` a supplier's, to us."""
    partner_name: Personal[str]
    """Who sends, or who is sent to."""
    reference: str
    """What they call it."""
    expected_on: date | None
    """The day that it is to come; null when nobody said."""
    shipment_id: UUID | None
    """The shipment whose parcels are announced; null for a supplier's."""
    status: Status
    """How far it has come; ours are `sent`."""
    arrived_at: datetime | None
    """When it came to the door, in UTC."""
    received_at: datetime | None
    """When all that came was taken in, in UTC."""


class AsnView(AsnSummary):
    packages: list[AsnPackageView]
    """Parcels that were announced, and behind them those that nobody expected."""
    differences: list[AsnDifferenceView]
    """From what was announced, as far as it was scanned by now."""
