"""Documents are printed whole, in both languages and at any length, or refused with the field at fault; no template gets out of its bounds."""

import asyncio
from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
from printed import hard, overlapping, quote, text_of

from tailrace.core.errors import Unavailable
from tailrace.core.values.layout import Layout
from tailrace.documents.business import BusinessDocument
from tailrace.documents.typesetting import CannotBeTypeset, typeset
from tailrace.documents.view import view


@pytest.mark.parametrize(("language", "gross"), [("en", "$330.00"), ("ja", "¥33,000")])
async def test_a_quote_prints_what_it_says(language: str, gross: str) -> None:
    data = quote(language=language)
    printed = text_of(await typeset("business", data))
    for said in (data["number"], data["seller"]["name"], data["customer"]["name"], data["terms"], gross):
        assert "".join(said.split()) in printed


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("lines", [1, 5, 17, 18, 19, 40, 60])
@pytest.mark.parametrize("made", [quote, hard])
async def test_nothing_overlaps_leaves_the_page_or_is_lost(
    lines: int, language: str, made: Callable[[int, str], dict[str, Any]]
) -> None:
    data = made(lines, language)
    pdf = await typeset("business", data)
    assert overlapping(pdf)[:5] == []
    printed = text_of(pdf)
    for line in data["lines"]:
        assert "".join(f"{line['code']}{line['name']}".split()) in printed
    pages = len(pypdfium2.PdfDocument(pdf))
    assert printed.count(f"of{pages}" if language == "en" else f"/{pages}ページ") == pages
    term = "".join(data["terms"].splitlines()[0].split())
    assert printed.count(term) >= len(data["terms"].splitlines())


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_the_largest_figures_fit(language: str) -> None:
    line = hard(1, language)["lines"][0]
    line |= {"quantity": "999999999999999.123456789", "unit_price": 10**15, "net": 9 * 10**14, "tax_rate": "100.123456"}
    taxes = [{"code": "S", "rate": "100.123456", "net": 9 * 10**14 - 1, "tax": 10**14}]
    sums = {"taxes": taxes, "discount": 1, "net": 9 * 10**14 - 1, "tax": 10**14, "gross": 10**15 - 1}
    pdf = await typeset("business", quote(1, language, currency="KWD", digits=3, lines=[line], **sums))
    assert overlapping(pdf) == []
    assert "KWD999,999,999,999.999" in text_of(pdf) and "899,999,999,999.999" in text_of(pdf)
    pdf = await typeset("business", quote(1, language, currency="JPY", digits=0, lines=[line], **sums))
    assert overlapping(pdf) == []
    assert "¥999,999,999,999,999" in text_of(pdf) and "999,999,999,999,999.123456789" in text_of(pdf)


async def test_what_is_printed_once_a_page_is_on_every_page() -> None:
    data = quote(40)
    pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(await typeset("business", data))]
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert page.count("Unit price") == 1, "the head of the table"
    assert all(f"Quotation {data['number']} (2)" in page for page in pages[1:])


@pytest.mark.parametrize(("language", "total"), [("en", "Total incl. tax"), ("ja", "合計（税込）")])
@pytest.mark.parametrize("terms", ["30 days net", "Pay in time.\n" * 25])
async def test_sums_and_what_is_short_below_them_never_stand_without_a_line(
    language: str, total: str, terms: str
) -> None:
    """From one that fills half a page to one that fills two: the sums have met the end of a page on the way."""
    counts = set()
    for lines in range(8, 34):
        pages = pypdfium2.PdfDocument(await typeset("business", quote(lines, language, terms=terms)))
        counts.add(len(pages))
        first, *others = [page.get_textpage().get_text_range() for page in pages]
        # The total stands at the head, too.
        said = [first.partition("SKU-0001")[2], *others]
        (last,) = [page for page in said if total in page]
        assert f"SKU-{lines:04d}" in last, f"{lines} lines"
        if "net" in terms:
            assert said[-1] == last, f"{lines} lines"
    assert len(counts) > 1


