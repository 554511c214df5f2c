"""Which revisions of the tables there are, and at which one a database is.

Every start of the service asks this. Alembic, which changes tables, takes longer to import than all else that a database that is
up to date needs.
"""

from functools import cache
from pkgutil import iter_modules

from sqlalchemy import Connection, Engine, inspect, text

from server.store.migrations import versions


@cache
def known_revisions() -> frozenset[str]:
    """Every revision that this software can bring up to date, by the files of the migrations."""
    return frozenset(module.name[1:].partition("_")[0] for module in iter_modules(versions.__path__))


def newest_revision() -> str:
    """The revision that this software needs."""
    if not known_revisions():
        raise RuntimeError("the software came without its migrations")
    return max(known_revisions())


def revision_of(engine: Engine) -> str | None:
    """The revision of a database; None for one without our tables."""
    with engine.connect() as connection:
        return revision_over(connection)


def revision_over(connection: Connection) -> str | None:
    """The same, over a connection that is open."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return revision
