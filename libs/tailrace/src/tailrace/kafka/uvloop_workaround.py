"""aiokafka on uvloop: a write to a connection that was closed a moment ago fails with RuntimeError there, and aiokafka (0.14) expects OSError.

Untranslated it ends, without a word, the tasks that fetch, send, and keep the metadata fresh: the consumer holds its partitions and gets nothing
any more. Seen when a broker is killed under load; https://github.com/aio-libs/aiokafka/issues/1038. `stall_detector` looks for the same from outside.
"""

import functools
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError, KafkaError

_send = AIOKafkaConnection.send


@functools.wraps(_send)
def _translated(connection: Any, request: Any, expect_response: bool = True) -> Any:
    try:
        return _send(connection, request, expect_response)
    except KafkaError:
        raise
    except RuntimeError as error:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"Connection to {connection.host}:{connection.port} was closed") from error


def translate_closed_writes() -> None:
    """For every connection of aiokafka in this process, from here on. A second call changes nothing."""
    AIOKafkaConnection.send = _translated