@pytest.mark.parametrize("prepayments", [3, 200])
async def test_what_was_paid_ahead_stays_on_its_pages(prepayments: int) -> None:
    ahead: list[dict[str, Any]] = [
        {"about": f"INV-{at:05d}", "rate": "10", "net": 10, "tax": 1} for at in range(prepayments)
    ]
    pdf = await typeset("business", quote(3, kind="invoice", prepayments=ahead))
    assert overlapping(pdf)[:5] == []
    printed = text_of(pdf)
    assert all(printed.count(each["about"]) == 2 for each in ahead)
    assert f"Amountdue${(33_000 - 11 * prepayments) / 100:,.2f}Terms" in printed


def test_a_reminder_has_one_sum_and_says_nothing_of_the_tax_in_it() -> None:
    sums: dict[str, Any] = {"taxes": [], "net": 20_000, "tax": 0, "gross": 20_000}
    for language, head, due in (("en", "Invoice", "Amount due"), ("ja", "請求書", "お支払金額")):
        seen = view(BusinessDocument.model_validate(quote(2, language, kind="reminder", **sums)), Layout())
        assert [label for label, _ in seen["sums"]] == [due]
        assert seen["heads"][seen["columns"].index("item")] == head


@pytest.mark.parametrize(
    ("first", "last", "language", "said"),
    [
        ("2026-11-20", "2026-11-20", "en", "20 November 2026"),
        ("2026-11-20", "2026-11-27", "en", "20–27 Nov 2026"),
        ("2026-11-20", "2026-11-20", "ja", "2026年11月20日"),
        ("2026-11-20", "2027-01-02", "ja", "2026年11月20日～2027年1月2日"),
    ],
)
def test_days_of_supply_are_written_as_the_other_days_are(first: str, last: str, language: str, said: str) -> None:
    invoice = quote(1, language, kind="invoice", supplied_from=first, supplied_until=last)
    details = [value for _, value in view(BusinessDocument.model_validate(invoice), Layout())["details"]]
    assert said in ["".join(value) for value in details]


async def test_the_same_data_makes_the_same_bytes() -> None:
    first = await typeset("business", quote(19, "ja"))
    assert await typeset("business", quote(18, "ja")) != first
    assert await typeset("business", quote(19, "ja")) == first


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Quotation Q-2026-00001 (2)"), ("ja", "御見積書 Q-2026-00001 (2)")]
)
async def test_a_document_says_what_it_is(language: str, title: str) -> None:
    pdf = await typeset("business", quote(language=language))
    said = pypdfium2.PdfDocument(pdf).get_metadata_dict()
    assert said["Title"] == title and said["CreationDate"].startswith("D:20261127")
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf and b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf
    assert f"/Lang({language}".encode() in pdf


@pytest.mark.parametrize(
    ("currency", "digits", "language", "printed"),
    [
        ("USD", 2, "en", ["$1,234.56", "1,234.56"]),
        ("JPY", 0, "ja", ["¥123,456", "123,456"]),
        ("JPY", 0, "en", ["¥123,456"]),
        ("KWD", 3, "en", ["KWD123.456"]),
        ("CLF", 4, "ja", ["CLF12.3456"]),
    ],
)
async def test_amounts_have_the_digits_of_their_currency(
    currency: str, digits: int, language: str, printed: list[str]
) -> None:
    line = {**quote(1)["lines"][0], "net": 123456, "unit_price": 49382}
    sums = {"taxes": [], "net": 123456, "tax": 0, "gross": 123456}
    pdf = await typeset("business", quote(1, language, currency=currency, digits=digits, lines=[line], **sums))
    assert all(each in text_of(pdf) for each in printed)


