"""The words that a document prints by itself, in each language; a layout may put its own in their place."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from tailrace.core.text import line
from tailrace.core.wire import TextRule
from tailrace.documents.business import Kind, Language

_Word = Annotated[str, StringConstraints(min_length=1, max_length=60), BeforeValidator(TextRule(line))]
_Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500), BeforeValidator(TextRule(line))]


class Words(BaseModel):
    """The words of one language. What is left out is the parent's."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True)

    title: dict[Kind, _Word] = Field(default_factory=dict)
    """What the document is called, by its kind."""
    opening: dict[Kind, _Sentence] = Field(default_factory=dict)
    """The sentence before the total, by kind."""
    total: dict[Kind, _Word] = Field(default_factory=dict)
    """What the total at the head is called, by kind."""
    addressee: _Word | None = None
    """How the customer is addressed: `{}` stands for the name."""
    number: _Word | None = None
    version: _Word | None = None
    date: _Word | None = None
    valid_until: _Word | None = None
    due_on: _Word | None = None
    supplied: _Word | None = None
    reference: _Word | None = None
    about: _Word | None = None
    tax_id: _Word | None = None
    contact: _Word | None = None
    position: _Word | None = None
    item: _Word | None = None
    quantity: _Word | None = None
    unit_price: _Word | None = None
    line_discount: _Word | None = None
    tax_rate: _Word | None = None
    amount: _Word | None = None
    subtotal: _Word | None = None
    discount: _Word | None = None
    net: _Word | None = None
    tax: _Word | None = None
    gross: _Word | None = None
    taxed_at: _Word | None = None
    """A row of the taxes: `{}` stands for the rate."""
    tax_in_it: _Word | None = None
    terms: _Word | None = None
    notes: _Word | None = None
    currency: _Word | None = None
    """Above the table: `{}` stands for the code of the currency."""
    page: _Word | None = None
    """`{page}` and `{pages}` stand for the numbers."""

    def over(self, parent: "Words") -> "Words":
        """These words, and the parent's where these have none."""
        mine = self.model_dump(exclude_none=True)
        under = parent.model_dump(exclude_none=True)
        merged = {
            key: {**under[key], **mine[key]}
            if key in ("title", "opening", "total") and key in under and key in mine
            else value
            for key, value in {**under, **mine}.items()
        }
        return Words.model_validate(merged)


WORDS: dict[Language, Words] = {
    "ja": Words(
        title={
            "quote": "御見積書",
            "order_confirmation": "注文請書",
            "invoice": "請求書",
            "credit_note": "返還請求書",
            "reminder": "督促状",
        },
        opening={
            "quote": "下記のとおり御見積申し上げます。",
            "order_confirmation": "下記のとおりご注文をお請けいたします。",
            "invoice": "下記のとおりご請求申し上げます。",
            "credit_note": "下記のとおり返還いたします。",
            "reminder": "下記のお支払いが確認できておりません。ご確認のうえ、お支払いくださいますようお願い申し上げます。",
        },
        total={
            "quote": "御見積金額（税込）",
            "order_confirmation": "ご注文金額（税込）",
            "invoice": "ご請求金額（税込）",
            "credit_note": "返還金額（税込）",
            "reminder": "お支払金額",
        },
        addressee="{}　御中",
        number="番号",
        version="版",
        date="発行日",
        valid_until="有効期限",
        due_on="お支払期限",
        supplied="取引年月日",
        reference="貴社番号",
        about="対象の請求書",
        tax_id="登録番号",
        contact="担当",
        position="No.",
        item="品名・仕様",
        quantity="数量",
        unit_price="単価",
        line_discount="値引率",
        tax_rate="税率",
        amount="金額",
        subtotal="小計",
        discount="値引",
        net="税抜合計",
        tax="消費税",
        gross="合計（税込）",
        taxed_at="{}対象",
        tax_in_it="消費税",
        terms="取引条件",
        notes="備考",
        currency="通貨：{}",
        page="{page} / {pages} ページ",
    ),
    "en": Words(
        title={
            "quote": "Quotation",
            "order_confirmation": "Order confirmation",
            "invoice": "Invoice",
            "credit_note": "Credit note",
            "reminder": "Reminder",
        },
        opening={
            "quote": "We are pleased to offer you the following.",
            "order_confirmation": "Thank you for your order, which we confirm as follows.",
            "invoice": "For the following we ask you to pay:",
            "credit_note": "We take back the following:",
            "reminder": "We have not received what follows. Please pay it, unless you have done so since.",
        },
        total={
            "quote": "Total incl. tax",
            "order_confirmation": "Total incl. tax",
            "invoice": "Amount due",
            "credit_note": "Amount credited",
            "reminder": "Amount due",
        },
        addressee="{}",
        number="Number",
        version="Version",
        date="Date",
        valid_until="Valid until",
        due_on="Payment due",
        supplied="Date of supply",
        reference="Your reference",
        about="Of invoice",
        tax_id="Tax ID",
        contact="Contact",
        position="No.",
        item="Item",
        quantity="Quantity",
        unit_price="Unit price",
        line_discount="Discount",
        tax_rate="Tax rate",
        amount="Amount",
        subtotal="Subtotal",
        discount="Discount",
        net="Total excl. tax",
        tax="Tax",
        gross="Total incl. tax",
        taxed_at="Taxed at {}",
        tax_in_it="Tax",
        terms="Terms",
        notes="Notes",
        currency="Amounts in {}",
        page="Page {page} of {pages}",
    ),
}
