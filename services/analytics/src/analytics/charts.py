"""A report as a picture (SVG 1.1): one panel of bars for each currency, a bar for each part of the days.

It stands alone: no script, no style sheet and no font from elsewhere. It has a title and a description, each bar says in words what it is, and the
last line how fresh it is (`analytics.freshness.in_words`). An SVG does not break lines, so a title that is too long for its line is cut
there, and whole in `title`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from unicodedata import east_asian_width
from xml.sax.saxutils import escape

from analytics.dashboards import Shown
from analytics.kpis import FORMULAS
from analytics.periods import Interval, Part
from analytics.reports import Asked, Sums
from analytics.wording import WORDS, Language, Words
from tailrace.core import clock
from tailrace.core.values.money import exponent
from tailrace.http.files.csv_text import simple

_WIDTH, _PANEL, _TOP, _FOOT, _EDGE = 720, 220, 64, 26, 16
_LEAST_LEFT, _MOST_BAR = 96, 64
"""Where bars begin, when no figure beside them is longer; and how wide a bar is at most, of few."""
_FONT = "font-family='Inter, Noto Sans, Helvetica, Arial, sans-serif'"
_INK, _SOFT, _LINE, _PAPER, _BAR, _BELOW = "#1d2733", "#5b6773", "#c9d0d7", "#ffffff", "#2f6fae", "#b0761b"
_OF_DAY = 50
"""What a day takes below the bars."""
_WRITTEN: Mapping[str, Callable[[int, str], str]] = {
    "count": lambda value, _: f"{value:,}",
    "share": lambda value, _: f"{Decimal(value) / 10**4:,.1f}",
    "average": lambda value, _: f"{Decimal(value) / 3600:,.1f}",
}
Charted = Literal["placed", "confirmed", "cancelled", "shipped", "invoiced", "paid", "quotes_sent", "quotes_accepted"]
"""What can be drawn of the sales summary."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is said beside the bars, in a language."""

    language: Language
    fresh: str

    @property
    def words(self) -> Words:
        return WORDS[self.language]

    def cut(self, parts: Sequence[Part], interval: Interval, as_of: datetime) -> str:
        days = self.words.cuts[interval].format(parts[0].begins_on, parts[-1].ends_on)
        return self.words.known.format(days, simple(as_of.replace(microsecond=0)))


def of_sums(figure: Charted, asked: Asked, parts: Sequence[Part], sums: Sums, said: Said) -> str:
    """A figure of the sales summary."""
    bars: dict[str, dict[int, int]] = {}
    for (part, _, currency, _), total in sums.items():
        if currency is not None:
            bars.setdefault(currency, {})[part] = total.amount
    about = said.cut(parts, asked.interval, asked.as_of or clock.now())
    return draw(said.words.figures[figure], about, parts, bars, said)


def of_tile(shown: Shown, said: Said) -> str:
    """A tile of a dashboard; a share is drawn in percent, a time in hours."""
    tile, what = shown.tile, FORMULAS[shown.tile.measure].what
    heading = tile.currency or said.words.headings[what]
    # A share has six decimals.
    scale = 10**6 if what == "share" else 1
    bars = {number: int(value * scale) for number, value in enumerate(shown.values) if value}
    about = said.cut(shown.parts, tile.period, shown.as_of)
    write = major if what == "amount" else _WRITTEN[what]
    return draw(tile.title, about, shown.parts, {heading: bars} if bars else {}, said, write)


