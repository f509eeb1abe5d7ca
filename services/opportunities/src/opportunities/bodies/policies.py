"""What a tenant says of leads and opportunities: how leads are scored and assigned, and how opportunities close."""

import re
from typing import Annotated, Literal, Self, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from tailrace.core.values.fields import Amount, Name, Text
from tailrace.core.values.money import Currency
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

Asked = Literal[
    "name",
    "company",
    "position",
    "email",
    "email_domain",
    "phone",
    "country",
    "language",
    "source",
    "note",
    "amount",
    "via",
    "form_id",
    "score",
]
Test = Literal["is", "is_not", "contains", "at_least", "at_most", "present", "absent"]
_NUMBERS = {"amount", "score"}
_WHOLE = re.compile("-?[0-9]{1,15}")


class Condition(Body):
    """What is asked of a field of a lead."""

    field: Asked
    """The field; `email_domain` is what follows the @."""
    test: Test
    """`is` and `is_not`: one of the values, none of them. `contains`: one of them as a part, in any case. Amounts and scores are numbers."""
    values: Annotated[list[Text], Field(max_length=50)] = []
    """What it is compared with; none for `present` and `absent`."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.test in {"present", "absent"}) != (not self.values):
            raise WrongFields("Say values, but for present and absent.", "values")
        if self.test in {"at_least", "at_most"}:
            if self.field not in _NUMBERS:
                raise WrongFields("Only an amount or a score is at least or at most something.", "test")
            if len(self.values) != 1 or not _WHOLE.fullmatch(self.values[0]):
                raise WrongFields("Say one whole number, in at most fifteen digits.", "values")
        return self


class ScoreRule(Body):
    """Points for a lead that all conditions hold of."""

    name: Name
    """What the reason is called."""
    when: Annotated[list[Condition], Field(min_length=1, max_length=10)]
    """All of them have to hold."""
    points: Annotated[int, Field(ge=-1000, le=1000)]
    """What it adds to the score, or with a minus takes away."""

    @model_validator(mode="after")
    def _not_of_itself(self) -> Self:
        if any(each.field == "score" for each in self.when):
            raise WrongFields("A score is not made of the score.", "when")
        return self


class AssignmentRule(Body):
    """Who gets a lead that all conditions hold of: a user, or the people of a team in turn."""

    name: Name
    """What the rule is called; its turn is counted under this."""
    when: Annotated[list[Condition], Field(max_length=10)] = []
    """All of them have to hold; any lead, with none."""
    user_id: UUID | None = None
    """Who gets it."""
    team_id: UUID | None = None
    """The team whose people get it in turn."""

    @model_validator(mode="after")
    def _to_one(self) -> Self:
        if (self.user_id is None) == (self.team_id is None):
            raise WrongFields("Say user_id or team_id, one of them.", "user_id", "team_id")
        return self


AnyRule = TypeVar("AnyRule", ScoreRule, AssignmentRule)


def _by_one_name(rules: list[AnyRule]) -> list[AnyRule]:
    if len({each.name for each in rules}) != len(rules):
        raise ValueError("two rules have one name")
    return rules


class ScoringBody(Body):
    """How leads are scored: the points of all rules that hold, added up. Replaces all rules; a job scores the leads that are there again."""

    rules: Annotated[list[ScoreRule], Field(max_length=100), AfterValidator(_by_one_name)]
    """In any order."""


class AssignmentBody(Body):
    """Who looks after a new lead: the first rule that holds and finds somebody says it. Replaces all rules."""

    rules: Annotated[list[AssignmentRule], Field(max_length=100), AfterValidator(_by_one_name)]
    """In the order in which they are asked."""


class ClosingBody(Body):
    """How opportunities close, and how the company counts its quarters."""

    win_on_quote: Literal["proposed", "automatic"] = "proposed"
    """Whether an accepted quote wins its opportunity at once, or once somebody has confirmed it."""
    first_month: Annotated[int, Field(ge=1, le=12)] = 1
    """The month that the company's year begins in; its year is named for the calendar year that this lies in."""


class QuotaBody(Body):
    """What somebody is to sell in a period."""

    owner_id: UUID
    """A user of the tenant."""
    period: Annotated[str, Field(pattern=r"^[0-9]{4}-((0[1-9]|1[0-2])|Q[1-4])$", examples=["2026-11", "2026-Q4"])]
    """A month, or a quarter of the company's year."""
    currency: Currency
    amount: Amount
