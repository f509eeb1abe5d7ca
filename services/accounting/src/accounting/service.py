"""The manifest of accounting."""

from accounting import imports, projections, proof, reactions, report_routes, routes
from accounting.bank import routes as bank
from accounting.days import dates, days
from accounting.dunning import routes as dunning
from accounting.dunning import schedules as reminders
from accounting.invoices import projections as copies
from accounting.invoices import reactions as billing
from accounting.invoices import routes as invoices
from accounting.invoices import schedules, timers
from accounting.models import Base
from accounting.payments import routes as payments
from accounting.receivables import projections as receivables
from accounting.receivables import routes as reports
from accounting.refunds import reactions as refund_answers
from accounting.refunds import routes as refunds
from accounting.scopes import close, control, invoice_read, invoice_write, read, write
from accounting.settlements import reactions as settlements
from contracts import accounting as events
from contracts import invoices as sales
from contracts import payments as receipts
from contracts import refunds as paid_back
from contracts import return_settlements
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.transfer.routes import LARGEST, imports_router

service = Service(
    name="accounting",
    topic="accounting.events",
    publishes=(
        *events.PUBLISHED,
        *sales.PUBLISHED,
        *receipts.PUBLISHED,
        *paid_back.PUBLISHED,
        *return_settlements.PUBLISHED,
    ),
    subscribers=[
        days,
        dates,
        reactions.books,
        reactions.postings,
        reactions.decisions,
        projections.subledgers,
        copies.customers,
        copies.orders,
        copies.rests,
        copies.deliveries,
        copies.sellers,
        copies.companies,
        copies.taxes,
        copies.units,
        copies.templates,
        billing.billing,
        settlements.settlements,
        receivables.open_items,
        refund_answers.decisions,
    ],
    timers=[timers.due, reminders.batch],
    schedules=[schedules.closings, reminders.nights],
    imports=[imports.opening_balances, imports.open_invoices],
    routers=[
        jobs_router("/v1/accounting/jobs", read),
        imports_router(
            imports.opening_balances,
            "/v1/accounting/opening-balances",
            read,
            write,
            control,
            jobs="/v1/accounting/jobs",
        ),
        imports_router(
            imports.open_invoices,
            "/v1/accounting/open-invoices",
            read,
            invoice_write,
            control,
            jobs="/v1/accounting/jobs",
            shows_refused=False,
        ),
        routes.router,
        report_routes.router,
        invoices.billing_router,
        invoices.router,
        invoices.notes_router,
        invoices.opening_router,
        payments.router,
        payments.bank_router,
        payments.rates_router,
        payments.revaluations_router,
        refunds.router,
        reports.router,
        dunning.policy_router,
        dunning.router,
        bank.router,
        bank.lines_router,
    ],
    exposes=[
        Exposed(prefix="/v1/accounting", read_timeout=10.0),
        Exposed(prefix="/v1/accounting/bank-statements", write_timeout=60.0),
        Exposed(prefix="/v1/accounting/opening-balances/import", body_limit=LARGEST, write_timeout=60.0),
        Exposed(prefix="/v1/accounting/open-invoices/import", body_limit=LARGEST, write_timeout=60.0),
    ],
    scopes=[read, write, close, control, invoice_read, invoice_write],
    default_roles={
        "accountant": ["accounting:read", "accounting:write", "accounting:close", "invoices:*"],
        "sales": ["invoices:read"],
        "manager": ["accounting:read", "invoices:read"],
        "viewer": ["accounting:read", "invoices:read"],
    },
    metadata=Base.metadata,
    proof=proof.proof,
)
