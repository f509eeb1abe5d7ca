"""What identity keeps of others: who needs a team, or a role by its name. Neither is deleted while anybody does.

The rules by which leads are assigned need the teams that they name, a KPI the team that it measures, until it is deleted; the limits of who may quote
how much without approval, the roles that they hold for. A process of approvals needs the roles that its active version names. An approval needs those
of the version that it goes by, and of the steps that its requester named, until it is decided.
"""

from collections.abc import Iterable
from uuid import UUID

from contracts.analytics import KpiChanged, KpiCreated, KpiDeleted, KpiDescription, KpiRestored
from contracts.approvals import ANSWERS, ApprovalEvent, ApprovalMoved, ApprovalRequested, ProcessActivated
from contracts.leads import PolicyChanged
from contracts.quotes import QuoteAuthorityChanged
from identity.models import Use, named_role
from tailrace.messaging.uses import Needs, Uses

uses = Uses("identity.uses", Use)


@uses.told_by(PolicyChanged)
def assignment_rules(event: PolicyChanged) -> list[Needs]:
    if event.kind != "assignment":
        return []
    teams = {UUID(rule["team_id"]) for rule in event.content["rules"] if rule.get("team_id")}
    return [Needs("rules of assignment", event.policy_id, teams, "/v1/leads/assignment")]


@uses.told_by(KpiCreated, KpiChanged, KpiRestored)
def kpi(event: KpiDescription) -> Needs:
    teams = () if event.subject != "team" or event.subject_id is None else (event.subject_id,)
    return Needs("KPI", event.kpi_id, teams, f"/v1/kpis/{event.kpi_id}", event.code)


@uses.told_by(KpiDeleted)
def kpi_deleted(event: KpiDeleted) -> Needs:
    return Needs("KPI", event.kpi_id, (), f"/v1/kpis/{event.kpi_id}")


@uses.told_by(QuoteAuthorityChanged)
def quote_authority(event: QuoteAuthorityChanged) -> Needs:
    roles = {named_role(each.role) for each in event.limits if each.role is not None}
    return Needs("limits of quotes", event.authority_id, roles, "/v1/quotes/authority")


@uses.told_by(ProcessActivated)
def process(event: ProcessActivated) -> Needs:
    """Also where it serves no kind any more: a template may name it."""
    roles = {named_role(each) for each in event.roles}
    return Needs("process of approvals", event.process_id, roles, f"/v1/processes/{event.process_id}", event.key)


@uses.told_by(ApprovalRequested, ApprovalMoved)
def approval(event: ApprovalRequested | ApprovalMoved) -> Needs:
    return _of_approval(event, event.roles)


@uses.told_by(*ANSWERS)
def approval_over(event: ApprovalEvent) -> Needs:
    """One that begins again, being rejected, says so by itself."""
    return _of_approval(event, ())


def _of_approval(event: ApprovalEvent, roles: Iterable[str]) -> Needs:
    needed = {named_role(each) for each in roles}
    return Needs("approval", event.approval_id, needed, f"/v1/approvals/{event.approval_id}", event.subject.number)
