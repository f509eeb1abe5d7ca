"""Run where the generated package `tailrace_client` is: a small company trades by it. Prints the modules of the operations that it called."""

import os
import time
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import httpx

from tailrace_client import AuthenticatedClient, Client
from tailrace_client import models as m

URL, TENANT, EMAIL, PASSWORD = (os.environ[name] for name in ("URL", "TENANT", "EMAIL", "PASSWORD"))
called: list[str] = []


class AskingAgain(httpx.HTTPTransport):
    """What was not answered in time is sent again as it is, with its key, so that it is done once."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for pause in (0.5, 1, 2, 4, 8):
            answer = super().handle_request(request)
            if answer.status_code not in {503, 504}:
                return answer
            answer.close()
            time.sleep(pause)
        return super().handle_request(request)


def ask(client: Client | AuthenticatedClient, operation: str, *ids: UUID, answers: int = 200, **said: Any) -> Any:
    """What the operation answers, as the generated code reads it, with its headers. Raises AssertionError for another status."""
    api = import_module(f"tailrace_client.api.{operation}")
    called.append(operation)
    answer = api.sync_detailed(*ids, client=client, **said)
    assert answer.status_code == answers, (operation, answer.status_code, answer.content)
    assert "X-Request-Id" in answer.headers, operation
    return answer


def write(client: AuthenticatedClient, operation: str, *ids: UUID, answers: int = 200, **said: Any) -> Any:
    return ask(client, operation, *ids, answers=answers, idempotency_key=str(uuid4()), **said)


def main() -> None:
    nobody = Client(base_url=URL, httpx_args={"transport": AskingAgain()})
    tokens = ask(nobody, "auth.auth_log_in_user", body=m.LogIn(tenant=TENANT, email=EMAIL, password=PASSWORD)).parsed
    assert isinstance(tokens, m.Tokens)
    client = AuthenticatedClient(base_url=URL, token=tokens.access_token, httpx_args={"transport": AskingAgain()})
    me = ask(client, "auth.auth_read_me").parsed
    assert (me.email, me.tenant.slug) == (EMAIL, TENANT)
    sell(client)
    account(client)
    manage(client)
    print(*called)


def sell(client: AuthenticatedClient) -> None:
    while not any(unit.code == "pcs" for unit in ask(client, "units.units_list", limit=200).parsed.items):
        time.sleep(0.1)
    item = write(client, "items.items_create", answers=201, body=m.ItemBody(sku="NUT", name="Nut", tax_rate="0.1"))
    seen = item.headers["ETag"]
    assert item.headers["Location"] == f"/v1/items/{item.parsed.id}"
    bolt = m.ItemBody(sku="BOLT", name="Bolt", tax_rate="0.2")
    changed = write(client, "items.items_replace", item.parsed.id, if_match=seen, body=bolt).parsed
    assert (changed.sku, changed.version, changed.tax_rate) == ("BOLT", 2, "0.2")
    stale = write(client, "items.items_replace", item.parsed.id, answers=412, if_match=seen, body=bolt).parsed
    assert isinstance(stale, m.ProblemView) and stale.type_ == "urn:tailrace:problem:stale"
    assert ask(client, "items.items_read", item.parsed.id).parsed == changed
    warehouse = write(client, "warehouses.warehouses_create", answers=201, body=m.WarehouseBody(code="W", name="Shed"))
    heard = warehouse.headers["Tailrace-Event"]
    place = {"item_id": changed.id, "warehouse_id": warehouse.parsed.id}
    receipt = m.NewReceipt(**place, quantity="10", value=5000, currency="EUR", reason=m.NewReceiptReason.OPENING)
    come = write(client, "inventory.inventory_create_receipt", answers=201, tailrace_after=heard, body=receipt).parsed
    assert (come.on_hand, come.stock_value) == ("10", 5000)
    [stock] = ask(client, "inventory.inventory_list_stock").parsed.items
    assert ask(client, "inventory.inventory_read_stock", changed.id, warehouse.parsed.id).parsed.value == stock.value
    order = m.NewOrder(
        customer_reference="PO 1",
        customer_name="Somebody",
        currency="EUR",
        lines=[m.NewOrderLine(**place, quantity="2.000000", unit_price="700")],
    )
    draft = write(client, "orders.orders_create", answers=201, tailrace_after=heard, body=order).parsed
    assert (draft.net, draft.tax, draft.lines[0].quantity) == (1400, 280, "2")
    by_number = {"status": [m.OrdersListStatusItem.DRAFT], "sort": m.OrdersListSort.NUMBER_DESCENDING}
    [listed] = ask(client, "orders.orders_list", **by_number).parsed.items
    assert listed.number == draft.number
    assert write(client, "orders.orders_confirm", draft.id).parsed.status == m.OrderViewStatus.CONFIRMED
    while not (shipments := ask(client, "shipments.shipments_list", order_id=draft.id).parsed.items):
        time.sleep(0.1)
    left = write(client, "shipments.shipments_dispatch", shipments[0].id, body=m.DispatchBody()).parsed
    assert left.status == m.ShipmentViewStatus.DISPATCHED
    assert ask(client, "orders.orders_read_history", draft.id).parsed.steps
    second = write(client, "orders.orders_create", answers=201, body=order).parsed
    write(client, "orders.orders_delete", second.id, answers=204)


def account(client: AuthenticatedClient) -> None:
    balance = ask(client, "accounting.accounting_read_trial_balance").parsed
    assert isinstance(balance, m.TrialBalanceView)
    kind = m.NewAccountKind.EXPENSE
    travel = m.NewAccount(code="6999", name="Travel", kind=kind)
    made = write(client, "accounting.accounting_create_account", answers=201, body=travel).parsed
    assert (made.code, made.kind) == ("6999", m.AccountViewKind.EXPENSE)
    assert "6999" in {each.code for each in ask(client, "accounting.accounting_list_accounts", limit=200).parsed.items}
    half = m.NewJournalLine(account="6999", currency="EUR", debit=100)
    lopsided = m.NewJournal(text="Half of one", lines=[half, half])
    refused = write(client, "accounting.accounting_create_journal", answers=422, body=lopsided).parsed
    assert isinstance(refused, m.ProblemView) and refused.errors


def manage(client: AuthenticatedClient) -> None:
    role = m.RoleBody(name="guest", scopes=["orders:read"])
    write(client, "auth.auth_create_role", answers=201, body=role)
    guest = m.NewUser(email=f"guest@{TENANT}.example", name="Guest", password=PASSWORD, roles=["guest"])
    user = write(client, "auth.auth_create_user", answers=201, body=guest).parsed
    assert ask(client, "auth.auth_read_user", user.id).parsed.roles == ["guest"]
    assert write(client, "auth.auth_delete_user", user.id, answers=204).parsed is None
    assert ask(client, "auth.auth_read_user", uuid4(), answers=404).parsed.status == 404
    assert ask(client, "tenants.tenants_read_own").parsed.slug == TENANT
    carrier = m.CarrierBody(code="C", name="Courier", tracking_url="https://parcels.example/{number}")
    write(client, "carriers.carriers_create", answers=201, body=carrier)
    weight = m.Conversion(quantity="2.5", from_="kg", to="g")
    assert write(client, "units.units_convert_quantity", body=weight).parsed.quantity == "2500"


if __name__ == "__main__":
    main()
