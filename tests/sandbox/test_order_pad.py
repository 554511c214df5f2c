"""The order pad: what can be ordered, drafts, and the orders that they become."""

from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class

from sandbox.charts import load_charts
from sandbox.codes import read_codes
from sandbox.desk import DeskError
from sandbox.order_pad import ROUTES, changed, find, new_draft, orderables, signed
from tests.sandbox.desks import AS_OF, PREGNANT

PATIENT = load_charts()[PREGNANT].story
KINDS = {"medication", "laboratory", "imaging", "procedure", "referral"}


def test_everything_that_can_be_ordered_is_a_draft_that_fhir_takes_and_an_order_when_it_is_signed() -> None:
    for key, orderable in orderables().items():
        draft = new_draft(PATIENT, key, AS_OF)
        order = signed(draft, AS_OF)
        for resource in (draft, order):
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        assert draft["resourceType"] == ("MedicationRequest" if orderable.kind == "medication" else "ServiceRequest")
        assert (draft["status"], draft["intent"], draft["subject"]["reference"]) == ("draft", "order", f"Patient/{PREGNANT}")
        assert (order["status"], order["intent"], order["authoredOn"]) == ("active", "order", "2026-11-22")
        assert "id" not in order


def test_every_kind_can_be_ordered_and_every_title_is_said_once() -> None:
    assert {one.kind for one in orderables().values()} == KINDS
    titles = [one.title for one in orderables().values()]
    assert len(set(titles)) == len(titles)
    assert all(key in read_codes() for key in (*orderables(), *ROUTES))


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("methotrexate", "methotrexate_2_5"),
        ("CT chest", "hrct_chest"),
        ("pulmonary function", "pulmonary_function"),
        ("hepatic", "liver_panel"),
    ],
)
def test_it_is_found_by_all_words_in_its_title_or_in_the_name_of_its_code(words: str, key: str) -> None:
    assert key in {one.key for one in find(words)}


def test_without_words_everything_is_found_and_with_nonsense_nothing() -> None:
    assert find("  ") == tuple(orderables().values())
    assert find("methotrexate chest") == ()


def test_two_drafts_of_the_same_thing_are_two() -> None:
    assert new_draft(PATIENT, "ferritin", AS_OF)["id"] != new_draft(PATIENT, "ferritin", AS_OF)["id"]


def test_what_cannot_be_ordered_is_said() -> None:
    with pytest.raises(DeskError, match="nothing to order under this name"):
        new_draft(PATIENT, "hypertension", AS_OF)


def test_a_dose_is_written_in_words_and_in_numbers_and_stays_when_the_route_comes() -> None:
    draft = new_draft(PATIENT, "methotrexate_2_5", AS_OF)
    draft = changed(draft, dose="15 mg weekly", route=None, note="with folic acid", today=AS_OF)
    draft = changed(draft, dose=None, route="route_oral", note=None, today=AS_OF)
    (instruction,) = draft["dosageInstruction"]
    assert instruction["text"] == "15 mg weekly"
    assert instruction["doseAndRate"] == [
        {"doseQuantity": {"value": 15, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}}
    ]
    assert instruction["timing"]["repeat"]["periodUnit"] == "wk"
    assert instruction["route"]["text"] == "Oral"
    assert draft["note"] == [{"text": "with folic acid"}]
    other = changed(draft, dose="as the leaflet says", route=None, note=None, today=AS_OF)["dosageInstruction"][0]
    assert (other["text"], other["route"]["text"]) == ("as the leaflet says", "Oral")
    assert "doseAndRate" not in other
    get_fhir_model_class("MedicationRequest").model_validate(draft)


@pytest.mark.parametrize("cleared", ["dose", "route", "note"])
def test_what_is_cleared_is_gone_and_what_is_not_named_stays(cleared: str) -> None:
    given = {"dose": "15 mg weekly", "route": "route_oral", "note": "Mondays"}
    draft = changed(new_draft(PATIENT, "methotrexate_2_5", AS_OF), **given, today=AS_OF)
    nothing: dict[str, str | None] = dict.fromkeys(given)
    assert changed(draft, **nothing, today=AS_OF) == draft
    after = changed(draft, **nothing | {cleared: ""}, today=AS_OF)
    (instruction,) = after["dosageInstruction"]
    assert ("text" in instruction, "doseAndRate" in instruction) == (cleared != "dose",) * 2
    assert ("periodUnit" in instruction["timing"]["repeat"]) is (cleared != "dose")
    assert ("route" in instruction) is (cleared != "route")
    assert ("note" in after) is (cleared != "note")


@pytest.mark.parametrize(
    ("key", "change", "said"),
    [
        ("ferritin", {"dose": "15 mg weekly"}, "Only a drug has a dose"),
        ("ferritin", {"route": "route_oral"}, "Only a drug has a dose"),
        ("methotrexate_2_5", {"route": "hypertension"}, "no such route"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(key: str, change: dict[str, str], said: str) -> None:
    with pytest.raises(DeskError, match=said):
        changed(new_draft(PATIENT, key, AS_OF), **{"dose": None, "route": None, "note": None, "today": AS_OF} | change)  # type: ignore[arg-type]


def test_the_course_of_a_signed_drug_begins_on_the_day_on_which_it_is_signed() -> None:
    draft = changed(new_draft(PATIENT, "prednisone_20", AS_OF), dose="20 mg daily", route=None, note=None, today=AS_OF)
    order = signed(draft, AS_OF.replace(day=24))
    assert order["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"] == {"start": "2026-11-24"}
    assert order["dosageInstruction"][0]["doseAndRate"] == draft["dosageInstruction"][0]["doseAndRate"]


def test_a_key_that_is_not_in_the_code_table_is_noticed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "orderables.csv"
    path.write_text("key,kind\nunheard_of,medication\n")
    with pytest.raises(KeyError, match="unheard_of"):
        orderables(path)
