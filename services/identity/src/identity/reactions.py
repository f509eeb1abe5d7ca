"""A team that was dissolved while somebody began to need it is restored."""

from datetime import UTC, datetime

from contracts.analytics import KpiCreated, KpiRestored
from contracts.leads import PolicyChanged
from identity.projections import uses
from identity.teams import Team
from tailrace.messaging.uses import restoring

late_uses = restoring(
    "identity.late_uses",
    uses,
    (PolicyChanged, KpiCreated, KpiRestored),
    (Team,),
    since=datetime(2026, 11, 29, tzinfo=UTC),
)
