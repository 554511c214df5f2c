"""What a card says in words: conclusion first, then reasons, what is missing, who disagrees, and the sources."""

import json
import re
from dataclasses import replace

import pytest

from cards.knowledge import knowledge
from cards.summary import summary
from cards.wording import is_named
from tests.cards.reading import card_about, topics
from tests.patient import Json, Patient

DM = Patient().has("dermatomyositis", since="2026-05")
HOSTILE = "<img src=x onerror=alert(1)> **HOSTILE** [x](https://evil.example)"


def detail(patient: Patient, topic: str) -> str:
    found = card_about(topic, patient.cards(cap=10))
    assert found is not None
    return str(found["detail"])


def headings(patient: Patient, topic: str) -> list[str]:
    return re.findall(r"(?m)^\*\*(.+)\*\*$", detail(patient, topic))


def test_the_advice_stands_before_the_reasons_and_the_sources_come_last() -> None:
    found = headings(DM, "tumourScreening")
    assert found[0] == "Advice"
    assert found.index("Why") < found.index("Where guidelines disagree") < found.index("Sources")
    assert found[-1] == "Sources"


def test_options_that_stand_are_named_though_a_statement_that_could_not_be_assessed_would_fit_better() -> None:
    patient = DM.strength("proximal", 3)
    less_close = [
        replace(r, options=tuple(replace(option, is_best_fit=False) for option in r.options))
        for r in patient.recommendations()
        if r.topic == "nextLineTherapy"
    ]
    words = summary("nextLineTherapy", less_close, patient.assess(), knowledge())
    assert words.startswith("First-line options for severe dermatomyositis: intravenous glucocorticoid")


def test_every_card_ends_with_its_limits() -> None:
    for card in DM.cards():
        assert card["detail"].endswith("_")
        assert "Decision support, not a medical device and not clinically validated" in card["detail"].rpartition("\n\n")[2]


def test_a_strength_is_printed_beside_its_source() -> None:
    assert "- CT of thorax and abdomen in dermatomyositis: _recommended_ (Titulaer 2011)" in detail(DM, "tumourScreening")


def test_a_statement_that_names_a_drug_which_is_ruled_out_says_so_where_it_stands() -> None:
    no_preference = "Lundberg 2021 suggests methotrexate or azathioprine first"
    mild = DM.strength("proximal", 4)
    assert f"{no_preference}: _" in detail(mild, "nextLineTherapy")
    pregnant = detail(mild.has("pregnancy", since="2026-09"), "nextLineTherapy")
    assert f"{no_preference} (not suggested in this patient: methotrexate): _" in pregnant
    assert pregnant.index("not suggested in this patient") < pregnant.index("**Options that fit best**")


def test_a_drug_that_is_being_taken_is_not_ruled_out_though_it_is_not_offered_again() -> None:
    pulsed = DM.strength("proximal", 2).takes("methylprednisolone", route="intravenous", since="2026-11-10")
    words = detail(pulsed, "nextLineTherapy")
    assert "intravenous glucocorticoid: already on record" in words
    assert "not suggested in this patient" not in words


@pytest.mark.parametrize(
    ("title", "text", "named"),
    [
        ("tacrolimus", "topical tacrolimus or topical glucocorticoid for the skin", False),
        ("tacrolimus", "ciclosporin or Tacrolimus", True),
        ("intravenous immunoglobulin (IVIG)", "IVIG is listed among the options", True),
        ("intravenous immunoglobulin (IVIG)", "intravenous immunoglobulin first", True),
        ("JAK inhibitor", "calcineurin and JAK inhibitors", True),
        ("oral glucocorticoid", "intravenous glucocorticoid", False),
    ],
)
def test_a_treatment_is_named_by_its_title_or_its_abbreviation(title: str, text: str, named: bool) -> None:
    assert is_named(title, text) is named


def test_a_disagreement_is_shown_with_every_side() -> None:
    words = detail(DM, "tumourScreening")
    assert "Which myositis needs tumour screening, and how (C5)" in words
    assert "Titulaer 2011 (evidence-based, grade C-D overall): all dermatomyositis" in words
    assert "Sunderkötter 2016 (eminence-based): anti-TIF1-γ dermatomyositis" in words


def test_what_cannot_be_computed_stands_beside_other_advice_and_never_alone() -> None:
    assert "un protection in dermatomyositis" in detail(DM, "supportiveCare")
    assert "supportiveCare" not in topics(DM.ordered("physiotherapy").cards(cap=10))


def test_a_test_before_the_look_back_is_mentioned_and_not_counted() -> None:
    words = detail(DM.had("colonoscopy", on="2020-01-15"), "tumourScreening")
    assert "Colonoscopy was last done on 15 January 2020, more than 12 months before the disease began" in words
    assert "house look-back" in words


def test_long_reasons_are_shortened_and_say_so() -> None:
    patient = DM.strength("proximal", 3)
    for group in ("hip_flexion", "shoulder_abduction", "knee_extension", "neck_flexion", "elbow_flexion"):
        patient = patient.strength(group, 3)
    words = detail(patient, "nextLineTherapy")
    assert re.search(r"- and \d+ more, see the explanation of this card", words)


def poisoned(node: object) -> object:
    """The same JSON with every word that people may have typed replaced."""
    if isinstance(node, dict):
        typed = {"display", "div", "conclusion", "name", "family", "title"} & node.keys()
        return {key: HOSTILE if key in typed and isinstance(value, str) else poisoned(value) for key, value in node.items()}
    return [poisoned(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize(
    "patient",
    [
        DM.antibody("anti_tif1_gamma", "positive").takes("prednisone").raised_ck().had("ct_chest").ordered("mammography"),
        DM.strength("proximal", 3).stopped("azathioprine", because="ineffective").cannot_tolerate("methotrexate"),
        Patient().has("inclusion_body_myositis", since="2020").takes("prednisone"),
    ],
)
def test_no_word_that_somebody_typed_into_the_chart_reaches_a_card(patient: Patient) -> None:
    resources: tuple[Json, ...] = tuple(poisoned({**one, "text": {"div": "x"}}) for one in patient.resources)  # type: ignore[misc]
    cards = Patient(patient.sex, patient.born, resources).cards()
    assert "HOSTILE" not in json.dumps(cards)
    assert cards == patient.cards()
