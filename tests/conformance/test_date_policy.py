"""Every day that a body says is held to the company's date policy, by a kind that the service asks for, or is said here to need none."""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from contracts.users import DateKind
from tailrace.messaging.date_policy import DatePolicy
from tailrace.service import Service

ROOT = Path(__file__).parents[2]
OPENAPI = ROOT / "contracts/src/contracts/openapi"

KINDS: Mapping[str, Mapping[str, DateKind]] = {
    "accounting": {
        "IssueBody.dated": "invoice",
        "NewBankStatement.content": "bank_line",
        "NewChart.since": "account_roles",
        "NewControlAdjustment.effective_at": "journal",
        "NewCreditNote.dated": "invoice",
        "NewJournal.effective_at": "journal",
        "NewOpenInvoice.taken_over_on": "journal",
        "NewPeriod.first_day": "period",
        "NewPeriod.last_day": "period",
        "NewRefund.value_day": "payment",
        "NewRevaluation.day": "journal",
        "NewReversal.effective_at": "journal",
        "NewRoles.since": "account_roles",
        "PaymentBody.value_day": "payment",
        "PaymentReturnBody.day": "payment",
        "RateBody.day": "exchange_rate",
        "RefundReturnBody.day": "payment",
    },
    "activities": {
        "MeetingBody.starts_at": "meeting",
        "NextStepBody.due_at": "task",
        "NextStepBody.due_on": "task",
        "TaskBody.due_at": "task",
        "TaskBody.due_on": "task",
    },
    "analytics": {"KpiBody.valid_from": "target"},
    "catalog": {
        "DatedRateBody.valid_from": "tax",
        "DatedRoundingBody.valid_from": "tax",
        "PriceListBody.valid_from": "price_list",
        "PriceListBody.valid_until": "price_list",
    },
    "customers": {
        "ConsentBody.given_at": "consent",
        "ProfileBody.reviewed_on": "review",
        "ProfileBody.review_due_on": "review",
    },
    "inventory": {
        "LotPart.expires_on": "expiry",
        "NewAdjustment.effective_at": "movement",
        "NewIssue.effective_at": "movement",
        # Of another reason, it is a `movement`.
        "NewReceipt.effective_at": "opening_stock",
        "NewTransfer.effective_at": "movement",
    },
    "opportunities": {
        "ConvertedOpportunity.expected_close_on": "expected_close",
        "LoseBody.closed_on": "close",
        "NewOpportunityBody.expected_close_on": "expected_close",
        "OpportunityBody.expected_close_on": "expected_close",
        "WinBody.closed_on": "close",
    },
    "orders": {
        "NewOrder.ordered_at": "order",
        "NewOrder.requested_date": "requested_date",
        "OrderTerms.ordered_at": "order",
        "OrderTerms.requested_date": "requested_date",
        "Performance.performed_at": "movement",
    },
    "quotes": {"QuoteBody.dated": "quote", "QuoteBody.valid_until": "valid_until"},
    "shipping": {
        "ArrivalBody.arrived_at": "movement",
        "AsnLineBody.expires_on": "expiry",
        "DeliveryBody.delivered_at": "movement",
        "DispatchBody.dispatched_at": "movement",
        "NewAsn.expected_on": "expected_delivery",
        "PackedLineBody.expires_on": "expiry",
        "ReceiptBody.received_at": "movement",
        "TariffBody.valid_from": "tariff",
        "TariffBody.valid_until": "tariff",
        "TrackedStepBody.at": "movement",
    },
    "workflow": {"DelegationBody.begins_at": "delegation"},
}
"""The kind of each field, by service."""

IN_A_FILE = {"NewBankStatement.content"}
"""Fields that hold days in a text, where no schema shows them."""

_ASKS = "it asks, and is kept nowhere"
NO_KIND: Mapping[str, Mapping[str, str]] = {
    "accounting": {
        "NewInvoice.until": _ASKS,
        "NewOpenInvoice.dated": "it is bounded by the day from which the invoice counts here",
        "NewOpenInvoice.due_on": "it is bounded by the day of the invoice",
    },
    "activities": {
        "MeetingBody.ends_at": "a meeting lasts fourteen days at most",
        "RecurrenceBody.exceptions": "a day that the rule does not name changes nothing",
    },
    "analytics": {"ForecastBody.as_of": _ASKS},
    "audit": {"ArchiveBody.before": _ASKS},
    "identity": {"NewTimeZone.since": "the days of a policy are counted by it"},
    "partners": {
        "PartnerBody.since": "it chooses among events: those of before are none, and of later ones there are none yet"
    },
    "workflow": {"DelegationBody.ends_at": "until further notice is a day that is far off", "DryRunBody.since": _ASKS},
}
"""The fields that no policy bounds, and why."""


