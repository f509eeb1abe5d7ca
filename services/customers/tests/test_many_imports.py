"""A whole company's customers from one file: in time, in bounded memory, a second time without effect, and found in both languages.

`make imports ROWS=100000` runs it at its full size and prints what it took; the suite has a small one.
"""

import os
import resource
import time
from collections.abc import Iterator
from typing import Any

import psutil

from customers.service import service
from tailrace_testing import Harness, MakeHarness

AT = "/v1/customers"
ROWS = int(os.environ.get("IMPORT_ROWS", "1500"))
_SURNAMES = ("山田", "佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "中村", "小林", "加藤")
_TRADES = ("製作所", "商事", "工業", "食品", "電機", "建設", "運輸", "印刷")
_NAMES = ("Ada", "Grace", "Edith", "Barbara", "Karen", "Radia", "Frances", "Jean", "Hedy", "Mary")
_WORKS = ("Works", "Trading", "Foods", "Electric", "Builders", "Freight", "Print", "Mills")
_MEGABYTE = 1024 * 1024


def lines(count: int) -> Iterator[str]:
    """Half of them Japanese; every name and number once."""
    yield "Number,Name,Reading,Currency,Street,City,Postal code,Country,E-mail,Phone\n"
    for n in range(count):
        if n % 2:
            name, reading = f"{_SURNAMES[n % 10]}{_TRADES[n // 10 % 8]} {n}", "やまだ" if n % 10 == 0 else ""
            rest = f"JPY,中央{n % 30 + 1}-{n % 20 + 1},東京,100-{n % 10000:04},JP,info@k{n}.example,+8133{n % 10**7:07}"
        else:
            name, reading = f"{_NAMES[n // 2 % 10]} {_WORKS[n // 20 % 8]} {n}", ""
            rest = f"EUR,Hauptstraße {n % 200},Berlin,{10000 + n % 4000},DE,office@c{n}.example,+4930{n % 10**7:07}"
        yield f"K-{n:07},{name},{reading},{rest}\n"


async def test_a_file_of_customers_is_imported_once_and_found(make_harness: MakeHarness) -> None:
    h = await make_harness(service)
    text = "".join(lines(ROWS))
    content = text.encode()
    before = psutil.Process().memory_info().rss
    job, took = await _timed(h, content)
    assert job["counts"] == {"created": ROWS}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    again, took_again = await _timed(h, content)
    assert again["counts"] == {"unchanged": ROWS}
    assert await h.admin.fetchval("SELECT count(*) FROM outbox WHERE type = 'customer.created'") == ROWS
    assert await h.admin.fetchval("SELECT count(*) FROM outbox WHERE type <> 'customer.created'") == 0
    last_japanese, last_english = (ROWS - 1) | 1, (ROWS - 1) & ~1
    if last_japanese >= ROWS:
        last_japanese -= 2
    for number, word in ((last_japanese, _SURNAMES[last_japanese % 10]), (last_english, "office")):
        began = time.perf_counter()
        found = (await h.client.get(f"{AT}/search", params={"q": f"{word} {number}"})).json()["items"]
        print(f"found {word} {number} in {(time.perf_counter() - began) * 1000:.0f} ms")
        assert f"K-{number:07}" in [row["number"] for row in found]
    if "IMPORT_ROWS" in os.environ:
        assert took["wall"] < 300, took
        assert peak - before < 500 * _MEGABYTE
    print(
        f"{ROWS} rows, {len(content) / _MEGABYTE:.1f} MB: {took}; again: {took_again};"
        f" memory {before / _MEGABYTE:.0f} MB before, {peak / _MEGABYTE:.0f} MB at most"
    )


async def _timed(h: Harness, content: bytes) -> tuple[dict[str, Any], dict[str, float]]:
    """The job at its end, and seconds: to send, in all, and of CPU in this process."""
    began, used = time.perf_counter(), time.process_time()
    answer = await h.client.post(f"{AT}/import", content=content, headers={"Content-Type": "text/csv"}, timeout=120)
    sent = time.perf_counter() - began
    assert answer.status_code == 202, answer.text
    await h.run_jobs()
    took = {"sent": sent, "wall": time.perf_counter() - began, "cpu": time.process_time() - used}
    job = (await h.client.get(answer.headers["location"])).json()
    return dict(job), {name: round(seconds, 1) for name, seconds in took.items()}
