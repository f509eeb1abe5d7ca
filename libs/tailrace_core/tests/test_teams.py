"""Who stands above whom, whatever the teams look like."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.teams import DEEPEST, Organisation, Team

ids = st.integers(1, 6).map(lambda number: UUID(int=number))
maybe = st.none() | ids
teams = st.lists(
    st.builds(Team, id=ids, parent_id=maybe, lead_id=maybe, deputy_id=maybe, people=st.frozensets(ids)),
    unique_by=lambda team: team.id,
)


def team(id: int, parent: int | None, lead: int | None, deputy: int | None, *people: int) -> Team:
    def of(number: int | None) -> UUID | None:
        return None if number is None else UUID(int=number)

    everybody = {number for number in (lead, deputy, *people) if number is not None}
    return Team(UUID(int=id), of(parent), of(lead), of(deputy), frozenset(UUID(int=number) for number in everybody))


@given(teams, ids)
def test_nobody_is_above_or_behind_themselves_and_every_question_ends(some: list[Team], user: UUID) -> None:
    organisation = Organisation(some)
    assert organisation.superior(user) != user
    assert user not in list(organisation.successors(user))
    for each in some:
        assert 1 <= organisation.depth(each.id) <= DEEPEST + 1
        assert 1 <= organisation.height(each.id) <= DEEPEST + 1


def test_of_several_teams_the_oldest_counts() -> None:
    organisation = Organisation([team(2, None, 20, None, 9), team(1, None, 10, 11, 9)])
    assert organisation.superior(UUID(int=9)) == UUID(int=10)
    assert list(organisation.successors(UUID(int=9)))[:3] == [UUID(int=number) for number in (11, 10, 20)]


def test_a_team_without_a_lead_looks_upwards() -> None:
    organisation = Organisation([team(1, None, 10, None), team(2, 1, None, None, 9), team(3, 2, 9, None, 8)])
    assert organisation.superior(UUID(int=9)) == UUID(int=10)
    assert organisation.superior(UUID(int=8)) == UUID(int=9)
    assert organisation.superior(UUID(int=7)) is None
    assert (organisation.depth(UUID(int=3)), organisation.height(UUID(int=1))) == (3, 3)
