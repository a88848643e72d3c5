"""Alembic's entry: runs on the connection that `app.adapters.postgres.migrate` hands over."""

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Run migrations with `rounds migrate`: it knows the database.")

context.configure(connection=connection, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
