"""A report as a picture (SVG 1.1): one panel of bars for each currency, a bar for each part of the days.

It stands alone: no script, no style sheet and no font from elsewhere. It has a title and a description, each bar says in words what it is, and the
last line how fresh it is (`analytics.freshness.in_words`).
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Literal
from xml.sax.saxutils import escape

from analytics.dashboards import Shown
from analytics.kpis import FORMULAS
from analytics.periods import Part
from analytics.reports import Asked, Sums
from tailrace.core import clock
from tailrace.core.values.money import exponent

_WIDTH, _PANEL, _LEFT, _TOP, _FOOT = 720, 220, 96, 64, 26
_FONT = "font-family='Inter, Noto Sans, Helvetica, Arial, sans-serif'"
_INK, _SOFT, _LINE, _PAPER, _BAR, _BELOW = "#1d2733", "#5b6773", "#c9d0d7", "#ffffff", "#2f6fae", "#b0761b"
_MOST_LABELS = 12
_HEADINGS = {"count": "count", "share": "%", "average": "hours"}
_WRITTEN: Mapping[str, Callable[[int, str], str]] = {
    "count": lambda value, _: f"{value:,}",
    "share": lambda value, _: f"{Decimal(value) / 10**4:,.1f}",
    "average": lambda value, _: f"{Decimal(value) / 3600:,.1f}",
}
Charted = Literal["placed", "confirmed", "cancelled", "shipped", "invoiced", "paid", "quotes_sent", "quotes_accepted"]
"""What can be drawn of the sales summary."""


def of_sums(figure: Charted, asked: Asked, parts: Sequence[Part], sums: Sums, fresh: str) -> str:
    """A figure of the sales summary."""
    bars: dict[str, dict[int, int]] = {}
    for (part, _, currency, _), total in sums.items():
        if currency is not None:
            bars.setdefault(currency, {})[part] = total.amount
    as_of = (asked.as_of or clock.now()).isoformat(timespec="seconds")
    said = f"By {asked.interval}, from {parts[0].begins_on} to {parts[-1].ends_on}, as known at {as_of}."
    return draw(f"Sales: {figure.replace('_', ' ')}", said, parts, bars, fresh)


def of_tile(shown: Shown, fresh: str) -> str:
    """A tile of a dashboard; a share is drawn in percent, a time in hours."""
    tile, what = shown.tile, FORMULAS[shown.tile.measure].what
    heading = tile.currency or _HEADINGS[what]
    # A share has six decimals.
    scale = 10**6 if what == "share" else 1
    bars = {number: int(value * scale) for number, value in enumerate(shown.values) if value}
    as_of = shown.as_of.isoformat(timespec="seconds")
    said = f"By {tile.period}, from {shown.parts[0].begins_on} to {shown.parts[-1].ends_on}, as known at {as_of}."
    write = major if what == "amount" else _WRITTEN[what]
    return draw(tile.title, said, shown.parts, {heading: bars} if bars else {}, fresh, write)


def draw(
    title: str,
    said: str,
    parts: Sequence[Part],
    bars: Mapping[str, Mapping[int, int]],
    fresh: str,
    write: Callable[[int, str], str] | None = None,
) -> str:
    """`bars`: by currency, the amount of each part in minor units, or by another heading what `write` writes; a part that is not there is nothing."""
    write = write or major
    height = _TOP + max(len(bars), 1) * _PANEL + _FOOT
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-labelledby="title description" {_FONT}>',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(f"{said} {fresh}")}</desc>',
        f'<rect width="{_WIDTH}" height="{height}" fill="{_PAPER}"/>',
        f'<text x="16" y="30" font-size="16" font-weight="600" fill="{_INK}">{escape(title)}</text>',
        f'<text x="16" y="50" font-size="11" fill="{_SOFT}">{escape(said)}</text>',
    ]
    for number, (currency, amounts) in enumerate(sorted(bars.items())):
        body += _panel(_TOP + number * _PANEL, currency, parts, amounts, write)
    if not bars:
        body.append(f'<text x="16" y="{_TOP + 40}" font-size="13" fill="{_SOFT}">Nothing happened.</text>')
    body.append(f'<text x="16" y="{height - 9}" font-size="10" fill="{_SOFT}">{escape(fresh)}</text>')
    return "\n".join([*body, "</svg>", ""])


def major(amount: int, currency: str) -> str:
    """An amount in major units, exactly, with its groups of thousands apart."""
    places = exponent(currency)
    whole, rest = divmod(abs(amount), 10**places)
    return f"{'-' if amount < 0 else ''}{whole:,}" + (f".{rest:0{places}}" if places else "")


def _panel(
    top: int, currency: str, parts: Sequence[Part], amounts: Mapping[int, int], write: Callable[[int, str], str]
) -> list[str]:
    low, high = min(0, *amounts.values()), max(0, *amounts.values())
    inner, room = _PANEL - 56, _WIDTH - _LEFT - 16
    scale = inner / max(high - low, 1)
    zero = top + 20 + high * scale
    step = room / len(parts)
    every = -(-len(parts) // _MOST_LABELS)
    drawn = [f'<text x="16" y="{top + 14}" font-size="12" font-weight="600" fill="{_INK}">{escape(currency)}</text>']
    for amount, y in ((high, top + 20.0), (low, top + 20.0 + inner)):
        if amount or amount == high:
            drawn.append(
                f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" font-size="10" text-anchor="end" fill="{_SOFT}">{write(amount, currency)}</text>'
            )
    drawn.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 16}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="{_LINE}"/>')
    for number, part in enumerate(parts):
        amount, x = amounts.get(number, 0), _LEFT + number * step
        if amount:
            size = abs(amount) * scale
            y = zero - size if amount > 0 else zero
            says = f"{part.begins_on} to {part.ends_on}: {write(amount, currency)} {currency}"
            drawn.append(
                f'<rect x="{x + step * 0.1:.1f}" y="{y:.1f}" width="{step * 0.8:.1f}" height="{size:.1f}" '
                f'fill="{_BAR if amount > 0 else _BELOW}"><title>{escape(says)}</title></rect>'
            )
        if number % every == 0:
            drawn.append(
                f'<text x="{x + step / 2:.1f}" y="{top + _PANEL - 18}" font-size="9" text-anchor="middle" fill="{_SOFT}">'
                f"{part.begins_on}</text>"
            )
    return drawn
