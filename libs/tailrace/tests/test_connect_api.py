"""Connect says 409 of everything while its workers share the connectors out anew: that tells nothing of a connector."""

import json

from partner import Asked, PartnerListener, answer

from tailrace.capture.connect_api import Rest

CONFIG = {"name": "orders", "connector.class": "a.Connector"}
STOPPED = {"orders": {"status": {"connector": {"state": "STOPPED"}, "tasks": []}}}


async def test_a_connector_is_stopped_also_while_connect_rebalances() -> None:
    busy = 2

    def connect(asked: Asked) -> bytes:
        nonlocal busy
        if busy:
            busy -= 1
            return answer(409, b"a rebalance is expected")
        if asked.line.startswith("POST"):
            return answer(409, b"Connector orders already exists")
        return answer(body=json.dumps(CONFIG if "config" in asked.line else STOPPED).encode())

    async with PartnerListener(decide=connect) as partner, Rest(f"http://127.0.0.1:{partner.port}") as rest:
        await rest.hold("orders", CONFIG)
    asked = [each.line.rpartition(" ")[0] for each in partner.asked]
    assert asked == [
        *["GET /connectors/orders/config"] * 3,
        "PUT /connectors/orders/stop",
        "GET /connectors?expand=status",
    ]
