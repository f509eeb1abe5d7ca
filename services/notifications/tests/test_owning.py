"""Who sees some rows of a kind subscribes to it, and hears of these alone, as lists show them: one's own, or those of one's teams."""

from typing import Any
from uuid import UUID

import pytest

from contracts.approvals import ApprovalSubject
from contracts.credit import OrderCreditHeld
from contracts.orders import OrderAssigned, OrderCreated
from contracts.quotes import QuoteDeclined
from contracts.users import RoleChanged, TeamCreated, TeamUpdated, UserCreated, UserUpdated
from tailrace.core import clock
from tailrace.core.ids import uuid7

from .conftest import OWN, SUBSCRIPTIONS, Office

HELD = "order.credit_held"


class Sales:
    """Dan sells, and Eve leads his team, which lies within Fay's. Each has a role of their own. Whatever happens, Ann does it."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.dan, self.eve, self.fay, self.inner, self.outer = (uuid7() for _ in range(5))
        self.roles = {each: uuid7() for each in (self.dan, self.eve, self.fay)}

    async def begin(self) -> None:
        for user, role in self.roles.items():
            email = f"{user.hex}@acme.example"
            await self.tell(UserCreated(user_id=user, email=email, name="X", roles=[role.hex]), user)
        await self.tell(TeamCreated(team_id=self.outer, name="Outer", lead_id=self.fay), self.outer)
        inner = TeamCreated(
            team_id=self.inner, name="In", lead_id=self.eve, parent_id=self.outer, member_ids=[self.dan]
        )
        await self.tell(inner, self.inner)

    async def tell(self, event: Any, id: UUID) -> None:
        await self.office.h.deliver(event, aggregate_id=id)

    async def allow(self, user: UUID, scope: str) -> None:
        """Let this user have it, and nothing else."""
        role = self.roles[user]
        await self.tell(RoleChanged(role_id=role, name=role.hex, scopes=[scope]), role)

    async def subscribe(self, user: UUID, scope: str, **what: Any) -> int:
        """With a token and a role that allow it."""
        await self.allow(user, scope)
        client = self.office.as_(user, f"{OWN} {scope}")
        return (await client.post(SUBSCRIPTIONS, json={name: str(value) for name, value in what.items()})).status_code

    async def order(self, number: str, owner_id: UUID | None) -> UUID:
        """A draft that somebody sells, or nobody."""
        id = uuid7()
        said = OrderCreated(
            order_id=id,
            number=number,
            customer_reference="PO",
            customer_name="Ada Works",
            customer_id=self.office.ada,
            owner_id=owner_id,
            currency="JPY",
            net=1,
            tax=0,
            lines=[],
            ordered_at=clock.now(),
        )
        await self.tell(said, id)
        return id

    async def hold(self, id: UUID, number: str) -> None:
        """For credit: nobody of sales must hear of that, since Ann asks."""
        subject = ApprovalSubject(
            kind="credit_release", id=id, number=number, sha256="0" * 64, amount=1, currency="JPY"
        )
        about = {"order_id": id, "subject": subject, "customer_id": self.office.ada}
        await self.tell(OrderCreditHeld(number=number, reasons=["limit_exceeded"], **about), id)

    async def heard(self, user: UUID) -> list[str]:
        """The titles of the feed."""
        return [one["title"] for one in await self.office.feed(user)]


@pytest.fixture
async def sales(office: Office) -> Sales:
    sales = Sales(office)
    await sales.begin()
    return sales


def _titles(*numbers: str) -> list[str]:
    return [f"与信保留: {number}" for number in numbers]


async def test_who_sees_their_own_orders_hears_of_these_alone(sales: Sales) -> None:
    dan = sales.dan
    assert await sales.subscribe(dan, "orders:read:own", kind=HELD) == 201
    ids = {number: await sales.order(number, whose) for number, whose in (("A", dan), ("B", sales.eve), ("C", None))}
    for number, id in ids.items():
        await sales.hold(id, number)
    assert await sales.heard(dan) == _titles("A")
    # Whose it is, is asked at that moment: one was taken from Dan, and another given to him.
    for number, now, before in (("A", sales.eve, dan), ("B", dan, sales.eve)):
        said = {"number": number, "reason": "Swap", "owner_id": now, "previous_owner_id": before}
        await sales.tell(OrderAssigned(order_id=ids[number], **said), ids[number])
        await sales.hold(ids[number], number)
    assert await sales.heard(dan) == _titles("A", "B")


async def test_what_one_subscribed_to_goes_by_the_same_rule(sales: Sales) -> None:
    mine, others = await sales.order("A", sales.dan), await sales.order("B", sales.eve)
    for id in (mine, others):
        assert await sales.subscribe(sales.dan, "orders:read:own", document_id=id) == 201
    assert await sales.subscribe(sales.dan, "orders:read:own", customer_id=sales.office.ada) == 201
    await sales.hold(others, "B")
    await sales.hold(mine, "A")
    assert await sales.heard(sales.dan) == _titles("A")
    for active in (False, True):
        said = UserUpdated(
            user_id=sales.dan, email="dan@acme.example", name="X", roles=[sales.roles[sales.dan].hex], active=active
        )
        await sales.tell(said, sales.dan)
        await sales.hold(mine, "A" if active else "Nobody")
    assert await sales.heard(sales.dan) == _titles("A", "A")
    await sales.allow(sales.dan, "quotes:read:own")
    await sales.hold(mine, "A")
    assert await sales.heard(sales.dan) == _titles("A", "A"), "who may see orders no more"


async def test_who_sees_their_teams_hears_of_all_that_lies_within(sales: Sales) -> None:
    for lead in (sales.eve, sales.fay):
        assert await sales.subscribe(lead, "quotes:read:team", kind="quote.answered") == 201
    # The wider of a scope does what the narrower does.
    assert await sales.subscribe(sales.dan, "quotes:read:team", kind="quote.answered") == 201

    async def decline(number: str, owner_id: UUID | None) -> None:
        about = {"revision": 1, "customer_id": sales.office.ada, "reason": "Dear"}
        said = QuoteDeclined(quote_id=uuid7(), number=number, owner_id=owner_id, **about)
        await sales.tell(said, said.quote_id)

    await decline("A", sales.dan)
    await decline("B", sales.fay)
    await decline("C", sales.office.cy)
    await decline("D", None)
    told = {"A": "見積辞退: A", "B": "見積辞退: B"}
    assert await sales.heard(sales.dan) == [told["A"]], "Fay's are not of a team of Dan's"
    assert (await sales.heard(sales.eve), await sales.heard(sales.fay)) == ([told["A"]], [*told.values()])
    left = TeamUpdated(team_id=sales.inner, name="In", lead_id=sales.eve, parent_id=sales.outer)
    await sales.tell(left, sales.inner)
    await decline("E", sales.dan)
    assert len(await sales.heard(sales.eve)) == 1, "Dan is not in her team any more"
    assert len(await sales.heard(sales.dan)) == 2


async def test_a_scope_for_ones_own_rows_is_none_where_no_rows_are_ones_own(sales: Sales) -> None:
    assert await sales.subscribe(sales.dan, "shipping:read:own", kind="shipment.delivered") == 422
    assert await sales.subscribe(sales.dan, "quotes:read:own", kind=HELD) == 422
