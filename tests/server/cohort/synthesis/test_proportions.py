"""Every figure says what it rests on, and a made-up cohort has the proportions that are written down."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from server.cohort.synthesis.cohort import SyntheticCohort
from server.cohort.synthesis.disease import ANTISYNTHETASE
from server.cohort.synthesis.proportions import FILE, Figure, ProportionsError, packaged_proportions, read_proportions
from tests.server.cohort.synthesis.cohorts import SETTINGS, bound, readings, shares_of, terminology, with_myositis

PROPORTIONS = packaged_proportions()


def test_every_source_is_one_that_can_be_found_and_says_what_was_read_of_it() -> None:
    for name, source in PROPORTIONS.sources.items():
        assert source["citation"], name
        assert source["read"], name
        assert "doi" in source or "pmid" in source or source["url"].startswith("https://"), name


def test_every_source_is_used() -> None:
    used = {source for figure in PROPORTIONS.figures.values() for source in figure.sources}
    assert set(PROPORTIONS.sources) == used


class Asked(dict[str, Figure]):
    """Remembers which figures were asked for."""

    def __init__(self, figures: Mapping[str, Figure]) -> None:
        super().__init__(figures)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Figure:
        self.names.add(name)
        return super().__getitem__(name)


def test_no_figure_is_written_down_in_vain() -> None:
    asked = Asked(PROPORTIONS.figures)
    cohort = SyntheticCohort(SETTINGS, terminology(), replace(PROPORTIONS, figures=asked))
    for kind in (*PROPORTIONS.table("myositis"), *PROPORTIONS.table("others")):
        for number in range(60):
            cohort.patient(number, kind)
    assert set(asked) - asked.names == set()


def test_every_assumption_says_why() -> None:
    assert [name for name, figure in PROPORTIONS.figures.items() if figure.is_assumed and len(figure.why) < 8] == []


def test_the_file_says_that_no_card_rests_on_it() -> None:
    assert "no rule reads them, no card rests on them" in FILE.read_text("utf-8")


GOOD = "sources: {a: {citation: A, read: abstract, doi: 1}}\nsites: []\n"


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("ild: {dm: 0.3}", "ild.dm: give `source`"),
        ("ild: {dm: {value: 0.3, source: a}}", "ild.dm: give `source`"),
        ("ild: {dm: {value: 0.3, assumed: true}}", "ild.dm: give `source`"),
        ("ild: {dm: {value: 0.3, source: a, says: 30%, assumed: true, because: why}}", "not both"),
        ("ild: {dm: {value: 0.3, source: b, says: 30%}}", "the source b is not listed"),
        ("ild: {dm: {value: -0.3, source: a, says: 30%}}", "not below 0"),
        ("ild: {dm: {value: some, source: a, says: 30%}}", "a figure is a number"),
    ],
)
def test_a_figure_that_rests_on_nothing_is_refused(tmp_path: Path, table: str, complaint: str) -> None:
    file = tmp_path / "proportions.yaml"
    file.write_text(GOOD + table, "utf-8")
    with pytest.raises(ProportionsError, match=complaint):
        read_proportions(file)


def test_what_a_table_rests_on_holds_for_its_plain_numbers(tmp_path: Path) -> None:
    file = tmp_path / "proportions.yaml"
    file.write_text(GOOD + "care: {assumed: true, because: made up, done: 0.5, more: {late: 0.1}}", "utf-8")
    proportions = read_proportions(file)
    assert proportions.table("care") == {"done": 0.5}
    assert proportions.figures["care.more.late"].why == "made up"


def test_forms_of_myositis_are_as_frequent_as_written() -> None:
    people = with_myositis()
    weights = PROPORTIONS.table("myositis")
    found = shares_of(patient.kind for patient in people)
    for form, weight in weights.items():
        share = weight / sum(weights.values())
        assert found.get(form, 0) == pytest.approx(share, abs=bound(share, len(people))), form


@pytest.mark.parametrize("form", ["dermatomyositis", "polymyositis", "overlap-myositis", "antisynthetase-syndrome"])
def test_antibodies_and_women_are_as_frequent_as_written(form: str) -> None:
    people = [patient for patient in with_myositis() if patient.kind == form]
    diseases = [patient.disease for patient in people if patient.disease]
    weights = PROPORTIONS.table(f"antibodies.{form}")
    found = shares_of(disease.antibody or "none" for disease in diseases)
    for antibody, weight in weights.items():
        share = weight / sum(weights.values())
        assert found.get(antibody, 0) == pytest.approx(share, abs=bound(share, len(people))), antibody
    women = sum('"gender":"female"' in patient.lines["Patient"][0] for patient in people) / len(people)
    female = PROPORTIONS.of(f"female.{form}")
    assert women == pytest.approx(female, abs=bound(female, len(people)))


@pytest.mark.parametrize("form", ["polymyositis", "overlap-myositis", "inclusion-body-myositis"])
def test_lung_disease_and_cancer_are_as_frequent_as_written_where_no_antibody_decides(form: str) -> None:
    diseases = [patient.disease for patient in with_myositis() if patient.disease and patient.kind == form]
    for table, found in (
        ("lung_disease", sum(bool(one.lung) for one in diseases)),
        ("cancer", sum(one.cancer is not None for one in diseases)),
    ):
        share = PROPORTIONS.of(f"{table}.{form}")
        assert found / len(diseases) == pytest.approx(share, abs=bound(share, len(diseases))), table


@pytest.mark.parametrize("drug", ["prednisone", "methotrexate", "azathioprine"])
def test_who_is_ill_for_ten_years_has_had_the_usual_drugs_as_often_as_written(drug: str) -> None:
    people = [
        one
        for one in readings()
        if one.last_day - one.disease.diagnosed > 3650
        and not one.disease.is_juvenile
        and one.disease.form != "inclusion-body-myositis"
    ]
    had = sum(bool(one.courses(drug)) for one in people)
    share = PROPORTIONS.of(f"treatment.{drug}")
    assert had / len(people) == pytest.approx(share, abs=bound(share, len(people)))


def test_lung_disease_follows_the_antibody() -> None:
    diseases = [patient.disease for patient in with_myositis() if patient.disease]
    synthetase = [one for one in diseases if one.antibody in ANTISYNTHETASE]
    assert sum(bool(one.lung) for one in synthetase) / len(synthetase) > 0.85
    mi2 = [one for one in diseases if one.antibody == "anti-mi2" and not one.is_juvenile]
    assert sum(bool(one.lung) for one in mi2) / len(mi2) < 0.2


def test_cancer_follows_anti_tif1_gamma_in_adults_alone() -> None:
    diseases = [patient.disease for patient in with_myositis() if patient.disease]
    tif1 = [one for one in diseases if one.antibody == "anti-tif1-gamma" and one.form == "dermatomyositis"]
    share = PROPORTIONS.of("cancer_by_antibody.anti-tif1-gamma")
    found = sum(one.cancer is not None for one in tif1) / len(tif1)
    assert found == pytest.approx(share, abs=bound(share, len(tif1)))
    assert [one for one in diseases if one.is_juvenile and one.cancer is not None] == []


def test_nobody_falls_ill_after_the_last_day_or_before_birth() -> None:
    for patient in with_myositis():
        assert patient.disease is not None
        assert patient.disease.onset < patient.disease.diagnosed
