"""Every answer that was received has its record, also when the process that gave it was killed (AUD-01)."""

import os
import signal
from pathlib import Path

import pytest

from tests.server.auditing.killing import trial


@pytest.mark.slow
@pytest.mark.requirement("AUD-01", "PR-01")
def test_each_answer_that_was_received_has_its_record_after_the_process_was_killed(database_url: str, tmp_path: Path) -> None:
    environment = {"PATH": os.defpath, "MYOSITIS_CDS_DATABASE_URL": database_url}
    outcome = trial(environment, tmp_path / "log", kills=3, longest=0.3)
    assert outcome.ends == [-signal.SIGKILL] * outcome.killed
    assert outcome.killed >= 3
    assert outcome.acknowledged
    assert outcome.lost == set()
    assert len(set(outcome.recorded)) == len(outcome.recorded)
    assert outcome.faults == []
