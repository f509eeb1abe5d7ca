"""Settings of delivery: polling, queues, heartbeats, failures, and the topics that Connect creates."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from debezium_connector_config.base import Items, Milliseconds, Settings, Text


class DeliverySettings(Settings):
    """How changes travel from the log to Kafka, and what happens when they cannot."""

    tasks_max: int = Field(default=1, ge=1, le=1)
    """A slot has one reader, so one task."""
    poll_interval_ms: Annotated[int, Field(ge=1, le=5000)] = 500
    """Pause when there was nothing to read, milliseconds, at most 5000: latency against idle CPU. Default 500."""
    max_batch_size: int = Field(default=2048, gt=0)
    """Records handed to Kafka at once. Default 2048."""
    max_queue_size: int = Field(default=8192, gt=0)
    """Records read ahead; more than a batch. Default 8192."""
    max_queue_size_in_bytes: int = Field(default=0, ge=0)
    """Bytes read ahead; 0 is no limit. Default 0."""
    query_fetch_size: int = Field(default=0, ge=0)
    """Rows fetched at once while streaming; 0 is the driver's own. Default 0."""
    heartbeat_interval_ms: Milliseconds = 0
    """Pause between heartbeats, milliseconds; 0 is none. Default 0."""
    heartbeat_action_query: Text | None = None
    """SQL run with each heartbeat, so that an idle database's slot moves."""
    heartbeat_topics_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]+$")] = "__debezium-heartbeat"
    """Heartbeats go to `<this>.<topic.prefix>`. Default `__debezium-heartbeat`."""
    extended_headers_enabled: bool = True
    """Add the headers `__debezium.context.*`. Default true."""
    errors_tolerance: Literal["none", "all"] = "none"
    """`all` drops records that a transform or converter refuses. Default none: the task stops."""
    errors_log_enable: bool = False
    """Log failed records. Default false."""
    errors_log_include_messages: bool = False
    """Log their content too. Default false."""
    errors_retry_timeout: Annotated[int, Field(ge=-1)] = 0
    """How long Connect retries a transform or converter, milliseconds; -1 is for ever. Default 0."""
    errors_retry_delay_max_ms: Milliseconds = 60_000
    """Longest pause between those, milliseconds. Default 60000."""
    errors_max_retries: Annotated[int, Field(ge=-1)] = -1
    """Retries of lost database connections; -1 is no limit. Default -1."""
    retriable_restart_connector_wait_ms: Milliseconds = 10_000
    """Pause before each of those, milliseconds. Default 10000."""
    event_processing_failure_handling_mode: Literal["fail", "warn", "skip", "ignore"] = "fail"
    """What to do with a change that cannot be read. Default fail."""
    event_converting_failure_handling_mode: Literal["fail", "warn", "skip"] = "warn"
    """What to do with a value that its schema does not fit. Default warn."""
    executor_shutdown_timeout_ms: Milliseconds = 4000
    """Longest wait for the task's threads at a stop, milliseconds. Default 4000."""
    exactly_once_support: Literal["requested", "required"] = "requested"
    """`required` makes Connect refuse the connector where it cannot write transactions. Default requested."""
    transaction_boundary: Literal["poll", "interval", "connector"] = "poll"
    """Where a producer transaction ends, under exactly-once. Default poll."""
    transaction_boundary_interval_ms: Annotated[int, Field(gt=0)] | None = None
    """Length of a transaction for boundary interval, milliseconds."""
    custom_metric_tags: Items | None = None
    """`name=value` pairs added to the metrics' names."""


class TopicCreation(Settings):
    """How Connect creates topics that do not exist; -1 leaves a number to the broker."""

    nested: ClassVar[frozenset[str]] = frozenset({"options"})

    replication_factor: Annotated[int, Field(ge=-1)] = -1
    """Copies of each partition. -1: the broker's default."""
    partitions: Annotated[int, Field(ge=-1)] = -1
    """Partitions. -1: the broker's default."""
    include: Items | None = None
    """Regular expressions of topic names; needed for every group but `default`."""
    exclude: Items | None = None
    """Regular expressions of topic names that this group leaves out."""
    options: dict[str, Text] = Field(default_factory=dict)
    """Further settings of the topic: `cleanup.policy`, `retention.ms`, …"""

    def settings(self) -> dict[str, str]:
        numbers = {"replication.factor": str(self.replication_factor), "partitions": str(self.partitions)}
        return {**self.options, **super().settings(), **numbers}

    @classmethod
    def read(cls, settings: Mapping[str, str]) -> Self:
        """From the group's settings; what is not typed here goes to `options`."""
        typed = {key: value for key, value in settings.items() if key in cls.setting_names()}
        return cls.parse(typed, options={key: value for key, value in settings.items() if key not in typed})
