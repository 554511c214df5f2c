"""PostgreSQL, through psycopg 3: for several machines, or where the hospital runs its databases there."""

from importlib.util import find_spec

from sqlalchemy import URL, Engine, create_engine

from server.config import ConfigurationError

CONNECT_SECONDS = 2
STATEMENT_SECONDS = 1  # DB-03: a hook call has no time to wait for longer
_THREADS = 4  # as many as `http_server` starts; each needs one connection at a time


def postgresql_engine(url: URL) -> Engine:
    """Connections to a PostgreSQL database, opened when they are needed and tried before they are used again.

    Raises:
        ConfigurationError: psycopg is not installed.
    """
    if find_spec("psycopg") is None:
        raise ConfigurationError(
            "MYOSITIS_CDS_DATABASE_URL: PostgreSQL needs psycopg, which is not installed; install it with: "
            "pip install 'myositis-cds[postgres]'"
        )
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={
            "application_name": "myositis-cds",
            "connect_timeout": CONNECT_SECONDS,
            "options": f"-c statement_timeout={STATEMENT_SECONDS}s",
            "tcp_user_timeout": CONNECT_SECONDS * 1000,
        },
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=_THREADS,
        pool_timeout=CONNECT_SECONDS,
    )
