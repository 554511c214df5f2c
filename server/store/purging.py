"""What is not needed any more is deleted (LOG-07)."""

from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Engine, Table, select

from server.store.deleting import delete_some
from server.store.idle_launches import empty_idle
from server.store.tables import cards_shown, feedback, feedback_comments, shadow_calls, smart_launches, snoozes, used_tokens
from server.store.transactions import transaction
from server.store.used_tokens import GRACE_SECONDS

DAY = 24 * 60 * 60
_BATCH = 500  # rows to a transaction: the service goes on writing in between


@dataclass(frozen=True, slots=True)
class PurgedLaunches:
    """How many launches went, and how many were idle, and hold nothing any more."""

    smart_launches: int
    idle_smart_launches: int


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went, by table; of launches as in `PurgedLaunches`."""

    used_tokens: int
    snoozes: int
    cards_shown: int
    shadow_calls: int
    feedback_comments: int
    feedback: int
    smart_launches: int
    idle_smart_launches: int


def purge(engine: Engine, *, now: int, keep_days: int, keep_comments_days: int) -> Purged:
    """Delete expired tokens, snoozes and launches, what idle launches hold, and what is older than it should become.

    Args:
        engine: the database.
        now: seconds since 1970.
        keep_days: how long cards shown, shadow calls and feedback are kept.
        keep_comments_days: how long comments are kept, which may name a patient; they never outlive their feedback.

    Raises:
        StoreError: the database cannot be used; what was deleted so far stays deleted.
    """
    kept_since, comments_since = (now - days * DAY for days in (keep_days, min(keep_days, keep_comments_days)))
    of_old_feedback = feedback_comments.c.feedback.in_(select(feedback.c.id).where(feedback.c.received_at < comments_since))
    purged = Purged(
        used_tokens=_delete(engine, used_tokens, used_tokens.c.expires_at < now - GRACE_SECONDS),
        snoozes=_delete(engine, snoozes, snoozes.c.until <= now),
        cards_shown=_delete(engine, cards_shown, cards_shown.c.shown_at < kept_since),
        shadow_calls=_delete(engine, shadow_calls, shadow_calls.c.called_at < kept_since),
        feedback_comments=_delete(engine, feedback_comments, of_old_feedback),
        feedback=_delete(engine, feedback, feedback.c.received_at < kept_since),
        **asdict(_purge_launches(engine, now)),
    )
    _empty_the_log(engine)
    return purged


def purge_launches(engine: Engine, *, now: int) -> PurgedLaunches:
    """Delete expired launches and what idle launches hold, which is data of patients; the rest of `purge` has more time.

    Args:
        engine: the database.
        now: seconds since 1970.

    Raises:
        StoreError: as for `purge`.
    """
    purged = _purge_launches(engine, now)
    _empty_the_log(engine)
    return purged


def _purge_launches(engine: Engine, now: int) -> PurgedLaunches:
    return PurgedLaunches(
        smart_launches=_delete(engine, smart_launches, smart_launches.c.ends_at <= now),
        idle_smart_launches=_empty_idle(engine, now),
    )


def _empty_the_log(engine: Engine) -> None:
    """What was deleted is still in SQLite's write-ahead log; while somebody else reads, it stays until the next time."""
    if engine.dialect.name == "sqlite":
        with transaction(engine) as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _empty_idle(engine: Engine, now: int) -> int:
    emptied = 0
    while True:
        with transaction(engine) as connection:
            some = empty_idle(connection, now, _BATCH)
        emptied += some
        if some < _BATCH:
            return emptied


def _delete(engine: Engine, table: Table, condition: ColumnElement[bool]) -> int:
    deleted = 0
    while True:
        with transaction(engine) as connection:
            some = delete_some(connection, table, condition, _BATCH)
        deleted += some
        if some < _BATCH:
            return deleted
