"""What patients share: of several versions the one that the bedside takes."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.cohort.shared import Shared, gather_shared, newest
from tests.server.charts import chart, resources
from tests.server.cohort.registries import as_bulk_data, ran, rows
from tests.server.cohort.test_scatter import collated

REFERENCE = {"reference": "Medication/m"}


def version(name: str, updated: str | None = None, number: str | None = None) -> dict[str, Any]:
    """The drug, called so in this version."""
    meta = {"lastUpdated": updated, "versionId": number}
    said = {key: value for key, value in meta.items() if value}
    return {"resourceType": "Medication", "id": "m", "code": {"text": name}, **({"meta": said} if said else {})}


def found(folder: Path, *versions: dict[str, Any]) -> list[str]:
    """What the drug is called in the versions that stayed."""
    place = as_bulk_data(folder / "in", [{"entry": []}])
    (place / "Medication.ndjson").write_text("".join(f"{json.dumps(one)}\n" for one in versions), "utf-8")
    plan = collated(place, folder / "out")
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
