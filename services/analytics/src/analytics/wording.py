"""The words of pictures and files, in English and Japanese; figures, days and codes are the same in both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "ja"]


@dataclass(frozen=True, slots=True)
class Words:
    """`{}` stand for what is said about."""

    figures: Mapping[str, str]
    """What a chart is called that draws a figure of the sales summary."""
    headings: Mapping[str, str]
    """What the bars are of, where they are no amounts."""
    cuts: Mapping[str, str]
    """How the days are cut; the first day, the last one."""
    days: str
    """Of one bar: the first day, the last one."""
    known: str
    nothing: str
    complete: str
    unknown: str
    aside: str


WORDS: Mapping[Language, Words] = {
    "en": Words(
        figures={
            "placed": "Sales: placed",
            "confirmed": "Sales: confirmed",
            "cancelled": "Sales: cancelled",
            "shipped": "Sales: shipped",
            "invoiced": "Sales: invoiced",
            "paid": "Sales: paid",
            "quotes_sent": "Sales: quotes sent",
            "quotes_accepted": "Sales: quotes accepted",
        },
        headings={"count": "count", "share": "%", "average": "hours"},
        cuts={
            "whole": "From {} to {}",
            "day": "By day, from {} to {}",
            "week": "By week, from {} to {}",
            "month": "By month, from {} to {}",
            "quarter": "By quarter, from {} to {}",
        },
        days="{} to {}",
        known="{}, as known at {}.",
        nothing="Nothing happened.",
        complete="Complete until {}.",
        unknown="Until when it is complete cannot be told at the moment.",
        aside="{} Events set aside: {}.",
    ),
    "ja": Words(
        figures={
            "placed": "売上：受注",
            "confirmed": "売上：確定した受注",
            "cancelled": "売上：取り消された受注",
            "shipped": "売上：出荷",
            "invoiced": "売上：請求",
            "paid": "売上：入金",
            "quotes_sent": "売上：提出した見積",
            "quotes_accepted": "売上：承諾された見積",
        },
        headings={"count": "件数", "share": "%", "average": "時間"},
        cuts={
            "whole": "{}～{}",
            "day": "日別 {}～{}",
            "week": "週別 {}～{}",
            "month": "月別 {}～{}",
            "quarter": "四半期別 {}～{}",
        },
        days="{}～{}",
        known="{}（{} 時点）",
        nothing="該当するものはありません。",
        complete="{} までの内容を反映しています。",
        unknown="どの時点までの内容が反映されているかは、現在確認できません。",
        aside="{}保留中のイベント：{}件。",
    ),
}
