"""One specimen of each published event, made from its schema and nothing else, so that the same schema gives the same bytes."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from tailrace.core.events import Event
from tailrace.core.operator_error import OperatorError
from tailrace.core.personal_data import REDACTED, is_personal

_INSTANT, _DAY = "2026-01-02T03:04:05Z", "2026-01-02"
Schema = dict[str, Any]


def sample(event: type[Event]) -> dict[str, Any]:
    """A payload that `event` accepts, every optional field filled in, personal fields redacted.

    Raises OperatorError, with the cure, for a field of which no specimen can be made.
    """
    schema = event.model_json_schema(mode="serialization")
    payload = _Specimen(schema.get("$defs", {})).of(schema, "")
    assert isinstance(payload, dict)
    _redact(event, payload)
    try:
        event.model_validate(payload)
    except ValidationError as error:
        raise OperatorError(
            f"no sample can be made of {event.__name__}: {'; '.join(_refused(error))}",
            f"in an event, a personal text is Personal[str], since samples hold {REDACTED!r} for it; "
            "another field that has a rule needs examples=[…]",
        ) from None
    return payload


def _refused(error: ValidationError) -> list[str]:
    return [f"{'.'.join(map(str, each['loc']))}: {each['msg']} (was {each['input']!r})" for each in error.errors()]


class _Specimen:
    """Walks a JSON Schema; ids count up so that no two are alike."""

    def __init__(self, definitions: dict[str, Schema]) -> None:
        self._definitions = definitions
        self._ids = 0

    def of(self, schema: Schema, name: str) -> Any:
        if "$ref" in schema:
            return self.of(self._definitions[schema["$ref"].rpartition("/")[2]], name)
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                return self.of(next(s for s in schema[key] if s.get("type") != "null"), name)
        if "examples" in schema:
            return schema["examples"][0]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        return self._typed(schema, name)

    def _typed(self, schema: Schema, name: str) -> Any:
        match schema.get("type"):
            case "object":
                return {key: self.of(value, key) for key, value in schema.get("properties", {}).items()}
            case "array":
                return [self.of(schema.get("items", {}), name)]
            case "integer" | "number":
                return 1
            case "boolean":
                return True
            case "string":
                return self._text(schema, name)
        return None

    def _text(self, schema: Schema, name: str) -> str:
        match schema.get("format"):
            case "uuid":
                self._ids += 1
                return str(UUID(int=(0x0199_0000_0000_7000_8000 << 48) + self._ids))
            case "date-time":
                return _INSTANT
            case "date":
                return _DAY
        return name or "text"


def _redact(model: type[BaseModel], payload: dict[str, Any]) -> None:
    for name, field in model.model_fields.items():
        if is_personal(field) and name in payload:
            payload[name] = [REDACTED] if isinstance(payload[name], list) else REDACTED
        inner = _model_of(field.annotation)
        if inner is not None and isinstance(payload.get(name), dict):
            _redact(inner, payload[name])


def _model_of(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
