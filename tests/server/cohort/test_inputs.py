"""What is read, what is passed over, and in which portions."""

from pathlib import Path

import pytest

from server.cohort.errors import CohortError
from server.cohort.inputs import find_inputs, kinds_not_whole


def test_ndjson_and_bundles_are_found_in_folders_under_the_folder(tmp_path: Path) -> None:
    for name in ("a/Patient.ndjson", "a/Condition.ndjson.gz", "b/one.json", "b/two.jsonl", "c.json.xz"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"{}")
    found = {Path(part.file).name for task in find_inputs(tmp_path).tasks for part in task}
    assert found == {"Patient.ndjson", "Condition.ndjson.gz", "one.json", "two.jsonl", "c.json.xz"}


def test_what_looks_like_data_and_cannot_be_read_is_named(tmp_path: Path) -> None:
    for name in ("Patient.ndjson", "Observation.ndjson.zst", "all.zip", "notes.txt", ".hidden.ndjson"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "export.json").write_text('{"wish": {}, "is_finished": true}', "utf-8")
    inputs = find_inputs(tmp_path)
    assert [Path(name).name for name in inputs.passed_over] == ["Observation.ndjson.zst", "all.zip"]
    assert [Path(part.file).name for task in inputs.tasks for part in task] == ["Patient.ndjson"]


@pytest.mark.parametrize("content", ['{"resourceType": "Bundle"}', "[]"])
def test_a_file_that_only_has_the_name_of_our_note_is_data(tmp_path: Path, content: str) -> None:
    (tmp_path / "export.json").write_text(content, "utf-8")
    inputs = find_inputs(tmp_path)
    assert len(inputs.tasks) == 1
    assert kinds_not_whole(tmp_path, inputs, ()) == frozenset()


@pytest.mark.parametrize("content", ['{"wish": {"since": "2026-', ""])
def test_where_the_note_of_an_export_is_damaged_nobody_is_said_to_have_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "Patient.ndjson").write_bytes(b"")
    (tmp_path / "export.json").write_text(content, "utf-8")
    inputs = find_inputs(tmp_path)
    with pytest.raises(CohortError, match=r"export\.json: is not JSON, .* Fetch it again, or give --partial\."):
        kinds_not_whole(tmp_path, inputs, ())


@pytest.mark.parametrize("folder", [".kept", "_errors", "a/.kept"])
def test_a_damaged_note_where_no_input_is_looked_for_stops_nothing(tmp_path: Path, folder: str) -> None:
    (tmp_path / "Patient.ndjson").write_bytes(b"")
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "export.json").write_bytes(b"{")
    assert kinds_not_whole(tmp_path, find_inputs(tmp_path), ()) == frozenset()


def test_a_folder_called_like_the_note_of_an_export_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "export.json").mkdir()
    (tmp_path / "export.json" / "Patient.ndjson").write_bytes(b"")
    inputs = find_inputs(tmp_path)
    assert len(inputs.tasks) == 1
    assert kinds_not_whole(tmp_path, inputs, ()) == frozenset()


def test_small_files_share_a_task_and_a_large_one_is_cut(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.json").write_bytes(b"x" * 10)
    (tmp_path / "large.ndjson").write_bytes(b"x" * 95)
    tasks = find_inputs(tmp_path, task_bytes=50).tasks
    assert [sum(part.end - part.start for part in task) for task in tasks] == [50, 50, 50, 45]


def test_a_folder_with_nothing_to_read_says_what_could_be_read(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"no NDJSON \(.ndjson, .jsonl\) and no Bundle \(.json\)"):
        find_inputs(tmp_path)


def test_a_single_file_is_a_cohort_too(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes(b"{}")
    assert len(find_inputs(tmp_path / "one.json").tasks) == 1
