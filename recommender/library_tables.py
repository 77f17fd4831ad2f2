"""The tables of the library database."""

import sqlalchemy as sa

from recommender.columns import metadata_columns

SCHEMA_VERSION = 1
CREDIT_FIELDS = ("title", "artist", "album", "licence", "attribution")

schema = sa.MetaData()
tracks = sa.Table(
    "tracks",
    schema,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("duration_seconds", sa.Float, nullable=False),
    *metadata_columns(),
)
files = sa.Table(
    "files",
    schema,
    sa.Column("path", sa.LargeBinary, primary_key=True),
    sa.Column("track_id", sa.Text, sa.ForeignKey("tracks.id"), nullable=False, index=True),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("mtime_ns", sa.Integer, nullable=False),
)
failures = sa.Table(
    "failures",
    schema,
    sa.Column("path", sa.LargeBinary, primary_key=True),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("mtime_ns", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("failed_at", sa.Text, nullable=False),
)
spaces = sa.Table(
    "spaces",
    schema,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("description", sa.Text, nullable=False),
)
vectors = sa.Table(
    "vectors",
    schema,
    sa.Column("track_id", sa.Text, sa.ForeignKey("tracks.id"), primary_key=True),
    sa.Column("space_id", sa.Text, sa.ForeignKey("spaces.id"), primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    sa.Column("tags", sa.LargeBinary, nullable=False),
    sa.Column("level_dbfs", sa.Float, nullable=False),
    sa.Column("n_windows", sa.Integer, nullable=False),
)
meta = sa.Table(
    "meta",
    schema,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
file_credits = sa.Table(
    "file_credits",
    schema,
    sa.Column("source", sa.LargeBinary, primary_key=True),
    sa.Column("path", sa.LargeBinary, primary_key=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in CREDIT_FIELDS),
)
