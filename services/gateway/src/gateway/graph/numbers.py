"""Numbers of JSON that services are told digit for digit, whatever a float of them would be."""

import json
from typing import Any


class Written(float):
    """A number as it was written: a float to GraphQL's own types, and its text to whom it is sent on."""

    text: str

    def __new__(cls, text: str) -> "Written":
        number = super().__new__(cls, text)
        number.text = text
        return number


def as_json(value: Any) -> str:
    """The JSON of a value, each number in it as it was written."""
    if isinstance(value, Written):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{as_json(name)}:{as_json(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
