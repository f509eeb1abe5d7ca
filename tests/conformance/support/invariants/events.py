"""What holds of every event: a schema, samples that still parse, a publisher for each listener, one topic for each owner."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import jsonschema_rs

from invariants import grammar
from invariants.subject import Findings, Subject
from tailrace.codegen.compatibility import breaking_in_event
from tailrace.codegen.deviations import exceptions
from tailrace.codegen.samples import sample
from tailrace.core.operator_error import OperatorError
from tailrace.errands.errands import Errand
from tailrace.messaging.schedules import Schedule
from tailrace.messaging.subscribers import Subscriber
from tailrace.messaging.timers import Timer


async def every_event_has_a_schema_and_samples_that_parse(subject: Subject) -> Findings:
    """Each published event has its committed schema and at least one sample; every sample ever published is still read, by its publisher."""
    found = []
    for event in subject.service.publishes:
        path = subject.root / f"contracts/schemas/{event.type}.v{event.version}.json"
        samples = _samples(subject, event.type)
        if not path.is_file() or not samples:
            found.append(f"{event.type} has no {'sample' if path.is_file() else 'schema'}: run `tailrace describe`")
            continue
        validator = jsonschema_rs.validator_for(json.loads(path.read_text()))
        for one in samples:
            try:
                parsed = event.read(_version(one), json.loads(one.read_text()))
                validator.validate(parsed.model_dump(mode="json"))
            except ValueError as error:
                found.append(f"the sample {one.name} of {event.type} is read no more: {str(error).splitlines()[0]}")
    return found


async def types_follow_the_grammar(subject: Subject) -> Findings:
    """An event is called by its context, its thing and what happened to it: see `invariants.grammar`."""
    faults = [(event.type, grammar.fault(event.topic, event.type)) for event in subject.service.publishes]
    return [f"{type} {fault}" for type, fault in faults if fault]


async def what_is_recorded_is_in_the_manifest(subject: Subject) -> Findings:
    """What the service records is among what its manifest publishes, or it would go out without a schema and known to nobody."""
    published = {event.type for event in subject.service.publishes}
    recorded = {row["type"] for step in (await subject.walked()).steps for row in step.recorded}
    return [
        f"{type} is recorded, and `publishes` of the manifest does not have it" for type in sorted(recorded - published)
    ]


async def events_only_grow(subject: Subject) -> Findings:
    """Compared with the committed schema, an event of one version has only gained optional fields."""
    found = []
    for event in subject.service.publishes:
        path = subject.root / f"contracts/schemas/{event.type}.v{event.version}.json"
        if path.is_file():
            now = {**event.model_json_schema(mode="serialization"), "x-topic": event.topic}
            found += [f"{event.type}: {change}" for change in breaking_in_event(json.loads(path.read_text()), now)]
    return found


async def samples_are_up_to_date(subject: Subject) -> Findings:
    """Among an event's samples is the one that its present schema makes."""
    found = []
    for event in subject.service.publishes:
        try:
            now = sample(event)
        except OperatorError as error:
            found.append(f"{event.type}: {error.what}: {error.remedy}")
            continue
        if now not in [json.loads(path.read_text()) for path in _samples(subject, event.type)]:
            found.append(f"{event.type} has no sample of its present form: run `tailrace describe`")
    return found


_LISTS: dict[str, type] = {"timers": Timer, "errands": Errand, "schedules": Schedule, "subscribers": Subscriber}


async def every_listener_has_a_publisher(subject: Subject) -> Findings:
    """What a subscriber handles is published by a service of the fleet, and read as the very class that is published. What is awaited of others is
    listened to, and nobody here publishes it."""
    published = {event for service in subject.fleet for event in service.publishes}
    awaited = set(subject.service.awaits)
    heard = {event for subscriber in subject.service.subscribers for event in subscriber.events}
    idle = [
        f"{event.type} is awaited, and nothing listens to it" for event in subject.service.awaits if event not in heard
    ]
    there = [
        f"{event.type} is awaited, and a service publishes it" for event in subject.service.awaits if event in published
    ]
    return [*idle, *there] + [
        f"{subscriber.name} listens to {event.type}, which nobody publishes"
        for subscriber in subject.service.subscribers
        for event in subscriber.events
        if event not in published | awaited
    ]


