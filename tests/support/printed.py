"""Quotes to typeset, easy and hard ones, and what a printed page holds: its text, and whatever lies where it should not."""

from collections.abc import Iterator
from typing import Any

import pypdfium2

MARGIN = 18 / 25.4 * 72 - 2
"""In points; a letter may reach a little out of its place."""
EDGE = 6 / 25.4 * 72
"""No printer prints nearer to the upper and lower edge."""


def quote(many: int = 3, language: str = "en", **changes: Any) -> dict[str, Any]:
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
        for at in range(many)
    ]
    net = 10000 * many
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


def overlapping(pdf: bytes) -> list[str]:
    """Glyphs that lie on one another, or outside the margins of their page."""
    found = []
    for number, page in enumerate(pypdfium2.PdfDocument(pdf), 1):
        text, (width, height) = page.get_textpage(), page.get_size()
        glyphs = [(text.get_text_range(at, 1), text.get_charbox(at)) for at in range(text.count_chars())]
        seen = [(char, box) for char, box in glyphs if char.strip(" \r\n\u3000") and box[2] - box[0] > 0.1]
        for char, (left, bottom, right, top) in seen:
            if left < MARGIN or right > width - MARGIN or bottom < EDGE or top > height - EDGE:
                found.append(f"page {number}: {char!r} is outside the margins")
        found += [f"page {number}: {pair}" for pair in _touching(seen)]
    return found


def _touching(glyphs: list[tuple[str, tuple[float, float, float, float]]]) -> Iterator[str]:
    ordered = sorted(glyphs, key=lambda glyph: glyph[1][0])
    for at, (char, (left, bottom, right, top)) in enumerate(ordered):
        for other, (its_left, its_bottom, its_right, its_top) in ordered[at + 1 :]:
            if its_left >= right:
                break
            across = min(right, its_right) - its_left
            # Letters of a ligature have one box.
            if (its_left, its_bottom, its_right, its_top) == (left, bottom, right, top):
                continue
            along = min(top, its_top) - max(bottom, its_bottom)
            smaller = min((right - left) * (top - bottom), (its_right - its_left) * (its_top - its_bottom))
            if along > 0 and across * along > 0.4 * smaller:
                yield f"{char!r} and {other!r} lie on one another at {left:.0f}, {bottom:.0f}"


def hard(many: int, language: str) -> dict[str, Any]:
    """A quote whose texts and figures are as long and as rare as they may be."""
    data = quote(many, language)
    rare = "髙﨑𠮷鷗葛辻㈱ ｶﾅ ①𩸽" if language == "ja" else "Łódź Dvořák Việt Ελλάδα Київ"
    for at, line in enumerate(data["lines"]):
        line["code"] = f"{'CODE' * 15}{at:04d}"
        line["name"] = (f"{rare} 한국어 简体 🎉 ไทย " * 8)[:200]
        line["unit"] = "W" * 16
        line["quantity"] = "123456789012.123456"
        line["unit_price"] = line["net"] = 999_999_999_999
        line["discount"], line["tax_rate"] = "12.3456", "10.2525"
    net = 999_999_999_999 * many
    taxes = [{"code": "S", "rate": "10.2525", "net": net, "tax": net // 10}]
    address = ["W" * 80, "東京都千代田区" * 12, *["Straße des 17. Juni 135"] * 8]
    party = {
        "name": "Donaudampfschifffahrtsgesellschaft" * 5,
        "lines": address,
        "tax_id": "T" * 40,
        "contact": rare * 3,
    }
    return {
        **data,
        "taxes": taxes,
        "net": net,
        "tax": net // 10,
        "gross": net + net // 10,
        "seller": party,
        "customer": party,
        "number": "Q" * 60,
        "terms": f"{rare}\n" * 40,
        "notes": "長" * 2000,
    }
