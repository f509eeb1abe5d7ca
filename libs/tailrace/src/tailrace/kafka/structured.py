"""A record as one JSON document: CloudEvents 1.0, structured mode. `data` is the record's value, byte for byte."""

import base64
import json
import re
from typing import NoReturn

from aiokafka import ConsumerRecord

_PREFIX = "ce_"
_NAME = re.compile("[a-z0-9]+")
_OF_THE_VALUE = frozenset({"data", "data_base64"})


def structured(record: ConsumerRecord) -> bytes:
    """The document. A value that is not JSON is in it as `data_base64`."""
    said: dict[str, str] = {}
    for name, text in record.headers:
        attribute = "datacontenttype" if name == "content-type" else name.removeprefix(_PREFIX)
        if text is not None and _NAME.fullmatch(attribute) and attribute not in _OF_THE_VALUE:
            said[attribute] = text.decode("utf-8", "replace")
    head = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    value = record.value or b"null"
    data = b'"data":' + value if _is_json(value) else b'"data_base64":"' + base64.b64encode(value) + b'"'
    return head[:-1] + (b"," if said else b"") + data + b"}"


def type_of(record: ConsumerRecord) -> str:
    """The type of the event; empty when it says none."""
    return next((text.decode("utf-8", "replace") for name, text in record.headers if name == "ce_type" and text), "")


def _is_json(value: bytes) -> bool:
    try:
        json.loads(value.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
