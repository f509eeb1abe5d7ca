"""What a file is called: one spelling, no way to anywhere, nothing unseen, and an ending that says what it is."""

import re

from tailrace.core.errors import Invalid
from tailrace.core.values.text import line
from tailrace.storage.media_types import TYPES

LONGEST = 200
"""Bytes in UTF-8: file systems take 255."""
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')


def file_name(given: str, media_type: str, field: str) -> str:
    """The name as it is kept: the last part of a path, in NFC, with an ending of its type. Raises Invalid for a character that nobody sees."""
    last = re.split(r"[/\\]", given)[-1]
    try:
        name = line(last)
    except ValueError as error:
        raise Invalid.field(field, f"The name of the file: {error}.") from error
    name = _NOT_IN_NAMES.sub("_", name).strip(" .") or "file"
    suffixes = TYPES[media_type].suffixes
    suffix = next((each for each in suffixes if name.lower().endswith(each)), None)
    stem, suffix = (name[: -len(suffix)], name[-len(suffix) :]) if suffix else (name, suffixes[0])
    return _shortened(stem, LONGEST - len(suffix)) + suffix


def _shortened(text: str, most: int) -> str:
    return text.encode()[:most].decode("utf-8", "ignore").rstrip() or "file"
