"""What accounting refuses, and the name each refusal goes by."""

from collections.abc import Mapping
from datetime import date

from tailrace.core.errors import Invalid, Refused


class Unbalanced(Invalid):
    """422: debits and credits of a journal differ in at least one currency."""

    slug, title = "unbalanced", "The journal does not balance"

    def __init__(self, differences: Mapping[str, int]) -> None:
        """`differences`: debits minus credits in minor units, by currency, of those that are not zero."""
        said = "; ".join(
            f"{currency}: {'debits' if difference > 0 else 'credits'} are {abs(difference)} too high, in minor units"
            for currency, difference in sorted(differences.items())
        )
        super().__init__(said, field="/lines")


class DayLocked(Refused):
    """409: the day lies in a locked period."""

    slug, title = "period-locked", "The period is locked"

    def __init__(self, day: date, next_open: date, *, field: str = "/effective_at") -> None:
        detail = f"{day} lies in a locked period; the next open day is {next_open}."
        super().__init__(detail, field=field)


class ApprovalNeeded(Refused):
    """409: a journal by hand above the company's limit is posted once somebody else approves it."""

    slug, title = "approval-needed", "This needs an approval"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, field="/lines")


class NoApprovalNeeded(Refused):
    """409: a journal within the limit is posted at once."""

    slug, title = "no-approval-needed", "This needs no approval"


class DraftState(Refused):
    """409: a journal draft that came to its end stays as it is."""

    slug, title = "journal-draft-state", "Not possible in this state of the journal draft"


class AlreadyReversed(Refused):
    """409: a journal is reversed once."""

    slug, title = "already-reversed", "The journal is reversed already"


class AccountNeeded(Refused):
    """409: posting rules, or journals that were posted, need the account."""

    slug, title = "account-needed", "The account is needed"


class RoleUnmapped(Refused):
    """409: a posting rule posts to a role that no account has."""

    slug, title = "role-unmapped", "No account has the role"


class BooksBegun(Refused):
    """409: a chart is taken whole before the first journal only; later, accounts are added and roles are mapped from a day on."""

    slug, title = "books-begun", "There are journals already"


class ControlAccount(Refused):
    """409: what a control account holds, its sub-ledger explains. It changes where the goods or the shipments are, or by an adjustment."""

    slug, title = "control-account", "The account is a control account"


class PeriodsOverlap(Refused):
    """409: a day belongs to one period at most."""

    slug, title = "periods-overlap", "The periods overlap"

    def __init__(self, name: str) -> None:
        detail = f"Some of these days belong to the period {name}."
        super().__init__(detail, field="/first_day")


class DaysClosed(Refused):
    """409: a new period cannot begin on a day that is closed."""

    slug, title = "days-closed", "The days are closed"

    def __init__(self, next_open: date) -> None:
        detail = f"Everything before {next_open} is closed: begin there, or reopen the last closed period."
        super().__init__(detail, field="/first_day")


class NotReadyToClose(Refused):
    """409: a period is closed after its last day, after every earlier one, and when nothing that arrived waits to be posted."""

    slug, title = "not-ready-to-close", "The period cannot be closed yet"


class LaterPeriodClosed(Refused):
    """409: periods are reopened from the last one back."""

    slug, title = "later-period-closed", "A later period is closed"


class BelongsToPeriod(Refused):
    """409: what closes a year is undone by reopening its period."""

    slug, title = "belongs-to-period", "The journal closes a year"


class NotInThisState(Refused):
    """409: a locked period cannot be locked, an open one cannot be unlocked, one that is not closed cannot be reopened."""

    slug, title = "period-state", "The period is in that state already"
