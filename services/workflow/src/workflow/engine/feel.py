"""The part of FEEL that decision tables are written in: tests of one input, and small expressions. All numbers are Decimal.

Stricter than FEEL where that protects: comparing a text with a number is an error and not silently no match, unless the
text is a decimal, as the data of a process hold decimals. A name that is not in the data is null, and null matches
nothing but null and an empty cell.
"""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from workflow.engine import limits
from workflow.engine.findings import Unevaluable
from workflow.engine.timing import UTC_ZONE
from workflow.engine.timing import date as in_zone

Data = Mapping[str, Any]
Value = Callable[[Data], Any]
Test = Callable[[Any, Data], bool]

_WORDS = ("date and time", "list contains", "starts with", "ends with", "string length", "lower case", "upper case")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.(?!\.)\d+)?|\.\d+)|(?P<string>\"(?:\\.|[^\"\\])*\")"
    rf"|(?P<call>(?:{'|'.join(_WORDS)})(?=\s*\())|(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)|(?P<op>\.\.|<=|>=|!=|\*\*|[-+*/<>=()\[\],?])|(?P<bad>\S))"
)
_DECIMAL = re.compile(r"-?\d{1,400}(\.\d{1,400})?", re.ASCII)
_INPUT = "?"
_zone = ContextVar("zone", default=UTC_ZONE)


@contextmanager
def days_in(zone: str) -> Iterator[None]:
    """What is worked out within it has its days, and its times that name no zone, in `zone`."""
    before = _zone.set(zone)
    try:
        yield
    finally:
        _zone.reset(before)


def moment_of(value: Any) -> datetime:
    """A moment; of a day its first one."""
    return in_zone(value, _zone.get())


def number(value: object) -> Any:
    """A number as a Decimal, whatever it was; everything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return Decimal(str(value))


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    left, right = number(left), number(right)
    kinds = {_kind(left), _kind(right)}
    if kinds == {"number", "text"}:
        left, right = _exact(left), _exact(right)
    elif kinds == {"date", "text"}:
        left, right = _dated(left), _dated(right)
    if isinstance(left, date) and isinstance(right, date) and isinstance(left, datetime) != isinstance(right, datetime):
        left, right = moment_of(left.isoformat()), moment_of(right.isoformat())
    return left, right


def _exact(value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else value


def read_number(value: object) -> Decimal:
    """The number that a value is, or that its text writes in plain digits. Raises ValueError.

    An exponent is no plain digit: `1E999999999` is short, and a gigabyte when it is written out.
    """
    read = _exact(number(value))
    if not isinstance(read, Decimal):
        raise ValueError("this is no number in plain digits")
    return read


def _dated(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return in_zone(value).date() if len(value) == 10 else moment_of(value)


def _kind(value: Any) -> str:
    kinds = {
        bool: "boolean",
        Decimal: "number",
        str: "text",
        date: "date",
        datetime: "date",
        list: "list",
        dict: "context",
    }
    return kinds.get(type(value), type(value).__name__)


def same(left: Any, right: Any) -> bool:
    """FEEL's `=`: null equals null alone; different kinds are an error."""
    if left is None or right is None:
        return left is right
    left, right = _comparable(left, right)
    if _kind(left) != _kind(right):
        raise Unevaluable(f"a {_kind(left)} {left!s} cannot be compared with a {_kind(right)} {right!s}")
    return bool(left == right)


def less(left: Any, right: Any) -> bool:
    """FEEL's `<`; with null on a side nothing is."""
    if left is None or right is None:
        return False
    left, right = _comparable(left, right)
    if _kind(left) != _kind(right) or _kind(left) not in ("number", "text", "date"):
        raise Unevaluable(f"a {_kind(left)} {left!s} cannot be compared with a {_kind(right)} {right!s}")
    return bool(left < right)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": same,
    "!=": lambda a, b: not same(a, b),
    "<": less,
    ">": lambda a, b: less(b, a),
    "<=": lambda a, b: a is not None and b is not None and not less(b, a),
    ">=": lambda a, b: a is not None and b is not None and not less(a, b),
}


