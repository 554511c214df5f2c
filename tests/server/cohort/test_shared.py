"""What patients share: of several versions the one that the bedside takes."""

import json
import resource
import subprocess
from contextlib import closing
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from server.cohort.errors import MachineTroubleError
from server.cohort.shared import Shared, gather_shared, newest
from tests.server.charts import chart, resources
from tests.server.cohort.registries import as_bulk_data, command, environment, ran, rows
from tests.server.cohort.test_scatter import collated

REFERENCE = {"reference": "Medication/m"}


def version(name: str, updated: str | None = None, number: str | None = None) -> dict[str, Any]:
    """The drug, called so in this version."""
    meta = {"lastUpdated": updated, "versionId": number}
    said = {key: value for key, value in meta.items() if value}
    return {"resourceType": "Medication", "id": "m", "code": {"text": name}, **({"meta": said} if said else {})}


def with_medications(folder: Path, *medications: dict[str, Any]) -> Path:
    """An input of nothing else."""
    place = as_bulk_data(folder, [{"entry": []}])
    (place / "Medication.ndjson").write_text("".join(f"{json.dumps(one)}\n" for one in medications), "utf-8")
    return place


def found(folder: Path, *versions: dict[str, Any]) -> list[str]:
    """What the drug is called in the versions that stayed."""
    plan = collated(with_medications(folder / "in", *versions), folder / "out")
    gather_shared(plan)
    with closing(Shared(plan.shared)) as shared:
        drugs = shared.drugs_of([{"medicationReference": REFERENCE}, {"medicationReference": REFERENCE}])
    return sorted(drug["code"]["text"] for drug in drugs)


OLD, NEW = version("old", "2026-03-29T02:10:00+02:00"), version("new", "2026-03-29T01:30:00Z")
"""As texts they stand the other way round."""


@pytest.mark.parametrize("versions", [(OLD, NEW), (NEW, OLD), (NEW, OLD, NEW)])
def test_the_newest_is_the_one_of_the_latest_moment_whatever_zone_it_is_told_in(
    tmp_path: Path, versions: tuple[dict[str, Any], ...]
) -> None:
    assert set(found(tmp_path, *versions)) == {"new"}
    assert newest(list(versions)) == NEW


def test_of_one_moment_the_higher_version_is_the_newer_one(tmp_path: Path) -> None:
    ninth, tenth = version("ninth", number="9"), version("tenth", number="10")
    assert found(tmp_path, tenth, ninth) == ["tenth"]
    assert newest([tenth, ninth]) == tenth


def test_a_part_of_a_second_is_later(tmp_path: Path) -> None:
    whole, part = version("whole", "2026-03-29T01:30:00Z"), version("part", "2026-03-29T01:30:00.5Z")
    assert found(tmp_path, part, whole) == ["part"]


def test_a_newer_one_settles_what_two_others_say(tmp_path: Path) -> None:
    assert found(tmp_path, version("one"), version("other"), NEW, OLD) == ["new"]


def test_the_same_sent_twice_is_one(tmp_path: Path) -> None:
    assert found(tmp_path, version("one"), version("one")) == ["one"]


def test_where_nothing_says_which_of_many_is_the_newest_two_that_differ_are_enough(tmp_path: Path) -> None:
    one_otherwise_written = dict(reversed(version("one").items()))
    assert found(tmp_path, version("one"), one_otherwise_written, version("two"), version("three")) == ["one", "two"]


def seconds_to_gather(folder: Path, versions: int) -> float:
    """Of one drug, each of a later moment than the one before it."""
    moments = (f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z" for number in range(versions))
    plan = collated(with_medications(folder / "in", *(version("drug", moment) for moment in moments)), folder / "out")
    begun = process_time()
    gather_shared(plan)
    return process_time() - begun


def test_eight_times_the_versions_of_a_drug_take_no_square_of_the_time(tmp_path: Path) -> None:
    few, many = seconds_to_gather(tmp_path / "few", 1_000), seconds_to_gather(tmp_path / "many", 8_000)
    assert many < 3 * 8 * few


def test_where_there_is_no_room_for_what_patients_share_the_run_says_where_and_ends(tmp_path: Path) -> None:
    formulary = ({"resourceType": "Medication", "id": f"m{number}", "code": {"text": "x" * 500}} for number in range(4_000))
    place = with_medications(tmp_path / "in", *formulary)
    done = subprocess.run(
        command("run", place, "--out", tmp_path / "out", "--workers", "1"),
        env=environment(),
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (300 * 1024, resource.RLIM_INFINITY)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"myositis-cds: {tmp_path / 'out' / 'work' / 'shared.draft'}: SQLite cannot go on")


@pytest.mark.parametrize("content", [None, b"no database" * 100])
def test_what_patients_share_and_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "shared.sqlite3"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MachineTroubleError, match=r"shared\.sqlite3: SQLite cannot go on"), closing(Shared(path)) as shared:
        shared.find(REFERENCE)


def test_of_two_that_differ_and_neither_is_newer_none_is_used_and_that_is_said(tmp_path: Path) -> None:
    """As at the bedside: the evaluation is given both."""
    bare = [one for one in resources(chart("classic-dermatomyositis")) if one["resourceType"] in ("Patient", "Condition")]
    (patient,) = (one["id"] for one in bare if one["resourceType"] == "Patient")
    order = {
        "resourceType": "MedicationRequest",
        "id": "order",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "medicationReference": REFERENCE,
    }
    drugs = [version("prednisone"), version("methotrexate")]
    ran(as_bulk_data(tmp_path / "in", [{"entry": [{"resource": one} for one in (*bare, order, *drugs)]}]), tmp_path / "out")
    said = [row for row in rows(tmp_path / "out", "issues") if row["reference"] == "Medication/m"]
    assert [row["problem"] for row in said] == [
        "was sent in versions that differ, and nothing says which is the newest; not used"
    ]
