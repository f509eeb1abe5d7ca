"""What a type means, said once where it is declared: a field of it says so too, unless it has a text of its own."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class Means:
    """`Code = Annotated[str, Means("What it is known by.")]`. A text below a field, or its `description`, comes before it."""

    text: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "description": self.text}
