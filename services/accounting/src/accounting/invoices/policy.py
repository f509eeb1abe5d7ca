"""How the company invoices, and what was agreed with single customers: when what has left is invoiced, and what documents say of the company."""

from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Mapped, mapped_column

from accounting.invoices.bodies import BillingPolicyBody, BillingTermsBody
from accounting.invoices.copies import CompanyCopy, CustomerCopy, SellerCopy
from accounting.invoices.refusals import CompanyNotYetKnown
from accounting.models import Base
from contracts.invoices import BillingMode, BillingPolicyUpdated, BillingTermsUpdated, PrepaymentsTaxed
from tailrace.core.ids import derived_id
from tailrace.core.values.postal import address_lines
from tailrace.db.database import Tx
from tailrace.db.models import Aggregate
from tailrace.db.unique import unique_value
from tailrace.messaging.replica import by_ids


class BillingPolicy(Aggregate, Base):
    """One row of a tenant, once somebody has said something."""

    __tablename__ = "billing_policy"

    mode: Mapped[BillingMode]
    closing_day: Mapped[int]
    issues: Mapped[bool]
    number_prefix: Mapped[str | None]
    """None for as the company's template says."""
    prepayments_taxed: Mapped[PrepaymentsTaxed | None] = mapped_column()
    """None for as in the company's country."""
    issuer: Mapped[dict[str, Any]]
    """An IssuerBody."""

    def decide(self, said: BillingPolicyBody) -> None:
        self.mode, self.closing_day, self.issues = said.mode, said.closing_day, said.issues
        self.prepayments_taxed = said.prepayments_taxed
        self.number_prefix, self.issuer = said.number_prefix, said.issuer.model_dump(mode="json")
        self.record_as(BillingPolicyUpdated)


class BillingTerms(Aggregate, Base):
    """What was agreed with one customer."""

    __tablename__ = "billing_terms"
    __table_args__ = (unique_value("customer_id"),)

    customer_id: Mapped[UUID]
    mode: Mapped[BillingMode | None] = mapped_column()
    closing_day: Mapped[int | None]
    electronic_address: Mapped[str | None]

    def agree(self, said: BillingTermsBody) -> None:
        self.mode, self.closing_day, self.electronic_address = said.mode, said.closing_day, said.electronic_address
        self.record_as(BillingTermsUpdated)


async def policy_of(tx: Tx) -> BillingPolicyBody:
    """The tenant's; the defaults as long as nobody has said anything."""
    kept = await tx.get(BillingPolicy, (tx.tenant_id, _policy_id(tx)))
    return BillingPolicyBody() if kept is None else BillingPolicyBody.model_validate(kept, from_attributes=True)


async def set_policy(tx: Tx, said: BillingPolicyBody) -> BillingPolicyBody:
    """Replace all of it. What is invoiced already stays."""
    id = _policy_id(tx)
    kept = await tx.get(BillingPolicy, (tx.tenant_id, id))
    if kept is None:
        kept = BillingPolicy(id=id)
        tx.add(kept)
    else:
        kept = await tx.load(BillingPolicy, id)
    kept.decide(said)
    return said


async def terms_of(tx: Tx, customer_id: UUID) -> BillingTermsBody:
    """What was agreed with the customer; nothing of its own as long as nobody has said anything."""
    kept = await tx.get(BillingTerms, (tx.tenant_id, _terms_id(tx, customer_id)))
    return BillingTermsBody() if kept is None else BillingTermsBody.model_validate(kept, from_attributes=True)


async def set_terms(tx: Tx, customer_id: UUID, said: BillingTermsBody) -> BillingTermsBody:
    """Replace what was agreed with a customer."""
    id = _terms_id(tx, customer_id)
    kept = await tx.get(BillingTerms, (tx.tenant_id, id))
    if kept is None:
        kept = BillingTerms(id=id, customer_id=customer_id)
        tx.add(kept)
    else:
        kept = await tx.load(BillingTerms, id)
    kept.agree(said)
    return said


async def invoices_somebody_per_shipment(tx: Tx) -> bool:
    """Whether that was agreed with a customer."""
    return bool(await tx.scalar(select(exists().where(BillingTerms.mode == "per_shipment"))))


async def taxes_receipts(tx: Tx) -> bool:
    """Whether tax on what is paid ahead is due when it is received. In Japan goods are taxed when they are handed over, whenever they are paid."""
    said = (await policy_of(tx)).prepayments_taxed
    if said is None:
        company = (await by_ids(tx, CompanyCopy, [tx.tenant_id])).get(tx.tenant_id)
        return company is None or company.country != "JP"
    return said == "received"


async def seller(tx: Tx) -> dict[str, Any]:
    """What documents say of the company. Raises CompanyNotYetKnown."""
    said = (await policy_of(tx)).issuer
    known = (await by_ids(tx, SellerCopy, [tx.tenant_id])).get(tx.tenant_id)
    if known is None:
        raise CompanyNotYetKnown
    company = (await by_ids(tx, CompanyCopy, [tx.tenant_id])).get(tx.tenant_id)
    country = said.country or (company.country if company else None)
    address = {**said.model_dump(include={"lines", "city", "postal_code", "region"}), "country": country}
    return {
        **said.model_dump(mode="json"),
        "name": said.name or known.name,
        "country": country,
        "street": list(said.lines),
        "lines": [each for each in address_lines(address) if each] if country else list(said.lines),
    }


def _policy_id(tx: Tx) -> UUID:
    return derived_id(tx.tenant_id, "billing_policy")


def _terms_id(tx: Tx, customer_id: UUID) -> UUID:
    return derived_id(tx.tenant_id, "billing_terms", customer_id)


async def known(tx: Tx, customer_id: UUID) -> UUID:
    """The customer, who has arrived here. Raises Unknown."""
    return (await tx.find(CustomerCopy, customer_id)).id


async def endpoint_of(tx: Tx, customer_id: UUID | None) -> str | None:
    """Where the customer receives electronic documents; None when nobody has said."""
    return None if customer_id is None else (await terms_of(tx, customer_id)).electronic_address
