"""The chart of accounts and the roles in it, periods and journals over HTTP."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import selectinload

from accounting import chart_commands, closing, commands, drafts, posting
from accounting.bodies import (
    AccountChange,
    JournalLimitsBody,
    NewAccount,
    NewChart,
    NewClose,
    NewControlAdjustment,
    NewJournal,
    NewPeriod,
    NewReversal,
    NewRoles,
)
from accounting.chart import CHARTS, AccountCode, Chart, described, own
from accounting.days import dates, days
from accounting.invoices.models import Invoice, of_order
from accounting.models import Account, Entry, Journal, Period
from accounting.reactions import books, decisions, postings
from accounting.scopes import Closer, Controller, Reader, Writer
from accounting.views import (
    AccountView,
    ChartsView,
    ChartView,
    JournalDraftSummary,
    JournalDraftView,
    JournalLimitsView,
    JournalSummary,
    JournalView,
    PeriodView,
)
from contracts.accounting import AccountKind, JournalLimit
from tailrace.core.errors import Invalid, Unknown
from tailrace.db import master_data
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import Deleted, any_of, between, equal, where
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import ReasonBody, Tx, tenant_router

router = tenant_router(
    "/v1/accounting",
    tag="accounting",
    about="Accounts, periods and journals, and the reports made of them.",
    reads=[books, postings, decisions, days, dates],
)

Accounts = Annotated[
    PageRequest,
    listed(Account, equal(Account.kind, AccountKind), equal(Account.active), sort=[Account.code], default="code"),
]
Periods = Annotated[
    PageRequest,
    listed(Period, equal(Period.locked), equal(Period.closed), sort=[Period.first_day], default="first_day"),
]


def _of_order(id: UUID) -> ColumnElement[bool]:
    return or_(Journal.order_id == id, Journal.source_id.in_(select(Invoice.id).where(of_order(id))))


Journals = Annotated[
    PageRequest,
    listed(
        Journal,
        equal(Journal.rule, description="Such as `shipment-dispatched@1`."),
        equal(Journal.source_id, description="The stock, shipment or other thing whose event was posted."),
        where(
            "order_id",
            UUID,
            _of_order,
            "What was booked of an order: its shipments and what they cost, its returns and its invoices.",
        ),
        where(
            "account",
            AccountCode,
            lambda code: exists().where(Entry.journal_id == Journal.id, Entry.account == code),
            "A code: journals that post to it.",
        ),
        where(
            "reversed",
            bool,
            lambda wanted: Journal.reversed_by.is_not(None) if wanted else Journal.reversed_by.is_(None),
            "Whether another journal undid it.",
        ),
        where(
            "adjustment",
            bool,
            lambda wanted: Journal.adjustment_reason.is_not(None) if wanted else Journal.adjustment_reason.is_(None),
            "Whether a person posted to control accounts, with a reason.",
        ),
        *between(Journal.effective_at, days),
        sort=[Journal.number, Journal.effective_at],
        default="number",
    ),
]
Drafts = Annotated[
    PageRequest,
    listed(
        drafts.JournalDraft,
        any_of(drafts.JournalDraft.status, drafts.DraftStatus),
        equal(drafts.JournalDraft.requester_id),
        sort=[drafts.JournalDraft.number],
    ),
]
Adjustments = Annotated[
    PageRequest,
    listed(
        Journal,
        *between(Journal.effective_at, days),
        sort=[Journal.number, Journal.effective_at],
        default="number",
    ),
]


@router.get("/charts", response_model=ChartsView)
async def read_charts(who: Reader) -> ChartsView:
    """The charts that come with the service."""
    return ChartsView.model_validate({"charts": [described(chart) for chart in CHARTS.values()]})


@router.get("/chart", response_model=ChartView)
async def read_chart(tx: Tx, who: Reader) -> chart_commands.ChosenChart:
    """The chart of the company: which account has which role, since when."""
    return await chart_commands.chosen_chart(tx)


@router.put("/chart", response_model=ChartView)
async def replace_chart(tx: Tx, who: Writer, body: NewChart, match: IfMatch) -> chart_commands.ChosenChart:
    """Begin the books with a chart, by name or from a CSV file. Once there is a journal: add its accounts, and map its roles from a day on."""
    chart = _chart(body)
    if body.since is None:
        return await chart_commands.replace_chart(tx, chart, match)
    return await chart_commands.extend_chart(tx, chart, body.since, match)


@router.post("/chart/roles", response_model=ChartView)
async def map_roles(tx: Tx, who: Writer, body: NewRoles, match: IfMatch) -> chart_commands.ChosenChart:
    """Give roles other accounts from a day on. What took effect before keeps the older ones."""
    return await chart_commands.map_roles(tx, body.since, [(one.role, one.account) for one in body.roles], match)


@router.get("/accounts", response_model=Page[AccountView])
async def list_accounts(tx: Tx, who: Reader, page: Accounts, deleted: Deleted = False) -> Listing[Account]:
    """The chart of accounts."""
    return await paginate(tx, master_data.rows(Account, deleted=deleted), page)


@router.post("/accounts", status_code=201, response_model=AccountView)
async def create_account(tx: Tx, who: Writer, body: NewAccount) -> Account:
    """Add an account to the chart. Its code and kind never change."""
    return await commands.create_account(tx, body.code, body.name, body.kind)


@router.get("/accounts/{id}", response_model=AccountView)
async def read_account(tx: Tx, who: Reader, id: UUID) -> Account:
    """One account."""
    return await tx.find(Account, id)


@router.put("/accounts/{id}", response_model=AccountView)
async def replace_account(tx: Tx, who: Writer, id: UUID, body: AccountChange, match: IfMatch) -> Account:
    """Rename an account, or say whether it may be posted to."""
    return await commands.describe_account(tx, id, body.name, body.active, match)


@router.delete("/accounts/{id}", status_code=204)
async def delete_account(tx: Tx, who: Writer, id: UUID, match: IfMatch) -> None:
    """Take an account out of the chart: one that nothing was ever posted to, and that no rule needs."""
    await commands.delete_account(tx, id, match)


@router.post("/accounts/{id}/restore", response_model=AccountView)
async def restore_account(tx: Tx, who: Writer, id: UUID, match: IfMatch) -> Account:
    """Take a deleted account back into the chart, as it was, unless another one has its code by now."""
    return await commands.restore_account(tx, id, match)


@router.get("/periods", response_model=Page[PeriodView])
async def list_periods(tx: Tx, who: Reader, page: Periods) -> Listing[Period]:
    """The periods."""
    return await paginate(tx, select(Period), page)


@router.post("/periods", status_code=201, response_model=PeriodView)
async def create_period(tx: Tx, who: Writer, body: NewPeriod) -> Period:
    """Make a period. Periods do not overlap."""
    return await commands.open_period(tx, body.name, body.first_day, body.last_day)


@router.get("/periods/{id}", response_model=PeriodView)
async def read_period(tx: Tx, who: Reader, id: UUID) -> Period:
    """One period."""
    return await tx.find(Period, id)


@router.post("/periods/{id}/lock", response_model=PeriodView)
async def lock_period(tx: Tx, who: Writer, id: UUID, match: IfMatch) -> Period:
    """Let nothing take effect in the period any more; what comes late moves on."""
    return await commands.lock_period(tx, id, match)


@router.post("/periods/{id}/unlock", response_model=PeriodView)
async def unlock_period(tx: Tx, who: Writer, id: UUID, body: ReasonBody, match: IfMatch) -> Period:
    """Let the period take journals again, with a reason."""
    return await commands.unlock_period(tx, id, body.reason, match)


@router.post("/periods/{id}/close", response_model=PeriodView)
async def close_period(tx: Tx, who: Closer, id: UUID, match: IfMatch, body: NewClose | None = None) -> Period:
    """Lock the period and everything before it for good; at the end of a year, carry its result to retained earnings."""
    return await closing.close_period(tx, id, match, year_end=(body or NewClose()).year_end)


@router.post("/periods/{id}/reopen", response_model=PeriodView)
async def reopen_period(tx: Tx, who: Closer, id: UUID, body: ReasonBody, match: IfMatch) -> Period:
    """Open the last closed period again, and reverse what closed its year."""
    return await closing.reopen_period(tx, id, body.reason, match)


@router.get("/journals", response_model=Page[JournalSummary])
async def list_journals(tx: Tx, who: Reader, page: Journals) -> Listing[Journal]:
    """Journals without their lines."""
    return await paginate(tx, select(Journal), page)


@router.post("/journals", status_code=201, response_model=JournalView)
async def create_journal(tx: Tx, who: Writer, body: NewJournal) -> Journal:
    """Post a journal by hand: debits equal credits in every currency, no line is on a control account, and no sum is above the company's limit."""
    lines = [line.line() for line in body.lines]
    await drafts.ensure_within_limit(tx, lines)
    at = await days.begin_if_said(tx, body.effective_at)
    return await _journal(tx, await posting.post_manual(tx, body.text, lines, at))


