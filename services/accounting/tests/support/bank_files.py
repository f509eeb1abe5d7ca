"""Statements of a bank, as its files have them, and what accounting made of their lines."""

from typing import Any

from billing import Billing

from tailrace_testing import today

IBAN = "DE89370400440532013000"


def day() -> str:
    return today().isoformat()


def entry(
    amount: str, text: str = "", *, name: str = "Ada Works", debit: bool = False, reference: str = "", **given: str
) -> str:
    side, party = ("DBIT", "Cdtr") if debit else ("CRDT", "Dbtr")
    named = f"<RltdPties><{party}><{given.get('pty', 'Nm')}>{name}</{given.get('pty', 'Nm')}></{party}></RltdPties>"
    own = f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""
    details = f"<NtryDtls><TxDtls>{named}<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls>"
    return (
        f'<Ntry><Amt Ccy="{given.get("currency", "EUR")}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        f"<Sts><Cd>{given.get('status', 'BOOK')}</Cd></Sts><BookgDt><Dt>{day()}</Dt></BookgDt><ValDt><Dt>{day()}</Dt></ValDt>"
        f"{own}{details}</Ntry>"
    )


def camt(
    *entries: str, opening: str = "0.00", closing: str | None = None, version: str = "08", iban: str = IBAN
) -> str:
    def balance(code: str, amount: str) -> str:
        return f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'

    balances = balance("OPBD", opening) + balance("CLBD", closing) if closing else ""
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><Stmt><Id>S-1</Id>'
        f"<Acct><Id><IBAN>{iban}</IBAN></Id></Acct>{balances}{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    )


async def imported(billing: Billing, bank: str, text: str, **given: Any) -> dict[str, Any]:
    body = {"bank_account_id": bank, "format": "camt.053", "content": text, **given}
    return await billing.post("/bank-statements", **body)


async def lines(billing: Billing) -> list[dict[str, Any]]:
    return list((await billing.get("/bank-lines"))["items"])
