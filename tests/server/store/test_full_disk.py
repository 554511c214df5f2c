"""A disk that is really full: nothing half-written, and all is well once there is room again (DB-04)."""

import subprocess
from collections.abc import Iterator
from itertools import count, takewhile
from pathlib import Path

import pytest

from server.config import ConfigurationError
from server.store.backup import back_up
from server.store.database import downgrade_database, open_database
from server.store.errors import StoreError
from server.store.revisions import newest_revision, revision_of
from server.store.tables import used_tokens
from server.store.used_tokens import remember
from server.store.writing import try_writing
from tests.server.store.rows import count as rows

BALLAST = 256 * 1024
FAR_AHEAD = 2**33


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one mebibyte, a quarter of which something else takes up."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("only who may mount a disk can fill one; that a file cannot grow is tried in tests/trials too")
    (folder / "ballast").write_bytes(b"x" * BALLAST)
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.requirement("DB-04")
def test_a_full_disk_is_trouble_until_there_is_room_and_loses_nothing(disk: Path) -> None:
    engine = open_database(f"sqlite:///{disk}/store.sqlite3")

    def accepts(number: int) -> bool:
        try:
            return remember(engine, "https://ehr.example", str(number), FAR_AHEAD, FAR_AHEAD)
        except StoreError:
            return False

    accepted = list(takewhile(accepts, count()))
    assert rows(engine, used_tokens) == len(accepted) > 0
    with pytest.raises(StoreError):
        try_writing(engine)
    (disk / "ballast").unlink()
    try_writing(engine)
    assert accepts(len(accepted))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    engine.dispose()


@pytest.mark.requirement("DB-04", "DB-06")
def test_without_room_for_a_backup_there_is_none_and_no_table_changes(disk: Path) -> None:
    url = f"sqlite:///{disk}/store.sqlite3"
    engine = open_database(url)
    (disk / "more").write_bytes(b"x" * (1024 * 1024 - BALLAST - sum(one.stat().st_size for one in disk.glob("store*")) - 65_536))
    with pytest.raises(ConfigurationError, match="full"):
        back_up(url, disk / "backup")
    with pytest.raises(ConfigurationError, match="full"):
        downgrade_database(url, "0001")
    assert revision_of(engine) == newest_revision()
    assert {one.name for one in disk.iterdir()} <= {
        "ballast",
        "more",
        *("store.sqlite3" + end for end in ("", "-wal", "-shm", "-turn")),
    }
    engine.dispose()
