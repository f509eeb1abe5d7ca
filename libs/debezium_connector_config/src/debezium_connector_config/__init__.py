"""Typed, validated settings of the Debezium PostgreSQL connector and its outbox event router.

`outbox_connector(...)` gives a connector that is known to work; `PostgresConnector` types every setting;
`validate_live` asks a running Kafka Connect.
"""

from debezium_connector_config.base import UnknownSettingsError
from debezium_connector_config.connector import PostgresConnector
from debezium_connector_config.converters import (
    ByteArrayConverter,
    Converter,
    JsonConverter,
    OtherConverter,
    StringConverter,
)
from debezium_connector_config.delivery import TopicCreation
from debezium_connector_config.live import ConnectError, FieldError, apply, status, validate_live
from debezium_connector_config.outbox import CLOUDEVENTS_CONSTANTS, CLOUDEVENTS_HEADERS, outbox_connector
from debezium_connector_config.reference import Reference
from debezium_connector_config.transforms import (
    DropHeaders,
    EventRouter,
    HeaderFrom,
    InsertField,
    InsertHeader,
    OtherTransform,
    Placement,
    Predicate,
)

__all__ = [
    "CLOUDEVENTS_CONSTANTS",
    "CLOUDEVENTS_HEADERS",
    "ByteArrayConverter",
    "ConnectError",
    "Converter",
    "DropHeaders",
    "EventRouter",
    "FieldError",
    "HeaderFrom",
    "InsertField",
    "InsertHeader",
    "JsonConverter",
    "OtherConverter",
    "OtherTransform",
    "Placement",
    "PostgresConnector",
    "Predicate",
    "Reference",
    "StringConverter",
    "TopicCreation",
    "UnknownSettingsError",
    "apply",
    "outbox_connector",
    "status",
    "validate_live",
]
