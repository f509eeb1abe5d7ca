"""GraphQL's types made of what the services' OpenAPI documents say of their JSON, so that no field is said twice.

A property `customer_id` becomes the field `customerId`, with the description that its service gives it. It may not be null where the document says
that it is always there. What has no shape that GraphQL knows is `JSON`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
)

from gateway.graph.plain import reader
from gateway.graph.scalars import BIG_INT, DAY, DECIMAL, JSON, MOMENT

Schema = dict[str, Any]
Document = Mapping[str, Any]
Fields = dict[str, GraphQLField]

_REF = "#/components/schemas/"
_INT = 2**31 - 1
_NAME = re.compile("[A-Za-z][A-Za-z0-9_]*")
_FORMATS = {"uuid": GraphQLID, "date-time": MOMENT, "date": DAY, "decimal": DECIMAL}
_PLAIN = {"boolean": GraphQLBoolean, "number": GraphQLFloat}
SIZE = "size"
"""In a field's extensions: whose list's length its argument `limit` says."""


def camel(name: str) -> str:
    """`customer_id` as GraphQL writes it, `customerId`."""
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def always(kind: Any) -> Any:
    """The same type, and never null."""
    return kind if isinstance(kind, GraphQLNonNull) else GraphQLNonNull(kind)


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


@dataclass
class Types:
    """The types of one fleet. `documents` are its services' by name; `names` says what is called otherwise than its service calls it.

    `more` gives further fields of an object, by its schema's name and its properties.
    """

    documents: Mapping[str, Document]
    names: Mapping[str, str]
    more: Callable[[str, Schema], Fields]
    _outputs: dict[str, GraphQLObjectType] = field(default_factory=dict)
    _inputs: dict[str, GraphQLInputObjectType] = field(default_factory=dict)
    _enums: dict[str, GraphQLEnumType] = field(default_factory=dict)

    def operation(self, path: str, method: str) -> tuple[str, Schema]:
        """The service that offers it, and what its document says. Raises ValueError when none does."""
        for service, document in self.documents.items():
            if (found := document.get("paths", {}).get(path, {}).get(method)) is not None:
                return service, found
        raise ValueError(f"no service offers {method} {path}")

    def parameters(self, path: str, method: str, place: str) -> dict[str, Schema]:
        """The parameters of an operation that stand in the `path` or the `query`, by name."""
        service, operation = self.operation(path, method)
        shared = self.documents[service]["components"].get("parameters", {})
        found = (
            shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in operation["parameters"]
        )
        return {each["name"]: each for each in found if each["in"] == place}

    def answered(self, path: str, method: str = "get") -> str:
        """The name of the schema that an operation answers with. Raises ValueError when it has none."""
        _, operation = self.operation(path, method)
        good = next(said for status, said in operation["responses"].items() if status.startswith("2"))
        ref: str = good.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
        if not ref:
            raise ValueError(f"{method} {path} answers with nothing that has a name")
        return ref.removeprefix(_REF)

    def asked(self, path: str, method: str) -> str | None:
        """The name of the schema of an operation's body; None when it takes none."""
        _, operation = self.operation(path, method)
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        ref: str = content.get("schema", {}).get("$ref", "")
        return ref.removeprefix(_REF) or None

    def schema(self, name: str) -> Schema:
        """What the document that has it says of a schema. Raises ValueError."""
        for document in self.documents.values():
            if (found := document["components"]["schemas"].get(name)) is not None:
                schema: Schema = found
                return schema
        raise ValueError(f"no service has the schema {name}")

    def row_of(self, page: str) -> str:
        """The schema of what stands in a page. Raises ValueError for one that is no page."""
        items = self.schema(page).get("properties", {}).get("items", {}).get("items", {})
        if "$ref" not in items:
            raise ValueError(f"{page} is no page")
        ref: str = items["$ref"]
        return ref.removeprefix(_REF)

    def called(self, name: str) -> str:
        """What a schema is called here: `OrderView` is `Order`, unless there is another `Order`."""
        if name in self.names:
            return self.names[name]
        if paged := re.fullmatch("Page_(.+)_", name):
            return f"{self.called(paged[1])}Page"
        plain = name.removesuffix("-Output").removesuffix("View")
        taken = any(plain in document["components"]["schemas"] for document in self.documents.values())
        return name.removesuffix("-Output") if taken else plain

    def output(self, name: str) -> GraphQLObjectType:
        """The type of a schema that is answered."""
        called = self.called(name)
        if called not in self._outputs:
            schema = self.schema(name)
            self._outputs[called] = GraphQLObjectType(
                called, lambda: self._fields(called, name, schema), description=schema.get("description")
            )
        return self._outputs[called]

    def input(self, name: str, called: str) -> GraphQLInputObjectType:
        """The type of a schema that is sent."""
        if called not in self._inputs:
            schema = self.schema(name)
            self._inputs[called] = GraphQLInputObjectType(
                called, lambda: dict(self._sent(called, schema)), description=schema.get("description")
            )
        return self._inputs[called]

    def argument(self, owner: str, name: str, schema: Schema) -> GraphQLInputType:
        """The type of a parameter; `owner` is whose, for the names of enumerations."""
        return self._input_of(owner, name, schema)

    def _fields(self, called: str, name: str, schema: Schema) -> Fields:
        fields, required = {}, set(schema.get("required", ()))
        for key, said in schema.get("properties", {}).items():
            inner, nullable = _without_null(said)
            kind = self._output_of(called, key, inner)
            # A masked property is left out for those who may not see it.
            if key in required and not nullable and "x-scope" not in said:
                kind = always(kind)
            fields[camel(key)] = GraphQLField(kind, resolve=reader(key), description=said.get("description"))
        return fields | self.more(name, schema.get("properties", {}))

    def _sent(self, called: str, schema: Schema) -> Iterator[tuple[str, GraphQLInputField]]:
        required = set(schema.get("required", ()))
        for key, said in schema.get("properties", {}).items():
            kind = self._input_of(called, key, said)
            kind = always(kind) if key in required and not _without_null(said)[1] else kind
            yield camel(key), GraphQLInputField(kind, description=said.get("description"), out_name=key)

    def _output_of(self, owner: str, key: str, schema: Schema) -> GraphQLOutputType:
        if "$ref" in schema:
            name = schema["$ref"].removeprefix(_REF)
            return self.output(name) if self.schema(name).get("properties") else JSON
        if schema.get("type") == "array":
            return GraphQLList(GraphQLNonNull(self._output_of(owner, key, schema.get("items", {}))))
        return self._leaf(owner, key, schema)

    def _input_of(self, owner: str, key: str, schema: Schema) -> GraphQLInputType:
        schema, _ = _without_null(schema)
        if "$ref" in schema:
            name = schema["$ref"].removeprefix(_REF)
            inner = f"{name.removesuffix('-Input')}Input"
            return self.input(name, inner) if self.schema(name).get("properties") else JSON
        if schema.get("type") == "array":
            return GraphQLList(GraphQLNonNull(self._input_of(owner, key, schema.get("items", {}))))
        return self._leaf(owner, key, schema)

    def _leaf(self, owner: str, key: str, schema: Schema) -> GraphQLScalarType | GraphQLEnumType:
        if "anyOf" in schema:
            formats = {each.get("format") for each in schema["anyOf"]}
            if {each.get("type") for each in schema["anyOf"]} == {"number", "string"}:
                return DECIMAL
            return MOMENT if formats == {"date-time", "date"} else JSON
        if "enum" in schema and all(isinstance(each, str) and _NAME.fullmatch(each) for each in schema["enum"]):
            return self._enum(owner, key, schema["enum"])
        kind = schema.get("type")
        if kind == "integer":
            return (
                GraphQLInt
                if schema.get("minimum", -_INT - 1) >= -_INT and schema.get("maximum", _INT + 1) <= _INT
                else BIG_INT
            )
        if kind == "string":
            return DECIMAL if "decimal_places" in schema else _FORMATS.get(schema.get("format", ""), GraphQLString)
        return _PLAIN.get(kind or "", JSON)

    def _enum(self, owner: str, key: str, values: list[str]) -> GraphQLEnumType:
        """Views of one thing share theirs: `OrderStatus` is that of `Order` and of `OrderSummary`."""
        of = re.sub("(Summary|View|Detail|Page)$", "", owner) or owner
        for name in (_title(of) + _title(camel(key)), _title(owner) + _title(camel(key)) + "Value"):
            known = self._enums.get(name)
            if known is None:
                known = self._enums[name] = GraphQLEnumType(name, {value: value for value in values})
            if list(known.values) == values:
                return known
        raise ValueError(f"{owner}.{key} has other values than its namesake")


def _without_null(schema: Schema) -> tuple[Schema, bool]:
    """What a property is when it is not null, and whether it may be."""
    if "anyOf" not in schema:
        return schema, False
    some = [each for each in schema["anyOf"] if each.get("type") != "null"]
    nullable = len(some) < len(schema["anyOf"])
    if len(some) == 1:
        return (_without_null(some[0])[0], nullable)
    return {**schema, "anyOf": some}, nullable
