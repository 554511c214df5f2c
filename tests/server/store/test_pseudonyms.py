"""What patients are called in the database, and where the key to it is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from server.config import Config, ConfigurationError
from server.runtime import open_runtime
from server.store.database import IN_MEMORY, open_database
from server.store.pseudonyms import Pseudonyms, load_pseudonyms
from tests.server.store.processes import all_at_once

KEY = b"0123456789abcdef0123456789abcdef"


# Few letters, so that equal ones are met too.
CLIENTS = st.from_regex(r"[ab-]{1,3}", fullmatch=True)
IDS = st.text("ab-\n", max_size=3)


@pytest.mark.requirement("LOG-02")
@given(CLIENTS, IDS, CLIENTS, IDS)
def test_a_pseudonym_tells_patients_and_clients_apart(client: str, patient: str, other_client: str, other_patient: str) -> None:
    pseudonyms = Pseudonyms(KEY)
    one, other = pseudonyms.of(client, patient), pseudonyms.of(other_client, other_patient)
    assert (one == other) == ((client, patient) == (other_client, other_patient))


def test_another_key_gives_other_pseudonyms() -> None:
    assert Pseudonyms(KEY).of("ehr", "1") != Pseudonyms(KEY[::-1]).of("ehr", "1")


@pytest.mark.requirement("LOG-02")
def test_the_key_shows_in_no_representation(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(KEY)
    runtime = open_runtime(Config(pseudonym_key_file=file))
    assert runtime.pseudonyms == Pseudonyms(KEY)
    for holder in (runtime.pseudonyms, runtime, runtime.config):
        assert KEY.decode() not in f"{holder!r} {holder}"


def test_without_a_file_a_key_is_made_once_and_kept(database: Engine, database_url: str) -> None:
    first = load_pseudonyms(database, None)
    again = open_database(database_url)
    assert load_pseudonyms(again, None) == first
    assert len(first.key) == 32
    again.dispose()


def test_each_installation_has_its_own_key() -> None:
    assert load_pseudonyms(open_database(IN_MEMORY), None) != load_pseudonyms(open_database(IN_MEMORY), None)


def test_processes_that_start_at_once_agree_on_one_key(database_url: str) -> None:
    pseudonyms = all_at_once("pseudonyms", database_url)
    assert (len(pseudonyms), len(set(pseudonyms))) == (8, 1)


def test_with_a_file_the_database_holds_no_key(tmp_path: Path, database: Engine) -> None:
    file = tmp_path / "key"
    file.write_bytes(KEY + b"\n")
    assert load_pseudonyms(database, file) == Pseudonyms(KEY)
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM installation")).scalar() == 0


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize("content", [b"", b"short", b" " * 64, None], ids=["empty", "short", "blank", "no file"])
def test_a_file_without_a_proper_key_is_refused(tmp_path: Path, database: Engine, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^MYOSITIS_CDS_PSEUDONYM_KEY_FILE: .*key (has fewer than 32|cannot be read)"):
        load_pseudonyms(database, file)


def test_the_file_is_named_by_a_setting() -> None:
    config = Config.from_environment({"MYOSITIS_CDS_PSEUDONYM_KEY_FILE": "/etc/myositis-cds/key"})
    assert config.pseudonym_key_file == Path("/etc/myositis-cds/key")
