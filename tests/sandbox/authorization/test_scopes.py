"""Which scopes an app may have, and how they read to the person who is asked."""

import pytest

from sandbox.authorization.scopes import allowed, in_words, may_be_cut, needs_patient


@pytest.mark.parametrize(
    ("asked", "registered", "granted"),
    [
        ("openid fhirUser", "openid", "openid"),
        ("patient/Condition.rs", "patient/*.rs", "patient/Condition.rs"),
        ("patient/Condition.read", "patient/*.rs", "patient/Condition.read"),
        ("patient/Condition.rs", "patient/*.read", "patient/Condition.rs"),
        ("patient/Condition.rs", "patient/Condition.r", ""),
        ("patient/*.rs", "patient/Condition.rs", ""),
        ("user/Condition.rs", "patient/*.cruds", ""),
        ("patient/Condition.cud", "patient/*.read", ""),
        ("patient/Observation.rs?category=exam", "patient/Observation.rs", "patient/Observation.rs?category=exam"),
        ("patient/Observation.rs", "patient/Observation.rs?category=exam", ""),
        ("openid openid", "openid", "openid"),
        ("made-up patient/Condition.sr", "openid patient/*.rs", ""),
    ],
)
def test_a_scope_is_granted_that_is_part_of_a_registered_one(asked: str, registered: str, granted: str) -> None:
    assert allowed(asked.split(), registered.split()) == granted.split()


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("patient/Condition.rs", "read: diagnoses of this patient"),
        ("patient/Condition.read", "read: diagnoses of this patient"),
        ("patient/ServiceRequest.cud", "add, change and delete: orders of this patient"),
        ("user/*.r", "read: everything of every patient you may see"),
        ("system/Group.r", "read: Group of every patient"),
        ("patient/Observation.rs?category=exam", "read: results of this patient, only where category=exam"),
        ("online_access", "stay connected while you are logged in"),
    ],
)
def test_a_scope_reads_like_a_sentence(scope: str, words: str) -> None:
    assert in_words(scope) == words


def test_what_says_who_and_where_cannot_be_cut() -> None:
    assert [scope for scope in ("launch", "openid", "fhirUser", "patient/*.rs", "offline_access") if may_be_cut(scope)] == [
        "patient/*.rs",
        "offline_access",
    ]


def test_a_patient_is_needed_for_scopes_about_one() -> None:
    assert needs_patient(["patient/*.rs"])
    assert needs_patient(["launch/patient"])
    assert not needs_patient(["openid", "user/*.rs"])