@pytest.mark.parametrize(
    ("currency", "digits", "price", "printed"),
    [
        ("EUR", 2, "0.5", "0.005"),
        ("EUR", 2, "83.333333", "0.833333"),
        ("EUR", 2, "1250", "12.50"),
        ("JPY", 0, "0.4", "0.4"),
        ("KWD", 3, "-1234567.5", "-1,234.5675"),
    ],
)
def test_what_costs_less_than_a_unit_is_not_said_to_cost_one(
    currency: str, digits: int, price: str, printed: str
) -> None:
    line = {**quote(1)["lines"][0], "net": 0, "unit_price": price}
    sums: dict[str, Any] = {"taxes": [], "net": 0, "tax": 0, "gross": 0}
    said = BusinessDocument.model_validate(quote(1, currency=currency, digits=digits, lines=[line], **sums))
    seen = view(said, Layout())
    assert [row[seen["columns"].index("unit_price")] for row in seen["rows"]] == [printed]


async def test_a_discount_on_the_whole_and_two_rates_are_shown() -> None:
    taxes = [
        {"code": "S", "rate": "10", "net": 20000, "tax": 2000},
        {"code": "R", "rate": "8", "net": 9000, "tax": 720},
    ]
    pdf = await typeset("business", quote(discount=1000, taxes=taxes, net=29000, tax=2720, gross=31720))
    printed = text_of(pdf)
    for said in ("Subtotal300.00", "Discount-10.00", "Taxedat10%200.00Tax20.00", "Taxedat8%90.00Tax7.20", "$317.20"):
        assert said in printed
    assert "Discount" not in text_of(await typeset("business", quote()))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"gross": 33001}, ""),
        ({"tax": 2999, "gross": 32999}, ""),
        ({"net": 29999, "gross": 32999}, ""),
        ({"discount": 1}, ""),
        ({"currency": "XXX"}, "/currency"),
        ({"date": "2026-02-30"}, "/date"),
        ({"seller": {"nam": "x"}}, "/seller/nam"),
        ({"lines": [{**quote(1)["lines"][0], "quantity": "much"}]}, "/lines/0/quantity"),
        ({"logo": "/etc/passwd"}, "/logo"),
    ],
)
async def test_data_that_makes_no_document_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(CannotBeTypeset) as refused:
        await typeset("business", quote(**changes))
    assert field in [each.field for each in refused.value.errors]


@pytest.mark.parametrize("text", ["\U0010fffd", "x\ue000y", "𓀀"])
async def test_a_character_without_a_glyph_is_named_with_its_field(text: str) -> None:
    lines = [{**quote(1)["lines"][0], "description": f"bolt {text}"}]
    with pytest.raises(CannotBeTypeset) as refused:
        await typeset("business", quote(1, lines=lines))
    assert [each.field for each in refused.value.errors] == ["/lines/0/description"]
    assert "U+" in refused.value.detail


async def test_markup_in_the_data_is_text() -> None:
    for name in ('#read("/etc/passwd")', "*bold* $x$ `raw` <label> @ref", "\\", "= head", "// comment"):
        lines = [{**quote(1)["lines"][0], "name": name}]
        assert "".join(name.split()) in text_of(await typeset("business", quote(1, lines=lines)))


async def test_a_template_of_ones_own_reads_the_data() -> None:
    source = (
        '#let d = json("data.json")\n#set document(title: d.number)\n#set text(font: "Noto Sans")\nNumber #d.number'
    )
    source += '#datetime.today().display("[year]/[month]/[day]")'
    pdf = await typeset(source.encode(), {"number": "Q-1", "date": "2021-02-03"})
    assert "NumberQ-12021/02/03" in text_of(pdf)
    assert pypdfium2.PdfDocument(pdf).get_metadata_dict()["CreationDate"].startswith("D:20210203")


async def test_when_too_many_wait_the_next_is_told_to_come_again() -> None:
    asked = [asyncio.create_task(typeset("business", quote(1))) for _ in range(70)]
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, Unavailable) for each in done) == 6
    assert sum(isinstance(each, bytes) for each in done) == 64
    assert await typeset("business", quote(1))
