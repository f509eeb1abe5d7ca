"""The fleet's events as one AsyncAPI 3.1 document: every topic with every version that it may hold, who sends to it and who receives.

Deterministic: the same manifests and schemas give the same document. It refers to the schemas, which lie in `schemas/` beside it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tailrace.core.events import Event
from tailrace.messaging.dead_letters import DeadLettered, dlq_topic
from tailrace.messaging.subscribers import Journal, Subscriber
from tailrace.service import Service

Document = dict[str, Any]
Schema = dict[str, Any]

_KAFKA = {"bindingVersion": "0.5.0"}
_UUID = {"type": "string", "format": "uuid"}
_LOGIN, _CERTIFICATE = "scram", "certificate"
_ENVELOPE = "CloudEvent"


def asyncapi(services: Sequence[Service], schemas: Mapping[str, Schema]) -> Document:
    """The document. `schemas` holds each event's JSON Schema by `<type>.v<version>`, older versions that topics still hold included."""
    topics = _topics(services, schemas)
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Tailrace",
            "version": "1",
            "description": "Every topic of every service. Messages are CloudEvents 1.0, Kafka binding, binary mode; "
            "per aggregate they are in order and their sequence has no gap. Each may come more than once.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "variables": {"bootstrap": {"description": "The brokers of the installation, as host:port."}},
                "description": "On the machine of the installation, or inside its cluster, without TLS.",
                "security": [{"$ref": f"#/components/securitySchemes/{_LOGIN}"}],
            },
            "kafka-tls": {
                "host": "{bootstrap}",
                "protocol": "kafka-secure",
                "variables": {"bootstrap": {"description": "The brokers of the installation, as host:port."}},
                "description": "From anywhere else: by TLS, with a certificate that the operator names.",
                "security": [
                    {"$ref": f"#/components/securitySchemes/{_LOGIN}"},
                    {"$ref": f"#/components/securitySchemes/{_CERTIFICATE}"},
                ],
            },
        },
        "channels": {topic: _channel(topic, names) for topic, names in sorted(topics.items())},
        "operations": dict(sorted(_operations(services, topics))),
        "components": {
            "messages": {name: _message(name, schema) for name, schema in sorted(schemas.items())},
            "schemas": {_ENVELOPE: _envelope()},
            "securitySchemes": {
                _LOGIN: {
                    "type": "scramSha512",
                    "description": "A user that the operator made for the reader; its groups begin with its name and a dot.",
                },
                _CERTIFICATE: {
                    "type": "X509",
                    "description": "A client certificate instead, where the installation asks for one (mTLS).",
                },
            },
        },
    }


def version_name(event: type[Event]) -> str:
    """`order.created.v1`: an event in one version, by which messages and schema files are known."""
    return f"{event.type}.v{event.version}"


def _topics(services: Sequence[Service], schemas: Mapping[str, Schema]) -> dict[str, list[str]]:
    """The messages of each topic, by name."""
    topics: dict[str, list[str]] = {service.topic: [] for service in services if service.topic is not None}
    for name, schema in sorted(schemas.items()):
        if schema["title"] != DeadLettered.type:
            topics.setdefault(schema["x-topic"], []).append(name)
    letters = {dlq_topic(service.name): [version_name(DeadLettered)] for service in services if service.topic}
    return topics | letters


def _channel(topic: str, names: Iterable[str]) -> Document:
    return {
        "address": topic,
        "servers": [{"$ref": "#/servers/kafka"}, {"$ref": "#/servers/kafka-tls"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1},
                **_KAFKA,
            }
        },
    }


def _operations(services: Sequence[Service], topics: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Document]]:
    for service in services:
        if service.topic is None:
            continue
        newest = [version_name(event) for event in service.publishes]
        yield _operation("send", service.name, service.topic, newest, f"What {service.name} publishes.")
        letters = dlq_topic(service.name)
        yield _operation("send", service.name, letters, topics[letters], f"What {service.name} could not apply.")
        for subscriber in service.subscribers:
            yield from _receives(service, subscriber, topics)


def _receives(
    service: Service, subscriber: Subscriber, topics: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, Document]]:
    kind = type(subscriber).__name__.lower()
    for topic in sorted(subscriber.topics):
        types = {event.type for event in subscriber.events if event.topic == topic}
        keeps_all = isinstance(subscriber, Journal)
        names = [name for name in topics[topic] if keeps_all or name.rpartition(".v")[0] in types]
        identifier, operation = _operation(
            "receive", subscriber.name, topic, names, f"What the {kind} {subscriber.name} applies."
        )
        group = {"groupId": {"type": "string", "enum": [service.name]}, **_KAFKA}
        yield identifier, {**operation, "bindings": {"kafka": group}}


def _operation(action: str, who: str, topic: str, names: Sequence[str], summary: str) -> tuple[str, Document]:
    channel = f"#/channels/{topic}"
    return f"{who}.{action}s.{topic}", {
        "action": action,
        "channel": {"$ref": channel},
        "summary": summary,
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in sorted(names)],
    }


def _message(name: str, schema: Schema) -> Document:
    marks = {"ce_type": {"const": schema["title"]}, "ce_dataschema": {"const": schema["$id"]}}
    summary = schema.get("description", "").strip().partition("\n")[0]
    return {
        "name": schema["title"],
        "title": name,
        **({"summary": summary} if summary else {}),
        "contentType": "application/json",
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "headers": {"allOf": [{"$ref": f"#/components/schemas/{_ENVELOPE}"}, {"properties": marks}]},
        "payload": {"$ref": f"./schemas/{name}.json"},
        "bindings": {"kafka": {"key": {**_UUID, "description": "The aggregate's id: `ce_subject`."}, **_KAFKA}},
    }


def _envelope() -> Schema:
    """The headers of every message (see `wire`). Kafka headers are bytes: these are their UTF-8 text."""
    number = {"type": "string", "pattern": "^[1-9][0-9]*$"}
    required: dict[str, Schema] = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {**_UUID, "description": "UUIDv7; the same however often the message comes."},
        "ce_type": {"type": "string"},
        "ce_source": {"type": "string", "format": "uri-reference", "description": "`/tailrace/<service>`."},
        "ce_subject": {**_UUID, "description": "The aggregate."},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_dataschema": {"type": "string", "format": "uri", "description": "Type and version of the payload."},
        "content-type": {"type": "string", "const": "application/json"},
        "ce_tenantid": _UUID,
        "ce_sequence": {**number, "description": "Counts the aggregate's events from 1, without a gap."},
        "ce_sequencetype": {"type": "string", "const": "Integer", "description": "CloudEvents' Sequence extension."},
        "ce_epoch": {**number, "description": "Rises when the publisher's database was restored behind its topic."},
        "ce_correlationid": {**_UUID, "description": "The request or timer that began it all."},
    }
    optional: dict[str, Schema] = {
        "ce_causationid": {
            **_UUID,
            "description": "The message that led to this one; `ce_correlationid` at the beginning.",
        },
        "ce_actorid": {
            "type": "string",
            "description": "Who began it: the id of a user, or `timer:`, `schedule:`, `partner:`, `link:` or `service:` with a name. "
            "Absent from messages of before there was such a header.",
        },
        "traceparent": {"type": "string", "description": "W3C Trace Context; not sampled where nobody traces."},
    }
    return {
        "type": "object",
        "description": "CloudEvents attributes, and Tailrace's extensions of them.",
        "properties": {**required, **optional},
        "required": list(required),
    }
