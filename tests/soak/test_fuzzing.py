"""What the fuzzing trial would find."""

from pathlib import Path

import pytest

from soak.fuzzing import fuzz_reader
from soak.seen import Seen


@pytest.mark.parametrize(
    ("status", "must_be_answered", "faults"), [(200, True, 0), (501, True, 0), (500, False, 1), (0, False, 0), (0, True, 1)]
)
def test_a_fault_is_what_is_said_with_500_or_not_at_all(status: int, must_be_answered: bool, faults: int) -> None:
    seen = Seen()
    seen.count(status, b"{}", must_be_answered=must_be_answered)
    assert len(seen.faults) == faults


def test_a_reader_that_breaks_its_promise_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a module in the way that is not the real one."""
    stand_in = tmp_path / "soak"
    stand_in.mkdir()
    (stand_in / "__init__.py").write_text("")
    (stand_in / "readers.py").write_text("raise ValueError('of the reader')")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "found").mkdir()
    assert "of the reader" in fuzz_reader(tmp_path / "found", "json", 1)
