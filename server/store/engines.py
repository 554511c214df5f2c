"""From the setting to an engine, and from a database in trouble to words."""

from sqlite3 import Error as SqliteError

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from server.config import PREFIX, ConfigurationError
from server.store.errors import StoreError
from server.store.postgresql import postgresql_engine
from server.store.sqlite import sqlite_engine

SETTING = f"{PREFIX}DATABASE_URL"
_FORMS = "write sqlite:////folder/file.sqlite3 or postgresql+psycopg://user@host/name"


def connect(url: str, *, hurried: bool = True) -> Engine:
    """The database as it is; nothing is opened yet.

    Args:
        url: an SQLAlchemy URL: `sqlite:///path/to/file` or `postgresql+psycopg://user@host/name`.
        hurried: give up on a statement that takes long.

    Raises:
        ConfigurationError: the URL is none of ours, or psycopg is not installed.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # what it says may hold the password
        raise ConfigurationError(f"{SETTING}: not an SQLAlchemy URL; {_FORMS}") from None
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return sqlite_engine(parsed)
        case "postgresql" | "postgresql+psycopg":
            return postgresql_engine(parsed, hurried=hurried)
    raise ConfigurationError(f"{SETTING}: neither SQLite nor PostgreSQL; {_FORMS}")


def place_of(url: URL) -> str:
    """What messages call a database: without user, password and options."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite {url.database or 'in memory'}"
    return f"PostgreSQL {url.database} on {url.host or url.query.get('host') or 'this machine'}"


def unusable(url: URL, error: SQLAlchemyError | SqliteError | OSError) -> ConfigurationError | StoreError:
    """What is said, to those who run the service, of a database that does not do what it should.

    The cause is in the words of the database, which may name its user and host, and never a password. A PostgreSQL that cannot be
    reached may be reached later, with the same settings: that is trouble of a machine, after which a service is started again.
    """
    cause = error.strerror if isinstance(error, OSError) else _cause(error)
    is_away = isinstance(error, OperationalError) and url.get_backend_name() == "postgresql"
    kind = StoreError if is_away else ConfigurationError
    return kind(f"{SETTING}: {place_of(url)} cannot be used: {cause}")


def _cause(error: SQLAlchemyError | SqliteError) -> str:
    """What the database said; statement and values are not part of it."""
    if isinstance(error, SQLAlchemyError):
        return " ".join(str(error.orig).split()) if isinstance(error, DBAPIError) else type(error).__name__
    return str(error)
