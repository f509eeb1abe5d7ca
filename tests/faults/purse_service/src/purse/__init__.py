"""A service to crash: accounts, and transfers between them led by a saga, so that money which is lost or doubled shows in a sum."""

from datetime import timedelta
from typing import ClassVar, Self
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tailrace.core.events import Event, Meta
from tailrace.core.ids import uuid7
from tailrace.db.models import Aggregate, Tables
from tailrace.http.routing import Tx
from tailrace.messaging.sagas import Run, Saga
from tailrace.messaging.subscribers import EVER, Reaction
from tailrace.service import Service


class PurseEvent(Event):
    topic: ClassVar[str] = "purse.events"
    publisher: ClassVar[str] = "purse"


class AccountOpened(PurseEvent):
    type: ClassVar[str] = "account.opened"
    balance: int
    takes: bool


class AccountMoved(PurseEvent):
    account_id: UUID
    transfer_id: UUID
    amount: int


class AccountDebited(AccountMoved):
    type: ClassVar[str] = "account.debited"


class AccountCredited(AccountMoved):
    type: ClassVar[str] = "account.credited"


class AccountRefunded(AccountMoved):
    type: ClassVar[str] = "account.refunded"


class AccountReclaimed(AccountMoved):
    type: ClassVar[str] = "account.reclaimed"


class TransferAsked(PurseEvent):
    type: ClassVar[str] = "transfer.asked"
    transfer_id: UUID
    source_id: UUID
    target_id: UUID
    amount: int


class CreditRequested(PurseEvent):
    type: ClassVar[str] = "transfer.credit_requested"
    transfer_id: UUID
    target_id: UUID
    amount: int


class CreditRefused(PurseEvent):
    type: ClassVar[str] = "transfer.credit_refused"
    transfer_id: UUID


class Base(Tables, DeclarativeBase):
    """The tables of purse."""


class Account(Aggregate, Base):
    """Whole units of one currency; `takes` says whether it accepts credits."""

    __tablename__ = "account"

    balance: Mapped[int]
    takes: Mapped[bool]

    @classmethod
    def open(cls, balance: int, *, takes: bool = True) -> Self:
        account = cls(id=uuid7(), balance=balance, takes=takes)
        account.record(AccountOpened(balance=balance, takes=takes))
        return account

    def move(self, kind: type[AccountMoved], transfer_id: UUID, amount: int) -> None:
        self.balance += amount
        self.record(kind(account_id=self.id, transfer_id=transfer_id, amount=amount))


class Transfer(Aggregate, Base):
    __tablename__ = "transfer"

    source_id: Mapped[UUID]
    target_id: Mapped[UUID]
    amount: Mapped[int]
    status: Mapped[str] = mapped_column(default="asked")

    @classmethod
    def ask(cls, source_id: UUID, target_id: UUID, amount: int) -> Self:
        transfer = cls(id=uuid7(), source_id=source_id, target_id=target_id, amount=amount, status="asked")
        transfer.record(TransferAsked(transfer_id=transfer.id, source_id=source_id, target_id=target_id, amount=amount))
        return transfer

    def request_credit(self) -> None:
        self.status = "requested"
        self.record(CreditRequested(transfer_id=self.id, target_id=self.target_id, amount=self.amount))

    def refuse(self) -> None:
        self.status = "refused"
        self.record(CreditRefused(transfer_id=self.id))


class Memory(BaseModel):
    source_id: UUID = UUID(int=0)
    target_id: UUID = UUID(int=0)
    amount: int = 0


transfers = Saga("purse.transfers", Memory, since=EVER)


@transfers.starts(TransferAsked, key=lambda e: e.transfer_id)
async def begin(tx: Tx, run: Run[Memory], event: TransferAsked, meta: Meta) -> None:
    run.data = Memory(source_id=event.source_id, target_id=event.target_id, amount=event.amount)
    (await tx.load(Account, event.source_id)).move(AccountDebited, run.key, -event.amount)
    (await tx.load(Transfer, run.key)).request_credit()
    run.goto("crediting", timeout=timedelta(hours=1))


@transfers.on_answer(AccountCredited, key=lambda e: e.transfer_id)
async def credited(tx: Tx, run: Run[Memory], event: AccountCredited, meta: Meta) -> None:
    if run.state == "crediting":
        run.goto("done")
    elif run.state == "timed out":
        # The source has its money back, so what arrived too late is taken back as well.
        (await tx.load(Account, event.account_id)).move(AccountReclaimed, run.key, -event.amount)
        run.goto("undone")


@transfers.on_answer(CreditRefused, key=lambda e: e.transfer_id)
async def refused(tx: Tx, run: Run[Memory], event: CreditRefused, meta: Meta) -> None:
    if run.state == "crediting":
        await _refund(tx, run)
    run.goto("refused")


@transfers.on_timeout("crediting")
async def give_up(tx: Tx, run: Run[Memory]) -> None:
    await _refund(tx, run)
    run.goto("timed out")


async def _refund(tx: Tx, run: Run[Memory]) -> None:
    (await tx.load(Account, run.data.source_id)).move(AccountRefunded, run.key, run.data.amount)


crediting = Reaction("purse.crediting", since=EVER)


@crediting.on(CreditRequested)
async def credit(tx: Tx, event: CreditRequested, meta: Meta) -> None:
    target = await tx.load(Account, event.target_id)
    if target.takes:
        target.move(AccountCredited, event.transfer_id, event.amount)
    else:
        (await tx.load(Transfer, event.transfer_id)).refuse()


service = Service(
    name="purse",
    topic="purse.events",
    publishes=[
        AccountOpened,
        AccountDebited,
        AccountCredited,
        AccountRefunded,
        AccountReclaimed,
        TransferAsked,
        CreditRequested,
        CreditRefused,
    ],
    subscribers=[transfers, crediting],
    metadata=Base.metadata,
)
