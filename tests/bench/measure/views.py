"""A view by GraphQL beside the same by REST, through the gateway of a fleet: an order, a list of orders, and an order's screen with all its parts.

Both are asked in turns, so that they meet the same machine, and both show the same fields: the document asks for those that REST answers with.
"""

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type
from mix import trade
from mix.client import Session, User
from mix.plans import firms, jobs
from mix.setup import found

from contracts.promised import openapi
from gateway.graph.live import Live
from gateway.graph.offer import OFFER
from gateway.graph.schema import schema_of
from gateway.graph.types import camel
from gateway.screens import SCREENS

_WARM, _LIST = 10, 50
Ask = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class View:
    """Where REST shows it, and the document that asks for the same."""

    path: str
    document: str
    variables: Mapping[str, Any]


async def measure(
    asking: Session, operator: User, rounds: int, seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Medians in ms, and how many times as long GraphQL took; the largest of these is `times REST`."""
    firm = firms(seed, 1)[0]
    say("a company, an order all the way, and a page of orders")
    shop = await found(asking, operator, firm, 0)
    planned = jobs(seed, [firm], 1000)
    who = shop.somebody(0)
    for number in range(_LIST):
        body = {**trade.order_body(shop, planned[number]), "customer_reference": f"PO-{number}"}
        await who.post("/v1/orders", body, key=f"views/{number}")
    order = await trade.place(shop, who, planned[_LIST])
    left = await trade.dispatch(who, await trade.shipment_of(who, order, "views"), "views")
    after = left.headers["tailrace-event"]
    await who.get("/v1/accounting/trial-balance", after=after)
    schema = schema_of(openapi(), SCREENS, OFFER, Live(""))
    views = {
        "an order": await _order(who, schema, order["id"]),
        f"{_LIST} orders": await _orders(who, schema),
        "an order's screen": await _screen(who, schema, order["id"]),
    }
    say(f"{len(views)} views, {rounds} times each, by REST and by GraphQL in turns")
    figures = {what: await _beside(asking, who, view, rounds) for what, view in views.items()}
    return {"n": rounds, "figures": figures, "times REST": max(each["times REST"] for each in figures.values())}


async def _order(who: User, schema: GraphQLSchema, id: str) -> View:
    path = f"/v1/orders/{id}"
    fields = selection(_type(schema, "order"), await who.get(path))
    return View(path, f"query($id: ID!) {{order(id: $id) {fields}}}", {"id": id})


async def _orders(who: User, schema: GraphQLSchema) -> View:
    path = f"/v1/orders?limit={_LIST}"
    fields = selection(_type(schema, "orders"), await who.get(path))
    return View(path, f"query($n: Int) {{orders(limit: $n) {fields}}}", {"n": _LIST})


async def _screen(who: User, schema: GraphQLSchema, id: str) -> View:
    path = f"/v1/screens/order/{id}"
    shown, kind = (await who.get(path))["parts"], _type(schema, "order")
    (first, *rest) = next(screen for screen in SCREENS if screen.name == "order").parts
    fields = selection(kind, shown[first.name])[1:-1]
    for part in rest:
        name = camel(part.name)
        fields += f" {name} {selection(_inner(kind, name), shown[part.name])}"
    return View(path, f"query($id: ID!) {{order(id: $id) {{{fields}}}}}", {"id": id})


def _type(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    assert schema.query_type is not None
    return _inner(schema.query_type, name)


def _inner(kind: GraphQLObjectType, name: str) -> GraphQLObjectType:
    inner = get_named_type(kind.fields[name].type)
    assert isinstance(inner, GraphQLObjectType), name
    return inner


def selection(kind: GraphQLObjectType, said: Mapping[str, Any]) -> str:
    """The fields of an answer of REST, as a document asks for them. What is empty there shows nothing, and is left out."""
    fields = []
    for key, value in said.items():
        name = camel(key)
        if name not in kind.fields:
            continue
        if not isinstance(inner := get_named_type(kind.fields[name].type), GraphQLObjectType):
            fields.append(name)
            continue
        sample = value[0] if isinstance(value, list) and value else value
        if isinstance(sample, dict) and sample:
            fields.append(f"{name} {selection(inner, sample)}")
    return f"{{{' '.join(fields) or '__typename'}}}"


async def _beside(asking: Session, who: User, view: View, rounds: int) -> dict[str, float]:
    asked = {"query": view.document, "variables": view.variables}
    token = {"Authorization": f"Bearer {who.token}"}

    async def by_rest() -> Any:
        answer = await asking.once("GET", view.path, token, None, None)
        assert answer.status == 200, f"{view.path} answered {answer.status}: {answer.body}"

    async def by_graphql() -> Any:
        answer = await asking.once("POST", "/graphql", token, asked, None)
        assert answer.status == 200 and "errors" not in answer.body, f"{answer.status}: {str(answer.body)[:500]}"

    took: dict[Ask, list[float]] = {by_rest: [], by_graphql: []}
    for turn in range(_WARM + rounds):
        for ask, times in took.items():
            began = time.perf_counter()
            await ask()
            if turn >= _WARM:
                times.append((time.perf_counter() - began) * 1000)
    rest, graphql = (statistics.median(took[ask]) for ask in (by_rest, by_graphql))
    return {"REST ms": round(rest, 1), "GraphQL ms": round(graphql, 1), "times REST": round(graphql / rest, 2)}
