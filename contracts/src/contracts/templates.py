"""What a template says: fields that a company adds, how documents are numbered and approved, what shipping needs, and links between screens.

A template has a parent, down from a standard one by an industry's to a customer's. What it says itself comes before what its parent says; what it
does not say is its parent's, today and after every change of the parent.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from tailrace.core.values.custom_fields import MOST_FIELDS, CustomField, FieldKey
from tailrace.core.values.fields import Code, Name
from tailrace.core.values.layout import Layout
from tailrace.core.values.text import line
from tailrace.core.values.wire import TextRule, WireModel, WrongFields

TemplateLevel = Literal["standard", "industry", "customer"]
"""Of whom a template is, from the most general to the most particular."""
Thing = Literal["item", "customer", "quote", "order", "shipment", "invoice"]
"""What may have fields of a company's own."""
Document = Literal["quote", "order", "shipment", "invoice", "credit_note"]
"""What is numbered and printed."""
Submitted = Literal["quote", "credit_release", "journal", "refund"]
"""What is submitted for approval, as `contracts.submissions` has it: the kinds of the subjects there."""
_Screen = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_-]{0,39}$"), Field(examples=["quote"])]
_NumberFormat = Annotated[
    str,
    StringConstraints(max_length=60, pattern=r"^[^{}]*(\{series\}[^{}]*)?\{number(:0[1-9])?\}[^{}]*$"),
    BeforeValidator(TextRule(line)),
    Field(examples=["Q-{number:06}"]),
]


class _Said(WireModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="forbid")


class ShippingRules(_Said):
    """What leaves with goods. Null says nothing, so that the parent's word holds."""

    lots: bool | None = None
    """Whether goods are tracked by lot, so that they are picked and leave by lot, where an item does not say how it is tracked."""
    first_expired_first: bool | None = None
    """Whether the lot that expires first leaves first, and not the one that came first. None leaves that has expired, whatever it says."""
    heat_numbers: bool | None = None
    """Whether each line names the melt that its metal comes from."""
    certificates: bool | None = None
    """Whether a certificate travels with the goods."""
    in_parts: bool | None = None
    """Whether an order may be shipped in parts, and so a shipment split."""
    when_short: Literal["stop", "wait", "cancel"] | None = None
    """What becomes of what is not in stock, where the order does not say."""


class ScreenLink(_Said):
    """From one business screen to another."""

    screen: _Screen
    """Where it stands."""
    target: _Screen
    """Where it leads."""
    label: Name
    """What people read on it."""
    hidden: bool = False
    """Whether a link of the parent's is left out."""


class TemplateSettings(_Said):
    """What a template says."""

    fields: Annotated[
        dict[Thing, Annotated[list[CustomField], Field(max_length=MOST_FIELDS)]], Field(max_length=10)
    ] = {}
    """Fields that things have besides their own, by the kind of thing; one with the key of a parent's takes its place."""
    without: Annotated[dict[Thing, Annotated[list[FieldKey], Field(max_length=MOST_FIELDS)]], Field(max_length=10)] = {}
    """Keys of the parent's fields that are left out."""
    numbering: Annotated[dict[Document, _NumberFormat], Field(max_length=10)] = {}
    """How numbers of documents are written: `{number}` or `{number:06}`, and `{series}` where there are several."""
    approval: Annotated[dict[Submitted, Code | None], Field(max_length=10)] = {}
    """By the kind of what is submitted, the key of the process that it is approved by; null lets it be approved at once, whatever the parent says."""
    shipping: ShippingRules = ShippingRules()
    """What leaves with goods."""
    layout: Layout = Layout()
    """How printed documents look; what is left out is the parent's."""
    links: Annotated[list[ScreenLink], Field(max_length=100)] = []
    """Links between screens; one from and to the same screens as a parent's takes its place."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for thing, fields in self.fields.items():
            if len({field.key for field in fields}) != len(fields):
                raise WrongFields(f"a field of {thing} stands twice", f"fields/{thing}")
        if len({(link.screen, link.target) for link in self.links}) != len(self.links):
            raise WrongFields("a link stands twice", "links")
        return self

    def below(self, parent: "TemplateSettings") -> "TemplateSettings":
        """What holds where this is said and the parent says the rest: nothing is left to be taken out."""
        links = {(link.screen, link.target): link for link in (*parent.links, *self.links)}
        said = {name: value for name, value in self.shipping if value is not None}
        return TemplateSettings(
            fields={
                thing: fields
                for thing in dict.fromkeys((*parent.fields, *self.fields))
                if (fields := self._fields_below(parent.fields, thing))
            },
            numbering={**parent.numbering, **self.numbering},
            approval={**parent.approval, **self.approval},
            shipping=parent.shipping.model_copy(update=said),
            layout=self.layout.over(parent.layout),
            links=[link for link in links.values() if not link.hidden],
        )

    def _fields_below(self, parents: Mapping[Thing, list[CustomField]], thing: Thing) -> list[CustomField]:
        left_out = set(self.without.get(thing, ()))
        inherited = {field.key: field for field in parents.get(thing, ()) if field.key not in left_out}
        return [*(inherited | {field.key: field for field in self.fields.get(thing, ())}).values()]


__all__ = ["Document", "ScreenLink", "ShippingRules", "Submitted", "TemplateLevel", "TemplateSettings", "Thing"]
