"""What Alembic runs for every upgrade: on the connection, and within the transaction, that `migrating.upgrade` opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,  # SQLite can hardly change a table in place
    transactional_ddl=True,
)
context.run_migrations()
