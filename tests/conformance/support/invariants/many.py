"""What holds where many things are made at once: each has a result, and stands alone."""

from collections.abc import AsyncIterator

from invariants.steps import Answer, Step
from invariants.subject import Findings, Subject


async def each_of_many_stands_alone(subject: Subject) -> Findings:
    """A bulk answer has a result for each item, in order; one that is made has an id, and is shown where its result says.

    One that is refused keeps no other from being made, and names its fields as they stand in the request.
    """
    steps = [step for step in (await subject.walked()).steps if step.operation.is_bulk and step.done]
    return [fault for step in steps for fault in [each async for each in _faults(subject, step)]]


async def _faults(subject: Subject, step: Step) -> AsyncIterator[str]:
    done, mixed = step.answers["done"], step.answers["mixed"]
    if mixed.status != 200:
        yield f"{step.name} answers {mixed.status} when one item of several is wrong"
        return
    for answer, sent in ((done, len(step.body["items"])), (mixed, len(step.body["items"]) + 1)):
        items = answer.json()["items"]
        if [item["index"] for item in items] != list(range(sent)):
            yield f"{step.name} answers with {len(items)} results for {sent} items"
        if sum(answer.json()["counts"].values()) != sent:
            yield f"{step.name} counts other items than there are"
    async for fault in _shown(subject, step, done):
        yield fault
    refused, *others = mixed.json()["items"]
    fields = [error["field"] for error in refused.get("problem", {}).get("errors", ())]
    if refused["status"] != 422 or "/items/0/no_such_field" not in fields:
        yield f"{step.name} answers {refused['status']} for an item with a field too many, and names {', '.join(fields)}"
    if any(item["status"] >= 500 for item in others):
        yield f"{step.name} refuses what is right, beside what is wrong"


async def _shown(subject: Subject, step: Step, done: Answer) -> AsyncIterator[str]:
    walker = (await subject.walked()).walker
    for item in done.json()["items"]:
        if item["status"] >= 300:
            yield f"{step.name} refuses an item of the walk: {item}"
        elif "id" not in item:
            yield f"{step.name} makes something, and does not say which"
        elif "location" in item:
            shown = await walker.client(tenant=step.tenant).get(item["location"])
            if shown.status_code != 200 or shown.json()["id"] != item["id"]:
                yield f"{step.name} answers that it is at {item['location']}, where it is not"
