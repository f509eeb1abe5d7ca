"""The words of the catalogue, filled in for one reader: in their language, with moments on their clock."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from notifications.catalogue import BY_NAME
from notifications.kinds import Language, Words

_ONE_LINE = 200
_NOBODY: Mapping[Language, str] = {"en": "a customer", "ja": "顧客"}
_MANY: Mapping[Language, tuple[str, str]] = {
    "en": ("{count} more: {what}", "{count} more came in a short time: {what}."),
    "ja": ("ほか {count} 件: {what}", "短時間に {count} 件が追加されました: {what}"),
}
_DIGEST: Mapping[Language, str] = {"en": "{count} notifications", "ja": "お知らせ {count} 件"}


def language_of(country: str | None) -> Language:
    """What a company's people are spoken to in, unless they say otherwise themselves."""
    return "ja" if country == "JP" else "en"


def told(
    words: Words, values: Mapping[str, Any], customer: str | None, language: Language, zone: str
) -> tuple[str, str]:
    """Title and text. What others wrote is put in as it is, and never read as a template."""
    said = {name: _shown(value, language, zone) for name, value in values.items()}
    said["customer"] = customer or _NOBODY[language]
    title, text = (each.format_map(said) for each in words[language])
    return title[:_ONE_LINE], text


def many(kind: str, count: int, language: Language) -> tuple[str, str]:
    """Title and text of a storm of one kind."""
    known = BY_NAME.get(kind)
    title, text = _MANY[language]
    said = {"count": count, "what": known.plural[language] if known else kind}
    return title.format_map(said), text.format_map(said)


def digest_title(count: int, language: Language) -> str:
    return _DIGEST[language].format(count=count)


def _shown(value: Any, language: Language, zone: str) -> str:
    if isinstance(value, Mapping):
        return str(value[language])
    if isinstance(value, datetime):
        return f"{value.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
    return str(value)
