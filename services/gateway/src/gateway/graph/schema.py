"""The schema, made of the offer, the screens and the services' documents, with resolvers that ask the services.

A field that reads makes one request, and one that follows an id into a list makes one for a hundred of them, however many rows there are: what a
document can ask of the services is known from its text and its limits (`gateway.graph.plan`).
"""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLString,
    Undefined,
)

from gateway.asking import said_of
from gateway.graph.caller import Caller, Refusal, id_of
from gateway.graph.live import Change, Live
from gateway.graph.offer import Action, Find, Offer, Read, Watch
from gateway.graph.scalars import BIG_INT, MOMENT
from gateway.graph.types import Document, Fields, Schema, Types, always, camel
from tailrace.core.errors import Unknown
from tailrace.core.screens import ID, Part, Screen

KIND, READ, LINK, WRITE = "kind", "read", "link", "write"
"""In a field's extensions: what it asks of a service."""
_PARAMETER = re.compile(r"\{([^}]+)\}")
Info = GraphQLResolveInfo[Caller]
_KEY = GraphQLArgument(
    GraphQLNonNull(GraphQLString),
    description="Yours to choose, the same on every retry of this one intention: it has one effect and one answer.",
    out_name="key",
)
_VERSION = GraphQLArgument(
    BIG_INT, description="The `version` last seen: the write is refused when it is stale.", out_name="version"
)


def schema_of(documents: Mapping[str, Document], screens: Iterable[Screen], offer: Offer, live: Live) -> GraphQLSchema:
    """The schema. Raises ValueError for what no service offers as it is asked for."""
    return _Making(documents, screens, offer, live).schema()


