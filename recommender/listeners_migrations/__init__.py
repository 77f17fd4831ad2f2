"""Migrations of the tables of listeners, for Alembic."""
