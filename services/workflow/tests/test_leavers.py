"""Who is gone decides nothing: their steps go to the successor, else to who stands above, else to managers."""

from contracts.customers import CustomerDeleted
from tailrace.core.ids import uuid7

from .conftest import Office, row


async def named(office: Office, *names: str, mode: str = "any") -> dict[str, object]:
    people = ",".join(f"user:{office.id(name)}" for name in names)
    await office.rule(row(people, mode=mode))
    return await office.approval(await office.submit())


async def test_the_successor_decides_in_the_place_of_one_who_is_gone(office: Office) -> None:
    await office.hire("eve", "sales")
    await office.hire("kim", "sales")
    approval = await named(office, "eve")
    await office.fire("eve", "kim")
    now = await office.approve("kim", approval)
    assert (now["status"], now["tasks"][0]["users"]) == ("approved", [office.id("kim")])


async def test_without_a_successor_the_lead_decides_and_without_a_lead_managers_do(office: Office) -> None:
    for name in ("eve", "kim", "boss"):
        await office.hire(name, "sales")
    await office.team("boss", "eve")
    first = await named(office, "eve")
    second = await named(office, "kim")
    await office.fire("eve")
    await office.fire("kim")
    assert (await office.approve("boss", first))["status"] == "approved"
    assert (await office.read(str(second["id"])))["tasks"][0]["roles"] == ["manager"]


async def test_the_requester_never_inherits_a_decision(office: Office) -> None:
    await office.hire("eve", "sales")
    approval = await named(office, "eve")
    await office.fire("eve", "sue")
    assert (await office.read(str(approval["id"])))["tasks"][0]["roles"] == ["manager"]


async def test_when_all_have_to_agree_those_who_are_left_are_enough(office: Office) -> None:
    for name in ("eve", "kim"):
        await office.hire(name, "sales")
    approval = await named(office, "eve", "kim", mode="all")
    assert (await office.approve("eve", approval))["status"] == "pending"
    await office.fire("kim", "eve")
    assert (await office.read(str(approval["id"])))["status"] == "approved"


async def test_a_role_goes_on_without_one_who_is_gone_or_has_it_no_more(office: Office) -> None:
    await office.hire("moe", "manager")
    await office.rule(row("role:manager", mode="all"))
    approval = await office.approval(await office.submit())
    await office.approve("max", approval)
    await office.fire("mia")
    assert (await office.read(approval["id"]))["status"] == "pending"
    await office.promote("moe", "sales")
    await office.h.fire_timers()
    assert (await office.read(approval["id"]))["status"] == "approved"


async def test_a_quorum_is_not_smaller_for_one_who_agreed_and_is_gone(office: Office) -> None:
    await office.rule(row("role:manager", mode="quorum:2"))
    approval = await office.approval(await office.submit())
    await office.approve("max", approval)
    await office.fire("max")
    assert (await office.read(approval["id"]))["status"] == "pending"
    assert (await office.approve("mia", approval))["status"] == "approved"


async def test_who_agreed_before_they_went_has_agreed(office: Office) -> None:
    for name in ("eve", "kim", "zoe"):
        await office.hire(name, "sales")
    approval = await named(office, "eve", "kim", mode="all")
    await office.approve("eve", approval)
    await office.fire("eve", "zoe")
    await office.approve("zoe", approval, 403)
    assert (await office.approve("kim", approval))["status"] == "approved"


async def test_what_one_who_is_gone_took_on_is_free_and_when_nobody_is_left_administrators_decide(
    office: Office,
) -> None:
    first, second = [await office.approval(await office.submit()) for _ in range(2)]
    for one in (first, second):
        await office.act("max", one, "claim")
    await office.fire("max")
    assert (await office.approve("mia", first))["status"] == "approved"
    assert await office.inbox("ada") == []
    await office.act("mia", second, "claim")
    await office.promote("mia", "sales")
    await office.h.fire_timers()
    assert await office.inbox("ada") == [second["id"]]
    assert (await office.approve("ada", second))["status"] == "approved"


async def test_roles_that_are_lost_one_after_the_other_are_all_minded(office: Office) -> None:
    await office.hire("abe", "accountant", "buyer")
    for role in ("accountant", "buyer"):
        await office.rule(row(f"role:{role}"))
        await office.submit()
    await office.promote("abe", "buyer")
    await office.promote("abe", "sales")
    await office.h.fire_timers()
    assert len(await office.inbox("ada")) == 2


async def test_delegations_of_one_who_is_gone_end(office: Office) -> None:
    await office.hire("eve", "sales")
    await office.delegate("max", "eve")
    await office.fire("max")
    approval = await office.approval(await office.submit())
    await office.approve("eve", approval, 403)
    assert (await office.told()).count("approval.delegation.ended") == 1


async def test_what_is_asked_about_a_deleted_customer_is_void(office: Office) -> None:
    customer = uuid7()
    about = await office.approval(await office.submit(attributes={"customer_id": str(customer)}))
    other = await office.approval(await office.submit(attributes={"customer_id": str(uuid7())}))
    await office.h.deliver(CustomerDeleted(customer_id=customer, number="C-1"), aggregate_id=customer)
    await office.h.fire_timers()
    assert [(await office.read(one["id"]))["status"] for one in (about, other)] == ["voided", "pending"]
