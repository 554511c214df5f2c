"""Patient: sex and birth as far as they are known, and no further."""

from datetime import date

import pytest

from fhir_profiles.dates import DateInterval
from tests.fhir_profiles.charts import Json, patient, problems, read, without

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"


def extension(name: str, code: str) -> list[Json]:
    return [{"url": f"{US_CORE}{name}", "valueCode": code}]


@pytest.mark.requirement("SAF-18")
@pytest.mark.parametrize(
    ("more", "sex"),
    [
        ({"gender": "female"}, "female"),
        ({"gender": "male"}, "male"),
        ({"gender": "Male"}, "male"),
        ({"gender": "other"}, None),
        ({"gender": "unknown"}, None),
        ({"gender": None}, None),
        ({"gender": 1}, None),
        ({"gender": "F"}, None),
        ({"gender": "other", "extension": extension("birthsex", "F")}, "female"),
        ({"gender": "female", "extension": extension("birthsex", "M")}, "male"),
        ({"gender": "female", "extension": extension("sex", "248153007")}, "male"),
        ({"gender": "female", "extension": extension("birthsex", "UNK")}, "female"),
        ({"gender": "female", "extension": "birthsex"}, "female"),
    ],
)
def test_sex_is_the_recorded_sex_and_gender_only_where_none_is_recorded(more: Json, sex: str | None) -> None:
    """SAF-18."""
    assert read(patient(**more)).sex == sex


@pytest.mark.parametrize(
    ("birth", "interval"),
    [
        ("1970-02-03", DateInterval(date(1970, 2, 3), date(1970, 2, 3))),
        ("1970", DateInterval(date(1970, 1, 1), date(1970, 12, 31))),
    ],
)
def test_a_partial_date_of_birth_is_an_interval(birth: str, interval: DateInterval) -> None:
    assert read(patient(birthDate=birth)).birth == interval


@pytest.mark.parametrize("birth", ["03.02.1970", 1970, "2025-06-16", ["1970"], "1" * 100])
def test_a_date_of_birth_that_cannot_be_is_reported_and_not_used(birth: object) -> None:
    record = read(patient(birthDate=birth))
    assert record.birth is None
    assert list(problems(record)) == ["Patient/1.birthDate"]


@pytest.mark.requirement("SAF-18")
def test_a_date_of_birth_may_be_missing() -> None:
    record = read(without(patient(), "birthDate", "gender"))
    assert (record.birth, record.sex, record.issues) == (None, None, ())


@pytest.mark.parametrize(
    ("more", "is_deceased"),
    [
        ({}, False),
        ({"deceasedBoolean": False}, False),
        ({"deceasedBoolean": True}, True),
        ({"deceasedDateTime": "2025-06-01"}, True),
        ({"deceasedDateTime": "unknown day"}, True),
        ({"deceasedBoolean": "no"}, False),
    ],
)
def test_who_has_died_is_known(more: Json, is_deceased: bool) -> None:
    assert read(patient(**more)).is_deceased is is_deceased


def test_a_patient_with_an_unknown_modifier_is_not_read() -> None:
    """SAF-07."""
    record = read(patient(modifierExtension=[{"url": "https://ehr.example/test-patient", "valueBoolean": True}]))
    assert (record.sex, record.birth) == (None, None)
    assert list(problems(record)) == ["Patient/1.modifierExtension"]
