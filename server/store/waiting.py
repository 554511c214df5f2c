"""Waiting for a database that starts at the same time as the service (DB-01)."""

import time

from sqlalchemy.exc import OperationalError

from server.store.engines import connect, unusable

_PAUSE_SECONDS = 0.5


def wait_for_database(url: str, seconds: float) -> None:
    """Return once the database takes connections; a file has not to be waited for.

    Args:
        url: as for `engines.connect`.
        seconds: how long to wait at most.

    Raises:
        ConfigurationError: the URL is none of ours, or psycopg is not installed.
        StoreError: it still does not.
    """
    deadline = time.monotonic() + seconds
    engine = connect(url)
    if engine.dialect.name == "sqlite":
        return
    try:
        while True:
            try:
                engine.connect().close()
            except OperationalError as error:
                if time.monotonic() + _PAUSE_SECONDS > deadline:
                    raise unusable(engine.url, error) from error
                time.sleep(_PAUSE_SECONDS)
            else:
                return
    finally:
        engine.dispose()
