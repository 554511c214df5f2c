"""Fuzzing in its short form: whatever is sent to a service that runs, or to one of its readers, is answered or refused."""

from pathlib import Path

import pytest

from soak.fuzzing import NO_FAULT, fuzz_reader, over_http


@pytest.mark.slow
@pytest.mark.requirement("IN-03", "IN-04", "IN-08", "IN-10", "IN-13", "ERR-01", "H-5")
def test_no_request_that_is_nearly_right_is_a_fault_or_hangs(tmp_path: Path) -> None:
    found = over_http(tmp_path, 300)
    assert (found["faults"], found["hangs"]) == ([], 0)
    assert found["requests"] >= 300
    assert {200, 400, 401} <= set(found["statuses"])


@pytest.mark.requirement("IN-04", "IN-13", "CARD-01", "OUT-07", "OUT-08")
def test_no_bytes_make_a_reader_fail_in_a_way_that_it_does_not_promise(tmp_path: Path) -> None:
    assert fuzz_reader(tmp_path, "all", 2000) == NO_FAULT


def test_a_reader_that_breaks_its_promise_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a module in the way that is not the real one."""
    stand_in = tmp_path / "soak"
    stand_in.mkdir()
    (stand_in / "__init__.py").write_text("")
    (stand_in / "readers.py").write_text("raise ValueError('of the reader')")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "found").mkdir()
    assert "of the reader" in fuzz_reader(tmp_path / "found", "json", 1)