def draw(
    title: str,
    about: str,
    parts: Sequence[Part],
    bars: Mapping[str, Mapping[int, int]],
    said: Said,
    write: Callable[[int, str], str] | None = None,
) -> str:
    """`bars`: by currency, the amount of each part in minor units, or by another heading what `write` writes; a part that is not there is nothing."""
    write = write or major
    height = _TOP + max(len(bars), 1) * _PANEL + _FOOT
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-labelledby="title description" xml:lang="{said.language}" {_FONT}>',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(f"{about} {said.fresh}")}</desc>',
        f'<rect width="{_WIDTH}" height="{height}" fill="{_PAPER}"/>',
        f'<text x="{_EDGE}" y="30" font-size="16" font-weight="bold" fill="{_INK}">{escape(_fitting(title, 16))}</text>',
        f'<text x="{_EDGE}" y="50" font-size="11" fill="{_SOFT}">{escape(about)}</text>',
    ]
    for number, (currency, amounts) in enumerate(sorted(bars.items())):
        body += _panel(_TOP + number * _PANEL, currency, parts, amounts, write, said.words.days)
    if not bars:
        body.append(f'<text x="16" y="{_TOP + 40}" font-size="13" fill="{_SOFT}">{said.words.nothing}</text>')
    body.append(f'<text x="16" y="{height - 9}" font-size="10" fill="{_SOFT}">{escape(said.fresh)}</text>')
    return "\n".join([*body, "</svg>", ""])


def major(amount: int, currency: str) -> str:
    """An amount in major units, exactly, with its groups of thousands apart."""
    places = exponent(currency)
    whole, rest = divmod(abs(amount), 10**places)
    return f"{'-' if amount < 0 else ''}{whole:,}" + (f".{rest:0{places}}" if places else "")


def _width(text: str, size: float) -> float:
    """About as much as a text takes; no browser asked here says how wide its font is, so a little more."""
    return sum(1.0 if east_asian_width(each) in "FW" else 0.62 for each in text) * size


def _fitting(text: str, size: float) -> str:
    """The text, cut where its line ends."""
    room = _WIDTH - 2 * _EDGE
    if _width(text, size) <= room:
        return text
    while _width(f"{text}…", size) > room:
        text = text[:-1]
    return f"{text}…"


def _panel(
    top: int,
    currency: str,
    parts: Sequence[Part],
    amounts: Mapping[int, int],
    write: Callable[[int, str], str],
    days: str,
) -> list[str]:
    low, high = min(0, *amounts.values()), max(0, *amounts.values())
    left = max([_LEAST_LEFT, *(_EDGE + _width(write(each, currency), 10) + 8 for each in (low, high))])
    inner, room = _PANEL - 56, _WIDTH - left - _EDGE
    scale = inner / max(high - low, 1)
    zero = top + 20 + high * scale
    step = room / len(parts)
    every = -(-len(parts) // int(room // _OF_DAY))
    drawn = [
        f'<text x="{_EDGE}" y="{top + 8}" font-size="12" font-weight="bold" fill="{_INK}">{escape(currency)}</text>'
    ]
    for amount, y in {high: top + 20.0, low: top + 20.0 + inner, 0: zero}.items():
        # What is near nothing says so by the line, where two figures would lie on one another.
        if not amount or abs(y - zero) > 10:
            drawn.append(
                f'<text x="{left - 8:.1f}" y="{y + 4:.1f}" font-size="10" text-anchor="end" fill="{_SOFT}">{write(amount, currency)}</text>'
            )
    drawn.append(f'<line x1="{left:.1f}" x2="{_WIDTH - _EDGE}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="{_LINE}"/>')
    wide = min(step * 0.8, _MOST_BAR)
    for number, part in enumerate(parts):
        amount, middle = amounts.get(number, 0), left + (number + 0.5) * step
        if amount:
            size = abs(amount) * scale
            y = zero - size if amount > 0 else zero
            says = f"{days.format(part.begins_on, part.ends_on)}: {write(amount, currency)} {currency}"
            drawn.append(
                f'<rect x="{middle - wide / 2:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{size:.1f}" '
                f'fill="{_BAR if amount > 0 else _BELOW}"><title>{escape(says)}</title></rect>'
            )
        if number % every == 0:
            drawn.append(
                f'<text x="{middle:.1f}" y="{top + _PANEL - 18}" font-size="9" text-anchor="middle" fill="{_SOFT}">'
                f"{part.begins_on}</text>"
            )
    return drawn
