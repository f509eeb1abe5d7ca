"""The tables of opportunities."""

from sqlalchemy.orm import DeclarativeBase

from tailrace.db.models import Tables


class Base(Tables, DeclarativeBase):
    """The tables of opportunities."""