@router.get("/journals/{id}", response_model=JournalView)
async def read_journal(tx: Tx, who: Reader, id: UUID) -> Journal:
    """One journal with its lines."""
    return await _journal(tx, id)


@router.post("/journals/{id}/reverse", status_code=201, response_model=JournalView)
async def reverse_journal(tx: Tx, who: Writer, id: UUID, body: NewReversal, match: IfMatch) -> Journal:
    """Undo a person's journal by another that mirrors it, and answer with that one."""
    return await _journal(tx, await posting.reverse(tx, id, body.reason, body.effective_at, match))


@router.post("/journals/{id}/adjust", status_code=201, response_model=JournalView)
async def adjust_journal(tx: Tx, who: Controller, id: UUID, body: NewReversal, match: IfMatch) -> Journal:
    """Undo a journal of a rule, or one on control accounts, by another that mirrors it: an adjustment, with its reason."""
    reversal = await posting.reverse(tx, id, body.reason, body.effective_at, match, adjusts=True)
    return await _journal(tx, reversal)


@router.get("/journal-limits")
async def read_journal_limits(tx: Tx, who: Reader) -> JournalLimitsView:
    """Up to which amounts a person posts a journal without anybody's approval."""
    return JournalLimitsView.model_validate({"limits": await drafts.limits_of(tx)})


