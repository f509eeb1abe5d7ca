"""What stands in for nothing is read back as nothing, and anything else as it was told."""

import re
from uuid import UUID

from tailrace.core.ids import uuid7
from tailrace.core.stand_ins import cause_read, cause_told, trace_read, trace_told

CORRELATION, EVENT, CAUSE = uuid7(), uuid7(), uuid7()
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_beginning_names_its_correlation_and_reads_back_as_one() -> None:
    assert cause_told(None, CORRELATION) == CORRELATION
    assert cause_read(CORRELATION, CORRELATION) is None
    assert cause_read(None, CORRELATION) is None


def test_a_cause_stays_what_it_is() -> None:
    assert cause_read(cause_told(CAUSE, CORRELATION), CORRELATION) == CAUSE


def test_what_nobody_traces_has_a_valid_trace_context_that_is_not_sampled() -> None:
    told = trace_told(None, CORRELATION, EVENT)
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", told)
    assert {part.strip("0") for part in told.split("-")[1:3]}.isdisjoint({""})
    assert trace_read(told, CORRELATION) is None
    assert trace_read(None, CORRELATION) is None


def test_a_trace_is_passed_on_as_it_is() -> None:
    assert trace_read(trace_told(TRACE, CORRELATION, EVENT), CORRELATION) == TRACE
    assert trace_read(TRACE, UUID(int=1)) == TRACE
