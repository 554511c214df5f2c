"""PostgreSQL, through psycopg 3: for several machines, or where the hospital runs its databases there."""

from importlib.util import find_spec
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event

from server.config import PREFIX, THREADS, ConfigurationError

CONNECT_SECONDS = 2
STATEMENT_SECONDS = 1
"""DB-03: a hook call has no time to wait for longer."""
IDLE_SECONDS = 2
"""DB-02: after this the server ends the session of who vanished within a transaction, and what it had locked is free again."""


def postgresql_engine(url: URL, *, hurried: bool = True) -> Engine:
    """Connections to a PostgreSQL database, opened when they are needed and tried before they are used again.

    Args:
        url: where; what its `options` say counts more than what is set here.
        hurried: give up on a statement that takes long.

    Raises:
        ConfigurationError: psycopg is not installed.
    """
    if find_spec("psycopg") is None:
        raise ConfigurationError(
            f"{PREFIX}DATABASE_URL: PostgreSQL needs psycopg, which is not installed; install it with: "
            "pip install 'myositis-cds[postgres]'"
        )
    arguments: dict[str, Any] = {"application_name": "myositis-cds", "connect_timeout": CONNECT_SECONDS}
    if hurried:
        limits = f"-c statement_timeout={STATEMENT_SECONDS}s -c idle_in_transaction_session_timeout={IDLE_SECONDS}s"
        arguments["options"] = f"{limits} {url.query.get('options', '')}"
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args=arguments,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=THREADS,  # each needs one connection at a time
        pool_timeout=CONNECT_SECONDS,
    )
    if hurried:
        event.listen(engine, "do_connect", _connect_hurried)
    return engine


def _connect_hurried(dialect: Any, record: Any, args: Any, kwargs: Any) -> Any:
    from server.store.hurried import HurriedConnection  # where there is no PostgreSQL there may be no psycopg

    return HurriedConnection.connect(*args, **kwargs)
