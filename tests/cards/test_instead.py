"""What may stand in a drug's place is named only where nothing stops it, too, in this patient."""

from tests.patient import Patient

WOMAN = Patient(sex="female", born="1992-01-01").has("dermatomyositis", since="2026-08")
PREGNANT = WOMAN.has("pregnancy", since="2026-09")
COMPATIBLE = "Compatible with pregnancy: glucocorticoid; ciclosporin, azathioprine, plasma exchange or IVIG (Doria 2004)"


def notes(patient: Patient, *drafting: str) -> str:
    return " ".join(note for r in patient.recommendations(drafting or None) for note in r.notes)


def test_the_words_of_the_reference_are_given_where_nothing_speaks_against_its_drugs() -> None:
    assert "Beside allopurinol: mycophenolate, or methotrexate" in notes(WOMAN.takes("allopurinol"), "azathioprine")
    assert COMPATIBLE in notes(PREGNANT, "mycophenolate_mofetil")


def test_no_drug_is_named_in_place_of_another_that_pregnancy_rules_out_as_well() -> None:
    said = notes(PREGNANT.takes("allopurinol"), "azathioprine")
    assert "methotrexate" not in said
    assert "mycophenolate" not in said


def test_of_the_alternatives_only_those_that_are_left_are_named() -> None:
    said = notes(PREGNANT.takes("allopurinol"), "mycophenolate_mofetil")
    assert (
        said
        == "Of the alternatives that are named, nothing is known here against ciclosporin or intravenous immunoglobulin (IVIG)."
    )
    assert COMPATIBLE in notes(PREGNANT, "mycophenolate_mofetil")


def test_in_inclusion_body_myositis_no_immunosuppressant_stands_in_for_another() -> None:
    patient = Patient(sex="male", born="1955-01-01").has("inclusion_body_myositis", since="2024").takes("allopurinol")
    for said in (notes(patient, "azathioprine"), notes(patient.takes("azathioprine"))):
        assert "mycophenolate" not in said
        assert "methotrexate" not in said


def test_an_option_with_a_caution_names_nothing_that_must_not_be_given_either() -> None:
    def instead(patient: Patient) -> str:
        options = [option for r in patient.recommendations() for option in r.options if option.treatment == "methotrexate"]
        return " ".join({c.instead or "" for option in options for c in option.cautions if c.id == "methotrexate-ild"})

    with_lungs = WOMAN.has("interstitial_lung_disease", since="2026-08")
    assert "cyclophosphamide" in instead(with_lungs)
    assert instead(with_lungs.has("pregnancy", since="2026-09")) == (
        "Of the alternatives that are named, nothing is known here against tacrolimus."
    )
