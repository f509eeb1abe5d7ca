"""The arithmetic of `python -m scaling`, and a simulation that would contradict it if it were wrong."""

import random
from uuid import UUID, uuid4

import pytest
from aiokafka.partitioner import DefaultPartitioner
from scaling.figures import LISTENERS, TRANSACTION_MS, Listener
from scaling.plan import BUSY, Cell, Load, busy, consumers, orders_that_fit
from scaling.simulation import Arrival, arrivals, cells, consume, partition_of, sizes, wait

ACCOUNTING = next(each for each in LISTENERS if each.name == "accounting")
SECONDS = 30.0
LOAD = Load(tenants=1000, orders_a_day=400)


def test_ten_thousand_companies_are_so_many_orders_events_and_reads_a_second() -> None:
    load = Load()
    assert (round(load.orders, 2), round(load.events), load.reads) == (16.67, 350, 2500)


def test_one_cell_ends_where_a_service_would_need_more_consumers_than_partitions() -> None:
    least, most = busy(ACCOUNTING, Load(tenants=1, orders_a_day=3600, in_the_busiest_hour=1))
    # 28 ms and PostgreSQL's share of it; and a transaction for each of 21 events besides.
    assert (least, most) == pytest.approx((0.0355, 0.0355 + 21 * TRANSACTION_MS / 1000), abs=1e-4)
    fit = orders_that_fit(ACCOUNTING)
    assert fit == pytest.approx(6 * BUSY / most)
    within, beyond = (Load(tenants=1, orders_a_day=3600 * fit * part, in_the_busiest_hour=1) for part in (0.99, 1.01))
    assert (Cell(within).cannot(), Cell(beyond).cannot(), Cell(beyond, partitions=24).cannot()) == (
        [],
        ["accounting"],
        [],
    )


def test_keys_go_where_kafkas_producers_put_them() -> None:
    partitioner, places = DefaultPartitioner(), list(range(6))
    for _ in range(100):
        key = uuid4()
        assert partition_of(key, 6) == partitioner(str(key).encode(), places, places)
    assert partition_of(UUID(int=0), 1) == 0


def test_a_delivery_is_a_transaction_for_each_company() -> None:
    listener = Listener("it", ("order.events",), 0)
    whole = TRANSACTION_MS / 1000
    of_one = [Arrival(1.0, "order.events", 0, 7)] * 2
    of_two = [Arrival(1.0, "order.events", 0, tenant) for tenant in (7, 8)]
    together, apart = (consume(listener, events, 1, 10, 6) for events in (of_one, of_two))
    assert (together.p99, together.events_per_transaction) == pytest.approx((whole, 2))
    assert (apart.p50, apart.p99, apart.events_per_transaction) == pytest.approx((whole, 2 * whole, 1))
    assert apart.utilisation == pytest.approx(2 * whole / 10)


def test_planned_consumers_keep_up_and_fewer_than_the_least_do_not() -> None:
    events = arrivals(sizes(LOAD.tenants, 1), LOAD.orders, SECONDS, random.Random(1))
    assert events == arrivals(sizes(LOAD.tenants, 1), LOAD.orders, SECONDS, random.Random(1))
    assert len(events) == pytest.approx(LOAD.events * SECONDS, rel=0.15)
    many = consumers(ACCOUNTING, LOAD)
    found = consume(ACCOUNTING, events, many, SECONDS, 6)
    least, most = busy(ACCOUNTING, LOAD)
    assert least / many * 0.85 < found.utilisation < most / many * 1.15
    assert found.p99 < 1
    assert least * 3 > 1, "one consumer is too few for three times the load"
    threefold = arrivals(sizes(LOAD.tenants, 1), 3 * LOAD.orders, SECONDS, random.Random(1))
    assert consume(ACCOUNTING, threefold, 1, SECONDS, 6).p99 > 5


def test_requests_wait_as_the_theory_of_queues_says() -> None:
    found = wait(10, 60, 1, 2000, random.Random(1))
    # M/M/1: the time in the system is exponential, of mean 10 ms / (1 - 0.6).
    assert found.utilisation == pytest.approx(0.6, abs=0.02)
    assert found.p50 == pytest.approx(0.025 * 0.693, rel=0.1)
    assert found.p99 == pytest.approx(0.025 * 4.605, rel=0.15)


def test_skewed_companies_fill_cells_unevenly_unless_load_decides() -> None:
    shares = sizes(1000, 1)
    assert sum(shares) == pytest.approx(1)
    assert cells(shares, 4, None) < 1.01 < cells(shares, 4, random.Random(1))
    # The largest alone is more than a fair share of ten: no placement helps.
    assert cells(shares, 10, None) == pytest.approx(10 * shares[0])
