"""A short outage of PostgreSQL under load, with everything that `docs/degradation.md` promises about it."""

import signal
from pathlib import Path

import pytest

from server.store.hurried import ANSWER_SECONDS
from server.store.postgresql import CONNECT_SECONDS
from tests.postgresql import PostgresqlServer
from tests.trials.postgresql_outage import stop_and_start

BUSY_SECONDS = 3.0
"""What else an answer may take, with eight senders on a machine that has other things to do."""


@pytest.mark.slow
@pytest.mark.requirement("DB-01", "DB-02", "F-9", "PR-01")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_postgresql_goes_and_comes_back_under_load(tmp_path: Path, postgresql: PostgresqlServer, how: signal.Signals) -> None:
    seen = stop_and_start(tmp_path, postgresql, up_seconds=1.5, down_seconds=2.0, how=how)
    assert set(seen.before) == set(seen.after) == {200}
    assert set(seen.down) == {503}
    assert min(map(sum, (seen.before.values(), seen.down.values(), seen.after.values()))) > 0
    assert seen.without_retry_after == 0
    assert seen.longest_down < ANSWER_SECONDS + CONNECT_SECONDS + BUSY_SECONDS
    assert (seen.live, seen.ready) == (200, 503)
    assert seen.last_trouble_seconds < 30
    assert seen.acknowledged > 0
    assert seen.lost == 0
    assert seen.same_process
