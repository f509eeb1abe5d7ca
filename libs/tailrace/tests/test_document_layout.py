"""A layout is data: a child has of its parent what it does not set, a wrong field is named, and what is set is seen."""

import base64
import json
from typing import Any

import pypdfium2
import pytest
from printed import overlapping, quote, text_of
from pydantic import ValidationError

from tailrace.core.values.layout import COLUMNS, Layout
from tailrace.documents.business import BusinessDocument
from tailrace.documents.typesetting import CannotBeTypeset, typeset
from tailrace.documents.view import view
from tailrace.documents.wording import WORDS, words_in

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


def test_every_word_of_a_language_is_there() -> None:
    for words in WORDS.values():
        assert all(words.model_dump().values())
        assert all(
            set(each) == {"quote", "order_confirmation", "invoice", "credit_note", "reminder"}
            for each in (words.title, words.opening, words.total)
        )


def test_a_child_keeps_its_own_and_has_the_rest_of_its_parents() -> None:
    standard = Layout.model_validate(
        {"accent": "#112233", "words": {"en": {"number": "Ref.", "title": {"quote": "Offer"}}}}
    )
    industry = Layout.model_validate(
        {"paper": "us-letter", "words": {"en": {"terms": "Conditions"}, "ja": {"number": "管理番号"}}}
    )
    customer = Layout.model_validate({"accent": "#445566", "words": {"en": {"title": {"invoice": "Bill"}}}})
    made = customer.over(industry.over(standard))
    assert (made.accent, made.paper, made.columns) == ("#445566", "us-letter", COLUMNS)
    english = words_in(made, "en")
    assert (english.number, english.terms, english.date) == ("Ref.", "Conditions", "Date")
    assert english.title == {**WORDS["en"].title, "quote": "Offer", "invoice": "Bill"}
    assert words_in(made, "ja").number == "管理番号"
    # A parent that changes reaches its children; what they set stays.
    changed = customer.over(industry.over(Layout.model_validate({"accent": "#999999", "footer": "Since 1921"})))
    assert (changed.accent, changed.footer) == ("#445566", "Since 1921")


def test_a_layout_comes_back_from_json_as_it_was() -> None:
    layout = Layout.model_validate({"logo": PIXEL, "columns": ["item", "amount"], "words": {"ja": {"notes": "注記"}}})
    again = Layout.model_validate_json(layout.model_dump_json(exclude_unset=True))
    assert again == layout and again.model_fields_set == layout.model_fields_set
    assert json.loads(Layout().model_dump_json(exclude_unset=True)) == {}


@pytest.mark.parametrize(
    ("layout", "field"),
    [
        ({"paper": "a3"}, ("paper",)),
        ({"accent": "red"}, ("accent",)),
        ({"accent": '#000000"); #read("x'}, ("accent",)),
        ({"columns": ["item", "margin"]}, ("columns", 1)),
        ({"columns": ["item", "item", "amount"]}, ("columns",)),
        ({"columns": ["position", "quantity"]}, ("columns",)),
        ({"words": {"fr": {}}}, ("words", "fr", "[key]")),
        ({"words": {"en": {"tilte": {}}}}, ("words", "en", "tilte")),
        ({"words": {"en": {"number": ""}}}, ("words", "en", "number")),
        ({"words": {"en": {"title": {"offer": "x"}}}}, ("words", "en", "title", "offer", "[key]")),
        ({"footer": "two\nlines"}, ("footer",)),
        ({"footer": "x" * 121}, ("footer",)),
        ({"logo": base64.b64encode(b"<svg/>").decode()}, ("logo",)),
        ({"logo": base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 300_000).decode()}, ("logo",)),
        ({"script": "x"}, ("script",)),
    ],
)
def test_a_layout_that_is_wrong_names_the_field(layout: dict[str, Any], field: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        Layout.model_validate(layout)
    assert [each["loc"] for each in refused.value.errors()] == [field]


async def test_what_a_layout_sets_is_seen() -> None:
    layout = Layout.model_validate(
        {
            "columns": ["item", "quantity", "amount"],
            "words": {"en": {"title": {"quote": "Our offer"}, "amount": "Sum", "page": "{page}/{pages}"}},
            "footer": "Registered in London, no. 1",
            "paper": "us-letter",
            "logo": PIXEL,
            "accent": "#ffee00",
        }
    )
    pdf = await typeset("business", quote(30), layout)
    printed = text_of(pdf)
    assert "Ouroffer" in printed and "Quotation" not in printed
    assert "ItemQuantitySum" in printed and "Unitprice" not in printed
    pages = pypdfium2.PdfDocument(pdf)
    assert printed.count("RegisteredinLondon,no.1") == len(pages)
    assert f"1/{len(pages)}" in printed
    assert tuple(map(round, pages[0].get_size())) == (612, 792)
    pictures = [each for each in pages[0].get_objects() if each.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
    assert len(pictures) == 1
    assert overlapping(pdf) == []


@pytest.mark.parametrize(
    ("language", "many", "said"),
    [
        ("en", 60, ["Payment terms", "60 days after the invoice"]),
        ("en", 1, ["Payment terms", "1 day after the invoice"]),
        ("en", 0, ["Payment terms", "0 days after the invoice"]),
        ("ja", 60, ["お支払条件", "請求書の日付から60日以内"]),
    ],
)
def test_how_long_after_its_invoice_it_is_to_be_paid_is_said(language: str, many: int, said: list[str]) -> None:
    document = BusinessDocument.model_validate(quote(1, language, days_to_pay=many))
    assert said in view(document, Layout())["details"]
    unsaid = BusinessDocument.model_validate(quote(1, language))
    assert said[0] not in [label for label, _ in view(unsaid, Layout())["details"]]


def test_a_company_says_its_terms_in_its_own_words() -> None:
    own = Layout.model_validate({"words": {"en": {"payment_terms": "Credit", "days_to_pay": "net {}"}}})
    document = BusinessDocument.model_validate(quote(1, days_to_pay=30))
    assert ["Credit", "net 30 days"] in view(document, own)["details"]


async def test_the_longest_words_a_layout_may_have_still_fit() -> None:
    long = {name: "W" * 60 for name in WORDS["en"].model_dump() if name not in ("title", "opening", "total")}
    kinds = {"title": {"quote": "T" * 60}, "opening": {"quote": "long sentence " * 30}, "total": {"quote": "S" * 60}}
    layout = Layout.model_validate({"words": {"en": {**long, **kinds}}, "footer": "漢" * 120})
    assert overlapping(await typeset("business", quote(20, days_to_pay=30), layout)) == []


async def test_a_picture_that_is_none_is_refused() -> None:
    layout = Layout.model_validate({"logo": base64.b64encode(b"\x89PNG\r\n\x1a\nnothing").decode()})
    with pytest.raises(CannotBeTypeset) as refused:
        await typeset("business", quote(1), layout)
    assert [each.field for each in refused.value.errors] == ["template"]
