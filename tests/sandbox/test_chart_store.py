"""The charts as they are now: told stories, changes on top of them, and versions of everything."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.chart_store import ChartStore, VersionConflictError
from sandbox.charts import load_charts
from sandbox.dates import move_dates
from tests.sandbox.conftest import AS_OF

ID = "anti-tif1-gamma-dermatomyositis"
LATER = AS_OF + timedelta(days=10)


class Calendar:
    """A day that a test turns."""

    def __init__(self) -> None:
        self.day = AS_OF

    def __call__(self) -> date:
        return self.day


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def store(calendar: Calendar) -> ChartStore:
    return ChartStore(calendar, now=lambda: datetime(2026, 11, 22, 9, tzinfo=UTC))


def order(patient_id: str = ID, **more: Any) -> dict[str, Any]:
    """An order of a pulmonary function test."""
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"text": "Pulmonary function test"},
        "subject": {"reference": f"Patient/{patient_id}"},
        "authoredOn": AS_OF.isoformat(),
    } | more


def without_meta(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "meta"}


def orders(store: ChartStore, patient_id: str = ID) -> list[dict[str, Any]]:
    chart = store.chart(patient_id)
    assert chart is not None
    return list(chart.of("ServiceRequest"))


def test_it_begins_with_the_stories_as_they_are_told(store: ChartStore) -> None:
    told = load_charts()
    assert [chart.patient_id for chart in store.charts()] == sorted(told)
    for chart in store.charts():
        assert list(map(without_meta, chart.resources)) == list(map(without_meta, told[chart.patient_id].resources))


def test_everything_has_a_version_and_a_moment(store: ChartStore) -> None:
    for resource in store.charts()[0].resources:
        assert int(resource["meta"]["versionId"]) > 0
        assert resource["meta"]["lastUpdated"] == "2026-11-22T09:00:00.000Z"


def test_nobody_is_there_who_has_no_story(store: ChartStore) -> None:
    assert store.chart("nobody") is None
    assert store.find("Patient", "nobody") is None


def test_what_is_created_gets_an_id_of_its_own_and_comes_last(store: ChartStore) -> None:
    before = orders(store)
    first, second = store.create(order()), store.create(order(id="chosen-by-the-client"))
    assert orders(store) == [*before, first, second]
    assert len({first["id"], second["id"], "chosen-by-the-client"}) == 3
    assert store.find("ServiceRequest", first["id"]) == first
    assert first["code"] == order()["code"]


def test_an_update_takes_the_same_place_under_a_new_version(store: ChartStore) -> None:
    before = orders(store)
    updated = store.update(before[0] | {"status": "revoked"})
    assert orders(store) == [updated, *before[1:]]
    assert int(updated["meta"]["versionId"]) > int(before[0]["meta"]["versionId"])


def test_a_patient_can_be_changed_and_neither_added_nor_taken_away(store: ChartStore) -> None:
    patient = store.find("Patient", ID)
    assert patient is not None
    assert store.update(patient | {"gender": "male"})["gender"] == "male"
    with pytest.raises(ValueError, match="none can be added"):
        store.create(without_meta(patient))
    with pytest.raises(ValueError, match="none can be taken away"):
        store.delete("Patient", ID)


def test_an_update_from_an_old_version_is_refused(store: ChartStore) -> None:
    first = store.create(order())
    version = first["meta"]["versionId"]
    store.update(first | {"status": "completed"}, if_version=version)
    with pytest.raises(VersionConflictError):
        store.update(first | {"status": "revoked"}, if_version=version)
    with pytest.raises(VersionConflictError):
        store.delete("ServiceRequest", first["id"], if_version=version)
    with pytest.raises(VersionConflictError):
        store.update(order(id="new"), if_version="1")
    found = store.find("ServiceRequest", first["id"])
    assert found is not None
    assert found["status"] == "completed"


def test_what_is_deleted_is_gone_until_it_is_written_again(store: ChartStore) -> None:
    told = orders(store)[0]
    assert store.delete("ServiceRequest", told["id"])
    assert not store.delete("ServiceRequest", told["id"])
    assert store.find("ServiceRequest", told["id"]) is None
    assert told["id"] not in [each["id"] for each in orders(store)]
    again = store.update(told)
    assert int(again["meta"]["versionId"]) > int(told["meta"]["versionId"])


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        ({"resourceType": "Basic", "id": "x"}, "no resources of that type"),
        (order("nobody"), "names no patient"),
        (order(subject={"reference": "https://elsewhere.example/fhir/Patient"}), "names no patient"),
        (order(subject={}), "names no patient"),
        (order(authoredOn="yesterday"), "no FHIR date"),
        (order(authoredOn=["2026-11-22"]), "no FHIR date"),
        (order(authoredOn="9999-12-31"), "centuries away"),
    ],
)
def test_what_belongs_on_no_chart_is_refused(store: ChartStore, resource: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        store.create(resource)


def test_no_resource_moves_to_another_chart(store: ChartStore) -> None:
    told = orders(store)[0]
    with pytest.raises(ValueError, match="another patient"):
        store.update(order("healthy", id=told["id"]))
    assert orders(store)[0] == told


def test_a_reset_forgets_the_changes_of_one_chart_only(store: ChartStore) -> None:
    told, others = orders(store), orders(store, "dermatomyositis-pregnant")
    mine, theirs = store.create(order()), store.create(order("dermatomyositis-pregnant"))
    changed = store.update(told[0] | {"status": "revoked"})
    store.delete("Condition", load_charts()[ID].of("Condition")[0]["id"])
    store.reset(ID)
    assert list(map(without_meta, orders(store))) == list(map(without_meta, told))
    assert store.find("ServiceRequest", mine["id"]) is None
    assert orders(store, "dermatomyositis-pregnant") == [*others, theirs]
    # An old version must not come true again: whoever still holds it would overwrite what came after.
    assert int(orders(store)[0]["meta"]["versionId"]) > int(changed["meta"]["versionId"])


def test_a_reset_of_an_untouched_chart_changes_nothing(store: ChartStore) -> None:
    before = store.chart(ID)
    store.reset(ID)
    assert store.chart(ID) == before


def test_changing_what_came_out_changes_no_chart(store: ChartStore) -> None:
    given_in = order()
    created = store.create(given_in)
    given_in["code"]["text"] = created["code"]["text"] = "Something else"
    found = store.find("ServiceRequest", created["id"])
    assert found is not None
    assert found["code"]["text"] == "Pulmonary function test"
    found["code"]["text"] = "Something else"
    assert "Something else" not in str(orders(store))


def test_the_next_day_moves_all_of_the_chart_and_no_version(store: ChartStore, calendar: Calendar) -> None:
    created = store.create(order())
    before = store.chart(ID)
    calendar.day = LATER
    after = store.chart(ID)
    assert before is not None
    assert after is not None
    moved = [move_dates(without_meta(each), 10) for each in before.resources]
    assert list(map(without_meta, after.resources)) == moved
    assert [each["meta"] for each in after.resources] == [each["meta"] for each in before.resources]
    found = store.find("ServiceRequest", created["id"])
    assert found is not None
    assert found["authoredOn"] == LATER.isoformat()


def test_what_is_changed_a_day_later_stays_as_it_was_written(store: ChartStore, calendar: Calendar) -> None:
    calendar.day = LATER
    changed = store.update(orders(store)[0] | {"authoredOn": LATER.isoformat()})
    assert changed["authoredOn"] == LATER.isoformat()
    calendar.day = LATER + timedelta(days=1)
    assert orders(store)[0]["authoredOn"] == calendar.day.isoformat()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["create", "update", "delete", "reset"]), max_size=12))
def test_whatever_is_done_versions_only_grow_and_other_charts_stay(steps: list[str]) -> None:
    store = ChartStore(lambda: AS_OF)
    others = store.chart("healthy")
    highest = max(int(each["meta"]["versionId"]) for each in orders(store))
    for step in steps:
        if step == "reset":
            store.reset(ID)
        elif step == "create" or not orders(store):
            created = store.create(order())
            assert int(created["meta"]["versionId"]) > highest
            highest = int(created["meta"]["versionId"])
        elif step == "update":
            updated = store.update(orders(store)[-1] | {"status": "revoked"})
            assert int(updated["meta"]["versionId"]) > highest
            highest = int(updated["meta"]["versionId"])
        else:
            assert store.delete("ServiceRequest", orders(store)[-1]["id"])
    assert store.chart("healthy") == others


def test_threads_create_side_by_side(store: ChartStore) -> None:
    before = len(orders(store))
    with ThreadPoolExecutor(8) as threads:
        created = list(threads.map(lambda _: store.create(order()), range(200)))
    assert len(orders(store)) == before + 200
    assert len({each["id"] for each in created}) == len({each["meta"]["versionId"] for each in created}) == 200


def test_of_threads_that_change_one_version_one_wins(store: ChartStore) -> None:
    told = orders(store)[0]

    def change(number: int) -> bool:
        try:
            store.update(told | {"note": [{"text": str(number)}]}, if_version=told["meta"]["versionId"])
        except VersionConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(change, range(50))) == 1
