"""Purging deletes what is due, all of it, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from server.store.database import IN_MEMORY, open_database
from server.store.purging import DAY, Purged, purge
from server.store.tables import cards_shown, feedback, feedback_comments, shadow_calls, smart_launches, snoozes, used_tokens
from server.store.used_tokens import GRACE_SECONDS
from tests.server.store.rows import add, column, count, emptied

NOW = 1_800_000_000
MOMENTS = st.lists(st.integers(NOW - 40 * DAY, NOW + 40 * DAY), unique=True, max_size=12)
DAYS = st.integers(1, 30)


@pytest.fixture(scope="module")
def memory() -> Iterator[Engine]:
    engine = open_database(IN_MEMORY)
    yield engine
    engine.dispose()


def days_ago(days: int, seconds: int = 0) -> int:
    return NOW - days * DAY + seconds


@pytest.mark.requirement("LOG-07")
def test_what_is_due_goes_and_the_rest_stays_to_the_second(database: Engine) -> None:
    add(
        database,
        used_tokens,
        {"jti": "due", "expires_at": NOW - GRACE_SECONDS - 1},
        {"jti": "kept", "expires_at": NOW - GRACE_SECONDS},
    )
    add(database, smart_launches, {"id": "due", "ends_at": NOW}, {"id": "kept", "ends_at": NOW + 1})
    add(
        database,
        smart_launches,
        *({"id": f"idle {age}", "used_at": NOW - age, "ends_at": NOW + 1, "sealed": "x"} for age in (899, 900)),
    )
    add(database, snoozes, {"recommendation": "due", "until": NOW}, {"recommendation": "kept", "until": NOW + 1})
    add(database, cards_shown, {"card": "due", "shown_at": days_ago(20, -1)}, {"card": "kept", "shown_at": days_ago(20)})
    add(database, shadow_calls, {"call": "due", "called_at": days_ago(20, -1)}, {"call": "kept", "called_at": days_ago(20)})
    add(
        database,
        feedback,
        {"id": 1, "card": "due", "received_at": days_ago(20, -1)},
        {"id": 2, "card": "without its comment", "received_at": days_ago(10, -1)},
        {"id": 3, "card": "kept", "received_at": days_ago(10)},
    )
    add(database, feedback_comments, {"feedback": 1}, {"feedback": 2}, {"feedback": 3})

    purged = purge(database, now=NOW, keep_days=20, keep_comments_days=10)

    assert purged == Purged(
        used_tokens=1,
        snoozes=1,
        cards_shown=1,
        shadow_calls=1,
        feedback_comments=2,
        feedback=1,
        smart_launches=1,
        idle_smart_launches=1,
    )
    assert column(database, shadow_calls, "call") == {"kept"}
    assert column(database, used_tokens, "jti") == {"kept"}
    assert column(database, snoozes, "recommendation") == {"kept"}
    assert column(database, smart_launches, "id") == {"kept", "idle 899", "idle 900"}
    with database.connect() as connection:
        held = select(smart_launches.c.id).where(smart_launches.c.sealed != "")
        assert connection.execute(held).scalars().all() == ["idle 899"]
    assert column(database, cards_shown, "card") == {"kept"}
    assert column(database, feedback, "card") == {"without its comment", "kept"}
    assert column(database, feedback_comments, "feedback") == {3}


@pytest.mark.requirement("LOG-07")
@given(others=MOMENTS, received=MOMENTS, keep=DAYS, comments=DAYS)
def test_no_row_is_deleted_early_and_none_forgotten(
    memory: Engine, others: list[int], received: list[int], keep: int, comments: int
) -> None:
    engine = emptied(memory)
    add(engine, used_tokens, *({"jti": f"{at}", "expires_at": at} for at in others))
    add(engine, snoozes, *({"recommendation": f"{at}", "until": at} for at in others))
    add(engine, cards_shown, *({"card": f"{at}", "shown_at": at} for at in others))
    add(engine, feedback, *({"id": at, "card": f"{at}", "received_at": at} for at in received))
    add(engine, feedback_comments, *({"feedback": at} for at in received))

    purged = purge(engine, now=NOW, keep_days=keep, keep_comments_days=comments)

    assert column(engine, used_tokens, "expires_at") == {at for at in others if at >= NOW - GRACE_SECONDS}
    assert column(engine, snoozes, "until") == {at for at in others if at > NOW}
    assert column(engine, cards_shown, "shown_at") == {at for at in others if at >= days_ago(keep)}
    assert column(engine, feedback, "received_at") == {at for at in received if at >= days_ago(keep)}
    assert column(engine, feedback_comments, "feedback") == {at for at in received if at >= days_ago(min(keep, comments))}
    assert purged.feedback_comments == len(received) - count(engine, feedback_comments)


def test_many_rows_go_in_several_batches(database: Engine) -> None:
    add(database, used_tokens, *({"jti": f"{number}", "expires_at": number} for number in range(1200)))
    assert purge(database, now=NOW, keep_days=1, keep_comments_days=1).used_tokens == 1200
    assert count(database, used_tokens) == 0


@pytest.mark.requirement("LOG-07")
def test_nothing_of_a_purged_comment_is_left_in_an_sqlite_file(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/store.sqlite3")
    add(engine, feedback, {})
    add(engine, feedback_comments, {"comment": "words that name somebody"})
    assert any(b"name somebody" in path.read_bytes() for path in tmp_path.iterdir())
    purge(engine, now=NOW, keep_days=1, keep_comments_days=1)
    assert not any(b"name somebody" in path.read_bytes() for path in tmp_path.iterdir())
    engine.dispose()
