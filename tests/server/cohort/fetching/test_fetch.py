"""A whole fetch, over HTTP, from the sandbox's EHR."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest
from joserfc.jwk import ECKey

from sandbox.authorization.misbehaviour import Misbehaviour
from sandbox.charts import load_charts
from sandbox.faults import Fault
from server.cohort.inputs import find_inputs
from tests.server.cohort.fetching.conftest import Command, Ehr, register

RUN = "from server.cohort.fetching.command import fetch; fetch()"


def resources(files: Iterable[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for content in files for line in content.splitlines()]


# --- what is well


def test_an_export_is_fetched_whole_and_a_cohort_run_reads_it(command: Command, ehr: Ehr) -> None:
    result = command.done()
    files = command.files()
    assert {"Patient.0001.ndjson", "Observation.0001.ndjson", "Observation.0002.ndjson"} <= files.keys()
    found = resources(files.values())
    charts = [each for chart in ehr.authorization.store.charts() for each in chart.resources]
    wanted = {name.partition(".")[0] for name in files}
    assert "FamilyMemberHistory" not in wanted  # nothing rests on it, so it is not asked for
    by_id = {(one["resourceType"], one["id"]): one for one in found}
    assert len(by_id) == len(found)
    assert by_id == {(one["resourceType"], one["id"]): one for one in charts if one["resourceType"] in wanted}
    assert f"Patient {len(load_charts())}" in result.stdout
    read = {part.file for task in find_inputs(command.out).tasks for part in task}
    assert read == {str(command.out / name) for name in files}


def test_what_it_asks_for_is_narrow_and_what_it_leaves_is_private(command: Command, ehr: Ehr, client_key: ECKey) -> None:
    result = command.done()
    assert ehr.times("GET", "/fhir/Patient/$export") == 1
    assert ehr.times("DELETE", "/fhir/bulk-data/") == 1
    assert ehr.times_a_token_was_given() == 1
    assert {headers["User-Agent"] for headers in ehr.headers} == {"myositis-cds"}
    bearers = {headers["Authorization"] for headers in ehr.headers if "Authorization" in headers}
    kept = (command.out / "export.json").read_text("utf-8")
    secrets = [*(one.removeprefix("Bearer ") for one in bearers), str(client_key.as_dict(private=True)["d"])]
    assert len(secrets) == 2
    assert not [one for one in secrets if one in kept or one in result.output]
    assert not [chart.story.name for chart in load_charts().values() if chart.story.name in result.output + kept]
    for path in (command.out, *command.out.iterdir()):
        assert S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_group_and_types_and_a_moment_can_be_chosen(command: Command, ehr: Ehr) -> None:
    command.done("--type", "Patient", "--type", "Condition", group="myositis")
    assert {name.partition(".")[0] for name in command.files()} == {"Patient", "Condition"}
    patients = [one for one in resources(command.files().values()) if one["resourceType"] == "Patient"]
    assert 0 < len(patients) < len(load_charts())
    kept = command.kept()
    later = Command(ehr, command.key, command.out.with_name("later"))
    result = later.done("--type", "Patient", group="myositis", since=kept["instant"])
    assert later.files() == {}
    assert "only what was changed since then" in result.stderr


def test_deletions_and_messages_lie_beside_the_data(command: Command, ehr: Ehr) -> None:
    command.done("--type", "Condition")
    since = command.kept()["instant"]
    gone = resources(command.files().values())[0]
    time.sleep(0.01)
    ehr.authorization.store.delete("Condition", gone["id"])
    ehr.faults["$export"] = Fault("errors")
    later = Command(ehr, command.key, command.out.with_name("later"))
    result = later("--type", "Condition", since=since)
    assert result.exit_code == 1  # what could not be exported must not be taken for what is not there
    assert set(later.files()) == {"_deleted/Bundle.0001.ndjson", "_errors/OperationOutcome.0001.ndjson"}
    assert "error 1, warning 1" in result.stderr
    assert "deletions: 1" in result.stderr
    assert "Observation could not" not in result.output


def test_a_fetch_that_is_complete_asks_for_nothing(command: Command, ehr: Ehr) -> None:
    first = command.done("--type", "Patient")
    asked = len(ehr.asked)
    again = command.done("--type", "Patient")
    assert len(ehr.asked) == asked
    assert again.stdout == first.stdout


def test_scopes_that_are_not_granted_are_said(command: Command, ehr: Ehr, client_key: ECKey) -> None:
    register(ehr, client_key, "system/Patient.rs", "system/Condition.rs", "system/Observation.rs?category=exam")
    result = command.done()
    assert {name.partition(".")[0] for name in command.files()} == {"Patient", "Condition"}
    assert "not granted, so not asked for: MedicationRequest" in result.stderr
    assert "Observation" in result.stderr
    chosen = Command(ehr, command.key, command.out.with_name("chosen"))
    result = chosen("--type", "Patient", "--type", "Procedure")
    assert (result.exit_code, "no scope for Procedure" in result.stderr) == (1, True)


def test_other_scopes_and_another_token_endpoint_can_be_named(command: Command, ehr: Ehr) -> None:
    token_url = ehr.base.replace("/fhir", "/auth/token")
    command.done("--type", "Patient", scope="system/*.read", token_url=token_url)
    assert ehr.times("GET", "smart-configuration") == 0


# --- what takes time


def test_a_slow_export_is_waited_for_as_long_as_the_ehr_asks(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("slow", seconds=2)
    result = command.done("--type", "Patient")
    assert 2 <= ehr.times("GET", "/fhir/bulk-data/") <= 5  # Retry-After: 2, then 1 at most; and one file
    assert "% complete" in result.stderr


def test_an_export_that_is_too_slow_is_left_and_gone_on_with_later(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("slow", seconds=3600)
    result = command("--type", "Patient", wait="0.001")
    assert result.exit_code == 1
    assert "--wait" in result.stderr
    ehr.faults.clear()
    command.done("--type", "Patient")
    assert ehr.times("GET", "$export") == 1


def test_a_busy_ehr_is_asked_again(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("busy", value="1")
    command.done("--type", "Patient")
    assert ehr.times("GET", "/fhir/bulk-data/") == 3


# --- what breaks


@pytest.mark.parametrize("kind", ["cut", "cut-whole"])
def test_a_file_that_breaks_off_comes_whole(command: Command, ehr: Ehr, kind: str) -> None:
    sound = Command(ehr, command.key, command.out.with_name("sound"))
    sound.done("--type", "Patient", "--type", "Observation")
    ehr.faults["$export"] = Fault(kind, value="2")
    ehr.headers.clear()
    command.done("--type", "Patient", "--type", "Observation")
    assert command.files() == sound.files()
    ranges = [headers["Range"] for headers in ehr.headers if "Range" in headers]
    assert bool(ranges) is (kind == "cut")
    assert all(headers["If-Range"].startswith('"') for headers in ehr.headers if "Range" in headers)


def test_a_file_that_always_breaks_off_is_given_up_and_kept(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("cut", value="1000")
    result = command("--type", "Patient")
    assert result.exit_code == 1
    assert "Patient.0001.ndjson" in result.stderr
    assert set(command.files()) == {"Patient.0001.ndjson.part", "Patient.0001.ndjson.tag"}
    ehr.faults.clear()
    ehr.headers.clear()
    command.done("--type", "Patient")
    assert [headers["Range"] for headers in ehr.headers if "Range" in headers]
    assert len(resources(command.files().values())) == len(load_charts())


def test_a_token_that_expires_between_files_is_asked_for_anew(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("expired", value="2")
    command.done()
    files = len(command.files())
    assert files > 4
    assert ehr.times_a_token_was_given() == (files + 1) // 2


def test_a_token_that_lives_for_a_moment_is_not_used_after_it(command: Command, ehr: Ehr) -> None:
    ehr.misbehaviour = Misbehaviour(token_seconds=1)
    ehr.faults["$export"] = Fault("slow", seconds=1)
    command.done("--type", "Patient")
    assert ehr.times_a_token_was_given() > 1


def test_a_count_that_is_not_kept_is_no_file(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("wrong-count")
    result = command("--type", "Patient")
    assert result.exit_code == 1
    assert f"{len(load_charts())} lines, and the manifest says {len(load_charts()) + 1}" in result.stderr
    assert command.files() == {}


def test_a_page_for_people_is_no_file(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("html")
    assert command("--type", "Patient").exit_code == 1
    assert command.files() == {}


def test_a_file_elsewhere_is_not_asked_for(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("elsewhere")
    result = command("--type", "Patient")
    assert result.exit_code == 1
    assert "http://127.0.0.2:9" in result.stderr
    assert "--file-origin" in result.stderr


def test_an_export_that_fails_is_begun_anew_by_the_next_command(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("failed")
    result = command("--type", "Patient")
    assert (result.exit_code, "could not make the export (HTTP 500, processing)" in result.stderr) == (1, True)
    ehr.faults.clear()
    command.done("--type", "Patient")
    assert ehr.times("GET", "$export") == 2


def test_the_ehr_is_told_that_its_files_can_go_and_nothing_hangs_on_that(
    command: Command, ehr: Ehr, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.cohort.fetching.wire import Wire
    from server.outbound.http import OutboundError

    def breaks(*_: object) -> None:
        raise OutboundError("no-connection")

    monkeypatch.setattr(Wire, "delete", breaks)
    result = command.done("--type", "Patient")
    assert "could not be told that its files can go" in result.stderr


# --- going on


def test_a_fetch_that_was_killed_goes_on_where_it_was(command: Command, ehr: Ehr) -> None:
    sound = Command(ehr, command.key, command.out.with_name("sound"))
    sound.done()
    ehr.faults["$export"] = Fault("expired", value="1000")  # nothing is wrong yet
    process = subprocess.Popen([sys.executable, "-c", RUN, *command.arguments()], stderr=subprocess.DEVNULL)
    try:
        _wait_for(command.out / "Patient.0001.ndjson")
        ehr.faults["$export"] = Fault("stalled", seconds=60)
        _wait_for(*(command.out / f"{name}.part" for name in sound.files()))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    there = command.files()
    (part,) = (name for name in there if name.endswith(".part"))
    ehr.faults.clear()
    ehr.asked.clear()
    result = command.done()
    assert "going on" in result.stderr
    assert command.files() == sound.files()
    assert ehr.times("GET", "$export") == 0
    assert ehr.times("GET", "/Patient.1.ndjson") == 0  # was complete
    assert [headers["Range"] for headers in ehr.headers if "Range" in headers] == [f"bytes={len(there[part])}-"]


def _wait_for(*paths: Path) -> None:
    """Until one of the files is there and holds something."""
    deadline = time.monotonic() + 30
    while not any(path.exists() and path.stat().st_size for path in paths):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_an_export_that_is_gone_is_begun_anew_in_its_own_folder(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("cut", value="1000")
    assert command().exit_code == 1
    assert command.files()
    ehr.faults.clear()
    _forget(command, command.kept()["status_url"])
    result = command.done()
    assert "no longer has the export (HTTP 404" in result.stderr
    assert "another one is begun" in result.stderr
    assert len(resources(content for name, content in command.files().items() if name.startswith("Patient"))) == len(
        load_charts()
    )


def _forget(command: Command, status_url: str) -> None:
    """Make `export.json` name an export that the EHR does not have."""
    path = command.out / "export.json"
    path.write_text(path.read_text("utf-8").replace(status_url, status_url[:-4] + "gone"), "utf-8")


def test_an_export_that_is_gone_is_not_begun_anew_beside_something_else(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("cut", value="1000")
    assert command("--type", "Patient").exit_code == 1
    _forget(command, command.kept()["status_url"])
    (command.out / "notes.txt").write_text("mine", "utf-8")
    ehr.faults.clear()
    result = command("--type", "Patient")
    assert result.exit_code == 2
    assert "notes.txt" in result.stderr
    assert (command.out / "Patient.0001.ndjson.part").exists()


def test_an_export_that_goes_while_it_is_waited_for_is_said(command: Command, ehr: Ehr) -> None:
    ehr.faults["$export"] = Fault("gone")
    result = command("--type", "Patient")
    assert (result.exit_code, "HTTP 410, deleted" in result.stderr) == (1, True)


@pytest.mark.parametrize("changed", [{"group": "everyone"}, {"client_id": "other"}, {"since": "2026-11-22T08:00:00Z"}])
def test_a_folder_of_another_export_is_left_alone(command: Command, ehr: Ehr, changed: dict[str, str]) -> None:
    command.done("--type", "Patient")
    before, asked = command.files(), len(ehr.asked)
    result = command("--type", "Patient", **changed)
    assert (result.exit_code, "holds another export" in result.stderr) == (2, True)
    assert (command.files(), len(ehr.asked)) == (before, asked)


def test_a_folder_with_something_else_is_left_alone(command: Command, ehr: Ehr) -> None:
    command.out.mkdir()
    (command.out / "Patient.0001.ndjson").write_text("{}", "utf-8")
    result = command()
    assert (result.exit_code, "not empty" in result.stderr) == (2, True)
    (command.out / "export.json").write_text("[]", "utf-8")
    result = command()
    assert (result.exit_code, "cannot be read as what this command keeps" in result.stderr) == (2, True)
    assert ehr.asked == []


def test_two_fetches_do_not_share_a_folder(command: Command) -> None:
    import fcntl

    command.out.mkdir()
    descriptor = os.open(command.out, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        result = command()
        assert (result.exit_code, "another fetch is at work" in result.stderr) == (1, True)
    finally:
        os.close(descriptor)


# --- settings


def test_a_key_that_is_not_registered_is_named(command: Command, ehr: Ehr, tmp_path: Path) -> None:
    other = ECKey.generate_key("P-384", auto_kid=True)
    command.key.write_text(json.dumps(other.as_dict(private=True)), "utf-8")
    result = command()
    assert result.exit_code == 1
    assert "invalid_client" in result.stderr
    assert str(other.kid) in result.stderr
    assert str(other.as_dict(private=True)["d"]) not in result.output
    assert ehr.times("GET", "$export") == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"group": "a/b"}, "--group"),
        ({"since": "yesterday"}, "--since"),
        ({"client_id": "a b"}, "--client-id"),
        ({"scope": "a\nb"}, "--scope"),
        ({"file_origin": "https://files.example/path"}, "--file-origin"),
        ({"token_url": "http://elsewhere.example/token"}, "--token-url"),
        ({"key": "/nonexistent"}, "--key"),
        ({"type": "observation"}, "--type"),
        ({"wait": "-1"}, "--wait"),
    ],
)
def test_settings_that_cannot_be_used_are_named(command: Command, ehr: Ehr, changed: dict[str, str], said: str) -> None:
    result = command(**changed)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert ehr.asked == []


@pytest.mark.parametrize(
    "base", ["http://fhir.hospital.example/R4", "ftp://x", "https://user:secret@x.example/", "https://x.example/?a=b"]
)
def test_a_server_elsewhere_is_reached_over_https_only(command: Command, base: str) -> None:
    result = Command(Ehr(base, command.ehr.authorization, {}), command.key, command.out)()
    assert (result.exit_code, "FHIR_BASE" in result.stderr) == (2, True)


def test_a_server_that_does_not_answer_is_said(command: Command) -> None:
    result = Command(Ehr("http://127.0.0.1:9/fhir", command.ehr.authorization, {}), command.key, command.out)()
    assert (result.exit_code, "there is no connection" in result.stderr) == (1, True)


def test_a_group_that_is_not_there_is_said(command: Command) -> None:
    result = command(group="nobody")
    assert result.exit_code == 1
    assert "HTTP 404, not-found" in result.stderr
    assert "--group" in result.stderr
