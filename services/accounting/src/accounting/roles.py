"""Which account a role has on which day: the chart that the books began with, and each change since, with the day that it holds from.

A journal takes the accounts of the day on which it takes effect, and carries them in its event; no later change moves it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel

from accounting.chart import CONTROL
from accounting.refusals import RoleUnmapped
from contracts.accounting import AccountRole


class RolesFrom(BaseModel):
    """The accounts that some roles have from the day `since` on; without one, from the beginning."""

    since: date | None = None
    roles: dict[AccountRole, str]


@dataclass(frozen=True, slots=True)
class RoleMap:
    """All of them, as they were recorded."""

    steps: Sequence[RolesFrom] = ()

    @classmethod
    def read(cls, stored: Iterable[Any]) -> "RoleMap":
        """From the books' row."""
        return cls(tuple(RolesFrom.model_validate(step) for step in stored))

    def stored(self) -> list[Any]:
        """For the books' row."""
        return [step.model_dump(mode="json") for step in self.steps]

    def with_step(self, step: RolesFrom) -> "RoleMap":
        return RoleMap((*self.steps, step))

    @property
    def dated(self) -> bool:
        """Whether a role has had another account on an earlier day."""
        return any(step.since is not None for step in self.steps)

    def on(self, day: date) -> Mapping[AccountRole, str]:
        """The account of each role on a day. Of two changes from the same day, the one that was recorded later counts."""
        found: dict[AccountRole, str] = {}
        for step in sorted(self.steps, key=lambda step: step.since or date.min):
            if step.since is None or step.since <= day:
                found |= step.roles
        return found

    def account(self, role: AccountRole, day: date) -> str:
        """Raises RoleUnmapped."""
        return account_of(role, self.on(day))

    def accounts(self, role: AccountRole) -> frozenset[str]:
        """Every account that has the role on some day."""
        return frozenset(step.roles[role] for step in self.steps if role in step.roles)

    def roles(self, code: str) -> frozenset[AccountRole]:
        """Every role that an account has on some day."""
        return frozenset(role for step in self.steps for role, account in step.roles.items() if account == code)

    @property
    def control(self) -> Mapping[str, AccountRole]:
        """The control accounts, each with the role whose sub-ledger explains it; once one, always one."""
        return {code: role for role in CONTROL for code in self.accounts(role)}


def account_of(role: AccountRole, accounts: Mapping[AccountRole, str]) -> str:
    """Raises RoleUnmapped."""
    if role not in accounts:
        raise RoleUnmapped(f"No account has the role {role}: map it, and let what waits be posted.")
    return accounts[role]
