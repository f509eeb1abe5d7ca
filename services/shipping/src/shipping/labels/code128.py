"""Bars of Code 128 (ISO/IEC 15417) for GS1 element strings: GS1-128, which begins with FNC1 (GS1 General Specifications, 5.4).

Code set C takes two digits in a symbol, B one character; FNC1 parts an element of no fixed length from the next.
"""

from collections.abc import Sequence

from shipping.labels.gs1 import Element

_WIDTHS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
).split()
"""Of bars and spaces by turns, in modules, by the symbol's value; the last is the stop pattern."""
TO_C, TO_B, FNC1, START_C, STOP = 99, 100, 102, 105, 106
_DIGITS_FOR_C = 4
"""Fewer digits on end are as short in set B."""


def symbols(elements: Sequence[Element]) -> list[int]:
    """The values of a GS1-128 symbol from its start to its stop, the check symbol included. `elements` are one or more."""
    values, in_c = [START_C, FNC1], True
    text = _joined(elements)
    at = 0
    while at < len(text):
        run = _digits(text, at)
        if text[at] is None:
            values.append(FNC1)
            at += 1
        elif in_c and run >= 2:
            values.append(int(f"{text[at]}{text[at + 1]}"))
            at += 2
        elif not in_c and run >= _DIGITS_FOR_C and run % 2 == 0:
            values.append(TO_C)
            in_c = True
        elif in_c:
            values.append(TO_B)
            in_c = False
        else:
            values.append(ord(text[at] or " ") - ord(" "))
            at += 1
    return [*values, check_symbol(values), STOP]


def check_symbol(values: Sequence[int]) -> int:
    """The weighted sum modulo 103: the start counts once, and so does what follows it, the next twice, and so on."""
    return (values[0] + sum(at * value for at, value in enumerate(values[1:], 1))) % 103


def bars(elements: Sequence[Element]) -> list[int]:
    """The widths of bars and spaces by turns, in modules, beginning and ending with a bar, without the quiet zones of ten modules beside them."""
    return [int(width) for value in symbols(elements) for width in _WIDTHS[value]]


def _joined(elements: Sequence[Element]) -> list[str | None]:
    """The characters one by one, None for the FNC1 behind what does not end itself."""
    text: list[str | None] = []
    for number, element in enumerate(elements, 1):
        text += [*element.ai, *element.value]
        if not element.ends_itself and number < len(elements):
            text.append(None)
    return text


def _digits(text: Sequence[str | None], at: int) -> int:
    end = at
    while end < len(text) and (character := text[end]) is not None and character.isdigit():
        end += 1
    return end - at
