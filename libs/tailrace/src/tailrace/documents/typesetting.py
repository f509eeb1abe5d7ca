"""Data becomes a document: PDF/A-2b, the same bytes for the same data, and every character printed, or the field named that cannot be.

`await typeset("business", data, layout)` sets the built-in template; `await typeset(source, data)` sets a template in Typst's language, which finds
the data at `json("data.json")`. Both are bounded as `typesetter.Bounds` says. `await draw(svg)` makes pixels of a picture, by the same fonts.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import ValidationError

from tailrace.core.errors import FieldProblem, Invalid, Unavailable
from tailrace.core.values.layout import Layout
from tailrace.documents.business import BusinessDocument
from tailrace.documents.typesetter import Failed, Typesetter

_BUILT_IN = ("business",)
_MOST_WAITING = 64
_PPI = 192
"""Twice those of an SVG, which are 96 to an inch (CSS)."""
_PICTURE = """#set page(width: auto, height: auto, margin: 0pt)
#image("picture.svg")
"""
_UNPRINTABLE = re.compile(r'the text `(".*?")` could not be displayed')
_ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}")
_waiting = 0


class CannotBeTypeset(Invalid):
    """422: the data or the template makes no document. Names the field: a JSON pointer into the data, or `template`."""

    slug, title = "cannot-be-typeset", "This makes no document"


async def typeset(template: bytes | str, data: Mapping[str, Any], layout: Layout | None = None) -> bytes:
    """The document as PDF/A-2b.

    `template` is the name of a built-in one (`business`: then `data` is a `BusinessDocument`, and `layout` says how it looks), or the source of
    another in Typst's language. The `date` of the data is when the document says it was made. Raises CannotBeTypeset, and Unavailable when too many
    documents wait already.
    """
    sources, day = _sources(template, data, layout or Layout())
    made = datetime.combine(day, time(), UTC)
    try:
        return await _in_turn(lambda typesetter: typesetter.typeset(sources, int(made.timestamp())))
    except Failed as failed:
        raise _refusal(failed, data) from None


async def draw(svg: str) -> bytes:
    """An SVG as a PNG, with two pixels for each of its own both ways. Raises as `typeset` does; what is none, or names a file, cannot be typeset."""
    try:
        return await _in_turn(lambda typesetter: typesetter.draw({"main.typ": _PICTURE, "picture.svg": svg}, _PPI))
    except Failed as failed:
        raise _refusal(failed, {}) from None


async def _in_turn(make: Callable[[Typesetter], bytes]) -> bytes:
    global _waiting
    if _waiting >= _MOST_WAITING:
        raise Unavailable("Too many documents are being made.", retry_after=5)
    _waiting += 1
    try:
        typesetter, thread = _typesetter()
        return await asyncio.get_running_loop().run_in_executor(thread, make, typesetter)
    finally:
        _waiting -= 1


@cache
def _typesetter() -> tuple[Typesetter, ThreadPoolExecutor]:
    return Typesetter(), ThreadPoolExecutor(1, "typesetter")


def _sources(template: bytes | str, data: Mapping[str, Any], layout: Layout) -> tuple[dict[str, str], date]:
    if isinstance(template, bytes):
        try:
            source = template.decode()
        except UnicodeDecodeError:
            raise CannotBeTypeset("A template is text in UTF-8.", field="template") from None
        return {"main.typ": source, "data.json": json.dumps(data)}, _date_of(data)
    if template not in _BUILT_IN:
        raise CannotBeTypeset(f"There is no template {template}.", field="template")
    # Importing it takes long, and only who typesets needs it.
    from tailrace.documents.view import view

    try:
        document = BusinessDocument.model_validate(data)
    except ValidationError as error:
        raise CannotBeTypeset("The data makes no document.", errors=_problems(error)) from None
    source = files("tailrace.documents").joinpath("templates", f"{template}.typ").read_text()
    return {"main.typ": source, "view.json": json.dumps(view(document, layout))}, document.date


def _date_of(data: Mapping[str, Any]) -> date:
    try:
        return date.fromisoformat(str(data["date"]))
    except (KeyError, ValueError):
        raise CannotBeTypeset("A document has a date, as 2026-01-31.", field="/date") from None


def _problems(error: ValidationError) -> list[FieldProblem]:
    return [
        FieldProblem(field="".join(f"/{part}" for part in each["loc"]), detail=each["msg"])
        for each in error.errors(include_url=False, include_input=False)
    ]


def _refusal(failed: Failed, data: Mapping[str, Any]) -> CannotBeTypeset:
    if (met := _UNPRINTABLE.search(failed.message)) is None:
        # What follows in brackets tells of this machine.
        return CannotBeTypeset(failed.message.partition(" (")[0] + ".", field="template")
    text = _ESCAPE.sub(lambda code: chr(int(code[1], 16)), met[1][1:-1])
    names = ", ".join(f"U+{ord(each):04X}" for each in text)
    fields = [path for path, value in _texts(data, "") if text in value]
    return CannotBeTypeset(f"No font has a glyph for {names}.", field=fields or "template")


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every text in the data, with its JSON pointer."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list | tuple):
        for at, each in enumerate(value):
            yield from _texts(each, f"{path}/{at}")