class _Making:
    def __init__(self, documents: Mapping[str, Document], screens: Iterable[Screen], offer: Offer, live: Live) -> None:
        self._offer = offer
        self._live = live
        self._types = Types(documents, offer.names or {}, self._more)
        self._parts: dict[str, list[Part]] = defaultdict(list)
        for screen in screens:
            if screen.of_one:
                self._parts[self._types.answered(screen.parts[0].path)] += screen.parts[1:]

    def schema(self) -> GraphQLSchema:
        query = {
            each.name: self._found(each) if isinstance(each, Find) else self._root(each) for each in self._offer.reads
        }
        mutation = {each.name: self._action(each) for each in self._offer.actions}
        subscription = {each.name: self._watch(each) for each in self._offer.watches}
        return GraphQLSchema(
            GraphQLObjectType("Query", query),
            GraphQLObjectType("Mutation", mutation) if mutation else None,
            GraphQLObjectType("Subscription", subscription) if subscription else None,
        )

    def _root(self, read: Read) -> GraphQLField:
        only = {*read.needs, "limit"} if read.rows else None
        return self._reading(read.path, only=only, needs=read.needs, rows=read.rows)

    def _found(self, find: Find) -> GraphQLField:
        kind, row = _noun(find.path), self._types.output(self._types.row_of(self._types.answered(find.path)))
        self._takes_ids(find.path)

        async def resolve(_: Any, info: Info, id: str) -> Any:
            found = await info.context.find(find.path, id_of(kind, id))
            if found is None:
                raise Refusal(said_of(Unknown(kind, id[:50])))
            return found

        arguments = {"id": GraphQLArgument(GraphQLNonNull(GraphQLID))}
        return GraphQLField(row, arguments, resolve, extensions={KIND: READ}, description=row.description)

    def _reading(
        self,
        path: str,
        *,
        only: set[str] | None = None,
        needs: Sequence[str] = (),
        rows: bool = False,
        preset: Mapping[str, str] | None = None,
    ) -> GraphQLField:
        """A field that reads `path`. `preset` fills parameters in: those that are the id of the thing the field stands on are no arguments, the
        others are what these are by default."""
        preset = preset or {}
        bound = {name for name, value in preset.items() if value == ID}
        in_path = _PARAMETER.findall(path)
        arguments = {} if bound else _ids(in_path)
        taken = self._types.parameters(path, "get", "query")
        if unknown := sorted(preset.keys() - taken.keys() - {*in_path}):
            raise ValueError(f"{path} takes no {unknown[0]}")
        owner, answer = self._answer(path, rows)
        for name, said in taken.items():
            if name not in bound and (only is None or name in only):
                arguments[camel(name)] = self._argument(owner, name, said, preset.get(name), name in needs)
        kind = _noun(path)

        def resolve(source: Any, info: Info, **given: Any) -> Any:
            known = dict.fromkeys(bound, source["id"]) if bound else {}
            ids = {name: known.pop(name) if name in known else id_of(kind, given.pop(name)) for name in in_path}
            query = urlencode([*_pairs({**given, **known})])
            read = info.context.read(path.format(**ids), query)
            return _rows(read) if rows else read

        summary = self._types.operation(path, "get")[1].get("description")
        return GraphQLField(answer, arguments, resolve, extensions={KIND: READ}, description=summary)

    def _answer(self, path: str, rows: bool) -> tuple[str, GraphQLOutputType]:
        """Whose field it is, for the names of enumerations, and what is answered."""
        name = self._types.answered(path)
        if rows:
            row = self._types.row_of(name)
            return self._types.called(row), GraphQLList(GraphQLNonNull(self._types.output(row)))
        owner = self._types.called(self._types.row_of(name) if name.startswith("Page_") else name)
        return owner, self._types.output(name)

    def _argument(self, owner: str, name: str, said: Schema, preset: str | None, needed: bool) -> GraphQLArgument:
        schema = said.get("schema", {})
        kind = self._types.argument(owner, name, schema)
        default: Any = schema.get("default", Undefined)
        if preset is not None:
            default = [preset] if isinstance(kind, GraphQLList) else _value(preset)
        if needed:
            kind = always(kind)
        return GraphQLArgument(kind, default, description=said.get("description"), out_name=name)

    def _more(self, schema: str, properties: Schema) -> Fields:
        """What an object leads to: by the ids that it has, and by its screen."""
        fields: Fields = {}
        for name, path in (self._offer.links or {}).items():
            if name in properties and (link := name.removesuffix("_id")) not in properties:
                fields[camel(link)] = self._link(name, path)
        for part in self._parts.get(schema, ()):
            if part.name in properties:
                raise ValueError(f"{schema} has the property {part.name}, and its screen the part")
            preset = dict(parse_qsl(part.query, keep_blank_values=True))
            preset |= dict.fromkeys(_PARAMETER.findall(part.path), ID)
            fields[camel(part.name)] = self._reading(part.path, preset=preset)
        return fields

    def _link(self, name: str, path: str) -> GraphQLField:
        self._takes_ids(path)
        row = self._types.output(self._types.row_of(self._types.answered(path)))

        def resolve(source: Any, info: Info) -> Any:
            id = source.get(name)
            return None if id is None else info.context.find(path, id)

        says = f"What `{camel(name)}` names; null where it is not to be seen."
        return GraphQLField(row, resolve=resolve, extensions={KIND: LINK}, description=says)

    def _takes_ids(self, path: str) -> None:
        if "id" not in self._types.parameters(path, "get", "query"):
            raise ValueError(f"the list {path} cannot be asked for many ids at once")

    def _action(self, action: Action) -> GraphQLField:
        in_path, body = _PARAMETER.findall(action.path), self._types.asked(action.path, action.method)
        headers = self._types.parameters(action.path, action.method, "header")
        arguments = {**_ids(in_path), "idempotencyKey": _KEY}
        if "If-Match" in headers:
            arguments["ifMatch"] = _VERSION
        if body is not None:
            kind = self._types.input(body, f"{action.name[:1].upper()}{action.name[1:]}Input")
            arguments["input"] = GraphQLArgument(GraphQLNonNull(kind), out_name="body")
        noun = _noun(action.path)

        async def resolve(
            _: Any, info: Info, key: str, version: int | None = None, body: Any = None, **ids: str
        ) -> Any:
            path = action.path.format(**{name: id_of(noun, id) for name, id in ids.items()})
            return await info.context.write(action.method, path, body, key, version)

        answer = self._types.output(self._types.answered(action.path, action.method))
        summary = self._types.operation(action.path, action.method)[1].get("description")
        return GraphQLField(answer, arguments, resolve, extensions={KIND: WRITE}, description=summary)

    def _watch(self, watch: Watch) -> GraphQLField:
        row = self._types.answered(watch.path)
        thing = self._types.output(self._types.row_of(row) if row.startswith("Page_") else row)
        change = GraphQLObjectType(
            f"{watch.name[:1].upper()}{watch.name[1:]}",
            {
                "sequence": GraphQLField(
                    BIG_INT,
                    resolve=_of("sequence"),
                    description="The event's place in its aggregate's history: none is left out.",
                ),
                "type": GraphQLField(
                    GraphQLString, resolve=_of("type"), description="What happened; null in the first message."
                ),
                "occurredAt": GraphQLField(MOMENT, resolve=_of("occurred_at"), description="When it was recorded."),
                watch.field: GraphQLField(
                    thing, resolve=_of("thing"), description="As it is read then; perhaps newer."
                ),
            },
            description="A change, or first how things are.",
        )

        def subscribe(_: Any, info: Info, **given: str) -> AsyncIterator[Change]:
            id = id_of(watch.field, given[watch.argument]) if watch.argument else ""
            return self._live.changes(watch, id, info.context)

        needed = GraphQLArgument(GraphQLNonNull(GraphQLID), out_name=watch.argument)
        return GraphQLField(
            always(change),
            {camel(watch.argument): needed} if watch.argument else {},
            subscribe=subscribe,
            resolve=lambda change, _, **__: change,
            extensions={KIND: READ},
            description="Each change, and none is left out.",
        )


def _ids(names: Sequence[str]) -> dict[str, GraphQLArgument]:
    """The arguments of a path: one is called `id`."""
    return {
        "id" if len(names) == 1 else camel(name): GraphQLArgument(GraphQLNonNull(GraphQLID), out_name=name)
        for name in names
    }


def _of(name: str) -> Callable[..., Any]:
    return lambda change, _: getattr(change, name)


async def _rows(read: Any) -> Any:
    return (await read)["items"]


def _noun(path: str) -> str:
    """What an operation is of, for a refusal: `/v1/orders/{order_id}/cancel` of an order."""
    names = [part for part in path.split("/") if part and "{" not in part]
    return names[-1].removesuffix("s") if "{" not in path else path.split("/{")[0].rpartition("/")[2].removesuffix("s")


def _pairs(given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                yield name, str(each).lower() if isinstance(each, bool) else str(each)


def _value(text: str) -> Any:
    """A preset of a query as the value it stands for."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isascii() and text.isdigit() else text
