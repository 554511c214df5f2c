"""What patients share: of several versions the one that the bedside takes."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.cohort.shared import Shared, gather_shared, newest
from tests.server.cohort.registries import as_bulk_data
from tests.server.cohort.test_scatter import collated

REFERENCE = {"reference": "Medication/m"}


def version(name: str, updated: str | None = None, number: str | None = None) -> dict[str, Any]:
    """The drug, called so in this version."""
    meta = {"lastUpdated": updated, "versionId": number}
    said = {key: value for key, value in meta.items() if value}
    return {"resourceType": "Medication", "id": "m", "code": {"text": name}, **({"meta": said} if said else {})}


def found(folder: Path, *versions: dict[str, Any]) -> str | None:
    """What the drug is called in the version that stayed; None if none did."""
    place = as_bulk_data(folder / "in", [{"entry": []}])
    (place / "Medication.ndjson").write_text("".join(f"{json.dumps(one)}\n" for one in versions), "utf-8")
    plan = collated(place, folder / "out")
    gather_shared(plan)
    with closing(Shared(plan.shared)) as shared:
        drug = shared.find(REFERENCE)
    return None if drug is None else str(drug["code"]["text"])


OLD, NEW = version("old", "2026-03-29T02:10:00+02:00"), version("new", "2026-03-29T01:30:00Z")
"""As texts they stand the other way round."""


@pytest.mark.parametrize("versions", [(OLD, NEW), (NEW, OLD), (NEW, OLD, NEW)])
def test_the_newest_is_the_one_of_the_latest_moment_whatever_zone_it_is_told_in(
    tmp_path: Path, versions: tuple[dict[str, Any], ...]
) -> None:
    assert found(tmp_path, *versions) == "new"
    assert newest(list(versions)) == NEW


def test_of_one_moment_the_higher_version_is_the_newer_one(tmp_path: Path) -> None:
    ninth, tenth = version("ninth", number="9"), version("tenth", number="10")
    assert found(tmp_path, tenth, ninth) == "tenth"
    assert newest([tenth, ninth]) == tenth


def test_of_two_that_differ_and_neither_is_newer_none_is_used(tmp_path: Path) -> None:
    assert found(tmp_path, version("one"), version("other"), version("one")) is None


def test_a_newer_one_settles_it(tmp_path: Path) -> None:
    assert found(tmp_path, version("one"), version("other"), NEW, OLD) == "new"


def test_the_same_sent_twice_is_one(tmp_path: Path) -> None:
    one = version("one")
    assert found(tmp_path, one, dict(reversed(one.items()))) == "one"
