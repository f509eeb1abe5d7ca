"""One range of bytes, as RFC 9110, section 14 has it; what is none is passed over, what is not there is a 416."""

import pytest

from tailrace.storage.ranges import RangeRefused, asked_range

TAG = '"abc"'


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes = 90-1000", (90, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=99-99", (99, 100)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=+1-2", None),
        ("bytes=٣-", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_a_range_is_read(said: str, wanted: tuple[int, int] | None) -> None:
    assert asked_range({"range": said}, TAG, 100) == wanted


@pytest.mark.parametrize("said", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999999999999999999-"])
def test_what_is_not_there_is_refused_with_how_much_there_is(said: str) -> None:
    with pytest.raises(RangeRefused) as refusal:
        asked_range({"range": said}, TAG, 100)
    assert (refusal.value.status, refusal.value.headers["Content-Range"]) == (416, "bytes */100")


@pytest.mark.parametrize(
    ("if_range", "wanted"),
    [(TAG, (5, 100)), ('"other"', None), ('W/"abc"', None), ("Fri, 27 Nov 2026 00:00:00 GMT", None)],
)
def test_it_holds_for_what_was_begun_alone(if_range: str, wanted: tuple[int, int] | None) -> None:
    assert asked_range({"range": "bytes=5-", "if-range": if_range}, TAG, 100) == wanted


def test_without_a_range_it_is_all() -> None:
    assert asked_range({"if-range": TAG}, TAG, 100) is None
