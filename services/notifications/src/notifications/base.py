"""The tables of notifications belong to one set of metadata."""

from sqlalchemy.orm import DeclarativeBase

from tailrace.db.models import Tables


class Base(Tables, DeclarativeBase):
    """The tables of notifications."""
