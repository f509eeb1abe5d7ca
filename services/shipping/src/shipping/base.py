"""What the tables of shipping are declared with."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from tailrace.db.models import COLUMN_TYPES, NAMING


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = COLUMN_TYPES
