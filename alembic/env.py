"""Runs migrations on the connection that domain/store/migrate.py opened; it is never started by the alembic command."""

from alembic import context
from domain.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
