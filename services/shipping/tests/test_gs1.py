"""Check digits, SSCC and bars against the examples and the rules of the standards."""

from datetime import date

import pytest

from shipping.labels import code128
from shipping.labels.code128 import bars, check_symbol, symbols
from shipping.labels.gs1 import Element, check_digit, contents, has_check_digit, is_lot, readable, sscc


def test_check_digits_are_those_of_published_examples() -> None:
    # GS1's own: a GTIN-13 and an SSCC of its page on check digits; a GTIN-8, -12 and -14 of the General Specifications' kind.
    for whole in ("6291041500213", "376104250021234569", "95012346", "614141007349", "10614141000415"):
        assert check_digit(whole[:-1]) == whole[-1]
        assert has_check_digit(whole)
        assert not has_check_digit(whole[:-1] + str((int(whole[-1]) + 1) % 10))
    assert not has_check_digit("629104150021３")
    assert sscc(3, "7610425", 2123456) == "376104250021234569"


def test_a_serial_fills_what_the_prefix_leaves_and_no_more() -> None:
    assert sscc(0, "4912345", 1) == "0" + "4912345" + "000000001" + check_digit("04912345000000001")
    assert len({sscc(0, "123456789012", serial) for serial in range(10_000)}) == 10_000
    with pytest.raises(ValueError, match="4 digits"):
        sscc(0, "123456789012", 10_000)


def test_patterns_are_eleven_modules_each_once_with_an_even_number_of_bars() -> None:
    widths = code128._WIDTHS
    assert len(widths) == len(set(widths)) == 107
    for value, text in enumerate(widths[:106]):
        bars_and_spaces = [int(width) for width in text]
        assert (value, sum(bars_and_spaces), sum(bars_and_spaces[::2]) % 2) == (value, 11, 0)
    assert sum(map(int, widths[106])) == 13


def test_the_check_symbol_is_that_of_the_worked_example() -> None:
    # PJJ123C from start A: 103, then P J J 1 2 3 C; the check symbol is 54.
    assert check_symbol([103, 48, 42, 42, 17, 18, 19, 35]) == 54


def test_a_symbol_begins_with_fnc1_and_parts_what_does_not_end_itself() -> None:
    digits = "376104250021234569"
    values = symbols([Element("00", digits)])
    pairs = [int(f"00{digits}"[at : at + 2]) for at in range(0, 20, 2)]
    assert values == [105, 102, *pairs, check_symbol([105, 102, *pairs]), 106]
    assert sum(bars([Element("00", digits)])) == 13 * 11 + 13
    said = symbols([Element("37", "12"), Element("10", "AB12345")])
    to_b, fnc1, to_c, a = 100, 102, 99, ord("A") - 32
    assert said[:-2] == [105, 102, 37, 12, fnc1, 10, to_b, a, a + 1, ord("1") - 32, to_c, 23, 45]
    for odd in ("123", "A1", "12A34", "1234567", "a/Z9"):
        assert _decoded(symbols([Element("10", odd), Element("21", "X")])) == f"10{odd}\x1d21X"


def _decoded(values: list[int]) -> str:
    """By the rules of the symbology: what a scanner would hand on, FNC1 as the separator that it is."""
    assert (values[0], values[1], values[-1], values[-2]) == (105, 102, 106, check_symbol(values[:-2]))
    text, in_c = "", True
    for value in values[2:-2]:
        if value == 102:
            text += "\x1d"
        elif value in {99, 100}:
            in_c = value == 99
        else:
            text += f"{value:02d}" if in_c else chr(value + 32)
    return text


def test_contents_are_said_only_with_a_gtin_and_a_count() -> None:
    assert contents(None, 12, "L1", None) == contents("6291041500213", None, "L1", None) == ()
    full = contents("6291041500213", 12, "L1", date(2027, 3, 9))
    assert readable(full) == "(02)06291041500213(17)270309(37)12(10)L1"
    assert [is_lot(text) for text in ("A/1-b_2", "", "x" * 21, "ロット", "A B")] == [True, False, False, False, False]
