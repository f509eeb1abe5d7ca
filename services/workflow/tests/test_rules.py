"""The rules alone: what votes make of a requirement, and how requirements are written."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from contracts.approvals import ApprovalSubject
from workflow import matrix
from workflow.rules import Duration, Said, approver_groups, duration, outcome, requirement, steps
from workflow.running import inputs

A, B, C = (UUID(int=number) for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("mode", "votes", "expected"),
    [
        ("any", "", None),
        ("any", "A", "approved"),
        ("any", "a", "rejected"),
        ("all", "", None),
        ("all", "AB", None),
        ("all", "ABC", "approved"),
        ("all", "Ab", "rejected"),
        ("quorum:2", "A", None),
        ("quorum:2", "AB", "approved"),
        ("quorum:2", "aB", None),
        ("quorum:2", "aBC", "approved"),
        ("quorum:2", "ab", "rejected"),
        ("quorum:9", "AB", None),
        ("quorum:9", "ABC", "approved"),
        ("quorum:9", "a", "rejected"),
    ],
)
def test_what_votes_make_of_a_requirement(mode: str, votes: str, expected: str | None) -> None:
    people = {"A": A, "B": B, "C": C}
    said = [Said(people[one.upper()], "approved" if one.isupper() else "rejected") for one in votes]
    assert outcome(mode, said, {A, B, C}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P3D", Duration(3, timedelta())),
        ("P1W", Duration(7, timedelta())),
        ("PT1H30M", Duration(0, timedelta(minutes=90))),
        ("P1DT5S", Duration(1, timedelta(seconds=5))),
    ],
)
def test_durations(text: str, expected: Duration) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "3D", "P3", "P-1D", "P1.5D", "P1D ", "P١D", "P99999D"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        duration(text)


@pytest.mark.parametrize(
    "text", ["", "manager", "role:", "user:x", "role:a|", "role:a,,role:b", "superior:2", "ROLE:a"]
)
def test_who_is_nobody(text: str) -> None:
    with pytest.raises(ValueError, match="is nobody"):
        approver_groups(text)


def test_requirements_are_grouped_by_step_in_order() -> None:
    rows: list[dict[str, Any]] = [
        {"step": 2, "approvers": "role:b"},
        {"approvers": "role:a"},
        {"step": 1, "approvers": "superior"},
    ]
    assert [[row["approvers"] for row in step] for step in steps(rows)] == [["role:a", "superior"], ["role:b"]]
    with pytest.raises(ValueError, match="more than 50"):
        steps([{"approvers": "role:a"}] * 51)
    for wrong in ({}, {"approvers": "role:a", "mode": "most"}, {"approvers": "role:a", "due": "soon"}):
        with pytest.raises(ValueError, match=r"nobody|no mode|no duration"):
            requirement(wrong)


def test_a_matrix_is_the_same_as_a_dmn_file_and_read_back() -> None:
    rules = [
        matrix.Rule(
            {"amount": "> 100000", "kind": '"quote","journal"'},
            {"step": 1, "approvers": "role:a & <b>", "reason": True},
        ),
        matrix.Rule({}, {"step": 2, "approvers": 'role:"x" \\ y', "mode": "quorum:2"}),
    ]
    made = matrix.Matrix(["kind", "amount"], rules, "Ours")
    again = matrix.read(made.dmn())
    assert (again.name, list(again.inputs), again.rules) == ("Ours", ["kind", "amount"], rules)
    assert again.dmn() == made.dmn()


@pytest.mark.parametrize(
    "dmn",
    [
        b"",
        b"<a/>",
        b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>',
        b'<!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>',
        b"x" * 300_000,
    ],
)
def test_what_is_no_matrix(dmn: bytes) -> None:
    with pytest.raises(ValueError, match=r"DOCTYPE|DMN|decision table|well-formed"):
        matrix.read(dmn)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("12", 12),
        ("-12.50", Decimal("-12.50")),
        ("12345678901.123456", Decimal("12345678901.123456")),
        ("0", 0),
        *(
            (text, text)
            for text in ("1_000", "007", "٣", "１２", "1e3", "+5", ".5", "5.", "NaN", "Infinity", "", "9" * 31)
        ),
    ],
)
def test_what_is_said_of_a_document_is_a_number_only_where_it_is_written_as_one(text: str, known: object) -> None:
    subject = ApprovalSubject(
        kind="quote", id=A, number="Q-1", sha256="0", amount=1, currency="EUR", attributes={"code": text}
    )
    assert inputs(subject)["code"] == known
    assert type(inputs(subject)["code"]) is type(known)
