"""Metadata as columns: the library and the catalog keep the same fields in the same way."""

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from recommender.track import Metadata

_NUMBERS = ("track_number", "year")


def metadata_columns() -> list[sa.Column[Any]]:
    """One column for each field of :class:`~recommender.track.Metadata`, new at every call."""
    return [
        sa.Column(field.name, sa.Integer if field.name in _NUMBERS else sa.Text, nullable=False)
        for field in fields(Metadata)
    ]
