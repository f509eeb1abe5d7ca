"""Customers: who buys, who speaks for them, who looks after them, and what was agreed. Every change is told whole to those who keep a copy."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from contracts import customers as events
from contracts.customers import Kind, Purpose, Status, TaxIdResult
from contracts.leads import ConsentGiven
from contracts.templates import TemplateSettings
from customers.refusals import NotMerged, WasMerged
from tailrace.core.errors import InUse, Invalid, RefersToDeleted, Unknown
from tailrace.core.ids import uuid7
from tailrace.core.values.custom_fields import checked
from tailrace.db.database import Tx
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.models import Part, Tables
from tailrace.db.text_search.matching import match_keys
from tailrace.db.text_search.search import Searchable
from tailrace.db.visibility import Owned
from tailrace.messaging.handover import LeaverRow, heir_of
from tailrace.messaging.replica import Replica
from tailrace.messaging.templates import CompanySettings, TemplateChoiceRow, TemplateRow
from tailrace.messaging.uses import UseRow, refuse_used


class Base(Tables, DeclarativeBase):
    """The tables of customers."""


class Customer(MasterData, Searchable, Owned, Base):
    """A company or a person that buys, or may. Merged, it stands for another and takes no further changes."""

    __tablename__ = "customer"
    created, updated = events.CustomerCreated, events.CustomerUpdated
    deleted, restored = events.CustomerDeleted, events.CustomerRestored
    code_field = "number"
    owned_by = "sales_rep_id"
    sorted_by = "name"
    listed_by = (("sales_rep_id", "id"), "status", "segment", "merged_into_id", "review_due_on")

    number: Mapped[str]
    reading: Mapped[str | None]
    kind: Mapped[Kind]
    status: Mapped[Status]
    segment: Mapped[str | None]
    language: Mapped[str | None]
    currency: Mapped[str]
    payment_terms_days: Mapped[int]
    price_list_id: Mapped[UUID | None]
    tax_ids: Mapped[list[dict[str, Any]]]
    addresses: Mapped[list[dict[str, Any]]]
    emails: Mapped[list[dict[str, Any]]]
    phones: Mapped[list[dict[str, Any]]]
    custom_fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """Values of the fields that the company adds, by their keys."""
    sales_rep_id: Mapped[UUID | None]
    credit_limit: Mapped[int | None]
    """In minor units of `currency`; no limit when None."""
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """What the newest `customer.profile_changed` says."""
    review_due_on: Mapped[date | None]
    """The profile's, until it has come and was announced."""
    tax_id_checks: Mapped[list[dict[str, Any]]]
    """Of each tax id, the newest check, with the id of its errand."""
    consents: Mapped[dict[str, Any]]
    """By purpose, what the newest `customer.consent_changed` says."""
    merged_into_id: Mapped[UUID | None]
    status_before_merge: Mapped[str | None]
    match_keys: Mapped[list[Any]] = mapped_column(deferred=True)
    """What two records of one customer would share (`matching`)."""
    people: Mapped[list["Person"]] = relationship(
        back_populates="customer", cascade="all, delete-orphan", lazy="selectin", order_by="Person.id"
    )

    @classmethod
    def create(cls, values: Mapping[str, Any], id: UUID | None = None) -> Self:
        none: dict[str, Any] = {"consents": {}, "people": [], "tax_id_checks": [], "review_due_on": None}
        return super().create({**none, **values}, id)

    @classmethod
    async def kept(cls, tx: Tx, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises Invalid that names each custom field that is not as the company's template says."""
        fields = (await settings.effective(tx)).fields.get("customer", [])
        return {**values, "custom_fields": checked(values["custom_fields"], fields)}

    def replace(self, values: Mapping[str, Any]) -> None:
        """Raises WasMerged, and Invalid for another currency while a limit is set in this one."""
        self._refuse_merged()
        if values["currency"] != self.currency and self.credit_limit is not None:
            raise Invalid.field("/currency", f"The credit limit is in {self.currency}; lift it first.")
        super().replace(values)

    def delete(self) -> None:
        """Its number and its name are free to be found no more."""
        self.match_keys = []
        self.make_searchable(match=())
        super().delete()

    def restore(self) -> None:
        """Be found again, by what it is called."""
        self._index()
        super().restore()

    def set_people(self, people: Sequence["Person"]) -> None:
        """These, and nobody else, speak for the customer. Raises WasMerged."""
        self._refuse_merged()
        self.people = list(people)
        self._tell()

    def person(self, id: UUID) -> "Person":
        """Raises Unknown."""
        for person in self.people:
            if person.id == id:
                return person
        raise Unknown("Person", id)

    def describe_person(self, person: "Person", values: Mapping[str, Any]) -> None:
        """Raises WasMerged."""
        self._refuse_merged()
        person.update_from(values)
        self._tell()

    def assign_to(self, sales_rep_id: UUID | None, reason: str | None) -> None:
        """Raises WasMerged."""
        self._refuse_merged()
        if sales_rep_id != self.sales_rep_id:
            self.hand_over(sales_rep_id, reason)

    def hand_over(self, sales_rep_id: UUID | None, reason: str | None) -> None:
        """The same, whatever state it is in: for when somebody left."""
        previous, self.sales_rep_id = self.sales_rep_id, sales_rep_id
        assigned = {"sales_rep_id": sales_rep_id, "previous_sales_rep_id": previous, "reason": reason}
        self.record(events.CustomerAssigned(customer_id=self.id, **assigned))
        self._tell()

    def leave_unassigned(self, reason: str) -> None:
        """Be looked after by nobody, which somebody has to see to."""
        previous = self.sales_rep_id
        self.hand_over(None, reason)
        lost = {"previous_sales_rep_id": previous, "reason": reason}
        self.record(events.CustomerUnassigned(customer_id=self.id, **lost))

    def limit_credit(self, limit: int | None, reason: str) -> None:
        """Raises WasMerged."""
        self._refuse_merged()
        previous, self.credit_limit = self.credit_limit, limit
        limits = {"credit_limit": limit, "previous_credit_limit": previous, "currency": self.currency}
        self.record(events.CustomerCreditChanged(customer_id=self.id, reason=reason, **limits))

    def set_profile(self, values: Mapping[str, Any]) -> None:
        """Raises WasMerged."""
        self._refuse_merged()
        said = events.CustomerProfileChanged.model_validate({"customer_id": self.id, **values})
        self.profile = said.model_dump(mode="json", exclude={"customer_id"})
        self.review_due_on = said.review_due_on
        self.record(said)

    def reach_review(self, day: date) -> None:
        """Announce that the profile is to be asked about again, once, when that is so by this day."""
        if self.review_due_on is not None and self.review_due_on <= day:
            due = {"review_due_on": self.review_due_on, "sales_rep_id": self.sales_rep_id}
            self.review_due_on = None
            self.record(events.CustomerReviewDueReached(customer_id=self.id, number=self.number, **due))

    def request_tax_id_check(self, country: str, number: str, errand_id: UUID, at: datetime) -> UUID | None:
        """Wait for what is said of a tax id; returns the errand that was waited for before. Raises WasMerged."""
        self._refuse_merged()
        which = {"country": country, "number": number}
        same = [each for each in self.tax_id_checks if which.items() <= each.items()]
        fresh = {**which, "result": "asked", "errand_id": str(errand_id), "requested_at": at.isoformat()}
        others = [each for each in self.tax_id_checks if each not in same]
        self.tax_id_checks = [*others, {**fresh, "checked_on": None, "reference": None}]
        self.record(events.CustomerTaxIdCheckRequested(customer_id=self.id, **which))
        return next((UUID(each["errand_id"]) for each in same if each["result"] == "asked"), None)

    def note_tax_id_check(
        self, errand_id: UUID, result: TaxIdResult, reference: str | None, checked_on: date | None
    ) -> None:
        """What was said of a tax id, if it is still the newest that was asked about one that the customer still has."""
        for index, check in enumerate(self.tax_id_checks):
            if check["errand_id"] == str(errand_id):
                said = {"result": result, "reference": reference}
                fresh = {**check, **said, "checked_on": None if checked_on is None else checked_on.isoformat()}
                self.tax_id_checks = [*self.tax_id_checks[:index], fresh, *self.tax_id_checks[index + 1 :]]
                which = {"country": check["country"], "number": check["number"], "checked_on": checked_on}
                self.record(events.CustomerTaxIdChecked(customer_id=self.id, **which, **said))

    def consent(self, purpose: Purpose, *, granted: bool, given_at: datetime, source: str) -> None:
        """Raises WasMerged."""
        self._refuse_merged()
        said = events.CustomerConsentChanged(
            customer_id=self.id, purpose=purpose, granted=granted, given_at=given_at, source=source
        )
        newest = said.model_dump(mode="json", include={"granted", "given_at", "source"})
        self.consents = {**self.consents, purpose: newest}
        self.record(said)

    def take_consent(self, lead_id: UUID, said: ConsentGiven) -> None:
        """What the person of a converted lead agreed to on a form, word for word; not over what was said of it later."""
        known = self.consents.get("lead_form")
        if known is None or datetime.fromisoformat(known["given_at"]) < said.given_at:
            source = f"Form of lead {lead_id}: {said.text}"
            self.consent("lead_form", granted=True, given_at=said.given_at, source=source)

    def ensure_attachable(self) -> None:
        """Raises WasMerged: its papers are the other one's."""
        self._refuse_merged()

    def accept_lead(self, lead_id: UUID, asked_customer_id: UUID, person_id: UUID) -> None:
        """A converted lead is this customer's, whichever it asked for."""
        asked = {"lead_id": lead_id, "asked_customer_id": asked_customer_id, "person_id": person_id}
        self.record(events.CustomerLeadAccepted(customer_id=self.id, **asked))

    def refuse_lead(self, lead_id: UUID, asked_customer_id: UUID, reason: str) -> None:
        """It cannot be."""
        asked = {"lead_id": lead_id, "asked_customer_id": asked_customer_id}
        self.record(events.CustomerLeadRefused(customer_id=self.id, reason=reason, **asked))

    def merge_into(self, other: "Customer", reason: str) -> None:
        """Stand for another from here on. Raises WasMerged for either of them, Invalid for itself."""
        self._refuse_merged()
        other._refuse_merged("/into_customer_id")
        if other is self:
            raise Invalid.field("/into_customer_id", "A customer cannot be merged into itself.")
        self.merged_into_id, self.status_before_merge, self.status = other.id, self.status, "merged"
        self.record(events.CustomerMerged(customer_id=self.id, into_customer_id=other.id, reason=reason))
        self._tell()

    def unmerge(self, reason: str) -> None:
        """Raises NotMerged."""
        if self.merged_into_id is None or self.status_before_merge is None:
            raise NotMerged(f"Customer {self.number} stands for itself.")
        was, self.merged_into_id = self.merged_into_id, None
        self.status, self.status_before_merge = self.status_before_merge, None  # type: ignore[assignment]
        self.record(events.CustomerUnmerged(customer_id=self.id, from_customer_id=was, reason=reason))
        self._tell()

    async def ensure_restorable(self, tx: Tx) -> None:
        """Raises RefersToDeleted for its price list, or the customer that it was merged into. A user who left meanwhile does not look after it any
        more; the one who took over from them does."""
        ended = select(PriceListCopy.id).where(PriceListCopy.id == self.price_list_id, ~PriceListCopy.active)
        if await tx.scalar(ended) is not None:
            raise RefersToDeleted(f"The price list of {self.number} is out of use.", field="/price_list_id")
        into = select(Customer.number).where(Customer.id == self.merged_into_id, Customer.deleted_at.is_not(None))
        if (number := await tx.scalar(into)) is not None:
            raise RefersToDeleted(
                f"Customer {number}, which {self.number} was merged into, is deleted.", field="/merged_into_id"
            )
        if self.sales_rep_id is not None:
            self.sales_rep_id = await heir_of(tx, Leaver, self.sales_rep_id)

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse while another stands for it, a quote, an order or a return of it is to come to its end, or money is to be settled with it."""
        merged = select(Customer.number).where(Customer.merged_into_id == self.id, Customer.deleted_at.is_(None))
        with tx.seeing_all():
            number = await tx.scalar(merged.limit(1))
        if number is not None:
            raise InUse(f"Customer {number} was merged into this one.")
        await refuse_used(tx, Use, self.id, f"Customer {self.number}")

    def assign(self, values: Mapping[str, Any]) -> None:
        super().assign(values)
        kept = [(each["country"], each["number"]) for each in self.tax_ids]
        self.tax_id_checks = [each for each in self.tax_id_checks or [] if (each["country"], each["number"]) in kept]
        self._index()

    def _tell(self) -> None:
        self._index()
        self.record_as(self.updated)

    def _index(self) -> None:
        people = [text for one in self.people for text in (one.name, one.reading)]
        emails = _values(self.emails, "address")
        addresses = [*emails, *(address for one in self.people for address in _values(one.emails, "address"))]
        self.match_keys = match_keys(self.name, self.tax_ids, emails, _values(self.phones, "number"))
        own = [value for value in self.custom_fields.values() if isinstance(value, str)]
        self.make_searchable(
            self.number, self.name, self.reading, *people, *own, masked=addresses, match=self.match_keys
        )

    def _refuse_merged(self, field: str | None = None) -> None:
        if self.merged_into_id is not None:
            detail = f"Customer {self.number} was merged into {self.merged_into_id}."
            raise WasMerged(detail, field=field or ())


class Person(Part, Base):
    """Somebody who speaks for a customer."""

    __tablename__ = "person"
    __root__ = "customer"
    __table_args__ = (refers_to("customer", "customer_id"), tenant_index("customer_id"))

    customer_id: Mapped[UUID]
    name: Mapped[str]
    reading: Mapped[str | None]
    position: Mapped[str | None]
    emails: Mapped[list[dict[str, Any]]]
    phones: Mapped[list[dict[str, Any]]]
    customer: Mapped[Customer] = relationship(back_populates="people")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        return cls(id=uuid7(), **values)

    @property
    def person_id(self) -> UUID:
        return self.id


class UserCopy(Replica, Base):
    """A user, who may look after customers."""

    __tablename__ = "user_copy"


class Leaver(LeaverRow, Base):
    """A user who is gone, and who takes over."""

    __tablename__ = "leaver"


class Use(UseRow, Base):
    """A quote or an order of the customer that is still to come to its end."""

    __tablename__ = "use"


class TemplateCopy(TemplateRow, Base):
    """A template of the catalog."""

    __tablename__ = "template_copy"


class TemplateChoiceCopy(TemplateChoiceRow, Base):
    """Which template is the company's."""

    __tablename__ = "template_choice_copy"


settings = CompanySettings(TemplateCopy, TemplateChoiceCopy, TemplateSettings)


class PriceListCopy(Replica, Base):
    """A price list of the catalog."""

    __tablename__ = "price_list_copy"


def _values(entries: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    return [entry[name] for entry in entries]
