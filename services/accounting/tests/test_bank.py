"""Statements of banks: read whole or refused, each line once, suggested and confirmed."""

from datetime import timedelta

import pytest
from bank_files import IBAN, camt, day, entry, imported, lines
from billing import Billing

from accounting.bank.matching import alike
from accounting.bank.reading import read_camt, read_csv
from accounting.bank.refusals import NoStatement
from tailrace.core.values.days import ALWAYS, Calendar, Since
from tailrace_testing import today

UTC_DAYS, TOKYO_DAYS = (Calendar([Since(ALWAYS, zone)]) for zone in ("Etc/UTC", "Asia/Tokyo"))


@pytest.mark.parametrize("version", ["02", "04", "08"])
def test_lines_are_read_with_what_the_bank_says_of_them(version: str) -> None:
    said = read_camt(
        camt(
            entry("110.00", "INV-2026-00001", reference="R1"),
            entry("9.90", "fees", debit=True),
            entry("5.00", status="PDNG"),
            opening="10.00",
            closing="110.10",
            version=version,
        ),
        IBAN,
        "EUR",
        UTC_DAYS,
    )
    assert (said.opening, said.closing, [line.amount for line in said.lines]) == (1_000, 11_010, [11_000, -990])
    assert (said.lines[0].payer_name, said.lines[0].reference, said.lines[0].bank_reference) == (
        "Ada Works",
        "INV-2026-00001",
        "R1",
    )


def test_a_line_of_several_transactions_is_several() -> None:
    parts = "".join(
        f'<TxDtls><Refs><EndToEndId>E{at}</EndToEndId></Refs><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls>'
        for at, amount in enumerate(("40.00", "70.00"))
    )
    batch = entry("110.00", reference="R1").partition("<NtryDtls>")[0] + f"<NtryDtls>{parts}</NtryDtls></Ntry>"
    said = read_camt(camt(batch), IBAN, "EUR", UTC_DAYS)
    assert [(line.amount, line.reference, line.bank_reference) for line in said.lines] == [
        (4_000, "E0", "R1/1"),
        (7_000, "E1", "R1/2"),
    ]


SECRET = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        "<Document/>",
        camt(entry("1.00")).replace("camt.053", "camt.052"),
        camt(entry("1.00"), opening="0.00", closing="2.00"),
        camt(entry("1.00"), iban="DE00000000000000000000"),
        camt(entry("1.00", currency="USD")),
        camt(entry("1.005")),
        camt(entry("x")),
        camt(entry("1.00")).replace(day(), "2026-02-30"),
        camt(entry("1.00", "&e;")).replace("<Document", f"{SECRET}<Document", 1),
        camt(entry("1.00"))[:-20],
    ],
)
def test_what_is_no_statement_is_refused_whole(text: str) -> None:
    with pytest.raises(NoStatement):
        read_camt(text, IBAN, "EUR", UTC_DAYS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "amount\n1",
        "value_day,amount,amount\n",
        "value_day,amount\n2026-01-01\n",
        "value_day,amount\nx,1\n",
        "value_day,amount,other\n",
        'value_day,amount\n2026-01-01,"1\n',
        "value_day,amount\n2026-01-01,1e99\n",
        "value_day,amount\n2026-01-01,1e2\n",
        "value_day,amount\n2026-01-01,1_000\n",
        "value_day,amount\n2026-01-01,\u0661\u0662\n",
        "value_day,amount\n2026-01-01,100.0000000000000000000000000001\n",
        "value_day,amount\n20260101,1\n",
        "value_day,amount\n2026-W01-4,1\n",
    ],
)
def test_a_csv_that_cannot_be_read_is_refused_whole(text: str) -> None:
    with pytest.raises(NoStatement):
        read_csv(text, "EUR")


@pytest.mark.parametrize(
    ("payer", "customer", "same"),
    [
        ("ADA WORKS GMBH", "Ada Works", True),
        ("Works, Ada", "Ada Works Ltd.", True),
        ("Müller & Söhne KG", "Muller Sohne", True),
        ("株式会社山田商店", "山田商店", True),
        ("Bob Limited", "Ada Works", False),
        ("GmbH", "Ada GmbH", False),
    ],
)
def test_names_are_alike_but_for_what_says_nothing(payer: str, customer: str, same: bool) -> None:
    assert alike(payer, customer) is same


