"""Scopes of an authorization: which of those asked for an app is registered for, and how they read to a person."""

from collections.abc import Iterable, Sequence

from sandbox.access import Scope, read_scope

CONTEXT = ("launch", "launch/patient", "openid", "fhirUser")
"""What has to do with who and where, not with data; whoever allows an app at all allows these."""

REFRESHING = ("online_access", "offline_access")
"""Either gives a refresh token."""

_DOES = {"c": "add", "r": "read", "s": "read", "u": "change", "d": "delete"}
_WHAT = {
    "*": "everything",
    "AllergyIntolerance": "allergies and intolerances",
    "Condition": "diagnoses",
    "DiagnosticReport": "reports",
    "Encounter": "visits",
    "FamilyMemberHistory": "diseases of relatives",
    "Immunization": "vaccinations",
    "MedicationAdministration": "medicines given",
    "MedicationRequest": "prescriptions",
    "MedicationStatement": "medicines taken",
    "Observation": "results",
    "Patient": "name, age and sex",
    "Practitioner": "who works here",
    "Procedure": "procedures",
    "ServiceRequest": "orders",
}
_WHOSE = {"patient": "this patient", "user": "every patient you may see", "system": "every patient"}
_REFRESH_WORDS = {
    "online_access": "stay connected while you are logged in",
    "offline_access": "stay connected when you have left",
}


def allowed(asked: Iterable[str], registered: Iterable[str]) -> list[str]:
    """What of the scopes asked for is registered, or is part of something that is; in the form that it was asked in."""
    words = tuple(registered)
    wide = [scope for scope in map(read_scope, words) if scope]
    return [text for text in dict.fromkeys(asked) if text in words or _covered(read_scope(text), wide)]


def _covered(scope: Scope | None, wide: Sequence[Scope]) -> bool:
    return scope is not None and any(each.covers(scope) for each in wide)


def needs_patient(scopes: Iterable[str]) -> bool:
    """Whether a patient has to be chosen."""
    return any(text == "launch/patient" or text.startswith("patient/") for text in scopes)


def may_be_cut(scope: str) -> bool:
    """Whether the page offers to leave it out."""
    return scope not in CONTEXT


def in_words(scope: str) -> str:
    """A scope for the person who is asked."""
    if scope in _REFRESH_WORDS:
        return _REFRESH_WORDS[scope]
    read = read_scope(scope)
    if read is None:
        return scope
    does = list(dict.fromkeys(_DOES[letter] for letter in read.letters))
    doing = f"{', '.join(does[:-1])} and {does[-1]}" if len(does) > 1 else does[0]
    what = _WHAT.get(read.resource_type, read.resource_type)
    return f"{doing}: {what} of {_WHOSE[read.level]}{f', only where {read.query}' if read.query else ''}"
