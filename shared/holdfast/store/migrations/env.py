"""What alembic runs: the migrations, on the connection that the store hands in.

A revision that has to leave its transaction, to build an index while others write, ends the one before: hence one each.
"""

from alembic import context

from holdfast.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
