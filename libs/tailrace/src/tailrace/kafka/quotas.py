"""How much of the brokers a user of Kafka may take: bytes that it reads, and time of theirs. aiokafka can ask for quotas and not set them.

The request is Kafka's own, AlterClientQuotas in version 0 (KIP-546); any broker passes it on to the controller.
"""

from collections.abc import Mapping
from typing import Any

from aiokafka.errors import for_code
from aiokafka.protocol.admin import DescribeClientQuotasRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

from tailrace.core.operator_error import OperatorError
from tailrace.kafka import clients

READ_BYTES = "consumer_byte_rate"
"""Bytes a second that each broker hands out."""
REQUESTS = "request_percentage"
"""Percent of one thread of each broker's."""
_EXACTLY = 0
_ENTITY = Array(("entity_type", String("utf-8")), ("entity_name", String("utf-8")))


class _Answer(Response):  # type: ignore[misc]
    API_KEY = 49
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", String("utf-8")), ("entity", _ENTITY))),
    )


class _Struct(RequestStruct):  # type: ignore[misc]
    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        (
            "entries",
            Array(
                ("entity", _ENTITY),
                ("ops", Array(("key", String("utf-8")), ("value", Float64), ("remove", Boolean))),
            ),
        ),
        ("validate_only", Boolean),
    )


class _Change(Request[_Struct]):  # type: ignore[misc]
    API_KEY = 49

    def __init__(self, user: str, quotas: Mapping[str, float | None]) -> None:
        self._user, self._quotas = user, quotas

    def build(self, request_struct_class: type[_Struct]) -> _Struct:
        ops = [(name, value or 0.0, value is None) for name, value in sorted(self._quotas.items())]
        return request_struct_class([([("user", self._user)], ops)], False)


async def set_quotas(kafka: str, user: str, quotas: Mapping[str, float | None]) -> None:
    """From now on, for this user; None takes one away. Others of it stay. Raises `OperatorError`."""
    answer = await _ask(kafka, _Change(user, quotas))
    for code, reason, _ in answer.entries:
        if code:
            raise OperatorError(
                f"Kafka does not take the quotas of {user}: {for_code(code).__name__} {reason or ''}".rstrip(),
                "does the user that TAILRACE_KAFKA names have the right to alter the cluster's configuration?",
            )


async def quotas_of(kafka: str, user: str) -> dict[str, float]:
    """Those that are set for this user alone. Raises `OperatorError`."""
    answer = await _ask(kafka, DescribeClientQuotasRequest([("user", _EXACTLY, user)], True))
    if answer.error_code:
        raise OperatorError(
            f"Kafka does not tell the quotas of {user}: {for_code(answer.error_code).__name__}",
            "does the user that TAILRACE_KAFKA names have the right to describe the cluster's configuration?",
        )
    return {name: value for _, values in answer.entries for name, value in values}


async def _ask(kafka: str, request: Request[Any]) -> Any:
    admin = clients.admin(kafka)
    await admin.start()
    try:
        return await admin._send_request(request)
    finally:
        await admin.close()
