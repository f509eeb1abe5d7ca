"""The tables of workflow have this in common."""

from sqlalchemy.orm import DeclarativeBase

from tailrace.db.models import Tables


class Base(Tables, DeclarativeBase):
    """The tables of workflow."""
