"""What the tables of orders are declared on."""

from sqlalchemy.orm import DeclarativeBase

from tailrace.db.models import Tables


class Base(Tables, DeclarativeBase):
    """The tables of orders."""
