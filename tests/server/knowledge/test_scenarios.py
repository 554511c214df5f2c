"""The scenario form: what may be written, what it becomes, and how a slip or a wrong expectation is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.knowledge.clinical_chart import ClinicalChart
from server.knowledge.scenario_run import run
from server.knowledge.scenarios import Scenario, ScenarioError, load_scenarios, packaged_scenarios

ROOT = Path(__file__).parents[3]
WOMAN = "{sex: female, born: 1964-02-01, problems: [{what: dermatomyositis, since: 2026-08}]}"


def file_with(tmp_path: Path, scenarios: str, patients: str = "") -> Path:
    file = tmp_path / "some.yaml"
    file.write_text(f"as_of: 2026-11-22\npatients:\n  woman: {WOMAN}\n{patients}scenarios:\n{scenarios}", "utf-8")
    return file


def one(tmp_path: Path, patient: str, expect: str = "{cards: 0}", more: str = "") -> Scenario:
    """The only scenario of a file."""
    (found,) = load_scenarios(file_with(tmp_path, f"  - name: Somebody\n    patient: {patient}\n{more}    expect: {expect}\n"))
    return found


def complaints(tmp_path: Path, patient: str, expect: str) -> list[str]:
    return list(run(one(tmp_path, patient, expect)))


def resources(chart: ClinicalChart, kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in chart.bundle()["entry"] if entry["resource"]["resourceType"] == kind]


# --- what may be written ----------------------------------------------------------------------------------------------------


def test_a_plain_word_is_an_entry_that_says_only_what(tmp_path: Path) -> None:
    plain = one(tmp_path, "{done: [colonoscopy]}").chart
    assert plain == one(tmp_path, "{done: [{what: colonoscopy}]}").chart
    assert len(resources(plain, "Procedure")) == 1


def test_what_is_added_makes_lists_longer_and_replaces_single_values(tmp_path: Path) -> None:
    found = one(
        tmp_path, "woman", more="    and: {sex: male, problems: [polymyositis], antibodies: {anti_jo1: positive}}\n"
    ).chart
    assert (found.sex, len(resources(found, "Condition"))) == ("male", 2)


def test_what_stands_instead_leaves_nothing_of_the_base(tmp_path: Path) -> None:
    found = one(tmp_path, "woman", more="    instead: {problems: []}\n").chart
    assert (found.sex, resources(found, "Condition")) == ("female", [])


def test_a_patient_may_be_like_another_one(tmp_path: Path) -> None:
    file = file_with(
        tmp_path,
        "  - {name: Somebody, patient: second, expect: {cards: 0}}\n",
        patients="  first: {like: woman, done: [colonoscopy]}\n  second: {like: first, done: [mammography]}\n",
    )
    (found,) = load_scenarios(file)
    assert len(resources(found.chart, "Procedure")) == 2
    assert len(resources(found.chart, "Condition")) == 1


def test_the_same_antibody_may_be_answered_twice(tmp_path: Path) -> None:
    twice = "{antibodies: {anti_jo1: [{answer: positive, on: 2026-01-01}, {answer: negative, on: 2026-10-01}]}}"
    assert len(resources(one(tmp_path, twice).chart, "Observation")) == 2


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-08-03", "2026-08-03"),
        ("2026-08", "2026-08"),
        ("2026", "2026"),
        ("10 days ago", "2026-11-12"),
        ("2 weeks ago", "2026-11-08"),
        ("1 month ago", "2026-10-22"),
        ("3 years ago", "2023-11-22"),
    ],
)
def test_a_date_may_be_partial_or_a_distance(tmp_path: Path, written: str, day: str) -> None:
    (condition,) = resources(one(tmp_path, f"{{problems: [{{what: dermatomyositis, since: {written}}}]}}").chart, "Condition")
    assert condition["onsetDateTime"] == day


def test_a_distance_counts_from_the_day_of_the_scenario(tmp_path: Path) -> None:
    (done,) = resources(one(tmp_path, "{as_of: 2020-06-15, done: [{what: colonoscopy, on: 5 days ago}]}").chart, "Procedure")
    assert done["performedDateTime"] == "2020-06-10"


def test_an_order_being_written_makes_it_an_order_sign_call(tmp_path: Path) -> None:
    assert one(tmp_path, "woman").chart.draft_orders() is None
    orders = one(tmp_path, "{drafts: [methotrexate, {what: mammography, kind: ServiceRequest}]}").chart.draft_orders()
    assert orders is not None
    assert [entry["resource"]["resourceType"] for entry in orders["entry"]] == ["MedicationRequest", "ServiceRequest"]


def test_what_the_patient_declined_is_a_drug_not_taken_or_a_procedure_not_done(tmp_path: Path) -> None:
    found = one(tmp_path, "{declined: [methotrexate, {what: colonoscopy, on: 2026-05-03}]}").chart
    (drug,), (procedure,) = resources(found, "MedicationStatement"), resources(found, "Procedure")
    assert (drug["status"], procedure["status"], procedure["performedDateTime"]) == ("not-taken", "not-done", "2026-05-03")


def test_a_resource_may_be_written_as_it_is(tmp_path: Path) -> None:
    raw = "{fhir: [{resourceType: MedicationStatement, status: active, medicationCodeableConcept: {text: Prednisone}}]}"
    (statement,) = resources(one(tmp_path, raw).chart, "MedicationStatement")
    assert statement["subject"] == {"reference": "Patient/1"}


def test_a_scenario_tells_which_statements_it_is_about(tmp_path: Path) -> None:
    assert one(tmp_path, "woman", "{holds: [a], unknown: [b], not: [c], orders: [d]}").statements == {"a", "b", "c"}


# --- slips ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patient", "message"),
    [
        ("{problem: [dermatomyositis]}", r"some\.yaml:6: Somebody: patient: unknown `problem`; known are .*problems"),
        ("{problems: [juvenile_dermatomyositis]}", r"some\.yaml: Somebody: problems: .* did you mean dermatomyositis_juvenile"),
        ("{problems: [zzz]}", r"problems: `zzz` is no concept of ours; write a ValueSet's id"),
        ("{takes: [{what: prednisone, dose: much}]}", r"takes/0/dose: must be a number of milligrams a day"),
        ("{takes: [{what: prednisone, route: by mouth}]}", r"`by mouth` is none of .*oral"),
        ("{done: [{what: colonoscopy, on: last year}]}", r"done/0/on: must be 2026-11-01"),
        ("{stopped: [{what: prednisone, because: boredom}]}", r"`boredom` is none of .*ineffective"),
        ("{as_of: 2026-13-45}", r"`2026-13-45` is no day"),
        ("man", r"`man` is no patient of this file; known are woman"),
        ("{like: man}", r"`man` is no patient of this file"),
        ("{antibodies: {anti_jo1: weakly}}", r"antibodies/anti_jo1: must be positive, negative or borderline"),
    ],
)
def test_a_word_that_means_nothing_is_named_with_a_remedy(tmp_path: Path, patient: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        one(tmp_path, patient)


def test_a_patient_cannot_be_like_itself(tmp_path: Path) -> None:
    file = file_with(tmp_path, "  - {name: A, patient: me, expect: {cards: 0}}\n", patients="  me: {like: me}\n")
    with pytest.raises(ScenarioError, match="`me` is no patient"):
        load_scenarios(file)


def test_two_scenarios_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"some\.yaml: A: a scenario of some\.yaml has this name; give it another"):
        load_scenarios(file_with(tmp_path, "  - {name: A, patient: woman, expect: {cards: 0}}\n" * 2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", r"some\.yaml:\d: not YAML"),
        ("[]", r"some\.yaml:1: "),
        ("as_of: 2026-11-22\nas_of: 2026-11-23\n", r"some\.yaml:2: .*twice"),
    ],
)
def test_a_file_that_is_no_scenario_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "some.yaml").write_text(content, "utf-8")
    with pytest.raises(ScenarioError, match=message):
        load_scenarios(tmp_path / "some.yaml")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenarios(tmp_path / "none.yaml")


# --- expectations -----------------------------------------------------------------------------------------------------------

CT = "titulaer-2011-dm-ct-thorax-abdomen"
TESTES = "titulaer-2011-dm-testes-ultrasound-men-under-50"
MAMMOGRAPHY = "titulaer-2011-dm-mammography-women"
PREGNANT = "{sex: female, born: 1992-02-01, problems: [dermatomyositis, pregnancy], drafts: [methotrexate, azathioprine]}"
SOMEBODY = "{born: 1964-02-01, problems: [dermatomyositis]}"


@pytest.mark.requirement("SAF-20")
@pytest.mark.parametrize(
    ("patient", "expect", "complaint"),
    [
        ("woman", f"{{holds: [{TESTES}]}}", f"expected {TESTES} to hold; it does not apply, or has nothing left to do"),
        (SOMEBODY, f"{{holds: [{MAMMOGRAPHY}]}}", f"expected {MAMMOGRAPHY} to hold; it is unknown; missing: "),
        ("woman", f"{{unknown: [{CT}]}}", f"expected {CT} to wait for a datum; it holds"),
        ("woman", f"{{not: [{CT}]}}", f"expected {CT} not to hold; it holds"),
        ("woman", "{topics: [drugSafety]}", "expected a card on drugSafety; cards are on "),
        ("woman", "{topics: {tumourScreening: critical}}", "expected the card on tumourScreening to be critical; it is info"),
        ("woman", "{no_topics: [tumourScreening]}", "expected no card on tumourScreening; there is one"),
        ("woman", "{orders: [testicular-ultrasound]}", "expected testicular-ultrasound to be offered as an order; offered are "),
        ("woman", "{no_orders: [mammography]}", "expected mammography not to be offered as an order; it is"),
        ("woman", "{options: [rituximab]}", "expected rituximab to stand as an option; standing are "),
        ("woman", "{no_options: [methotrexate]}", "expected methotrexate not to stand as an option; it does"),
        ("woman", "{says: [fit to fly]}", "expected a card to say “fit to fly”; none does"),
        ("woman", "{never_says: [dermatomyositis]}", "expected no card to say “dermatomyositis”; one does"),
        (PREGNANT, "{removes: [azathioprine]}", "expected the removal of the draft of azathioprine to be offered; offered are "),
        (PREGNANT, "{notes: [once a month]}", "expected the note “once a month” to be offered for a draft; offered are "),
        ("woman", "{cites: [doria-2004]}", "expected doria-2004 to be cited; cited are "),
        ("woman", "{cards: 0}", "expected 0 cards; there are "),
    ],
)
def test_an_expectation_that_is_not_met_is_told_with_what_was_found(
    tmp_path: Path, patient: str, expect: str, complaint: str
) -> None:
    (found,) = complaints(tmp_path, patient, expect)
    assert found.startswith(complaint)


def test_a_removal_a_note_and_a_source_that_are_there_are_found(tmp_path: Path) -> None:
    weekly = "{sex: female, born: 1992-02-01, problems: [dermatomyositis], drafts: [methotrexate]}"
    assert complaints(tmp_path, weekly, "{notes: [Once weekly], cites: [schmidt-2018]}") == []
    assert complaints(tmp_path, PREGNANT, "{removes: [methotrexate], cites: [fda-methotrexate-label]}") == []


def test_an_option_that_is_set_aside_is_told_with_the_reason(tmp_path: Path) -> None:
    intolerant = "{sex: female, born: 1964-02-01, problems: [dermatomyositis], intolerances: [methotrexate]}"
    (found,) = complaints(tmp_path, intolerant, "{options: [methotrexate]}")
    assert found.startswith("expected methotrexate to stand as an option; it is set aside: ")


def test_every_expectation_that_is_not_met_is_told(tmp_path: Path) -> None:
    assert len(complaints(tmp_path, "woman", f"{{cards: 0, not: [{CT}], no_orders: [mammography, colonoscopy]}}")) == 4


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("{holds: [titulaer-2011-dm-ct]}", r"some\.yaml: Somebody: expects `titulaer-2011-dm-ct`, which is no statement"),
        ("{not: [zzz]}", r"`zzz`, which is no statement or safety rule; `myositis-cds knowledge list` names them"),
        ("{topics: [tumorScreening]}", r"no card topic; did you mean tumourScreening"),
        ("{no_orders: [colonscopy]}", r"no order of orders\.yaml; did you mean colonoscopy"),
        ("{cites: [doria-2005]}", r"no source of sources\.yaml; did you mean doria-2004"),
        ("{options: [metotrexate]}", r"no treatment of treatments\.yaml; did you mean methotrexate"),
    ],
)
def test_an_expectation_of_something_that_does_not_exist_is_an_error(tmp_path: Path, expect: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        run(one(tmp_path, "woman", expect))


# --- the page and the packaged files ----------------------------------------------------------------------------------------


def test_every_word_is_explained_on_the_page() -> None:
    schema = json.loads((ROOT / "server" / "knowledge" / "schemas" / "scenarios.schema.json").read_text("utf-8"))
    page = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
    words = {*schema["$defs"]["patient"]["properties"], *schema["$defs"]["expect"]["properties"]}
    assert {word for word in words if f"`{word}`" not in page} == set()


def test_the_example_on_the_page_is_a_scenario_that_passes(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
    (tmp_path / "page.yaml").write_text(page.split("```yaml\n")[1].split("```")[0], "utf-8")
    (scenario,) = load_scenarios(tmp_path / "page.yaml")
    assert run(scenario) == ()


def test_there_are_packaged_scenarios() -> None:
    assert packaged_scenarios()
