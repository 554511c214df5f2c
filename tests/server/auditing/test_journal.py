"""The journal loses nothing that it took, also when processes are killed, and all of it comes home exactly once (AUD-02)."""

import time
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine

from server.auditing.bringing_home import Carrier, bring_home
from server.auditing.journal import DAMAGED, Journal, JournalError
from server.store.errors import StoreError
from tests.server.auditing.rows import KEY, add, entries, faults, line
from tests.server.logged import lines as lines_logged
from tests.server.store.processes import python


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


@pytest.mark.requirement("AUD-02")
def test_what_waits_comes_home_in_order_and_exactly_once(journal: Journal, database: Engine, tmp_path: Path) -> None:
    lines = [line(("hospital", "other")[number % 2], at=number) for number in range(3_000)]
    add(database, *lines[:2])
    for one in lines:
        journal.append(one.text) if one in lines[:5] else None
    with (tmp_path / "journal").open("a") as file:
        file.writelines(f"{one.text}\n" for one in lines[5:])
    assert bring_home(journal, database, KEY) == 3_000
    assert not journal.is_waiting()
    kept = entries(database)
    assert [one["recordedAt"] for one in kept] == [*range(0, 3_000, 2), *range(1, 3_000, 2)]
    assert faults(database) == []


@pytest.mark.requirement("AUD-02")
def test_a_line_that_was_torn_by_a_crash_is_cut_off_and_the_others_are_kept(
    journal: Journal, memory: Engine, tmp_path: Path
) -> None:
    first, second, path = line(at=1), line(at=2), tmp_path / "journal"
    journal.append(first.text)
    with path.open("a") as file:
        file.write(second.text[:40])
    assert len(journal.read(0, 10_000)) == 1
    journal.append(second.text)
    assert path.read_text("utf-8") == f"{first.text}\n{second.text}\n"
    path.write_text("torn" * 50_000)
    assert bring_home(journal, memory, KEY) == 0
    assert not journal.is_waiting()


@pytest.mark.requirement("AUD-02")
def test_a_line_that_is_none_of_ours_does_not_stop_the_others(journal: Journal, memory: Engine, tmp_path: Path) -> None:
    (tmp_path / "journal").write_text(f'{line(at=1).text}\n{{"client":1}}\n\x00\n{line(at=2).text}\n')
    assert bring_home(journal, memory, KEY) == 2
    assert [one["recordedAt"] for one in entries(memory)] == [1, 2]


@pytest.mark.requirement("AUD-02")
def test_it_never_grows_beyond_its_bound_and_others_cannot_read_it(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.touch(mode=0o644)
    journal = Journal(path, most_bytes=1_000)
    journal.append(line().text)
    with pytest.raises(JournalError, match="full"):
        journal.append(line(cards=("0" * 36,) * 30).text)
    assert 0 < path.stat().st_size <= 1_000
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.requirement("AUD-02")
def test_through_a_link_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "journal").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError):
        Journal(tmp_path / "journal").append("{}")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.requirement("AUD-02")
def test_while_the_database_takes_nothing_everything_stays(journal: Journal, memory: Engine) -> None:
    journal.append(line().text)
    with memory.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_events RENAME TO lost")
    with pytest.raises(StoreError):
        bring_home(journal, memory, KEY)
    assert journal.is_waiting()


@pytest.mark.requirement("AUD-02")
def test_only_one_brings_home_at_a_time(journal: Journal, memory: Engine, tmp_path: Path) -> None:
    journal.append(line().text)
    with Journal(tmp_path / "journal").carried() as is_mine:
        assert is_mine
        assert bring_home(journal, memory, KEY) == 0
    assert bring_home(journal, memory, KEY) == 1


@pytest.mark.requirement("AUD-02", "PR-01")
def test_whoever_is_killed_on_the_way_home_loses_and_doubles_nothing(
    journal: Journal, database: Engine, database_url: str, tmp_path: Path
) -> None:
    """Processes that append and bring home all the time are killed at random moments."""
    said = tmp_path / "said"
    said.touch()
    result = python("-m", "tests.server.auditing.processes", "spill", database_url, str(tmp_path / "journal"), str(said))
    assert (result.returncode, result.stderr) == (0, "")
    bring_home(journal, database, KEY)
    kept = [one["id"] for one in entries(database)]
    told = said.read_text("utf-8").splitlines()
    assert len(told) > 20
    assert len(set(kept)) == len(kept)
    assert set(told) <= set(kept)
    assert faults(database) == []


def damaged(tmp_path: Path) -> Path:
    return tmp_path / f"journal{DAMAGED}"


