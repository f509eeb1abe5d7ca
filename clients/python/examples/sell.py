"""A company logs in, sells two nuts, and sees what that leads to. URL, TENANT, EMAIL and PASSWORD come from the environment."""

import os
import time

from tailrace_client import Client, Problem

URL, TENANT, EMAIL, PASSWORD = (os.environ[name] for name in ("URL", "TENANT", "EMAIL", "PASSWORD"))


def main() -> None:
    with Client(URL) as client:
        client.log_in(TENANT, EMAIL, PASSWORD)
        while not any(unit["code"] == "pcs" for unit in client.every("units.list")):
            time.sleep(0.1)  # a new company's units arrive in a moment
        item = client.call("items.create", body={"sku": "NUT", "name": "Nut", "tax_rate": "0.1"})
        warehouse = client.call("warehouses.create", body={"code": "W", "name": "Shed"})
        place = {"item_id": item["id"], "warehouse_id": warehouse["id"]}
        come = {**place, "quantity": "10", "value": 5000, "currency": "EUR", "reason": "opening"}
        client.call("inventory.create_receipt", body=come)  # answered from rows that show the warehouse

        line = {**place, "quantity": "2", "unit_price": "700"}
        wanted = {"customer_reference": "PO 1", "customer_name": "Somebody", "currency": "EUR", "lines": [line]}
        order = client.call("orders.create", body=wanted)
        client.call("orders.confirm", order_id=order["id"], if_match=f'"{order["version"]}"')
        while not (shipments := client.call("shipments.list", order_id=order["id"])["items"]):
            time.sleep(0.1)  # two services further on: to be waited for
        client.call("shipments.dispatch", shipment_id=shipments[0]["id"], body={})

        try:
            client.call("orders.delete", order_id=order["id"])
        except Problem as refused:
            print(refused.status, refused.slug)
        else:
            raise AssertionError("an order that was dispatched is gone")
        print(order["number"], *(each["number"] for each in client.every("orders.list", limit=1)))


if __name__ == "__main__":
    main()