def _arithmetic(op: str, left: Any, right: Any) -> Any:
    left, right = number(left), number(right)
    if left is None or right is None:
        return None
    if op == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    left, right = _exact(left), _exact(right)
    if not isinstance(left, Decimal) or not isinstance(right, Decimal):
        raise Unevaluable(f"{left!s} {op} {right!s} has no value")
    try:
        return {"+": left.__add__, "-": left.__sub__, "*": left.__mul__, "/": left.__truediv__}[op](right)
    except ArithmeticError as error:
        raise Unevaluable(f"{left} {op} {right} has no value") from error


def _numbers(args: list[Any]) -> list[Decimal]:
    listed = args[0] if len(args) == 1 and isinstance(args[0], list) else args
    return [number(item) for item in listed]


_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "date": lambda a: _dated(a[0]),
    "date and time": lambda a: moment_of(a[0]),
    "not": lambda a: None if a[0] is None else not a[0],
    "min": lambda a: min(_numbers(a)),
    "max": lambda a: max(_numbers(a)),
    "sum": lambda a: sum(_numbers(a), Decimal(0)),
    "count": lambda a: Decimal(len(a[0])),
    "abs": lambda a: abs(number(a[0])),
    "floor": lambda a: Decimal(int(number(a[0]) // 1)),
    "number": lambda a: read_number(a[0]),
    "string": lambda a: str(a[0]),
    "contains": lambda a: a[1] in a[0],
    "starts with": lambda a: a[0].startswith(a[1]),
    "ends with": lambda a: a[0].endswith(a[1]),
    "string length": lambda a: Decimal(len(a[0])),
    "lower case": lambda a: a[0].lower(),
    "upper case": lambda a: a[0].upper(),
    "list contains": lambda a: any(same(item, a[1]) for item in a[0]),
}


def _call(name: str, args: list[Value]) -> Value:
    def run(data: Data) -> Any:
        values = [arg(data) for arg in args]
        try:
            return _FUNCTIONS[name](values)
        except (TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
            raise Unevaluable(f"{name}({', '.join(map(str, values))}) has no value") from error

    return run


def _look_up(path: str) -> Value:
    def run(data: Data) -> Any:
        found: Any = data
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return number(found)

    return run


class _Parser:
    """Recursive descent over one cell; depth is bounded by the length of the text and a count."""

    def __init__(self, text: str) -> None:
        if len(text) > limits.MAX_EXPRESSION:
            raise Unevaluable(f"an expression may have {limits.MAX_EXPRESSION:,} characters")
        self.text, self.depth, self.asked, self.looks = text, 0, 0, 0
        self.tokens: list[tuple[str, str]] = []
        for match in _TOKEN.finditer(text):
            kind = str(match.lastgroup)
            if kind == "bad":
                raise Unevaluable(f"{text!r} cannot be read at {match.group('bad')!r}")
            self.tokens.append((kind, match.group(kind)))
        self.at = 0

    def peek(self, *values: str) -> bool:
        self.looks += 1
        if self.looks > 50_000:  # Trying an interval first reads brackets twice, and brackets in them four times.
            raise Unevaluable(f"{self.text[:50]!r} … is too hard to read")
        return self.at < len(self.tokens) and self.tokens[self.at][1] in values and self.tokens[self.at][0] != "string"

    def take(self, *values: str) -> str | None:
        if self.peek(*values):
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def need(self, *values: str) -> str:
        if (found := self.take(*values)) is None:
            raise Unevaluable(f"{self.text!r} cannot be read: {' or '.join(values)} is missing")
        return found

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise Unevaluable(f"{self.text!r} cannot be read at {self.tokens[self.at][1]!r}")

    # Expressions, from the loosest binding to the tightest.

    def expression(self) -> Value:
        self.depth += 1
        if self.depth > 40:
            raise Unevaluable(f"{self.text!r} is nested too deep")
        if self.take("if"):
            when, then = self.expression(), (self.need("then"), self.expression())[1]
            other = (self.need("else"), self.expression())[1]
            self.depth -= 1
            return lambda data: then(data) if when(data) is True else other(data)
        made = self._either()
        self.depth -= 1
        return made

    def _either(self) -> Value:
        parts = [self._both()]
        while self.take("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda data: any(part(data) is True for part in parts)

    def _both(self) -> Value:
        parts = [self._compared()]
        while self.take("and"):
            parts.append(self._compared())
        return parts[0] if len(parts) == 1 else lambda data: all(part(data) is True for part in parts)

    def _compared(self) -> Value:
        left = self._sum()
        if op := self.take(*_COMPARE):
            compare, right = _COMPARE[op], self._sum()
            return lambda data: compare(left(data), right(data))
        if self.take("in"):
            test = self.tests() if self.take("(") is None else (self.tests(), self.need(")"))[0]
            return lambda data: test(left(data), data)
        return left

    def _sum(self) -> Value:
        return self._chain(self._product, "+", "-")

    def _product(self) -> Value:
        return self._chain(self._signed, "*", "/")

    def _chain(self, inner: Callable[[], Value], *ops: str) -> Value:
        first, others = inner(), []
        while op := self.take(*ops):
            others.append((op, inner()))
        return functools.partial(_applied, first, others) if others else first

    def _signed(self) -> Value:
        minus = False
        while self.take("-"):
            minus = not minus
        inner = self._primary()
        return (lambda data: _arithmetic("-", Decimal(0), inner(data))) if minus else inner

    def _primary(self) -> Value:
        if self.at >= len(self.tokens):
            raise Unevaluable(f"{self.text!r} ends too early")
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind in ("number", "string"):
            constant: Any = Decimal(text) if kind == "number" else re.sub(r"\\(.)", r"\1", text[1:-1])
            return lambda data: constant
        if kind == "call" or (kind == "name" and self.peek("(")):
            return self._called(text)
        if kind == "name":
            words = {"true": True, "false": False, "null": None}
            return (lambda data: words[text]) if text in words else _look_up(text)
        if text == "?":
            self.asked += 1
            return lambda data: data[_INPUT]
        if text == "(":
            return (self.expression(), self.need(")"))[0]
        if text == "[":
            items = self._listed("]")
            return lambda data: [item(data) for item in items]
        raise Unevaluable(f"{self.text!r} cannot be read at {text!r}")

    def _called(self, name: str) -> Value:
        if name not in _FUNCTIONS:
            raise Unevaluable(f"{self.text!r} calls {name}, which is not known")
        self.need("(")
        return _call(name, self._listed(")"))

    def _listed(self, close: str) -> list[Value]:
        items: list[Value] = []
        while not self.take(close):
            items.append(self.expression())
            if not self.peek(close):
                self.need(",")
        return items

    # Tests of one input.

    def tests(self) -> Test:
        made = [self._test()]
        while self.take(","):
            made.append(self._test())
        return lambda value, data: any(test(value, data) for test in made)

    def _test(self) -> Test:
        if op := self.take(*_COMPARE):
            compare, right = _COMPARE[op], self._sum()
            return lambda value, data: compare(value, right(data))
        if (interval := self._interval()) is not None:
            return interval
        before = self.asked
        inner = self.expression()
        if self.asked > before:
            return lambda value, data: inner({**data, _INPUT: value}) is True
        return lambda value, data: _matches(value, inner(data))

    def _interval(self) -> Test | None:
        start = self.at
        opening = self.take("[", "(", "]")
        if opening is None:
            return None
        try:
            low = self._sum()
            self.need("..")
        except Unevaluable:
            self.at = start
            return None
        high, closing = self._sum(), self.need("]", ")", "[")
        above = _COMPARE[">=" if opening == "[" else ">"]
        below = _COMPARE["<=" if closing == "]" else "<"]
        return lambda value, data: above(value, low(data)) and below(value, high(data))


def _applied(first: Value, others: list[tuple[str, Value]], data: Data) -> Any:
    made = first(data)
    for op, other in others:
        made = _arithmetic(op, made, other(data))
    return made


def _matches(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list) and not isinstance(value, list):
        return any(same(value, item) for item in wanted)
    return value is None and wanted is None if value is None or wanted is None else same(value, wanted)


@functools.lru_cache(maxsize=8192)
def expression(text: str) -> Value:
    """This expression, to be given data; raises Unevaluable when it cannot be read."""
    parser = _Parser(text)
    made = parser.expression()
    parser.end()
    return made


@functools.lru_cache(maxsize=8192)
def unary(text: str) -> Test:
    """This cell of an input, to be given the input and the data; raises Unevaluable when it cannot be read."""
    if text.strip() in ("", "-"):
        return lambda value, data: True
    parser = _Parser(text)
    if parser.tokens[:2] == [("name", "not"), ("op", "(")]:
        parser.at = 2
        inner = parser.tests()
        parser.need(")")
        parser.end()
        return lambda value, data: not inner(value, data)
    made = parser.tests()
    parser.end()
    return made
