"""Which of very many open invoices a line is for: whatever it names is found, however old or new, and what has its amount or its payer's name."""

from hashlib import md5

import pytest
from bank_files import IBAN, camt, entry, imported, lines
from billing import Billing

from accounting.bank.matching import alike
from accounting.naming import names
from tailrace.core.ids import uuid7

MANY = 6_000


async def copied(billing: Billing, invoice_id: str, count: int) -> None:
    """So many more open invoices like this one, older than every other, each with a number, an amount and a name of its own."""
    columns = await billing.h.admin.fetch(
        "SELECT column_name::text AS name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'invoice'"
    )
    own = {
        "id": "('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid",
        "number": "'OLD-' || n",
        "number_key": "'old' || n",
        "customer": "jsonb_set(customer, '{name}', to_jsonb('Firm ' || md5(n::text)))",
        "net": "(1000000 + n)::bigint",
        "tax": "0",
    }
    values = ", ".join(own.get(each["name"], f'"{each["name"]}"') for each in columns)
    into = ", ".join(f'"{each["name"]}"' for each in columns)
    made = await billing.h.admin.execute(
        f"INSERT INTO invoice ({into}) SELECT {values} FROM invoice, generate_series(1, {count}) n WHERE id = $1",
        invoice_id,
    )
    assert made == f"INSERT 0 {count}"


async def test_a_line_finds_what_it_names_among_more_than_anybody_reads_through(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    await copied(billing, (await billing.invoiced(("1", 100, "0")))["id"], MANY)
    newest, other = await billing.invoiced(("1", 700, "0")), await billing.invoiced(("1", 500, "0"))
    text = camt(
        entry("7.00", f"Rg {newest['number'].replace('-', ' ')}", reference="A"),
        entry("5.00", "thanks", reference="B"),
        entry("4.00", "", name=f"{md5(b'4321').hexdigest().upper()} FIRM", reference="C"),
        entry("10001.23", "for OLD 123, thank you", name="Bob", reference="D"),
        entry("10001.24", "for OLD 3210, thank you", name="Bob", reference="E"),
        entry("2.00", f"{other['number']}1", name="Bob", reference="F"),
    )
    await imported(billing, bank, text, confirm_certain=True)
    found = {each["bank_reference"]: each for each in await lines(billing)}
    matched = {key for key, each in found.items() if each["status"] == "matched"}
    assert matched == {"A", "D"}
    assert (await billing.read(newest))["status"] == "paid"

    async def suggested(key: str) -> list[tuple[str, int, list[str]]]:
        said = (await billing.get(f"/bank-lines/{found[key]['id']}/suggestions"))["suggestions"]
        return [(each["invoice_number"], each["score"], each["reasons"]) for each in said]

    assert (other["number"], 40, ["amount", "name"]) in await suggested("B")
    assert await suggested("C") == [("OLD-4321", 15, ["name"])]
    assert await suggested("E") == [("OLD-3210", 60, ["reference"]), ("OLD-124", 25, ["amount"])]
    assert await suggested("F") == []


async def test_of_very_many_that_are_as_likely_the_likeliest_come_first(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    invoices = [await billing.invoiced(("1", 300, "0")) for _ in range(12)]
    bob = await billing.customer(uuid7(), "C-2", "Bob Trading")
    order = await billing.order(("1", 300, "0"), customer_id=bob)
    theirs = await billing.issue(await billing.post("/invoices", shipment_ids=[str(await billing.ship(order))]))
    await imported(billing, bank, camt(entry("3.00", "thanks", name="Bob Trading Ltd")))
    (line,) = await lines(billing)
    said = (await billing.get(f"/bank-lines/{line['id']}/suggestions"))["suggestions"]
    assert [each["invoice_number"] for each in said] == [
        theirs["number"],
        *(each["number"] for each in invoices[:9]),
    ]


@pytest.mark.parametrize(
    ("text", "number", "named"),
    [
        ("Invoice INV 2026 00001", "INV-2026-00001", True),
        ("inv202600001/x", "INV-2026-00001", True),
        ("INV-2026-000017", "INV-2026-00001", False),
        ("INV-2026-00001 7", "INV-2026-00001", True),
        ("1 2026/7", "2026/7", True),
        ("12026/7", "2026/7", False),
        ("請求書 2026-7 分", "請求書2026-7", True),
        ("", "7", False),
    ],
)
def test_a_text_names_a_number_whatever_stands_between_and_no_longer_one(text: str, number: str, named: bool) -> None:
    assert names(text, number) is named


def test_a_name_with_a_letter_wrong_is_alike_and_another_is_not() -> None:
    assert alike("Meier Maschinenbau", "Meyer Maschinenbau")
    assert not alike("Meier Maschinenbau", "Muster Textilien")
    # The same letters in another order: alike enough at first sight, and not at the second.
    assert not alike("abcdefghij", "jihgfedcba")
