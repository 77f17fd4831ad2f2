"""Listeners and their events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "listeners",
        sa.Column("id", _key, primary_key=True),
        sa.Column("name", _text, nullable=False, unique=True),
    )
    op.create_table(
        "events",
        sa.Column("listener", _key, sa.ForeignKey("listeners.id"), primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True),
        sa.Column("track_id", _text, primary_key=True),
        sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("seconds_played", sa.Double),
        sqlite_with_rowid=False,
    )
