"""Every operation of analytics once: two orders, customers, approvals, tasks and receipts are told of, and two KPIs are measured."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from invariants.walk import Walker

from contracts import activities, approvals, asns, customers, inventory, leads, orders, users
from tailrace.core.ids import uuid7

REPORTS = ("sales-summary", "customer-statistics", "approval-statistics", "task-completion")
MEASURES = dict(zip(REPORTS, ("order_placed", "customer_added", "approval_requested", "task_created"), strict=True))


async def walk(w: Walker) -> None:
    joined = users.TenantCreated(tenant_id=w.tenant, slug="acme", name="Acme Ltd", currency="EUR")
    await w.tell(joined, aggregate_id=w.tenant)
    for number in range(2):
        await _tell_of_one(w, number)
    for report in REPORTS:
        await w.get(f"/v1/reports/{report}", query={"by": "person"})
        await w.get(f"/v1/reports/{report}/records", query={"measure": MEASURES[report]})
    await w.get("/v1/analytics/spend", query={"by": "supplier"})
    await w.get("/v1/analytics/spend/records", query={"measure": "goods_received"})
    await w.post("/v1/analytics/forecast", {"measure": "order_net", "interval": "week", "horizon": 2})
    await w.get("/v1/reports/funnel", query={"start": "order"})
    await w.get("/v1/reports/funnel/records")
    await w.get("/v1/reports/cohorts")
    await w.get("/v1/reports/cohorts/records")
    await w.get("/v1/reports/sales-summary.svg", query={"figure": "placed"})
    await w.get("/v1/reports/sales-summary.png", query={"figure": "placed"})
    body = {"code": "NET", "name": "Net", "measure": "order_net_confirmed", "currency": "EUR", "period": "month"}
    net = await w.post("/v1/kpis", {**body, "target": "1000", "near": "800"})
    other = {"code": "TASKS", "name": "Tasks", "measure": "tasks_completed", "period": "week"}
    tasks = await w.post("/v1/kpis", {**other, "target": "5", "near": "3"})
    await w.get("/v1/kpis")
    await w.get("/v1/kpis/{kpi_id}", kpi_id=net["id"])
    await w.put("/v1/kpis/{kpi_id}", {**body, "target": "900", "near": "700"}, kpi_id=net["id"])
    await w.post("/v1/kpis/{kpi_id}/measure", kpi_id=net["id"])
    await w.get("/v1/kpis/{kpi_id}/targets", kpi_id=net["id"])
    await w.get("/v1/kpis/{kpi_id}/results", kpi_id=net["id"])
    await w.get("/v1/kpis/{kpi_id}/scorecard", kpi_id=net["id"])
    await w.get("/v1/kpis/{kpi_id}/records", kpi_id=net["id"])
    await w.delete("/v1/kpis/{kpi_id}", kpi_id=tasks["id"])
    await w.post("/v1/kpis/{kpi_id}/restore", kpi_id=tasks["id"])
    tile = {"key": "placed", "title": "Placed", "measure": "orders_confirmed"}
    base = await w.post("/v1/analytics/dashboards", {"code": "SALES", "name": "Sales", "tiles": [tile]})
    below = {"code": "MINE", "name": "Mine", "tiles": [{**tile, "key": "tasks", "measure": "tasks_completed"}]}
    mine = await w.post("/v1/analytics/dashboards", {**below, "parent_id": base["id"]})
    await w.get("/v1/analytics/dashboards")
    await w.get("/v1/analytics/dashboards/{dashboard_id}", dashboard_id=mine["id"])
    await w.get("/v1/analytics/dashboards/{dashboard_id}/figures", dashboard_id=mine["id"])
    for kind in ("svg", "png"):
        await w.get(
            f"/v1/analytics/dashboards/{{dashboard_id}}/figures/{{key}}.{kind}", dashboard_id=mine["id"], key="placed"
        )
    await w.get("/v1/analytics/dashboards/{dashboard_id}/figures/{key}/records", dashboard_id=mine["id"], key="placed")
    await w.put("/v1/analytics/dashboards/{dashboard_id}", {**below, "parent_id": base["id"]}, dashboard_id=mine["id"])
    await w.delete("/v1/analytics/dashboards/{dashboard_id}", dashboard_id=mine["id"])
    await w.post("/v1/analytics/dashboards/{dashboard_id}/restore", dashboard_id=mine["id"])


async def _tell_of_one(w: Walker, number: int) -> None:
    now = datetime.now(UTC)
    said: dict[str, Any] = {
        "order_id": uuid7(),
        "number": f"SO-{number}",
        "customer_id": uuid7(),
        "customer_reference": "R",
        "customer_name": "Ada Works",
        "currency": "EUR",
        "net": 1000,
        "tax": 190,
        "lines": [],
        "ordered_at": now,
        "owner_id": w.user,
    }
    for order in (orders.OrderCreated(**said), orders.OrderConfirmed(**said)):
        await w.tell(order, aggregate_id=order.order_id)
    customer = customers.CustomerCreated(
        customer_id=uuid7(),
        number=f"C-{number}",
        name="Ada Works",
        kind="company",
        status="active",
        currency="EUR",
        payment_terms_days=30,
        sales_rep_id=w.user,
    )
    await w.tell(customer, aggregate_id=customer.customer_id)
    lead = leads.LeadCreated(lead_id=uuid7(), status="new", name="G", via="api", owner_id=w.user, score=0)
    await w.tell(lead, aggregate_id=lead.lead_id)
    subject = approvals.ApprovalSubject(
        kind="quote", id=uuid7(), number="Q-1", sha256="0" * 64, amount=5, currency="EUR", requester_id=w.user
    )
    approval = approvals.ApprovalRequested(approval_id=uuid7(), subject=subject)
    await w.tell(approval, aggregate_id=approval.approval_id)
    task = activities.TaskCreated(
        task_id=uuid7(),
        title="Call",
        user_id=w.user,
        status="open",
        priority="normal",
        due_at=now + timedelta(days=1),
        time_zone="Etc/UTC",
    )
    await w.tell(task, aggregate_id=task.task_id)
    asn = asns.AsnCreated(
        asn_id=uuid7(), number="A-1", direction="inbound", partner_name="Acme Rods", reference="R", packages=[]
    )
    await w.tell(asn, aggregate_id=asn.asn_id)
    receipt = inventory.StockReceived(
        item_id=uuid7(),
        warehouse_id=uuid7(),
        layer_id=uuid7(),
        quantity=Decimal(5),
        value=500,
        currency="EUR",
        reason="purchase",
        effective_at=now,
        asn_id=asn.asn_id,
    )
    await w.tell(receipt, aggregate_id=uuid7())
