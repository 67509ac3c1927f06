"""What alembic runs: the migrations, on the connection that the store hands in."""

from alembic import context

from holdfast.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
