"""Customers: who buys, who speaks for them, who looks after them, and what was agreed. Every change is told whole to those who keep a copy."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from contracts import customers as events
from contracts.customers import Kind, Purpose, Status
from customers.matching import match_keys
from customers.refusals import NotMerged, WasMerged
from tailrace.core.errors import InUse, Invalid, RefersToDeleted, Unknown
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.models import Part, Tables
from tailrace.db.search import Searchable
from tailrace.messaging.replica import Replica


class Base(Tables, DeclarativeBase):
    """The tables of customers."""


class Customer(MasterData, Searchable, Base):
    """A company or a person that buys, or may. Merged, it stands for another and takes no further changes."""

    __tablename__ = "customer"
    created, updated = events.CustomerCreated, events.CustomerUpdated
    deleted, restored = events.CustomerDeleted, events.CustomerRestored
    code_field = "number"
    listed_by = ("sales_rep_id", "status", "segment", "merged_into_id")

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
    sales_rep_id: Mapped[UUID | None]
    credit_limit: Mapped[int | None]
    """In minor units of `currency`; no limit when None."""
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """What the newest `customer.profile_changed` says."""
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
        return super().create({"consents": {}, "people": [], **values}, id)

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
        self.record(said)

    def consent(self, purpose: Purpose, *, granted: bool, given_at: datetime, source: str) -> None:
        """Raises WasMerged."""
        self._refuse_merged()
        said = events.CustomerConsentChanged(
            customer_id=self.id, purpose=purpose, granted=granted, given_at=given_at, source=source
        )
        newest = said.model_dump(mode="json", include={"granted", "given_at", "source"})
        self.consents = {**self.consents, purpose: newest}
        self.record(said)

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
        """Raises RefersToDeleted for its price list, or the customer that it was merged into. A user who left does not look after it any more."""
        ended = select(PriceListCopy.id).where(PriceListCopy.id == self.price_list_id, ~PriceListCopy.active)
        if await tx.scalar(ended) is not None:
            raise RefersToDeleted(f"The price list of {self.number} is out of use.", field="/price_list_id")
        into = select(Customer.number).where(Customer.id == self.merged_into_id, Customer.deleted_at.is_not(None))
        if (number := await tx.scalar(into)) is not None:
            raise RefersToDeleted(
                f"Customer {number}, which {self.number} was merged into, is deleted.", field="/merged_into_id"
            )
        gone = select(UserCopy.id).where(UserCopy.id == self.sales_rep_id, ~UserCopy.active)
        if await tx.scalar(gone) is not None:
            self.sales_rep_id = None

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse while another stands for it."""
        merged = select(Customer.number).where(Customer.merged_into_id == self.id, Customer.deleted_at.is_(None))
        if (number := await tx.scalar(merged.limit(1))) is not None:
            raise InUse(f"Customer {number} was merged into this one.")

    def assign(self, values: Mapping[str, Any]) -> None:
        super().assign(values)
        self._index()

    def _tell(self) -> None:
        self._index()
        self.record_as(self.updated)

    def _index(self) -> None:
        people = [text for one in self.people for text in (one.name, one.reading, *_values(one.emails, "address"))]
        emails = _values(self.emails, "address")
        self.match_keys = match_keys(self.name, self.tax_ids, emails, _values(self.phones, "number"))
        self.make_searchable(self.number, self.name, self.reading, *emails, *people, match=self.match_keys)

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


class PriceListCopy(Replica, Base):
    """A price list of the catalog."""

    __tablename__ = "price_list_copy"


def _values(entries: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    return [entry[name] for entry in entries]
