"""Reminders over HTTP, and when they go out."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select

from accounting.days import days
from accounting.dunning import commands
from accounting.dunning.bodies import DunningPolicyBody, NewDunningNotice
from accounting.dunning.models import DunningNotice
from accounting.dunning.views import DunningNoticeView, DunningPolicyView
from accounting.invoices.copies import settings
from accounting.invoices.document import paper
from accounting.invoices.projections import sellers, templates
from accounting.scopes import InvoiceReader, InvoiceWriter, Writer
from tailrace.http.files.paper import Paper
from tailrace.http.lists.filters import between, equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/accounting/dunning-notices",
    tag="dunning",
    about="Reminders of what is overdue: who got which, and when they go out.",
    reads=[sellers, templates, days],
)
policy_router = tenant_router("/v1/accounting/dunning-policy", tag="dunning")
_SHOWN = {"position", "item", "amount"}
"""A reminder has invoices in its lines: nothing else is said of them."""

Notices = Annotated[
    PageRequest,
    listed(
        DunningNotice,
        equal(DunningNotice.customer_id),
        equal(DunningNotice.level),
        *between(DunningNotice.dated),
        sort=[DunningNotice.number, DunningNotice.dated],
    ),
]


@policy_router.get("")
async def read_dunning_policy(tx: Tx, who: InvoiceReader) -> DunningPolicyView:
    """When customers are reminded."""
    return DunningPolicyView.model_validate(await commands.policy_of(tx))


@policy_router.put("")
async def replace_dunning_policy(tx: Tx, who: Writer, body: DunningPolicyBody) -> DunningPolicyView:
    """Say when customers are reminded, all of it. Levels that invoices have reached stay reached."""
    return DunningPolicyView.model_validate(await commands.set_policy(tx, body))


@router.post("", status_code=201, response_model=DunningNoticeView)
async def create_dunning_notice(tx: Tx, who: InvoiceWriter, body: NewDunningNotice) -> DunningNotice:
    """Remind a customer of all that has reached a level that it was not reminded at."""
    return await commands.remind(tx, body.invoice_id)


@router.get("", response_model=Page[DunningNoticeView])
async def list_dunning_notices(tx: Tx, who: InvoiceReader, page: Notices) -> Listing[DunningNotice]:
    """Reminders that went out."""
    return await paginate(tx, select(DunningNotice), page)


@router.get("/{dunning_notice_id}", response_model=DunningNoticeView)
async def read_dunning_notice(tx: Tx, who: InvoiceReader, dunning_notice_id: UUID) -> DunningNotice:
    """One reminder, with the invoices that it is of."""
    return await tx.find(DunningNotice, dunning_notice_id)


@router.get("/{dunning_notice_id}/document", response_class=Paper, response_model=None)
async def read_dunning_document(tx: Tx, who: InvoiceReader, dunning_notice_id: UUID) -> Paper:
    """The reminder as a letter (PDF/A), in the customer's language and the company's layout."""
    notice = await tx.find(DunningNotice, dunning_notice_id)
    layout = (await settings.effective(tx)).layout
    columns = tuple(each for each in layout.columns if each in _SHOWN)
    return paper(commands.notice_document(notice), layout.model_copy(update={"columns": columns}))
