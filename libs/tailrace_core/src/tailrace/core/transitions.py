"""The states of a document and what each of them allows, as one table: what it does not list is refused, and the refusal says what is possible."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from tailrace.core.errors import Refused

State = TypeVar("State", bound=str)


class Transitions(Generic[State]):
    """By state, what can be done and where it leads: `Transitions("Order", {"draft": {"confirmed": "binding"}, "binding": {}}, NotInThisState)`.

    Steps are past participles, as in "it can be confirmed". `refusals` has a class for a step where that tells a client more than `refusal`.
    Raises ValueError when a step leads to no state.
    """

    def __init__(
        self,
        thing: str,
        table: Mapping[State, Mapping[str, State]],
        refusal: type[Refused],
        refusals: Mapping[str, type[Refused]] | None = None,
    ) -> None:
        self._thing, self._table, self._refusal, self._refusals = thing, table, refusal, refusals or {}
        for state, steps in table.items():
            if lost := sorted(set(steps.values()) - set(table)):
                raise ValueError(f"{thing}: {state} leads to {lost[0]}, which is no state")

    def allowing(self, step: str) -> Sequence[State]:
        """The states in which this may be done."""
        return [state for state, steps in self._table.items() if step in steps]

    def after(self, state: State, step: str, name: str) -> State:
        """The state that `step` leads to. Raises the refusal of it, with the state that `name` is in and what that allows."""
        steps = self._table[state]
        if step in steps:
            return steps[step]
        allowed = f"it can be {' or '.join(steps)}, not {step}" if steps else f"it cannot be {step} any more"
        refusal = self._refusals.get(step, self._refusal)
        raise refusal(f"{self._thing} {name} is {state.replace('_', ' ')}: {allowed}.")
