"""One transaction on the database, with one kind of error."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from server.observing.figures import DATABASE_TROUBLE
from server.store.deadline import deadline
from server.store.errors import StoreError
from server.store.outage import LeftAloneError, is_gone, outage_of
from server.store.turns import turn


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Everything within is committed at the end, or nothing.

    Raises:
        StoreError: the database did not do it.
        IntegrityError: a constraint refused it; what that means only the caller knows.
    """
    with _asking(engine), turn(engine) as let_others_compute, engine.begin() as connection:
        yield connection
        let_others_compute()  # while the disk is flushed


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """What has been committed, for SELECTs only: on SQLite, too, nobody who reads waits for one who writes.

    Raises:
        StoreError: the database cannot be read.
    """
    with _asking(engine), engine.connect() as connection:
        yield connection


@contextmanager
def _asking(engine: Engine) -> Iterator[None]:
    """Whatever the database does not do in time, and however it says so, is one kind of error."""
    outage = outage_of(engine)
    if not outage.lets_through():
        raise StoreError("the database did not answer a moment ago") from LeftAloneError()
    try:
        with deadline():
            yield
    except StoreError as error:  # of who waited for a turn
        if isinstance(error.__cause__, LeftAloneError):
            outage.noticed()
        else:
            outage.is_over()
        raise
    except IntegrityError:
        outage.is_over()
        raise
    except SQLAlchemyError as error:
        DATABASE_TROUBLE.inc()
        if is_gone(engine, error):
            outage.noticed()
        else:
            outage.is_over()
        raise StoreError(f"the database cannot be used now ({type(error).__name__})") from error
    except BaseException:
        outage.is_over()
        raise
    outage.is_over()
