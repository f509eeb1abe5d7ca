"""What two parsers may read differently reaches no service as anything but what the gateway let in, and has the same effect with the fast path as
without.
"""

import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from mutations import mutated
from smuggling_cases import all_cases
from two_paths import Two, two_paths

from gateway.fast import door
from gateway.fast.request import Plain, read_request

CASES = dict(enumerate(all_cases().values(), 1))
NAMES = dict(enumerate(all_cases(), 1))
MANY, SEED = int(os.environ.get("FUZZ_REQUESTS", "150")), int(os.environ.get("FUZZ_SEED", "19"))


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with two_paths(tmp_path) as paths:
        yield paths


@pytest.mark.parametrize("how", ["whole", "pieces"])
async def test_every_case_has_the_same_effect_on_both_paths(two: Two, how: str) -> None:
    assert len(CASES) >= 300
    at_once = 12
    await two.send(CASES, how, at_once)
    assert two.differences(NAMES) == []
    assert two.slow.door.passed == 0
    # A corpus that the fast path passed over would show nothing.
    assert two.fast.door.passed > 2 * at_once


def _first_length(data: bytes, longest: int, bent: frozenset[bytes]) -> Plain | None:
    """A parser for which the first of several lengths counts, and no other."""
    head, end, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    lengths = [line for line in lines if line.lower().startswith(b"content-length:")]
    kept = [line for line in lines if line not in lengths[1:]]
    return read_request(b"\r\n".join(kept) + end + body, longest, bent)


def _bare_returns(data: bytes, longest: int, bent: frozenset[bytes]) -> Plain | None:
    """A parser for which a carriage return ends a line."""
    plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    return read_request(plain, longest, bent)


def _spaces(data: bytes, longest: int, bent: frozenset[bytes]) -> Plain | None:
    """A parser that takes a space before the colon for nothing."""
    return read_request(data.replace(b" :", b":").replace(b"\t:", b":"), longest, bent)


def _chunks_ignored(data: bytes, longest: int, bent: frozenset[bytes]) -> Plain | None:
    """A parser that knows no Transfer-Encoding."""
    return read_request(data, longest, bent - {b"transfer-encoding"})


def _more_behind(data: bytes, longest: int, bent: frozenset[bytes]) -> Plain | None:
    """A parser that takes all that came for the body."""
    plain = read_request(data, longest, bent)
    if plain is not None or b"\r\n\r\n" not in data:
        return plain
    end = data.index(b"\r\n\r\n") + 4
    plain = read_request(data[:end].replace(b"Content-Length", b"X-Length"), longest, bent)
    return None if plain is None else Plain(plain.method, plain.scope, data[end:], 0)


@pytest.mark.parametrize(
    ("toy", "kind", "how"),
    [
        (_first_length, "lengths", "whole"),
        (_bare_returns, "CR ", "whole"),
        (_spaces, "field", "whole"),
        (_chunks_ignored, "chunk", "pieces"),
        (_more_behind, "length", "whole"),
    ],
)
async def test_the_corpus_catches_a_parser_that_is_less_strict(
    two: Two, toy: Callable[..., Plain | None], kind: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "read_request", toy)
    await two.send({number: case for number, case in CASES.items() if NAMES[number].startswith(kind)}, how, 12)
    assert two.differences(NAMES) != []


async def test_what_chance_makes_of_the_cases_has_the_same_effect(two: Two) -> None:
    """A few of them in each run; `make fuzz` tries many."""
    cases = mutated(random.Random(SEED), list(CASES.values()), MANY)
    await two.send(cases, "whole", 12)
    assert two.differences({number: f"seed {SEED}: {case!r}" for number, case in cases.items()}, by_chance=True) == []
