"""What the company's template says of approvals: which process a kind goes by, or that nobody is asked; what runs already is left alone."""

from typing import Any, get_args
from uuid import UUID

import pytest

from contracts.approvals import ApprovalApproved, ApprovalRequested
from contracts.catalog import TemplateChoiceUpdated, TemplateCreated, TemplateUpdated
from contracts.submissions import WITHDRAWALS
from contracts.templates import Submitted, TemplateSettings
from tailrace.core.ids import uuid7
from workflow.matrix import Matrix

from .conftest import PROCESSES, Office, row
from .test_processes import ONE_TASK, TWO_TASKS, activated, deployed, version

NOBODY = "The company's template says that nobody is asked about documents of this kind."


class House:
    """The company's template, which says something of approvals."""

    def __init__(self, office: Office) -> None:
        self.office, self.id, self.choice = office, uuid7(), uuid7()

    async def says(self, **approval: str | None) -> None:
        settings = TemplateSettings.model_validate({"approval": approval})
        known = await self.office.h.admin.fetchval("SELECT count(*) FROM template_copy")
        told = (TemplateUpdated if known else TemplateCreated)(
            template_id=self.id,
            code="HOUSE",
            name="House",
            level="standard",
            parent_id=None,
            settings=settings,
            effective=settings,
        )
        await self.office.h.deliver(told, aggregate_id=self.id)
        if not known:
            await self.chosen(self.id)

    async def chosen(self, template_id: UUID | None) -> None:
        chosen = TemplateChoiceUpdated(template_choice_id=self.choice, template_id=template_id)
        await self.office.h.deliver(chosen, aggregate_id=self.choice)


@pytest.fixture
def house(office: Office) -> House:
    return House(office)


async def added(office: Office, key: str, source: str = ONE_TASK) -> dict[str, Any]:
    """A process with an active version, which serves no kind by itself."""
    return await deployed(office, source.replace('"ours"', f'"{key}"'), key=key, kinds=())


def test_what_a_template_may_say_is_what_is_submitted() -> None:
    assert set(get_args(Submitted)) == {each.withdraws[0] for each in WITHDRAWALS}


async def test_the_template_s_process_comes_before_the_one_that_is_activated(office: Office, house: House) -> None:
    await deployed(office, ONE_TASK)
    await added(office, "dual-control", TWO_TASKS)
    await house.says(quote="Dual-Control")
    quote = await office.approval(await office.submit())
    assert (quote["process"], quote["process_version"], quote["process_note"]) == ("dual-control", 1, None)
    await office.approve("max", quote)
    assert (await office.approve("ada", quote))["status"] == "approved"
    assert (await office.approval(await office.submit(kind="journal")))["process"] == "approval"
    assert (await office.ask())["process"] == "approval"
    await house.chosen(None)
    assert (await office.approval(await office.submit()))["process"] == "ours"


async def test_where_the_template_asks_nobody_it_is_approved_at_once_and_says_why(office: Office, house: House) -> None:
    await house.says(quote=None)
    quote = await office.submit()
    approval = await office.approval(quote)
    assert (approval["status"], approval["reason"], approval["tasks"]) == ("approved", NOBODY, [])
    assert (approval["process"], approval["process_version"], approval["decided_by"]) == (None, None, None)
    assert await office.told() == ["approval.requested", "approval.approved"]
    requested, approved = [one.event for one in await office.h.published() if ".process." not in one.type]
    assert isinstance(requested, ApprovalRequested) and requested.process is None
    assert isinstance(approved, ApprovalApproved)
    assert (approved.subject.sha256, approved.reason, approved.decided_by) == ("a" * 64, NOBODY, None)
    assert (await office.approval(await office.submit(kind="refund")))["status"] == "pending"
    await office.take_back(quote)
    assert (await office.approval(quote))["status"] == "voided"
    assert (await office.h.client.get(f"{PROCESSES}/instances/{approval['id']}")).status_code == 404


@pytest.mark.parametrize("there", ["not at all", "never activated"])
async def test_a_process_that_is_not_there_is_said_and_another_serves(office: Office, house: House, there: str) -> None:
    source = ONE_TASK.replace('"ours"', '"late"')
    if there == "never activated":
        made = await office.h.client.post(PROCESSES, json={"key": "late", "name": "Late", "source": source})
        assert made.status_code == 201, made.text
    await house.says(quote="LATE")
    quote = await office.submit()
    approval = await office.approval(quote)
    note = "The template names the process LATE, of which no version is active here."
    assert (approval["status"], approval["process"], approval["process_note"]) == ("pending", "approval", note)
    (requested,) = [one.event for one in await office.h.published("approval.requested")]
    assert isinstance(requested, ApprovalRequested) and requested.process_note == note
    if there == "never activated":
        await activated(office, made.json(), 1)
    else:
        await added(office, "late")
    again = await office.approval(await office.submit(quote=quote))
    assert (again["process"], again["process_note"]) == ("late", None)


async def test_what_runs_goes_on_with_its_process_whatever_the_template_says_later(
    office: Office, house: House
) -> None:
    await added(office, "old", ONE_TASK)
    await added(office, "new", TWO_TASKS)
    await house.says(quote="old")
    first, second = await office.submit(), await office.submit()
    await house.says(quote="new")
    approval = await office.approval(first)
    assert (await office.approve("max", approval))["status"] == "approved"
    await house.says(quote=None)
    approval = await office.approval(second)
    begun = await office.reject("max", approval, then="restart")
    assert (begun["status"], begun["round"], begun["process"]) == ("pending", 2, "old"), "a no does not become a yes"
    assert (await office.approve("max", approval))["status"] == "approved"


async def test_what_begins_again_does_so_in_the_version_that_is_active_by_then(office: Office, house: House) -> None:
    old = await added(office, "old", ONE_TASK)
    await house.says(quote="old")
    approval = await office.approval(await office.submit())
    await activated(office, old, await version(office, old, TWO_TASKS.replace('"ours"', '"old"')))
    begun = await office.reject("max", approval, then="restart")
    assert (begun["process"], begun["process_version"]) == ("old", 2)
    assert (await office.approve("mia", approval))["status"] == "pending"


async def test_a_dry_run_tries_the_documents_that_the_template_gives_a_process(office: Office, house: House) -> None:
    for kind in ("quote", "journal", "refund"):
        await office.submit(kind=kind)
    with_matrix = await office.h.client.get(f"{PROCESSES}/{(await office.process())['id']}/versions/1/source")
    matrix = {"rules": [row("role:manager")]}
    dual = await deployed(office, with_matrix.text, key="dual", kinds=(), matrix=matrix)

    async def tried(process: dict[str, Any]) -> list[str]:
        body = {"dmn": Matrix(["amount"], []).dmn().decode()}
        answer = await office.h.client.post(f"{PROCESSES}/{process['id']}/dry-run", json=body)
        assert answer.status_code == 202, answer.text
        await office.h.run_jobs()
        at = f"{PROCESSES}/dry-runs/{answer.headers['location'].rpartition('/')[2]}"
        return sorted(one["kind"] for one in (await office.h.client.get(f"{at}/changes")).json()["items"])

    assert (await tried(await office.process()), await tried(dual)) == (["journal", "quote", "refund"], [])
    await house.says(quote="dual", journal=None, refund="gone")
    assert (await tried(await office.process()), await tried(dual)) == (["refund"], ["quote"])
