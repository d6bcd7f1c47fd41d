"""Alembic's entry: the connection comes from `server.migrations`, the tables from the models."""

from __future__ import annotations

from alembic import context

from server.database import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
