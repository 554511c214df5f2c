"""`myositis-cds audit`: what it prints, and with which exit code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fhir.resources.R4B.auditevent import AuditEvent
from sqlalchemy import Engine, delete, update

from server.auditing.appending import Line, seal
from server.command_line import main
from server.store.database import open_database
from server.store.pseudonyms import load_pseudonyms
from server.store.tables import audit_chains, audit_events
from tests.server.auditing.rows import add, entries, faults, line

DAY = 24 * 60 * 60 * 1000
FULL = {
    "instance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "tenant": "1" * 64, "user": "2" * 64, "patient": "3" * 64,
    "recommendations": ("efn-1", "efn-2"), "cards": ("0b9c2b7e-52a9-4c5d-9d56-6c9f5f3cfc11",), "withheld": ("efn-3",),
    "inputs": (("Condition", "present"), ("Observation", "failed")), "knowledge_version": "1.0.0", "milliseconds": 12,
}  # fmt: skip
Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MYOSITIS_CDS_DATABASE_URL", database_url)
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def key(database: Engine) -> bytes:
    return load_pseudonyms(database, None).key_for("audit")


@pytest.fixture
def trail(database: Engine, key: bytes) -> Engine:
    """Two clients, with records of three days."""
    add(database, line(at=DAY, **FULL), line(at=2 * DAY, outcome="MYO-1201"), line(at=3 * DAY, outcome="shadow"), key=key)
    add(database, line("other", at=2 * DAY, service="smart-app", action="read", outcome="MYO-1905"), key=key)
    return database


@pytest.mark.requirement("AUD-01")
def test_verify_tells_of_every_client_and_ends_with_1_when_something_was_changed(run: Run, trail: Engine, tmp_path: Path) -> None:
    printed = run("audit", "verify")
    assert printed.exit_code == 0
    hospital, other, last = printed.output.splitlines()
    assert hospital.startswith("hospital: 3 records, 1970-01-02T00:00:00Z to 1970-01-04T00:00:00Z; head 3 ")
    assert other.startswith("other: 1 records")
    assert last == "Intact: 4 records of 2 clients."
    (tmp_path / "heads").write_text(f"a line of a log\n{run('audit', 'heads').output}", "utf-8")
    assert run("audit", "verify", "--head", str(tmp_path / "heads")).exit_code == 0

    with trail.begin() as connection:
        connection.execute(delete(audit_events).where(audit_events.c.client == "other"))
        connection.execute(delete(audit_chains).where(audit_chains.c.client == "other"))
    assert run("audit", "verify").exit_code == 0
    cut = run("audit", "verify", "--head", str(tmp_path / "heads"))
    assert cut.exit_code == 1
    assert "record 1: was there when its seal was noted" in cut.output
    assert cut.output.splitlines()[-1].startswith("TAMPERED WITH")

    with trail.begin() as connection:
        connection.execute(update(audit_events).where(audit_events.c.sequence == 2).values(entry="{}"))
    changed = run("audit", "verify", "--client", "hospital")
    assert changed.exit_code == 1
    assert "  record 2: is not what was written here" in changed.output


def test_what_cannot_be_used_is_said_in_one_line(run: Run, trail: Engine, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for arguments, said in {
        ("verify", "--client", "nobody"): "has no audit records",
        ("verify", "--head", str(tmp_path / "none")): "cannot be read",
        ("verify", "--head", str(tmp_path / "empty")): "names no head",
        ("export", "--since", "2026-02-02", "--until", "2026-02-01"): "after --until",
    }.items():
        result = run("audit", *arguments)
        assert (result.exit_code, len(result.output.splitlines())) == (2, 1)
        assert said in result.output


@pytest.mark.requirement("AUD-01", "L-2")
def test_the_export_can_be_verified_alone_and_is_valid_as_fhir(run: Run, trail: Engine, key: bytes) -> None:
    lines = run("audit", "export", "--client", "hospital").output.splitlines()
    chain = ""
    for number, text in enumerate(lines, 1):
        record = json.loads(text)
        entry = text[text.index('"entry":') + 8 : text.index(',"chain":')]
        chain = seal(key, chain, number, Line("hospital", record["entry"]["recordedAt"], entry))
        assert (record["sequence"], record["chain"]) == (number, chain)
    assert len(lines) == 3

    events = [AuditEvent.model_validate_json(text) for text in run("audit", "export", "--format", "fhir").output.splitlines()]
    assert [(event.outcome, event.outcomeDesc, event.action) for event in events] == [
        ("0", "answered", "E"), ("4", "MYO-1201", "E"), ("0", "shadow", "E"), ("8", "MYO-1905", "R"),
    ]  # fmt: skip
    first: Any = events[0]
    assert [agent.requestor for agent in first.agent] == [True, False]
    assert first.entity[0].what.identifier.value == "3" * 64
    details = {(detail.type, detail.valueString) for detail in first.entity[1].detail}
    assert {
        ("recommendation", "efn-2"),
        ("withheld", "efn-3"),
        ("input.Observation", "failed"),
        ("knowledgeVersion", "1.0.0"),
    } < details


def test_the_export_has_the_days_that_were_asked_for(run: Run, trail: Engine) -> None:
    def moments(*arguments: str) -> list[int]:
        return [json.loads(text)["entry"]["recordedAt"] // DAY for text in run("audit", "export", *arguments).output.splitlines()]

    assert moments("--since", "1970-01-03") == [2, 3, 2]
    assert moments("--until", "1970-01-03") == [1, 2, 2]
    assert moments("--since", "1970-01-03", "--until", "1970-01-03", "--client", "other") == [2]


@pytest.mark.requirement("AUD-01")
def test_purge_deletes_what_is_too_old_and_what_is_left_is_intact(run: Run, trail: Engine, key: bytes) -> None:
    purged = run("db", "purge", "--keep-audit-days", "30")
    assert (purged.exit_code, purged.output.splitlines()[-1]) == (0, "audit_events: 4 deleted")
    assert {one["action"] for one in entries(trail)} == {"purge"}
    assert faults(trail, key) == []
    verified = run("audit", "verify")
    assert verified.exit_code == 0
    assert ", 3 older ones purged; head 4 " in verified.output
    event = AuditEvent.model_validate_json(run("audit", "export", "--format", "fhir").output.splitlines()[0])
    assert event.action == "D"


@pytest.mark.requirement("AUD-02")
def test_what_waits_in_a_journal_is_mentioned(run: Run, trail: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = tmp_path / "journal"
    journal.write_text("{}\n", "utf-8")
    monkeypatch.setenv("MYOSITIS_CDS_AUDIT", "spill")
    monkeypatch.setenv("MYOSITIS_CDS_AUDIT_SPILL_FILE", str(journal))
    assert "records wait there" in run("audit", "verify").stderr
    assert "records wait there" in run("audit", "export").stderr


@pytest.mark.requirement("AUD-01")
def test_with_its_key_in_a_file_the_trail_fits_that_key_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, url = tmp_path / "key", f"sqlite:///{tmp_path}/store.sqlite3"
    file.write_text("0" * 64, "utf-8")
    engine = open_database(url)
    add(engine, *(line(at=DAY) for _ in range(3)), key=load_pseudonyms(engine, file).key_for("audit"))
    monkeypatch.setenv("MYOSITIS_CDS_DATABASE_URL", url)
    monkeypatch.setenv("MYOSITIS_CDS_PSEUDONYM_KEY_FILE", str(file))
    assert CliRunner().invoke(main, ["audit", "verify"]).exit_code == 0
    monkeypatch.delenv("MYOSITIS_CDS_PSEUDONYM_KEY_FILE")
    other = CliRunner().invoke(main, ["audit", "verify"])
    assert other.exit_code == 1
    assert "MYOSITIS_CDS_PSEUDONYM_KEY_FILE may not be the key" in other.output
    engine.dispose()
