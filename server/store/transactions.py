"""One transaction on the database, with one kind of error."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from server.store.errors import StoreError
from server.store.turns import turn


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Everything within is committed at the end, or nothing.

    Raises:
        StoreError: the database did not do it.
        IntegrityError: a constraint refused it; what that means only the caller knows.
    """
    try:
        with turn(engine), engine.begin() as connection:
            yield connection
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        raise StoreError(f"the database cannot be used now ({type(error).__name__})") from error
