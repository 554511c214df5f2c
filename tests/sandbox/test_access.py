"""What a token lets its bearer do: the scopes of SMART, version 1 and 2."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.access import EVERYTHING, INTERACTIONS, Access, read_scope

MINE, THEIRS = "mine", "theirs"
LETTERS = {letter: name for name, letter in INTERACTIONS.items()}


def observation(patient: str = MINE, category: str = "laboratory", status: str = "final") -> dict[str, Any]:
    coding = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": category}
    return {
        "resourceType": "Observation",
        "id": "one",
        "status": status,
        "category": [{"coding": [coding]}],
        "subject": {"reference": f"Patient/{patient}"},
    }


def may(scopes: str, resource: dict[str, Any]) -> str:
    """The letters of what may be done with it."""
    access = Access(tuple(scopes.split()), MINE, "Practitioner/me")
    return "".join(letter for letter, name in LETTERS.items() if access.allows(name, resource))


@pytest.mark.parametrize(
    ("scopes", "mine", "theirs"),
    [
        ("", "", ""),
        ("openid fhirUser launch online_access", "", ""),
        ("patient/Observation.rs", "rs", ""),
        ("patient/*.rs", "rs", ""),
        ("patient/Observation.r", "r", ""),
        ("patient/Observation.s", "s", ""),
        ("patient/Observation.cud", "cud", ""),
        ("patient/Observation.cruds", "cruds", ""),
        ("user/Observation.rs", "rs", "rs"),
        ("system/*.rs", "rs", "rs"),
        ("patient/Observation.read", "rs", ""),
        ("patient/Observation.write", "cud", ""),
        ("patient/Observation.*", "cruds", ""),
        ("user/*.read", "rs", "rs"),
        ("patient/Condition.rs", "", ""),
        ("patient/Observation.r patient/Observation.s", "rs", ""),
        ("patient/Observation.cruds user/Observation.r", "cruds", "r"),
        # not scopes at all: letters out of order, none, or unknown words
        ("patient/Observation.sr", "", ""),
        ("patient/Observation.", "", ""),
        ("patient/Observation.all", "", ""),
        ("patient/observation.rs", "", ""),
        ("patients/Observation.rs", "", ""),
    ],
)
def test_a_scope_covers_what_it_says(scopes: str, mine: str, theirs: str) -> None:
    assert set(may(scopes, observation())) == set(mine)
    assert set(may(scopes, observation(THEIRS))) == set(theirs)


CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


@pytest.mark.parametrize(
    ("query", "covered"),
    [
        (f"category={CATEGORY}|laboratory", True),
        ("category=laboratory", True),
        (f"category={CATEGORY}|vital-signs", False),
        (f"category={CATEGORY}|vital-signs,{CATEGORY}|laboratory", True),
        (f"category={CATEGORY}|laboratory&status=final", True),
        (f"category={CATEGORY}|laboratory&status=amended", False),
        ("unheard-of=x", False),
    ],
)
def test_a_query_narrows_a_scope(query: str, covered: bool) -> None:
    assert may(f"patient/Observation.rs?{query}", observation()) == ("rs" if covered else "")


def test_two_narrow_scopes_add_up() -> None:
    scopes = f"patient/Observation.rs?category={CATEGORY}|laboratory patient/Observation.r?category={CATEGORY}|exam"
    assert may(scopes, observation(category="laboratory")) == "rs"
    assert may(scopes, observation(category="exam")) == "r"
    assert may(scopes, observation(category="vital-signs")) == ""


def test_the_user_may_be_read_by_whoever_knows_who_it_is() -> None:
    me, colleague = {"resourceType": "Practitioner", "id": "me"}, {"resourceType": "Practitioner", "id": "colleague"}
    assert may("openid fhirUser", me) == "r"
    assert may("openid fhirUser", colleague) == ""
    assert may("openid", me) == ""
    assert may("user/Practitioner.r", colleague) == "r"


def test_a_resource_about_nobody_is_not_the_patients() -> None:
    nobodys = observation() | {"subject": {"display": "somebody"}}
    assert may("patient/Observation.cruds", nobodys) == ""


def test_a_token_without_a_patient_opens_no_chart_with_patient_scopes() -> None:
    access = Access(("patient/*.cruds",))
    assert not access.allows("read", observation())
    assert not access.allows("read", {"resourceType": "Observation", "id": "x"})


def test_an_open_api_allows_everything() -> None:
    assert all(EVERYTHING.allows(name, observation(THEIRS)) for name in INTERACTIONS)


LEVELS = st.sampled_from(["patient", "user", "system"])
TYPES = st.sampled_from(["Observation", "Condition", "*"])
SOME_LETTERS = st.sets(st.sampled_from("cruds"), min_size=1).map(lambda found: "".join(each for each in "cruds" if each in found))


@given(LEVELS, TYPES, SOME_LETTERS, LEVELS, TYPES, SOME_LETTERS)
def test_what_covers_a_scope_allows_all_that_it_allows(
    level: str, kind: str, letters: str, other_level: str, other_kind: str, other_letters: str
) -> None:
    wide, narrow = f"{level}/{kind}.{letters}", f"{other_level}/{other_kind}.{other_letters}"
    first, second = read_scope(wide), read_scope(narrow)
    assert first is not None
    assert second is not None
    if first.covers(second):
        for resource in (observation(), observation(THEIRS)):
            assert set(may(narrow, resource)) <= set(may(wide, resource))
