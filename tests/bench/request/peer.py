"""The same three requests as the documentation of FastAPI and of SQLAlchemy shows them: no token, no tenant, no version, no event, no line of log.

Rows lie in a table of its own with the columns and the indexes that the service's has, in the same database.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, DateTime, Numeric, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAME = "bench-peer"
"""What its connections call themselves."""


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), int: BigInteger, Decimal: Numeric(18, 6)}


class Item(Base):
    __tablename__ = "plain_item"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    sku: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    unit: Mapped[str]
    conversions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    tax_rate: Mapped[Decimal | None]
    tax_code_id: Mapped[UUID | None]
    valuation: Mapped[str]
    active: Mapped[bool]
    negative_stock: Mapped[str]
    custom_fields: Mapped[dict[str, Any]] = mapped_column(JSONB)
    tracking: Mapped[str]
    expires: Mapped[bool]
    shelf_life_days: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"), onupdate=text("now()"))


class ItemIn(BaseModel):
    name: str
    sku: str
    kind: str = "stock"
    unit: str = "pcs"
    conversions: list[dict[str, Any]] = []
    tax_rate: Decimal | None = None
    tax_code_id: UUID | None = None
    valuation: str = "fifo"
    active: bool = True
    negative_stock: str = "refused"
    custom_fields: dict[str, Any] = {}
    tracking: str = "none"
    expires: bool = False
    shelf_life_days: int | None = None


class ItemOut(ItemIn):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime


def build(url: str) -> tuple[FastAPI, AsyncEngine]:
    engine = create_async_engine(url, connect_args={"server_settings": {"application_name": NAME}})
    make_session = async_sessionmaker(engine, expire_on_commit=False)
    app = FastAPI()

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with make_session() as session:
            yield session

    Session = Annotated[AsyncSession, Depends(get_session)]  # noqa: N806  (reads as a type where it is used)

    @app.post("/items", response_model=ItemOut, status_code=201)
    async def create_item(item: ItemIn, session: Session) -> Item:
        made = Item(**item.model_dump())
        session.add(made)
        await session.commit()
        await session.refresh(made)
        return made

    @app.get("/items", response_model=list[ItemOut])
    async def read_items(session: Session, offset: int = 0, limit: int = 100) -> Any:
        return (await session.scalars(select(Item).order_by(Item.id).offset(offset).limit(limit))).all()

    @app.get("/items/{item_id}", response_model=ItemOut)
    async def read_item(item_id: UUID, session: Session) -> Item:
        item = await session.get(Item, item_id)
        if item is None:
            raise HTTPException(status_code=404, detail="Item not found")
        return item

    return app, engine
