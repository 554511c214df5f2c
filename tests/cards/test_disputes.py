"""Where guidelines disagree: the side that fits the patient comes first, and no side is ever left out or changed."""

from itertools import pairwise

import pytest

from cards.knowledge import knowledge
from cards.verdicts import Case
from tests.patient import Patient

KNOWN = knowledge()
DM = Patient().has("dermatomyositis", since="2026-05")
CHILD = Patient(born="2016-03-01").has("dermatomyositis_juvenile", since="2025-09")
ILD = DM.has("interstitial_lung_disease", since="2026-06", severity="mild")
SEVERE_ILD = DM.has("ild_rapidly_progressive", since="2026-11")
REFRACTORY = DM.strength("proximal", 4).stopped("methotrexate", because="ineffective")


def first(code: str, patient: Patient) -> str:
    """The side that is printed first for this patient."""
    return KNOWN.disputes[code].seen_by(Case(patient.assess(), {})).sides[0].text


@pytest.mark.parametrize(
    ("code", "patient", "expected"),
    [
        ("C2", DM, "Bril 1999"),
        ("C2", DM.strength("proximal", 3), "Enk 2016 (eminence-based): first line if fulminant"),
        ("C2", REFRACTORY, "Feasby 2007 and Donofrio 2009 (evidence-based, grade B-D overall); Sunderkötter 2016"),
        ("C4", DM, "Hengstman 2009"),
        ("C4", CHILD, "Enders 2017"),
        ("C5", DM, "Titulaer 2011"),
        ("C5", DM.antibody("anti_tif1_gamma", "positive"), "Sunderkötter 2016"),
        ("C6", SEVERE_ILD, "Morrisset 2016 (eminence-based): acute or severe"),
        ("C6", ILD, "Morrisset 2016 (eminence-based): chronic"),
        ("C8", DM, "BMJ Best Practice 2024"),
        ("C8", SEVERE_ILD, "Morrisset 2016"),
        ("C8", CHILD, "Enders 2017"),
        (
            "C10",
            DM.strength("proximal", 3),
            "Sunderkötter 2016 (eminence-based); BMJ Best Practice 2024 (point-of-care summary): intrav",
        ),
        (
            "C10",
            DM.strength("proximal", 4),
            "Sunderkötter 2016 (eminence-based); BMJ Best Practice 2024 (point-of-care summary): oral",
        ),
        ("C10", DM.has("pregnancy", since="2026-08"), "Doria 2004"),
        ("C10", CHILD, "Enders 2017"),
        ("C12", DM, "Meyer 2019"),
        ("C12", CHILD, "Enders 2017"),
        ("C13", DM, "Oldroyd 2017"),
        ("C13", ILD, "Lundberg 2021"),
    ],
)
def test_the_side_that_fits_the_patient_comes_first(code: str, patient: Patient, expected: str) -> None:
    assert first(code, patient).startswith(expected)


@pytest.mark.parametrize("patient", [DM, CHILD, ILD, SEVERE_ILD, REFRACTORY, Patient(born=None)])
@pytest.mark.parametrize("code", KNOWN.disputes)
def test_no_side_is_dropped_or_changed_and_the_rest_keep_their_order(code: str, patient: Patient) -> None:
    dispute, case = KNOWN.disputes[code], Case(patient.assess(), {})
    seen, written = dispute.seen_by(case).sides, dispute.contradiction.sides
    assert sorted(side.text for side in seen) == sorted(side.text for side in written)
    places = [written.index(side) for side in seen]
    assert sum(later < earlier for earlier, later in pairwise(places)) <= 1


def test_a_side_names_its_sources_with_year_and_basis() -> None:
    c1 = KNOWN.disputes["C1"].contradiction
    assert c1.sides[0].text == "Feasby 2007 and Donofrio 2009 (evidence-based, grade B-D overall): not recommended."
    assert c1.sides[4].text.startswith("BMJ Best Practice 2024 (point-of-care summary): ")


def test_a_side_outside_the_sources_says_so() -> None:
    assert KNOWN.disputes["C14"].contradiction.sides[1].text.startswith("Outside the sources, phase 3 trial")