@router.put("/journal-limits")
async def replace_journal_limits(tx: Tx, who: Controller, body: JournalLimitsBody) -> JournalLimitsView:
    """Say up to which amounts a person posts a journal without anybody's approval. What waits goes on waiting."""
    await drafts.replace_limits(tx, [JournalLimit(**limit.model_dump()) for limit in body.limits])
    return JournalLimitsView.model_validate({"limits": await drafts.limits_of(tx)})


@router.post("/journal-drafts", status_code=201, response_model=JournalDraftView)
async def create_journal_draft(tx: Tx, who: Writer, body: NewJournal) -> drafts.JournalDraft:
    """Let a journal above the company's limit wait for an approval; it is posted when that is given."""
    at = await days.begin_if_said(tx, body.effective_at)
    return await drafts.submit(tx, who, body.text, [line.line() for line in body.lines], at)


@router.get("/journal-drafts", response_model=Page[JournalDraftSummary])
async def list_journal_drafts(tx: Tx, who: Reader, page: Drafts) -> Listing[drafts.JournalDraft]:
    """Journals that wait, or waited, for an approval."""
    return await paginate(tx, select(drafts.JournalDraft), page)


@router.get("/journal-drafts/{draft_id}", response_model=JournalDraftView)
async def read_journal_draft(tx: Tx, who: Reader, draft_id: UUID) -> drafts.JournalDraft:
    """One of them, with its lines."""
    return await tx.find(drafts.JournalDraft, draft_id)


@router.post("/journal-drafts/{draft_id}/withdraw", response_model=JournalDraftView)
async def withdraw_journal_draft(
    tx: Tx, who: Writer, draft_id: UUID, body: ReasonBody, match: IfMatch
) -> drafts.JournalDraft:
    """Do not want it posted any more."""
    draft = await tx.load(drafts.JournalDraft, draft_id, match)
    draft.withdraw(body.reason)
    return draft


@router.get("/adjustments", response_model=Page[JournalSummary])
async def list_adjustments(tx: Tx, who: Reader, page: Adjustments) -> Listing[Journal]:
    """Journals by which people posted to control accounts."""
    return await paginate(tx, select(Journal).where(Journal.adjustment_reason.is_not(None)), page)


@router.post("/adjustments", status_code=201, response_model=JournalView)
async def create_adjustment(tx: Tx, who: Controller, body: NewControlAdjustment) -> Journal:
    """Post to control accounts by hand, with a reason that is listed."""
    lines = [line.line() for line in body.lines]
    at = await days.begin_if_said(tx, body.effective_at)
    id = await posting.post_manual(tx, body.text, lines, at, adjustment_reason=body.reason)
    return await _journal(tx, id)


@router.get("/adjustments/{id}", response_model=JournalView)
async def read_adjustment(tx: Tx, who: Reader, id: UUID) -> Journal:
    """One adjustment with its lines."""
    journal = await _journal(tx, id)
    if journal.adjustment_reason is None:
        raise Unknown("Adjustment", id)
    return journal


def _chart(body: NewChart) -> Chart:
    """Raises Invalid."""
    if body.csv is not None:
        return own(body.csv)
    chart = CHARTS.get(body.chart or "")
    if chart is None:
        raise Invalid.field("/chart", f"There is no chart {body.chart}; there are {', '.join(CHARTS)}.")
    return chart


async def _journal(tx: Tx, id: UUID) -> Journal:
    query = select(Journal).where(Journal.id == id).options(selectinload(Journal.lines))
    journal = (await tx.scalars(query)).one_or_none()
    if journal is None:
        raise Unknown("Journal", id)
    return journal
