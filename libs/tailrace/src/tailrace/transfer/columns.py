"""From a row of texts to the body that HTTP takes: by heading, in English, in Japanese, or by the property's own name."""

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from tailrace.core.values.days import Calendar
from tailrace.core.values.text import folded
from tailrace.core.values.wire import SHAPES
from tailrace.http.auth import Scope
from tailrace.http.protocol import exact_json

_TRUE = frozenset(folded(word) for word in ("true", "yes", "y", "1", "はい", "有"))
_FALSE = frozenset(folded(word) for word in ("false", "no", "n", "0", "いいえ", "無"))


@dataclass(frozen=True, slots=True)
class Column:
    """`path` leads into the body: `name`, `emails.0.address`; of a document's line, `lines.quantity`, one line a row."""

    path: str
    headings: tuple[str, ...] = ()
    """By which it is known besides its path; the first one is what it is called to people."""
    scope: Scope | None = None
    """What its values need besides the scopes of the import, where over HTTP a command of its own sets them."""

    @property
    def title(self) -> str:
        return self.headings[0] if self.headings else self.path


def column(path: str, *headings: str, scope: Scope | None = None) -> Column:
    """One column: where it leads in the body, by what it is known besides, and what an import with it needs besides."""
    return Column(path, headings, scope)


class HeaderWrong(ValueError):
    """What is wrong with the first row, for people to read."""


def paths_of(header: Sequence[str], known: Iterable[Column], ignored: Iterable[str]) -> list[str]:
    """The path of each column, empty for one that is passed over. Raises HeaderWrong, which names every heading that is not known."""
    names: dict[str, str] = {_folded(name): "" for name in ignored}
    columns = list(known)
    for each in columns:
        for name in (each.path, *each.headings):
            names[_folded(name)] = each.path
    while header and not header[-1].strip():
        header = header[:-1]
    unknown = [heading[:60] for heading in header if _folded(heading) not in names]
    if unknown:
        said = ", ".join(f'"{heading}"' for heading in unknown[:10])
        raise HeaderWrong(f"There is no column {said}. Columns are {', '.join(each.title for each in columns)}.")
    paths = [names[_folded(heading)] for heading in header]
    twice = sorted({path for path in paths if path and paths.count(path) > 1})
    if twice:
        raise HeaderWrong(f"The column {twice[0]} stands twice.")
    if not any(paths):
        raise HeaderWrong(f"The first row has to name the columns, such as {', '.join(e.title for e in columns[:5])}.")
    return paths


def _folded(heading: str) -> str:
    return folded(heading.strip().replace("_", " ").replace("-", " "))


def kinds_of(body: type[BaseModel], columns: Iterable[Column]) -> Mapping[str, str]:
    """How the text of each column is to be read, by its path: `int`, `bool`, `moment`, `json` or `text`."""
    return {each.path: _kind(_leaf(body, each.path.split("."))) for each in columns}


def value_of(text: str, kind: str, calendar: Calendar | None = None) -> Any:
    """The value that a text stands for, as JSON would have it; the text itself where it stands for none, so that the body refuses it.

    A plain day stands for its first moment, where a moment is meant and `calendar` says whose days they are.
    """
    if kind == "moment" and calendar is not None and SHAPES[date].pattern.fullmatch(text):
        try:
            return calendar.first_moment(date.fromisoformat(text)).isoformat()
        except (ValueError, OverflowError):
            return text
    if kind == "int":
        return int(text) if SHAPES[int].pattern.fullmatch(text) else text
    if kind == "bool":
        word = folded(text)
        return True if word in _TRUE else False if word in _FALSE else text
    if kind == "json":
        try:
            # Here too, where what is nested too deep for it is a fault of this cell.
            return without_empty(exact_json.read(text))
        except (ValueError, RecursionError):
            return text
    return text


def put(body: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put a value where its path leads, making what lies between."""
    at: Any = body
    for part, following in zip(path, [*path[1:], None], strict=True):
        last = following is None
        empty: Any = value if last else ([] if str(following).isdigit() else {})
        if isinstance(at, list):
            index = int(part)
            at.extend({} for _ in range(index + 1 - len(at)))
            if last or not isinstance(at[index], dict | list):
                at[index] = empty
            at = at[index]
        else:
            if last or not isinstance(at.get(part), dict | list):
                at[part] = empty
            at = at[part]


def without_empty(value: Any) -> Any:
    """Without the objects that nothing was said of, as the second e-mail address of somebody who has one."""
    if isinstance(value, dict):
        return {name: without_empty(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [inner for inner in map(without_empty, value) if inner != {}]
    return value


def _leaf(kind: Any, path: Sequence[str]) -> Any:
    for part in path:
        kind = _inside(kind)
        while get_origin(kind) is list:
            kind = _inside(get_args(kind)[0])
        if not part.isdigit():
            if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
                return str
            field = kind.model_fields.get(part)
            kind = field.annotation if field is not None else str
    return _inside(kind)


def _inside(kind: Any) -> Any:
    """Without what is said beside a type, and without None."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in {Union, types.UnionType}:
            rest = [each for each in get_args(kind) if each is not type(None)]
            if len(rest) != 1:
                return kind
            kind = rest[0]
        else:
            return kind


def _kind(leaf: Any) -> str:
    if leaf is bool:
        return "bool"
    if leaf is int:
        return "int"
    if leaf is datetime or leaf is AwareDatetime or set(get_args(leaf)) == {datetime, date}:
        return "moment"
    is_model = isinstance(leaf, type) and issubclass(leaf, BaseModel)
    return "json" if is_model or get_origin(leaf) in {list, dict} else "text"


def located(pointer: str, columns: Iterable[Column], lines: str | None) -> tuple[str, int]:
    """The path of the column that a JSON pointer into the body is about, and of which of the document's rows; the pointer's own words if none."""
    parts = [part for part in pointer.split("/") if part]
    row = 0
    if lines is not None and len(parts) > 1 and parts[0] == lines and parts[1].isdigit():
        row = int(parts[1])
        parts = [parts[0], *parts[2:]]
    known = [each.path for each in columns]
    for end in range(len(parts), 0, -1):
        if (path := ".".join(parts[:end])) in known:
            return path, row
    said = ".".join(parts)
    return next((path for path in known if said and path.startswith(f"{said}.")), said), row


def cells_of(row: Sequence[str], paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The path and the text of each cell; a text that an export marked as none to be calculated is what it was."""
    from tailrace.http.files.csv_text import plain

    for number, path in enumerate(paths):
        if path:
            yield path, plain(row[number].strip()) if number < len(row) else ""