async def test_the_same_file_twice_and_lines_of_an_earlier_one_change_nothing(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    first, second, third = entry("1.00", "a"), entry("1.00", "a"), entry("2.00", "b", reference="R9")
    one = await imported(billing, bank, camt(first, second))
    again = await imported(billing, bank, camt(first, second))
    assert (again, one["fresh"]) == (one, 2)
    more = await imported(billing, bank, camt(first, second, third))
    assert (more["lines"], more["fresh"]) == (3, 1)
    assert [each["amount"] for each in await lines(billing)] == [100, 100, 200]
    assert len(await billing.h.published("accounting.bank_line.imported")) == 3


async def test_a_line_is_suggested_confirmed_once_and_in_the_books(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    named, equal = await billing.invoiced(("1", 1_000, "0.1")), await billing.invoiced(("1", 500, "0"))
    text = f"Rechnung {named['number'].replace('-', ' ')} danke"
    await imported(
        billing, bank, camt(entry("11.00", text), entry("5.00", "thanks", name="WORKS ADA"), entry("3.00", name="Bob"))
    )
    first, second, third = await lines(billing)
    said = (await billing.get(f"/bank-lines/{first['id']}/suggestions"))["suggestions"]
    assert [(each["invoice_id"], each["score"], each["reasons"]) for each in said] == [
        (named["id"], 100, ["reference", "amount", "name"]),
        (equal["id"], 15, ["name"]),
    ]
    said = (await billing.get(f"/bank-lines/{second['id']}/suggestions"))["suggestions"]
    assert [(each["invoice_id"], each["reasons"]) for each in said] == [
        (equal["id"], ["amount", "name"]),
        (named["id"], ["name"]),
    ]
    assert (await billing.get(f"/bank-lines/{third['id']}/suggestions"))["suggestions"] == []
    confirm = f"/bank-lines/{first['id']}/confirm"
    done = await billing.post(confirm, 200, allocations=[{"invoice_id": named["id"]}])
    assert done["status"] == "matched"
    payment = await billing.get(f"/payments/{done['payment_id']}")
    assert (payment["amount"], payment["customer_id"], payment["value_day"]) == (1_100, str(billing.ada), day())
    refused = await billing.post(confirm, 409, allocations=[])
    assert refused["type"] == "urn:tailrace:problem:bank-line-state"
    await billing.post(f"/bank-lines/{third['id']}/dismiss", 200, reason="a loan")
    assert (await billing.read(named))["status"] == "paid"
    await billing.balances()


async def test_only_what_names_invoices_and_comes_to_them_is_taken_unasked(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    invoices = [await billing.invoiced(("1", net, "0")) for net in (100, 200, 300)]
    first, second, third = (each["number"] for each in invoices)
    text = camt(
        entry("3.00", f"{first} {second}"),
        entry("2.99", third, reference="short"),
        entry("3.00", "no number", reference="amount alone"),
        entry("4.00", f"{third}7", reference="a longer number"),
    )
    await imported(billing, bank, text, confirm_certain=True)
    assert [each["status"] for each in await lines(billing)] == ["matched", "open", "open", "open"]
    assert [(await billing.read(each))["status"] for each in invoices] == ["paid", "paid", "issued"]


@pytest.mark.parametrize(
    "amount",
    [
        "1_000",
        "١٠",
        "１０",
        "1e2",
        "1e999999",
        "NaN",
        "-Infinity",
        "12345.6700000000000000000000000001",
        "1000000000000000.01",
        "",
    ],
)
def test_an_amount_that_is_not_written_in_digits_or_is_finer_than_its_currency_is_refused(amount: str) -> None:
    with pytest.raises(NoStatement):
        read_csv(f"value_day,amount\n2026-01-31,{amount}\n", "EUR")
    with pytest.raises(NoStatement):
        read_camt(camt(entry(amount)), IBAN, "EUR", UTC_DAYS)


@pytest.mark.parametrize(
    "amount", ["10000000000000", "+10000000000000.00", "10000000000000.", "10000000000000.0000000"]
)
def test_the_largest_amount_is_exact_however_it_is_written(amount: str) -> None:
    assert [line.amount for line in read_csv(f"value_day,amount\n2026-01-31,{amount}\n", "EUR").lines] == [10**15]
    assert [line.amount for line in read_camt(camt(entry(amount)), IBAN, "EUR", UTC_DAYS).lines] == [10**15]


@pytest.mark.parametrize("written", ["20260131", "2026-W05-6", "0001-01-01", "2200-01-01", "2026-1-31"])
def test_a_day_is_written_in_one_way_and_is_one_that_payments_take(written: str) -> None:
    with pytest.raises(NoStatement):
        read_csv(f"value_day,amount\n{written},1\n", "EUR")
    with pytest.raises(NoStatement):
        read_camt(camt(entry("1.00")).replace(day(), written), IBAN, "EUR", UTC_DAYS)


@pytest.mark.parametrize("hidden", ["&#x202E;", "&#8203;", "&#x000000200B;", "&#x9f;", "&#xE000;"])
def test_what_nobody_sees_is_refused_when_it_is_named_by_its_number_too(hidden: str) -> None:
    with pytest.raises(NoStatement) as refused:
        read_camt(camt(entry("1.00", name=f"Ada{hidden}Works")), IBAN, "EUR", UTC_DAYS)
    assert [each.field for each in refused.value.errors] == ["/content"]


def test_a_name_is_one_name_however_its_letters_are_written() -> None:
    spellings = ["é", "e\u0301", "&#xE9;", "e&#769;"]
    said = read_camt(
        camt(*(entry("1.00", name=f"Andr{each} &amp;\n  S&#246;hne") for each in spellings)), IBAN, "EUR", UTC_DAYS
    )
    assert [line.payer_name for line in said.lines] == ["André & Söhne"] * 4


async def test_a_line_that_says_more_than_a_payment_takes_becomes_one(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    # The 200th character is in the middle of a picture of two people, and the 500th behind the name.
    long = "A" * 198 + "\U0001f469\u200d\U0001f469" + "B" * 1_000
    await imported(billing, bank, camt(entry("1.00", long, name=long, reference=long)))
    (line,) = await lines(billing)
    assert {len(line[each]) for each in ("payer_name", "reference", "bank_reference")} == {500}
    done = await billing.post(f"/bank-lines/{line['id']}/confirm", 200, allocations=[])
    payment = await billing.get(f"/payments/{done['payment_id']}")
    assert [payment[each] for each in ("payer_name", "reference")] == ["A" * 198 + "\U0001f469"] * 2


async def test_money_that_counts_from_a_day_to_come_on_waits_with_the_others(billing: Billing) -> None:
    """On a Friday, banks book what counts from Monday on."""
    bank = await billing.bank(iban=IBAN)
    invoices = [await billing.invoiced(("1", net, "0")) for net in (100, 200)]
    first, second = (each["number"] for each in invoices)
    ahead = (today() + timedelta(days=3)).isoformat()
    later = entry("2.00", second, reference="R2").replace(f"<ValDt><Dt>{day()}", f"<ValDt><Dt>{ahead}")
    await imported(billing, bank, camt(later, entry("1.00", first, reference="R1")), confirm_certain=True)
    assert {each["value_day"]: each["status"] for each in await lines(billing)} == {day(): "matched", ahead: "open"}
    assert [(await billing.read(each))["status"] for each in invoices] == ["paid", "issued"]


async def test_a_bank_account_whose_lines_are_open_stays(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    await imported(billing, bank, camt(entry("110.00", "thanks")))
    at = f"/v1/accounting/bank-accounts/{bank}"
    gone = await billing.h.client.delete(at)
    assert (gone.status_code, gone.json()["type"]) == (409, "urn:tailrace:problem:in-use")
    (line,) = await lines(billing)
    await billing.post(f"/bank-lines/{line['id']}/dismiss", 200, reason="not ours")
    assert (await billing.h.client.delete(at)).status_code == 204


@pytest.mark.parametrize(
    ("written", "calendar", "expected"),
    [
        ("2026-10-31T22:30:00Z", TOKYO_DAYS, "2026-11-01"),
        ("2026-10-31T22:30:00.000+01:00", TOKYO_DAYS, "2026-11-01"),
        ("2026-11-01T00:30:00+09:00", UTC_DAYS, "2026-10-31"),
        # Whose clocks these are, the bank does not say.
        ("2026-10-31T22:30:00", TOKYO_DAYS, "2026-10-31"),
    ],
)
def test_a_moment_is_of_the_day_that_it_was_where_the_company_is(
    written: str, calendar: Calendar, expected: str
) -> None:
    said = camt(entry("1.00")).replace(f"<Dt>{day()}</Dt>", f"<DtTm>{written}</DtTm>")
    (line,) = read_camt(said, IBAN, "EUR", calendar).lines
    assert (line.booked_on.isoformat(), line.value_day.isoformat()) == (expected, expected)


def test_a_moment_that_is_none_is_refused() -> None:
    said = camt(entry("1.00")).replace(f"<Dt>{day()}</Dt>", "<DtTm>2026-10-31T25:30:00Z</DtTm>")
    with pytest.raises(NoStatement, match="no moment"):
        read_camt(said, IBAN, "EUR", UTC_DAYS)


async def test_a_line_of_another_age_is_refused_with_its_file(billing: Billing) -> None:
    bank = await billing.bank(iban=IBAN)
    for written in ("1900-01-01", "2199-12-31"):
        text = camt(entry("1.00")).replace(f"<ValDt><Dt>{day()}", f"<ValDt><Dt>{written}")
        said = await billing.post("/bank-statements", 422, bank_account_id=bank, format="camt.053", content=text)
        assert (said["type"], said["errors"][0]["field"]) == ("urn:tailrace:problem:implausible-date", "/content")
    assert await lines(billing) == []
