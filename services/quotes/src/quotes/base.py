"""The tables of quotes."""

from sqlalchemy.orm import DeclarativeBase

from tailrace.db.models import Tables


class Base(Tables, DeclarativeBase):
    """The tables of quotes."""
