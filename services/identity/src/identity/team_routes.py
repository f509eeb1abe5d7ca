"""/v1/auth/teams: who belongs together; and where a user stands among the teams."""

from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import select

from identity import teams
from identity.audit import From
from identity.bodies import TeamBody
from identity.models import Team, User
from identity.scopes import TeamReader, TeamWriter
from identity.views import PositionView, TeamView
from tailrace.http.etag import IfMatch
from tailrace.http.filters import equal
from tailrace.http.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router("/v1/auth", tag="teams", about="Who belongs together, who leads, and who takes over.")
routers = (router,)

Teams = Annotated[
    PageRequest,
    listed(
        Team,
        equal(Team.name),
        equal(Team.parent_id),
        equal(Team.lead_id),
        sort=[Team.name, Team.created_at],
    ),
]


@router.post("/teams", status_code=201, response_model=TeamView)
async def create_team(tx: Tx, who: TeamWriter, body: TeamBody, origin: From) -> Team:
    """Form a team."""
    return await teams.create(tx, body.model_dump(), origin)


@router.get("/teams", response_model=Page[TeamView])
async def list_teams(tx: Tx, who: TeamReader, page: Teams) -> Listing[Team]:
    """The tenant's teams."""
    return await paginate(tx, select(Team).where(Team.deleted_at.is_(None)), page)


@router.get("/teams/{team_id}", response_model=TeamView)
async def read_team(tx: Tx, who: TeamReader, team_id: UUID) -> Team:
    """One team."""
    return await tx.find(Team, team_id)


@router.put("/teams/{team_id}", response_model=TeamView)
async def replace_team(tx: Tx, who: TeamWriter, team_id: UUID, match: IfMatch, body: TeamBody, origin: From) -> Team:
    """Replace a team. Whose rows its people see by a scope that ends in `:team` follows within seconds; no token has to be renewed."""
    return await teams.replace(tx, team_id, match, body.model_dump(), origin)


@router.delete("/teams/{team_id}", status_code=204)
async def delete_team(tx: Tx, who: TeamWriter, team_id: UUID, match: IfMatch, origin: From) -> None:
    """Dissolve a team that none lies within; its people stay."""
    await teams.delete(tx, team_id, match, origin)


@router.get("/users/{user_id}/position", response_model=PositionView)
async def read_user_position(tx: Tx, who: TeamReader, user_id: UUID) -> dict[str, Any]:
    """A user's teams, superior, and who would take over."""
    user = await tx.find(User, user_id)
    organisation = await teams.organisation(tx)
    return {
        "team_ids": [team.id for team in organisation.teams_of(user.id)],
        "superior_id": organisation.superior(user.id),
        "successor_id": await teams.successor_of(tx, user.id),
    }
