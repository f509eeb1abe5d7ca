"""Conditions and values in a process are CEL (Common Expression Language): no loops, no effects, no reach beyond the data.

What an expression may cost is bounded before it runs: its length, how many macros it holds, and how often they could go
round over the largest list in the data. Decimals are texts in the data; `decimal_compare(a, b)` (-1, 0, 1) and
`decimal_add(a, b)` are exact on them and on ints. Conditions must be true or false, nothing that merely counts as it.
"""

import functools
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import cel

from workflow.engine import limits
from workflow.engine.findings import Unevaluable
from workflow.engine.values import plain

_MACRO = re.compile(r"\.\s*(all|exists|exists_one|existsOne|map|filter|transformList|transformMap|sortBy|reduce)\s*\(")
_KNOWN = set(
    "has all exists exists_one map filter size int uint double string bytes bool type dyn timestamp duration"
    " contains startsWith endsWith matches getFullYear getMonth getDate getDayOfMonth getDayOfYear getDayOfWeek"
    " getHours getMinutes getSeconds getMilliseconds min max decimal_compare decimal_add".split()
)
_STRINGS = re.compile(r"""[rRbB]{0,2}("(\\.|[^"\\])*"|'(\\.|[^'\\])*')""", re.S)


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("decimal functions take whole numbers and texts of decimals")
    try:
        made = Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no decimal") from error
    if not made.is_finite() or abs(made.adjusted()) > 40:
        raise ValueError(f"{value!r} is out of range")
    return made


def decimal_compare(a: object, b: object) -> int:
    """-1, 0 or 1: whether a is less than b, the same or more, exactly."""
    left, right = _decimal(a), _decimal(b)
    return (left > right) - (left < right)


def decimal_add(a: object, b: object) -> str:
    """The exact sum of a and b, as text."""
    return format(_decimal(a) + _decimal(b), "f")


@functools.lru_cache(maxsize=4096)
def _compiled(text: str) -> tuple[Any, int]:
    if len(text) > limits.MAX_EXPRESSION:
        raise Unevaluable(f"an expression may have {limits.MAX_EXPRESSION:,} characters, this has {len(text):,}")
    bare = _STRINGS.sub('""', text)
    macros = len(_MACRO.findall(bare))
    if macros > limits.MAX_MACROS:
        raise Unevaluable(
            f"an expression may hold {limits.MAX_MACROS} of all, exists, map and filter, this holds {macros}"
        )
    if bare.count("(") + bare.count("[") + bare.count("{") > 100 or bare.count("?") > 50:
        raise Unevaluable("an expression may hold 100 brackets and 50 choices")
    try:
        program = cel.compile(text)
    except Exception as error:
        raise Unevaluable(f"cannot be read as CEL: {_first_line(error)}") from error
    unknown = [name for name in program.functions() if name.replace(".", "_").isidentifier() and name not in _KNOWN]
    if unknown:
        raise Unevaluable(f"calls {', '.join(sorted(unknown))}, which is not known")
    return program, macros


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0][:300]


def check(text: str) -> None:
    """Raises Unevaluable when this is no expression that may run."""
    _compiled(text)


def _longest(value: object) -> int:
    if isinstance(value, Mapping):
        return max([len(value), *map(_longest, value.values())])
    if isinstance(value, list):
        return max([len(value), *map(_longest, value)])
    return 0


def evaluate(text: str, data: Mapping[str, Any]) -> Any:
    """The value of this expression over these data, as plain JSON (a duration or a timestamp as Python has it)."""
    program, macros = _compiled(text)
    if macros:
        rounds = max(_longest(data), text.count(",") + 1) ** macros
        if rounds > limits.MAX_EVALUATIONS:
            raise Unevaluable(f"{text!r} could go round {rounds:,} times over these data")
    context = cel.Context(dict(data))
    context.add_function("decimal_compare", decimal_compare)
    context.add_function("decimal_add", decimal_add)
    try:
        return program.execute(context)
    except Exception as error:
        raise Unevaluable(f"{text!r} has no value here: {_first_line(error)}") from error


def value(text: str, data: Mapping[str, Any]) -> Any:
    """The value of this expression as the data hold it."""
    return plain(evaluate(text, data))


def holds(text: str, data: Mapping[str, Any]) -> bool:
    """Whether this condition is true; raises Unevaluable when it is neither true nor false."""
    found = evaluate(text, data)
    if not isinstance(found, bool):
        raise Unevaluable(f"{text!r} is {found!r}, neither true nor false")
    return found