def dated_fields(document: Mapping[str, Any]) -> Iterator[str]:
    """The fields with a day or a moment of every schema that a body of a request is made of, as `Schema.field`."""
    schemas = document["components"]["schemas"]
    within: dict[str, None] = {}
    waiting = [operation.get("requestBody") for path in document["paths"].values() for operation in path.values()]
    while waiting:
        part = waiting.pop()
        name = str(part.get("$ref", "")).rpartition("/")[2] if isinstance(part, dict) else ""
        if name in schemas and name not in within:
            within[name] = None
            waiting.append(schemas[name])
        waiting.extend(part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())
    for name in within:
        for field, schema in schemas[name].get("properties", {}).items():
            if {"date", "date-time"} & set(_formats(schema)):
                yield f"{name}.{field}"


def _formats(schema: Mapping[str, Any]) -> Iterator[str]:
    """Of a field itself, whatever may be null or in a list of it; what it refers to has fields of its own."""
    yield schema.get("format", "")
    for part in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
        yield from _formats(part)


def kinds_asked(source: str) -> Iterator[str]:
    """The kinds by which `dates` is asked; where a name says the kind, each that the module names."""
    tree = ast.parse(source)
    named = {each.value for each in ast.walk(tree) if isinstance(each, ast.Constant)} & set(get_args(DateKind))
    for call in ast.walk(tree):
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="dates")), args=[_, ast.Constant(value=kind), *_]):
                yield str(kind)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="dates")), args=[_, ast.Name(), *_]):
                yield from map(str, named)


def test_a_day_in_a_body_has_a_kind_or_needs_none(service: Service) -> None:
    found = set(dated_fields(json.loads((OPENAPI / f"{service.name}.json").read_text())))
    kinds, others = KINDS.get(service.name, {}), NO_KIND.get(service.name, {})
    assert not kinds.keys() & others.keys()
    assert found == (kinds.keys() - IN_A_FILE) | others.keys()


def test_a_service_asks_for_the_kinds_of_its_fields(service: Service) -> None:
    kinds = set(KINDS.get(service.name, {}).values())
    sources = (ROOT / "services" / service.name / "src").rglob("*.py")
    asked = {kind for source in sources if "dates." in (text := source.read_text()) for kind in kinds_asked(text)}
    assert asked == kinds
    assert any(isinstance(each, DatePolicy) for each in service.subscribers) == bool(kinds)


def test_no_kind_is_asked_for_by_nobody() -> None:
    assert {kind for kinds in KINDS.values() for kind in kinds.values()} == set(get_args(DateKind))


def test_a_day_is_found_however_deep() -> None:
    moment, day = {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}
    part = {"properties": {"at": moment, "whole": {"$ref": "#/components/schemas/Thing"}}}
    thing = {
        "properties": {
            "a": {"anyOf": [moment, {"type": "null"}]},
            "b": {"items": day},
            "c": {"anyOf": [{"items": {"$ref": "#/components/schemas/Part"}}, {"type": "null"}]},
            "d": {"type": "string", "format": "uuid"},
        }
    }
    schemas = {"Thing": thing, "Part": part, "Shown": {"properties": {"e": day}}}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    answer = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Shown"}}}}}
    document = {"paths": {"/v1/things": {"post": {"requestBody": body, "responses": answer}}}}
    assert set(dated_fields({**document, "components": {"schemas": schemas}})) == {"Thing.a", "Thing.b", "Part.at"}


def test_kinds_are_found_where_they_are_asked_for() -> None:
    assert list(kinds_asked('await dates.days(tx, "close", today)\nawait days.today(tx)\nother.days(tx, "task")')) == [
        "close"
    ]
    by_name = 'BOUNDS = {"movement": 1, "of_no_kind": 2}\nawait dates.moment(tx, kind, BOUNDS[kind])'
    assert list(kinds_asked(by_name)) == ["movement"]
