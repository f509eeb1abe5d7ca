"""Trial balance, ledger and integrity over HTTP, each as of a pair of times: `effective` in the business, `recorded` in the books."""

from typing import Annotated

from fastapi import Path, Query

from accounting import reports
from accounting.days import days
from accounting.projections import subledgers
from accounting.reactions import books, postings
from accounting.rules import RULEBOOK
from accounting.scopes import Reader
from accounting.views import IntegrityView, LedgerView, RulebookView, RuleView, TrialBalanceView
from tailrace.core.values.fields import MomentOrDay
from tailrace.core.values.money import Currency
from tailrace.http.lists.pagination import LIMIT, Cursor, Limit
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/accounting",
    tag="accounting",
    reads=[books, postings, subledgers, days],
    reads_own=[postings, subledgers],
)

Effective = Annotated[
    MomentOrDay | None,
    Query(description="What held by then: a time, or a day of the company's to its end. Now, when left out."),
]
Recorded = Annotated[
    MomentOrDay | None,
    Query(
        description="What was written down by then: a time, or a day of the company's to its end. Everything, when left out."
    ),
]


@router.get("/trial-balance", response_model=TrialBalanceView)
async def read_trial_balance(
    tx: Tx,
    who: Reader,
    effective: Effective = None,
    recorded: Recorded = None,
    currency: Annotated[Currency | None, Query(description="This one alone; every currency when left out.")] = None,
    closing: Annotated[
        bool, Query(description="Whether journals that close a year count; without them, its income and expenses show.")
    ] = True,
) -> reports.TrialBalance:
    """The balance of every account, whose sum is zero in every currency."""
    return await reports.trial_balance(tx, await reports.as_of(tx, effective, recorded), currency, closing=closing)


@router.get("/ledger/{account}", response_model=LedgerView)
async def read_ledger(
    tx: Tx,
    who: Reader,
    account: Annotated[str, Path(description="The code of an account.")],
    effective_from: Annotated[
        MomentOrDay | None, Query(description="A time, or a day of the company's from its beginning.")
    ] = None,
    effective_to: Effective = None,
    recorded: Recorded = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> reports.Ledger:
    """What was posted to one account, with the opening balance and the balance after each."""
    at = await reports.as_of(tx, effective_to, recorded)
    return await reports.ledger(tx, account, at, effective_from, limit, cursor)


@router.get("/integrity", response_model=IntegrityView)
async def read_integrity(tx: Tx, who: Reader) -> reports.Integrity:
    """Whether the books are whole: debits equal credits, every entry follows from its journal's event, and sub-ledgers explain their accounts."""
    return await reports.integrity(tx)


@router.get("/rules", response_model=RulebookView)
async def read_rules(who: Reader) -> RulebookView:
    """The posting rules: which event leads to which journal, since when."""
    return RulebookView(
        rules=[RuleView(name=r.name, version=r.version, event=r.event.type, since=r.since) for r in RULEBOOK.rules]
    )
