"""Documents are printed whole, in both languages and at any length, or refused with the field at fault; no template gets out of its bounds."""

from typing import Any

import pypdfium2
import pytest

from tailrace.documents.typesetting import typeset


def quote(lines: int = 3, language: str = "en", **changes: Any) -> dict[str, Any]:
    """A quote of so many lines at 100.00 each, in USD or JPY."""
    english = language == "en"
    rows = [
        {
            "position": at + 1,
            "code": f"SKU-{at + 1:04d}",
            "name": f"Hexagon bolt {at + 1}" if english else f"六角ボルト 第{at + 1}号",
            "description": None
            if at % 3
            else ("Stainless steel, 10 in a box" if english else "ステンレス製、10本入り"),
            "quantity": "2.5",
            "unit": "kg",
            "unit_price": 4000,
            "discount": None,
            "net": 10000,
            "tax_code": "S",
            "tax_rate": "10",
        }
        for at in range(lines)
    ]
    net = 10000 * lines
    return {
        "kind": "quote",
        "language": language,
        "number": "Q-2026-00001",
        "version": 2,
        "date": "2026-11-27",
        "valid_until": "2026-12-27",
        "currency": "USD" if english else "JPY",
        "digits": 2 if english else 0,
        "seller": {
            "name": "Tailrace Ltd." if english else "株式会社テールレース",
            "lines": ["1 Harbour Street", "London E1 4AB"] if english else ["〒100-0001", "東京都千代田区千代田1-1"],
            "tax_id": "T1234567890123",
            "contact": "Ada Byron" if english else "髙橋 花子",
        },
        "customer": {
            "name": "Müller & Søhne GmbH" if english else "髙﨑商事㈱ 𠮷田事業所",
            "lines": ["Hafenstraße 12", "20457 Hamburg"] if english else ["〒530-0001", "大阪府大阪市北区梅田3-1-3"],
            "tax_id": None,
            "contact": None,
        },
        "lines": rows,
        "taxes": [{"code": "S", "rate": "10", "net": net, "tax": net // 10}],
        "discount": None,
        "net": net,
        "tax": net // 10,
        "gross": net + net // 10,
        "terms": "30 days net" if english else "月末締め翌月末払い",
        "notes": None,
        **changes,
    }


def text_of(pdf: bytes) -> str:
    """Everything that the document prints, without spaces and the ends of lines."""
    document = pypdfium2.PdfDocument(pdf)
    return "".join("".join(page.get_textpage().get_text_range().split()) for page in document)


@pytest.mark.parametrize(("language", "gross"), [("en", "$330.00"), ("ja", "¥33,000")])
async def test_a_quote_prints_what_it_says(language: str, gross: str) -> None:
    data = quote(language=language)
    printed = text_of(await typeset("business", data))
    for said in (data["number"], data["seller"]["name"], data["customer"]["name"], data["terms"], gross):
        assert "".join(said.split()) in printed