async def listeners_read_every_sample(subject: Subject) -> Findings:
    """Every sample ever published of what a subscriber handles, it reads."""
    found = []
    for subscriber in subject.service.subscribers:
        for event in subscriber.events:
            samples = _samples(subject, event.type)
            if not samples:
                found.append(
                    f"{event.type}, which {subscriber.name} listens to, has no sample: run `tailrace describe`"
                )
            for path in samples:
                try:
                    event.read(_version(path), json.loads(path.read_text()))
                except ValueError as error:
                    found.append(
                        f"{subscriber.name} cannot read {path.name} of {event.type}: {str(error).splitlines()[0]}"
                    )
    return found


async def a_topic_has_one_publisher(subject: Subject) -> Findings:
    """Nobody else publishes to the service's topic, no type is published twice, and each event says whose it is: readers refuse a forger's."""
    unsaid = [event.type for event in subject.service.publishes if event.publisher != subject.name]
    heard = {event for subscriber in subject.service.subscribers for event in subscriber.events}
    unknown = {event.type for event in heard if event.publisher is None}
    found = [f"{type} does not say that {subject.name} publishes it" for type in unsaid]
    found += [f"{type}, which {subject.name} listens to, does not say who publishes it" for type in sorted(unknown)]
    for other in subject.fleet:
        if other.name == subject.name:
            continue
        if subject.service.topic is not None and other.topic == subject.service.topic:
            found.append(f"{other.name} publishes to {other.topic} too")
        shared = {event.type for event in other.publishes} & {event.type for event in subject.service.publishes}
        found += [f"{other.name} publishes {type} too" for type in sorted(shared)]
    return found


async def the_manifest_holds_together(subject: Subject) -> Findings:
    """What `Service` refuses when it is made (a subscriber or a topic of somebody else's name), it would refuse now."""
    try:
        replace(subject.service)
    except ValueError as refusal:
        return [str(refusal)]
    return []


async def what_the_package_makes_is_in_the_manifest(subject: Subject) -> Findings:
    """Each subscriber, timer and errand of the service's modules is named by the manifest, or it would not be heard, fire or be run."""
    service = subject.service
    named = {id(each) for each in (*service.subscribers, *service.all_timers, *service.errands)}
    found = {}
    for path in subject.sources:
        parts = [service.name, *path.relative_to(subject.package).with_suffix("").parts]
        for each in vars(importlib.import_module(".".join(parts).removesuffix(".__init__"))).values():
            if isinstance(each, Subscriber | Timer | Errand) and id(each) not in named:
                kind = next(of for of, kinds in _LISTS.items() if isinstance(each, kinds))
                found[id(each)] = f"{each.name} stands in {path.name}, and `{kind}` of the manifest does not have it"
    return list(found.values())


async def only_the_edge_has_no_database(subject: Subject) -> Findings:
    """A service builds its own app, and has no database, only when it owns nothing: no topic, route, subscriber, timer, errand or table."""
    service = subject.service
    owns = [
        service.topic,
        service.publishes,
        service.subscribers,
        service.timers,
        service.errands,
        service.routers,
        service.platform_tables,
    ]
    if service.metadata is None and any(owns):
        return ["it has no database, and yet something of its own"]
    if service.build is not None and service.metadata is not None:
        return ["it builds its own app, so that nothing stands before its routes"]
    return []


async def exceptions_are_written_down(subject: Subject) -> Findings:
    """`exceptions.json` beside the migrations says where the service differs from the rule, so that a review sees each new exception."""
    path = subject.package.parents[1] / "exceptions.json"
    if not path.is_file():
        return ["there is no exceptions.json: run `tailrace describe`"]
    written, now = json.loads(path.read_text()), exceptions(subject.service)
    return [
        f"exceptions.json says {name} is {written.get(name)}; the manifest says {value}"
        for name, value in now.items()
        if written.get(name) != value
    ]


def _samples(subject: Subject, type: str) -> list[Path]:
    return sorted((subject.root / f"contracts/samples/{type}").glob("v*-*.json"))


def _version(path: Path) -> int:
    return int(path.name.removeprefix("v").partition("-")[0])
