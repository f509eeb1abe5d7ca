"""What customers owe, over HTTP, as of any day."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from accounting.days import days
from accounting.invoices.projections import customers
from accounting.receivables import reports
from accounting.receivables.projections import open_items
from accounting.receivables.views import AgeingView, StatementView
from accounting.scopes import InvoiceReader
from tailrace.core.values.fields import Day
from tailrace.core.values.money import Currency
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/accounting/receivables",
    tag="receivables",
    about="What customers owe, as of any day.",
    reads=[open_items, customers, days],
    reads_own=[open_items],
)


@router.get("/ageing", response_model=AgeingView)
async def read_ageing(
    tx: Tx,
    who: InvoiceReader,
    day: Annotated[Day | None, Query(description="As of the end of this day; today when left out.")] = None,
    customer_id: Annotated[UUID | None, Query(description="This customer alone; all of them when left out.")] = None,
) -> reports.Ageing:
    """What customers owe, by how long it has been due."""
    return await reports.ageing(tx, day or await days.today(tx), customer_id)


@router.get("/{customer_id}/statement", response_model=StatementView)
async def read_statement(
    tx: Tx,
    who: InvoiceReader,
    customer_id: UUID,
    since: Annotated[
        Day | None, Query(description="The first day of it; the first of this month when left out.")
    ] = None,
    until: Annotated[Day | None, Query(description="The last day of it; today when left out.")] = None,
    currency: Annotated[
        Currency | None, Query(description="What it is in, an ISO 4217 code; the customer's when left out.")
    ] = None,
) -> reports.Statement:
    """An account of what a customer owes: what was owed before, what came, and what is owed then."""
    today = await days.today(tx)
    return await reports.statement(tx, customer_id, since or today.replace(day=1), until or today, currency)
