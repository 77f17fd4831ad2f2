"""Metadata as columns: the library and the catalog keep the same fields in the same way."""

from typing import Any, get_type_hints

import sqlalchemy as sa

from recommender.track import Metadata

_TYPES: dict[type, type[sa.types.TypeEngine[Any]]] = {
    str: sa.Text,
    int: sa.Integer,
    float: sa.Float,
}


def metadata_columns() -> list[sa.Column[Any]]:
    """One column for each field of :class:`~recommender.track.Metadata`, new at every call."""
    return [
        sa.Column(name, _TYPES[type_], nullable=False)
        for name, type_ in get_type_hints(Metadata).items()
    ]
