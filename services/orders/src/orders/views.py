"""What a client sees of an order. Amounts are whole minor units of its currency; quantities are in each item's base unit."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from contracts.orders import Address, LineKind, OrderLine, Progress, RateOfTax
from orders.credit.views import CreditHoldView
from orders.progress import Short
from orders.states import Status
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor, Quantity, Rate, SignedQuantity, UnitPrice
from tailrace.http.routing import ResourceView, View
from tailrace.messaging.sagas import SagaStep


class OrderLineView(View):
    """`allocated` is what is held or has left, `shipped` what has left. Quantities are in `unit`, the item's base unit, and `unit_price` is of one.

    `unit_price` has six decimals; the amount that binds is `net`.
    """

    id: UUID
    """By which shipments and reservations name the line."""
    position: int
    """Its place in the order, from 1."""
    item_id: UUID
    """What was ordered, of the catalog."""
    sku: str
    """The item's code when the line was made."""
    name: str
    """What the item was called when the line was made."""
    kind: LineKind
    """`stock` ships; a `service` is performed."""
    warehouse_id: UUID
    """Where it leaves from; of a service, where it is sold from."""
    unit: str
    """The item's base unit, which every quantity of the line is in."""
    quantity: Quantity
    """How much was ordered, in `unit`."""
    unit_price: UnitPrice
    """Price of one `unit`, in minor units of the order's currency."""
    price_list_id: UUID | None
    """The list that the price is from; null for one that was agreed."""
    net: Minor
    """Amount before tax, in minor units: what binds."""
    tax_code: str | None
    """The code that it is taxed by; null for the item's own rate."""
    tax_rate: Rate
    """The share of `net` that is due as tax: 0.1 is ten per cent."""
    tax: Minor
    """Amount of tax, in minor units."""
    allocated: SignedQuantity
    """How much is held for the line, or has left; of a service, how much was performed."""
    shipped: SignedQuantity
    """How much has left; of a service, how much was performed."""
    backordered: SignedQuantity
    """How much of it waits for goods."""
    cancelled: SignedQuantity
    """How much of it was given up, because it was not in stock."""
    lot: str | None
    """The number of the only lot that will do; null for any."""
    remaining_days: int | None
    """For how many days more a lot has to be good; null for any."""


class OrderSummary(ResourceView):
    """An order without its lines, as lists show it."""

    number: str
    """What people call it, such as SO-000001; unique within the tenant."""
    status: Status
    """Whether it may still be changed, binds, waits or has ended."""
    allocation: Progress
    """How much of its goods is held in stock, or has left: all of none, when it binds and is of services alone."""
    shipment: Progress
    """How much of it has left, or was performed."""
    invoicing: Progress
    """How much of it invoices ask for."""
    payment: Progress
    """How much of it is on invoices that are paid."""
    invoiced: Minor
    """What invoices ask for it, tax included, less what was credited."""
    paid: Minor
    """What of that is on invoices that are paid."""
    allocating: bool
    """Whether inventory has been asked for stock and has yet to answer."""
    shortage: str | None
    """What was missing when stock was last asked for; null when nothing was."""
    customer_reference: str
    """What the customer calls it."""
    customer_name: Personal[str]
    """Who ordered."""
    customer_id: UUID | None
    """The customer that it was taken for; null for an order that only names somebody."""
    quote_id: UUID | None
    """The quote that it was made of; null for none."""
    quote_number: str | None
    """What that quote is called."""
    quote_revision: int | None
    """Which revision of it was accepted."""
    owner_id: UUID | None
    """The user who sells; null for nobody."""
    owner_name: Personal[str | None]
    """What they were called when it became theirs."""
    currency: Currency
    """What every amount of it is in, an ISO 4217 code."""
    net: Minor
    """Sum of the lines before tax, in minor units."""
    tax: Minor
    """Sum of the lines' tax, in minor units."""
    total: Minor
    """What is to be paid, `net` and `tax`, in minor units."""
    ordered_at: datetime
    """When the customer ordered, in UTC."""
    requested_date: date | None
    """The day on which the customer wants the goods."""
    partial_allowed: bool
    """Whether what there is may leave when not everything is in stock."""
    credit_hold: CreditHoldView | None
    """Why it does not bind yet, and what became of asking for its release; null unless credit holds it."""
    when_short: Short
    """What becomes of what is not in stock: it stops until somebody asks again, waits for goods, or is given up."""
    priority: int
    """Whose turn it is when goods come in: 1 comes first."""
    backordered: bool
    """Whether something of it waits for goods."""
    revision: int
    """Which version of the order this is: one more each time that it was a draft again."""
    custom_fields: dict[str, bool | str]
    """Values of the fields that the company adds, by their keys; a number is a string."""


class OrderView(OrderSummary):
    """An order with its lines. `taxes` has a row for each tax code and rate, to which the lines' taxes add up.

    `correction`: why the order stands although somebody cancelled it or put it on hold; null when nobody did so too late.
    """

    reservation_expires_in_seconds: int | None
    """How long stock is held for it, from the reservation on; null for without limit."""
    ship_to: Address | None
    """Where the goods go."""
    payment_terms_days: int | None
    """How many days after an invoice it is due; null for what was agreed with the customer."""
    hold_reason: str | None
    """Why it waits; null unless it is on hold."""
    cancel_reason: str | None
    """Why it was ended; null unless it was cancelled."""
    correction: str | None
    """Why it stands although somebody cancelled it, reopened it or put it on hold; null when nobody did so too late."""
    reopen_reason: str | None
    """Why it is being changed; null unless it is, or is a draft again for that."""
    taxes: list[RateOfTax]
    """The tax of each code and rate, to which the lines' taxes add up."""
    lines: list[OrderLineView]
    """What was ordered, by position."""


class OrderVersionView(View):
    """What an order was, in a revision that bound and does not any more."""

    id: UUID
    """This version's own id."""
    revision: int
    """Which one it was, from 1."""
    customer_reference: str
    """What the customer called it then."""
    net: Minor
    """Sum of its lines before tax, in minor units."""
    tax: Minor
    """Sum of its lines' tax, in minor units."""
    total: Minor
    """What was to be paid, `net` and `tax`, in minor units."""
    lines: list[OrderLine]
    """What was ordered, as the order's event said when it was confirmed."""
    custom_fields: dict[str, bool | str]
    """Values that it had of the fields that the company adds, by their keys."""
    confirmed_at: datetime | None
    """When it was confirmed, in UTC."""
    reopened_at: datetime
    """When it was a draft again, in UTC."""
    reason: str | None
    """Why it was reopened."""


class FulfilmentView(View):
    """What has happened to an order since it was confirmed: each state it went to, when, and because of which event.

    `state` is the one it is in, null for a draft.
    """

    order_id: UUID
    """Whose history this is."""
    state: str | None
    """Where the process stands now; null for a draft."""
    steps: Sequence[SagaStep]
    """Every change of state so far, the first one first."""
