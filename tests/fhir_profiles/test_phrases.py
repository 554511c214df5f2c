"""Free text is read as a whole or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.generate_valuesets import concepts
from fhir_profiles.phrases import LONGEST_TEXT, drug_name, is_guarded, normalise, parse_answer, phrase_key
from server.basis import packaged_terminology

TERMINOLOGY = packaged_terminology()
CONCEPTS = concepts()
PHRASES = sorted({phrase for concept in CONCEPTS.values() for phrase in concept.phrases.values()})
DRUG_NAMES = sorted({name for concept in CONCEPTS.values() for name in concept.drug_names.values()})
DENIALS = [
    "no ",
    "negative for ",
    "family history of ",
    "no evidence of ",
    "denies ",
    "mother has ",
    "?",
    "suspected ",
    "rule out ",
]


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Anti-TIF1-gamma Ab", "anti_tif1_gamma"),
        ("TIF1γ antibody", "anti_tif1_gamma"),
        ("TIF-1 gamma IgG", "anti_tif1_gamma"),
        ("Anti-MDA5", "anti_mda5"),
        ("anti-melanoma differentiation-associated gene 5 antibody", "anti_mda5"),
        ("Jo-1 antibody", "anti_jo1"),
        ("SRP antibody", "anti_srp"),
        ("HMGCR antibody", "anti_hmgcr"),
        ("cN-1A (NT5C1A)", "anti_cn1a"),
        ("NXP2/MJ", "anti_nxp2"),
        ("anti-KS antibody", "anti_ks"),
        ("Anti-Zo Ab", "anti_zo"),
        ("Anti\u2011Ha (YRS) antibody", "anti_ha"),
        ("PM/Scl antibody", "anti_pm_scl"),
        ("Ro\u201052", "anti_ro52"),
    ],
)
def test_an_antibody_is_recognised_as_laboratories_print_it(text: str, concept: str) -> None:
    assert TERMINOLOGY.concepts_of_text(text) == (concept,)


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Immune-mediated necrotizing myopathy", "immune_mediated_necrotising_myopathy"),
        ("Anti-synthetase syndrome", "antisynthetase_syndrome"),
        ("Sporadic Inclusion Body Myositis", "inclusion_body_myositis"),
        ("overlap myositis", "overlap_myositis"),
        ("Mechanic’s hands", "mechanics_hands"),
        ("rapidly progressive interstitial lung disease", "ild_rapidly_progressive"),
        ("Severe dysphagia", "dysphagia_severe"),
        ("left hip flexion strength MRC", "muscle_strength_mrc_hip_flexion"),
        ("MRC grade hip flexors", "muscle_strength_mrc_hip_flexion"),
        ("Proximal muscle strength (MRC)", "muscle_strength_mrc_proximal"),
        ("CT thorax and abdomen", "ct_chest_abdomen"),
        ("Urological examination", "urological_exam"),
        ("Paediatric rheumatology referral", "referral_paediatric_rheumatology"),
        ("Myositis antibody panel", "myositis_antibody_panel"),
        ("not tolerated", "stop_reason_intolerance"),
    ],
)
def test_what_has_no_code_is_recognised_by_name(text: str, concept: str) -> None:
    assert concept in TERMINOLOGY.concepts_of_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "myositis",
        "viral myositis",
        "patient asks about dermatomyositis",
        "history of dermatomyositis",
        "dermatomyositis?",
        "? dermatomyositis",
        "anti-Jo-1 (-)",
        "anti-Jo-1 -",
        "non-severe dysphagia",
        "anti-MDA5 antibody not detected",
        "r/o interstitial lung disease",
        "",
        "   ",
        "()",
    ],
)
def test_a_longer_a_doubtful_or_an_empty_text_matches_nothing(text: str) -> None:
    assert TERMINOLOGY.concepts_of_text(text) == ()


@given(phrase=st.sampled_from(PHRASES + DRUG_NAMES), denial=st.sampled_from(DENIALS), shout=st.booleans())
def test_a_denied_phrase_never_matches(phrase: str, denial: str, shout: bool) -> None:
    text = denial + phrase
    text = text.upper() if shout else text
    assert TERMINOLOGY.concepts_of_text(text) == ()
    assert TERMINOLOGY.concepts_of_drug_text(text) == ()


@pytest.mark.parametrize("denial", DENIALS)
def test_no_listed_phrase_survives_a_denial(denial: str) -> None:
    assert [phrase for phrase in PHRASES if TERMINOLOGY.concepts_of_text(denial + phrase)] == []
    assert [name for name in DRUG_NAMES if TERMINOLOGY.concepts_of_drug_text(denial + name)] == []


def test_every_listed_phrase_is_found() -> None:
    for name, concept in CONCEPTS.items():
        assert [phrase for phrase in concept.phrases.values() if name not in TERMINOLOGY.concepts_of_text(phrase)] == []
        lost = [drug for drug in concept.drug_names.values() if name not in TERMINOLOGY.concepts_of_drug_text(drug)]
        assert lost == []


def test_a_drug_name_belongs_to_one_drug() -> None:
    assert [name for name in DRUG_NAMES if len(TERMINOLOGY.concepts_of_drug_text(name)) != 1] == []


def test_only_wordings_of_absence_are_listed_as_denials() -> None:
    denials = {name for name, concept in CONCEPTS.items() for phrase in concept.phrases.values() if is_guarded(phrase)}
    assert denials == {
        "no_known_allergy",
        "no_known_drug_allergy",
        "not_pregnant",
        "stop_reason_ineffective",
        "stop_reason_intolerance",
    }


@pytest.mark.parametrize("text", ["Anti-TIF1γ Ab", "anti TIF1-gamma  AB", "ANTI–TIF1Γ ab."])
def test_spelling_and_spacing_do_not_matter(text: str) -> None:
    assert phrase_key(text) == "antitif1gammaab"


@given(st.text(max_size=LONGEST_TEXT + 50) | st.text(st.characters(max_codepoint=127), max_size=LONGEST_TEXT + 50))
def test_a_key_is_the_normalised_words_without_the_blanks(text: str) -> None:
    assert phrase_key(text) == normalise(text).replace(" ", "")


@pytest.mark.parametrize("text", ["Still's disease", "50% + 2 (disorder)", "x_y's (finding", "ANTI+JO-1's", "a(b)(disorder) "])
def test_a_key_keeps_what_signs_say(text: str) -> None:
    assert phrase_key(text) == normalise(text).replace(" ", "")


@given(st.text(max_size=LONGEST_TEXT + 50))
def test_any_text_at_all_can_be_read(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    assert isinstance(is_guarded(text), bool)
    assert all(isinstance(name, str) for name in drug_name(text))
    assert parse_answer(text) in {None, "positive", "negative", "borderline"}


def test_a_narrative_is_too_long_to_be_a_name() -> None:
    narrative = "dermatomyositis" + " " * LONGEST_TEXT
    assert normalise(narrative) == ""
    assert is_guarded(narrative)
    assert parse_answer("positive" + " " * LONGEST_TEXT) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("POSITIVE", "positive"),
        ("Detected", "positive"),
        ("pos.", "positive"),
        ("Strong positive", "positive"),
        ("Positive (++)", "positive"),
        ("1:320 positive", "positive"),
        ("Positive, 128 U/mL", "positive"),
        ("3+", "positive"),
        ("Reactive", "positive"),
        ("weak positive", "borderline"),
        ("Weakly Positive (18 AU)", "borderline"),
        ("equivocal", "borderline"),
        ("(+)", "borderline"),
        ("+/-", "borderline"),
        ("Negative", "negative"),
        ("Negative (<1:10)", "negative"),
        ("< 5 U/mL: negative", "negative"),
        ("not detected", "negative"),
        ("Non-reactive", "negative"),
        ("-", "negative"),
    ],
)
def test_a_result_that_says_one_thing_is_an_answer(text: str, answer: str) -> None:
    assert parse_answer(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "1:320",
        "12 U/mL",
        "<5",
        "positive?",
        "not positive",
        "Negative, previously positive",
        "positive for anti-Jo-1",
        "positive negative",
        "see comment",
        "pending",
        "",
        "titre",
    ],
)
def test_a_number_alone_or_any_further_word_is_no_answer(text: str) -> None:
    assert parse_answer(text) is None
