"""What Alembic runs; the connection and its transaction are :func:`listeners_tables.prepare`'s."""

from alembic import context

from recommender.listeners_tables import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