@pytest.mark.requirement("AUD-02")
@pytest.mark.parametrize("hole", [100, 70_000, 400_000, 900_000])
def test_behind_a_hole_that_a_loss_of_power_left_nothing_is_lost_and_the_hole_is_put_aside(
    hole: int, journal: Journal, memory: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, last = line(at=1), line(at=2)
    (tmp_path / "journal").write_bytes(first.text.encode() + b"\n" + b"\0" * hole + b"\n" + last.text.encode() + b"\n")
    assert bring_home(journal, memory, KEY) == 2
    assert [one["recordedAt"] for one in entries(memory)] == [1, 2]
    assert not journal.is_waiting()
    assert damaged(tmp_path).read_bytes().count(b"\0") == hole
    assert damaged(tmp_path).stat().st_mode & 0o777 == 0o600
    assert "audit_journal_damaged" in caplog.text


@pytest.mark.requirement("AUD-02")
@pytest.mark.parametrize("hole", [100, 100_000])
def test_a_record_that_is_added_behind_a_hole_is_kept(hole: int, journal: Journal, memory: Engine, tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b"\0" * hole)
    journal.append(line(at=1).text)
    assert bring_home(journal, memory, KEY) == 1
    assert damaged(tmp_path).read_bytes() == b"\0" * hole + b"\n"


@pytest.mark.requirement("AUD-02")
def test_the_end_of_the_file_without_a_line_is_put_aside_before_it_is_cut_off(
    journal: Journal, memory: Engine, tmp_path: Path
) -> None:
    journal.append(line().text)
    with (tmp_path / "journal").open("a") as file:
        file.write('{"torn')
    assert bring_home(journal, memory, KEY) == 1
    assert damaged(tmp_path).read_text() == '{"torn\n'
    with (tmp_path / "journal").open("a") as file:
        file.write('{"another')
    bring_home(journal, memory, KEY)
    assert damaged(tmp_path).read_text() == '{"torn\n{"another\n'


@pytest.mark.requirement("AUD-02")
def test_nothing_is_cut_off_that_cannot_be_put_aside(journal: Journal, memory: Engine, tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b"\0\n" * 10)
    damaged(tmp_path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError):
        bring_home(journal, memory, KEY)
    damaged(tmp_path).unlink()
    journal._most_bytes = 10
    with pytest.raises(JournalError, match="full"):
        bring_home(journal, memory, KEY)
    assert damaged(tmp_path).read_bytes() == b""
    assert (tmp_path / "journal").read_bytes() == b"\0\n" * 10


@pytest.mark.requirement("AUD-02")
@pytest.mark.parametrize("moment", ["9223372036854775808", "-1", "1.5", "true", '"1"'])
def test_a_line_that_no_database_could_keep_does_not_stop_the_others(
    moment: str, journal: Journal, database: Engine, tmp_path: Path
) -> None:
    ours = line(at=1).text
    bad = [ours.replace('"recordedAt":1', f'"recordedAt":{moment}')]
    bad += [ours.replace("hospital", name) for name in ("", "x" * 65, "\\u0000")]
    (tmp_path / "journal").write_text("".join(f"{text}\n" for text in [*bad, ours]))
    assert bring_home(journal, database, KEY) == 1
    assert damaged(tmp_path).read_text().splitlines() == bad


@pytest.mark.requirement("AUD-02")
def test_a_client_whose_chain_is_broken_stops_nobody_elses_records(
    journal: Journal, database: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add(database, line("hospital", at=1))
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE audit_chains SET sequence = 0")
    lines = [line(("hospital", "other")[number % 2], at=number) for number in range(2, 3_000)]
    (tmp_path / "journal").write_text("".join(f"{one.text}\n" for one in lines))
    assert bring_home(journal, database, KEY) == 1_499
    assert not journal.is_waiting()
    assert damaged(tmp_path).read_text().splitlines() == [one.text for one in lines if one.client == "hospital"]
    assert lines_logged(caplog, "audit") == ["event=audit_chain_broken client=hospital entries=1499"]
    assert [one["recordedAt"] for one in entries(database) if one["client"] == "other"] == list(range(3, 3_000, 2))


class _Late(Journal):
    """While its carrier takes a last look, somebody adds a record."""

    late: Thread

    def is_waiting(self) -> bool:
        is_waiting = super().is_waiting()
        if not is_waiting and self.late.ident is None:
            self.late.start()
            self.late.join(0.2)
        return is_waiting


@pytest.mark.requirement("AUD-02")
def test_a_record_that_comes_while_the_carrier_takes_its_last_look_is_not_left_waiting(tmp_path: Path, memory: Engine) -> None:
    journal = _Late(tmp_path / "journal")
    carrier = Carrier(journal)

    def add_late() -> None:
        journal.append(line(at=2).text)
        carrier.start(memory, KEY)

    journal.late = Thread(target=add_late)
    journal.append(line(at=1).text)
    carrier.start(memory, KEY)
    deadline = time.monotonic() + 10
    while len(entries(memory)) < 2:
        assert time.monotonic() < deadline, "the record waits for ever"
        time.sleep(0.02)
    journal.late.join()
    carrier.stop()
