"""Who stands above whom: teams lie within teams, each with a lead and a deputy, and somebody may be in several.

Of several teams the oldest counts, by id, so that every service says the same of one person.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

DEEPEST = 5
"""How many teams may lie within each other, the outermost included."""


@dataclass(frozen=True, slots=True)
class Team:
    """`people` are all who belong to it, the lead and the deputy among them."""

    id: UUID
    parent_id: UUID | None
    lead_id: UUID | None
    deputy_id: UUID | None
    people: frozenset[UUID]


class Organisation:
    """The teams of one company."""

    def __init__(self, teams: Collection[Team]) -> None:
        self._teams: Mapping[UUID, Team] = {team.id: team for team in teams}

    def teams_of(self, user_id: UUID) -> list[Team]:
        """Those that somebody belongs to, the oldest first."""
        return sorted((team for team in self._teams.values() if user_id in team.people), key=lambda team: team.id)

    def superior(self, user_id: UUID) -> UUID | None:
        """The lead of the nearest team, from one's own on upwards, that somebody else leads."""
        return next((lead for lead in self._leads_above(user_id) if lead != user_id), None)

    def successors(self, user_id: UUID) -> Iterator[UUID]:
        """Who takes over from somebody, the first choice first: the deputy of a team, its lead, then the leads of the teams around it."""
        for team in self.teams_of(user_id):
            yield from (one for one in (team.deputy_id, team.lead_id) if one not in {None, user_id})
        yield from (lead for lead in self._leads_above(user_id) if lead != user_id)

    def depth(self, team_id: UUID | None) -> int:
        """How many teams lie around this place, it included; more than `DEEPEST` in a circle."""
        return sum(1 for _ in self._upwards(team_id))

    def height(self, team_id: UUID) -> int:
        """How many levels a team and what lies within it make; more than `DEEPEST` in a circle."""
        level, levels = {team_id}, 0
        while level and levels <= DEEPEST:
            level, levels = {team.id for team in self._teams.values() if team.parent_id in level}, levels + 1
        return levels

    def _leads_above(self, user_id: UUID) -> Iterator[UUID]:
        for team in self.teams_of(user_id):
            yield from (each.lead_id for each in self._upwards(team.id) if each.lead_id is not None)

    def _upwards(self, team_id: UUID | None) -> Iterator[Team]:
        for _ in range(DEEPEST + 1):
            team = self._teams.get(team_id) if team_id is not None else None
            if team is None:
                return
            yield team
            team_id = team.parent_id
