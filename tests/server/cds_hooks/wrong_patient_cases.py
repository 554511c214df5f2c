"""Made-up hook calls into which something of another patient was slipped; and look-alikes that are the patient's own.

A call has a small chart of one patient. `spliced` puts one resource of another patient somewhere into it, in some spelling of
whose it is. What must never be seen outside carries a canary: ids, names, record numbers, texts and values.
"""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

from tests.server.charts import PREFETCH_KEYS, Json, copied, hook_call, order_call, searchset

US, THEM = "20471182", "90471183"
"""Ids of the two patients. Numbers, as EHRs have them, so that another server may have the same."""

SERVER, OTHER_SERVER = "https://ehr.example/fhir/r4", "https://other.example/fhir/r4"
OUR_RECORD, THEIR_RECORD = "canary-record-ours", "canary-record-theirs"
CANARIES = (US, THEM, "canary")

HOOKS = ("patient-view", "order-select", "order-sign")
_SNOMED, _LOINC = "http://snomed.info/sct", "http://loinc.org"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def _coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}], "text": "canary text"}


_FACTS: dict[str, Json] = {
    "Condition": {"code": _coded(_SNOMED, "396230008"), "recordedDate": "2026-01-15"},
    "MedicationRequest": {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _coded(_SNOMED, "386975001"),
        "authoredOn": "2026-01-10",
    },
    "MedicationStatement": {"status": "active", "medicationCodeableConcept": _coded(_SNOMED, "387381009")},
    "MedicationAdministration": {
        "status": "completed",
        "medicationCodeableConcept": _coded(_SNOMED, "387381009"),
        "effectiveDateTime": "2026-01-10",
    },
    "Observation": {
        "status": "final",
        "code": _coded(_LOINC, "82448-2"),
        "effectiveDateTime": "2026-06-01",
        "valueCodeableConcept": {"text": "Positive"},
        "note": [{"text": "canary value"}],
    },
    "DiagnosticReport": {"status": "final", "code": _coded(_SNOMED, "73761001"), "effectiveDateTime": "2026-03-01"},
    "Procedure": {"status": "completed", "code": _coded(_SNOMED, "73761001"), "performedDateTime": "2026-03-01"},
    "ServiceRequest": {"status": "active", "intent": "order", "code": _coded(_SNOMED, "73761001"), "authoredOn": "2026-03-01"},
    "AllergyIntolerance": {"code": _coded(_SNOMED, "387381009")},
}
"""By type, what a resource says that would change the cards."""


def patient(identity: str, record: str) -> Json:
    return {
        "resourceType": "Patient",
        "id": identity,
        "gender": "female",
        "birthDate": "1970-01-01",
        "name": [{"family": "Canary"}],
        "identifier": [{"system": "https://ehr.example/mrn", "value": record}],
    }


def fact(kind: str, subject: Any, identity: str) -> Json:
    """A resource of that type, about whoever the subject is; without one if it is None."""
    name = "patient" if kind == "AllergyIntolerance" else "subject"
    made = {"resourceType": kind, "id": identity, **copied(_FACTS[kind])}
    return made if subject is None else made | {name: subject}


def relative(identity: str) -> Json:
    return {"reference": f"Patient/{identity}"}


def own_call(random: Random) -> Json:
    """A call with the patient's own chart: the diagnosis, and some more."""
    kinds = ["Condition", *random.sample(sorted(_FACTS.keys() - {"Condition"}), 3)]
    prefetch: Json = {"patient": patient(US, OUR_RECORD)}
    for kind in kinds:
        prefetch[PREFETCH_KEYS[kind]] = searchset([fact(kind, relative(US), f"own-{kind}")])
    context = random.choice((US, f"Patient/{US}"))
    hook = random.choice(HOOKS)
    instance = str(UUID(int=random.getrandbits(128), version=4))
    more = {"hookInstance": instance, "fhirServer": SERVER}
    if hook == "patient-view":
        return hook_call(context, prefetch, **more)
    drafts = {"resourceType": "Bundle", "entry": [{"resource": fact("MedicationRequest", relative(US), "own-draft")}]}
    selected = {"selections": ["MedicationRequest/own-draft"]} if hook == "order-select" else {}
    return order_call(hook, context, prefetch, drafts, **selected) | more


# --- whose it is ------------------------------------------------------------------------------------------------------------

Subject = tuple[Any, list[Json]]
"""A subject, and the entries that must go with it."""


def _plain(text: str) -> Callable[[Random], Subject]:
    return lambda random: ({"reference": text}, [])


def _urn(random: Random) -> Subject:
    return {"reference": f"urn:uuid:{UUID(int=random.getrandbits(128), version=4)}"}, []


def _resolved_urn(random: Random) -> Subject:
    reference, _ = _urn(random)
    return reference, [{"fullUrl": reference["reference"], "resource": patient(THEM, THEIR_RECORD)}]


def _lying_address(random: Random) -> Subject:
    """The address says one patient, the resource at it the other."""
    url = f"{SERVER}/Patient/{THEM}"
    return {"reference": url}, [{"fullUrl": url, "resource": patient(US, OUR_RECORD)}]


ANOTHERS: dict[str, Callable[[Random], Subject]] = {
    "relative": _plain(f"Patient/{THEM}"),
    "absolute": _plain(f"{SERVER}/Patient/{THEM}"),
    "absolute, another server": _plain(f"{OTHER_SERVER}/Patient/{THEM}"),
    "versioned": _plain(f"Patient/{THEM}/_history/3"),
    "absolute and versioned": _plain(f"{SERVER}/Patient/{THEM}/_history/3"),
    "trailing slash": _plain(f"Patient/{THEM}/"),
    "blanks around": _plain(f"  Patient/{THEM}  "),
    "leading slash": _plain(f"/Patient/{THEM}"),
    "longer than ours": _plain(f"Patient/{US}0"),
    "double slash": _plain(f"Patient//{THEM}"),
    "query": _plain(f"Patient/{THEM}?_format=json"),
    "fragment": _plain(f"Patient/{THEM}#name"),
    "absolute, with a query": _plain(f"{SERVER}/Patient/{THEM}?a=b"),
    "absolute, with a fragment that is ours": _plain(f"{SERVER}/Patient/{THEM}#Patient/{US}"),
    "ours within the path": _plain(f"{SERVER}/Patient/{US}/Patient/{THEM}"),
    "urn that nothing resolves": _urn,
    "urn of an included patient": _resolved_urn,
    "oid": _plain(f"urn:oid:2.999.{THEM}"),
    "address of one, resource of the other": _lying_address,
}
"""Spellings that say for certain that it is another patient's."""

UNTOLD: dict[str, Callable[[Random], Subject]] = {
    "no subject": lambda random: (None, []),
    "record number only": lambda random: (
        {"identifier": {"system": "https://ehr.example/mrn", "value": THEIR_RECORD}, "display": "Canary"},
        [],
    ),
    "display only": lambda random: ({"display": "Canary"}, []),
    "empty": lambda random: ({}, []),
    "not an object": lambda random: (f"Patient/{THEM}", []),
    "a number": lambda random: ({"reference": int(THEM)}, []),
    "a query": _plain(f"Patient?identifier={THEIR_RECORD}"),
    "a group": _plain(f"Group/{THEM}"),
    "a practitioner": _plain(f"Practitioner/{THEM}"),
    "a relative": _plain(f"RelatedPerson/{THEM}"),
    "contained, not there": _plain("#nobody"),
    "lower case": _plain(f"patient/{THEM}"),
    "escaped": _plain(f"Patient%2F{THEM}"),
    "same id on another server": _plain(f"{OTHER_SERVER}/Patient/{US}"),
    "same id on another server, versioned": _plain(f"{OTHER_SERVER}/Patient/{US}/_history/1"),
}
"""Spellings from which it cannot be told whose it is: never a reason to refuse, never used."""

OURS: dict[str, Callable[[Random], Subject]] = {
    "relative": _plain(f"Patient/{US}"),
    "absolute": _plain(f"{SERVER}/Patient/{US}"),
    "versioned": _plain(f"Patient/{US}/_history/3"),
    "absolute and versioned": _plain(f"{SERVER}/Patient/{US}/_history/3"),
    "double slash": _plain(f"Patient//{US}"),
    "query": _plain(f"Patient/{US}?_format=json"),
    "fragment": _plain(f"Patient/{US}#name"),
    "absolute, double slashes and a query": _plain(f"https://ehr.example//fhir/r4/Patient//{US}?a=b"),
    "host in capitals": _plain(f"https://EHR.example/fhir/r4/Patient/{US}"),
    "port spelt out": _plain(f"https://ehr.example:443/fhir/r4/Patient/{US}"),
    "plain http, as some proxies write it": _plain(f"http://ehr.example/fhir/r4/Patient/{US}"),
    "with a record number and a name": lambda random: (
        {"reference": f"Patient/{US}", "identifier": {"value": OUR_RECORD}, "display": "Canary"},
        [],
    ),
}
"""Look-alikes: all of them the patient's own."""


# --- where it is ------------------------------------------------------------------------------------------------------------


def _put(call: Json, key: str, entries: list[Json], random: Random) -> None:
    """Among the entries of a prefetch value, at any place."""
    bundle = call["prefetch"].setdefault(key, searchset([]))
    for entry in entries:
        bundle["entry"].insert(random.randint(0, len(bundle["entry"])), entry)
    bundle.pop("total", None)


def _own_key(kind: str) -> str:
    return PREFETCH_KEYS[kind]


def _in_its_bundle(call: Json, stranger: Json, with_it: list[Json], random: Random) -> None:
    _put(call, _own_key(stranger["resourceType"]), [{"resource": stranger}, *with_it], random)


def _in_another_bundle(call: Json, stranger: Json, with_it: list[Json], random: Random) -> None:
    keys = [key for key, value in call["prefetch"].items() if value["resourceType"] == "Bundle"]
    _put(call, random.choice(keys), [{"resource": stranger}, *with_it], random)


def _under_a_key_of_its_own(call: Json, stranger: Json, with_it: list[Json], random: Random) -> None:
    call["prefetch"]["everything"] = {"resourceType": "Bundle", "entry": [*with_it, {"resource": stranger}]}


def _alone(call: Json, stranger: Json, with_it: list[Json], random: Random) -> None:
    """One resource where a Bundle was asked for, instead of what was there."""
    call["prefetch"][_own_key(stranger["resourceType"])] = stranger
    if with_it:
        call["prefetch"]["others"] = {"resourceType": "Bundle", "entry": with_it}


def _nested(call: Json, stranger: Json, with_it: list[Json], random: Random) -> None:
    inner: Json = {"resourceType": "Bundle", "entry": [{"resource": stranger}, *with_it]}
    for _ in range(random.randint(1, 4)):
        inner = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": inner}]}
    call["prefetch"]["nested"] = inner


def _one_entry_without_a_list(call: Json, stranger: Json, with_it: list[Json], random: Random) -> None:
    call["prefetch"]["single"] = {"resourceType": "Bundle", "entry": {"resource": stranger}}
    if with_it:
        call["prefetch"]["others"] = {"resourceType": "Bundle", "entry": with_it}


def _as_an_older_version(call: Json, stranger: Json, with_it: list[Json], random: Random) -> None:
    newer = fact(stranger["resourceType"], relative(US), "own-newer") | {"meta": {"versionId": "2"}}
    older = stranger | {"id": "own-newer", "meta": {"versionId": "1"}}
    _put(call, _own_key(stranger["resourceType"]), [{"resource": newer}, {"resource": older}, *with_it], random)


def _included_with_a_match(call: Json, stranger: Json, with_it: list[Json], random: Random) -> None:
    entry = {"resource": stranger, "search": {"mode": "include"}}
    _put(call, _own_key(stranger["resourceType"]), [entry, *with_it], random)


def _contained(call: Json, stranger: Json, with_it: list[Json], random: Random) -> None:
    holder = fact("DiagnosticReport", relative(US), "own-holder") | {"contained": [stranger]}
    _put(call, "diagnosticReports", [{"resource": holder}, *with_it], random)


PLACES: dict[str, Callable[[Json, Json, list[Json], Random], None]] = {
    "in its Bundle": _in_its_bundle,
    "in another Bundle": _in_another_bundle,
    "under a key of its own": _under_a_key_of_its_own,
    "alone": _alone,
    "nested": _nested,
    "entry without a list": _one_entry_without_a_list,
    "older version": _as_an_older_version,
    "included": _included_with_a_match,
    "contained": _contained,
}


def spliced(random: Random, subjects: dict[str, Callable[[Random], Subject]]) -> tuple[str, Json]:
    """A call with something slipped in, and a name for it: what, in which spelling, where.

    Args:
        random: decides.
        subjects: spellings of whose it is.
    """
    call = own_call(random)
    spelling = random.choice(sorted(subjects))
    subject, with_it = subjects[spelling](random)
    place = random.choice(sorted(PLACES))
    kind = random.choice(sorted(_FACTS))
    PLACES[place](call, fact(kind, subject, f"canary-{random.getrandbits(32)}"), with_it, random)
    return f"{kind}, {spelling}, {place}, {call['hook']}", call


# --- other ways in ----------------------------------------------------------------------------------------------------------


def foreign_patient(random: Random) -> tuple[str, Json]:
    """The Patient resource itself is another's: instead of ours, beside it, or under its address."""
    call = own_call(random)
    other = patient(THEM, THEIR_RECORD)
    way = random.choice(("instead", "beside", "among conditions", "under another's address"))
    if way == "instead":
        call["prefetch"]["patient"] = other
    elif way == "beside":
        call["prefetch"]["other"] = other
    elif way == "among conditions":
        _put(call, "conditions", [{"resource": other}], random)
    else:
        entry = {"fullUrl": f"{SERVER}/Patient/{THEM}", "resource": patient(US, OUR_RECORD)}
        call["prefetch"]["other"] = {"resourceType": "Bundle", "entry": [entry]}
    return f"Patient, {way}", call


def foreign_draft(random: Random) -> tuple[str, Json]:
    """An order being written is for another patient."""
    call = own_call(random)
    while call["hook"] == "patient-view":
        call = own_call(random)
    spelling = random.choice(sorted(ANOTHERS))
    subject, with_it = ANOTHERS[spelling](random)
    kind = random.choice(("MedicationRequest", "ServiceRequest"))
    entries = call["context"]["draftOrders"]["entry"]
    entries.insert(random.randint(0, len(entries)), {"resource": fact(kind, subject, "canary-draft")})
    entries.extend(with_it)
    return f"draft {kind}, {spelling}", call


def foreign_contained_patient(random: Random) -> tuple[str, Json]:
    """The subject is a contained Patient with a record number of the same hospital, and not ours."""
    call = own_call(random)
    kind = random.choice(sorted(_FACTS))
    name = random.choice(("p", US, THEM))
    stranger = fact(kind, {"reference": f"#{name}"}, "canary-1") | {"contained": [patient(name, THEIR_RECORD)]}
    _in_its_bundle(call, stranger, [], random)
    return f"{kind}, contained patient {'with our id' if name == US else ''}", call


def foreign_subject_of_another_name(random: Random) -> tuple[str, Json]:
    """Some types name their patient neither subject nor patient; we read none of them, and they are somebody's all the same."""
    call = own_call(random)
    kind, member = random.choice(
        (("Coverage", "beneficiary"), ("ResearchSubject", "individual"), ("EnrollmentRequest", "candidate"))
    )
    spelling = random.choice(sorted(ANOTHERS))
    subject, with_it = ANOTHERS[spelling](random)
    entries = [{"resource": {"resourceType": kind, "id": "canary-1", member: subject}}, *with_it]
    call["prefetch"]["other"] = {"resourceType": "Bundle", "entry": entries}
    return f"{kind}, {spelling}", call


def wrong_context(random: Random) -> tuple[str, Json]:
    """The whole chart is consistent, and is not that of the patient whom the hook is about."""
    call = own_call(random)
    call["context"]["patientId"] = random.choice((THEM, f"Patient/{THEM}", US[:-1], f"{US}0"))
    return "context of another patient", call


def mixed(random: Random) -> tuple[str, Json]:
    """Something that cannot be told, and something that can."""
    name, call = spliced(random, ANOTHERS)
    for _ in range(random.randint(1, 3)):
        subject, _ = UNTOLD[random.choice(sorted(UNTOLD))](random)
        kind = random.choice(sorted(_FACTS))
        _under = call["prefetch"].setdefault("more", {"resourceType": "Bundle", "entry": []})
        _under["entry"].append({"resource": fact(kind, subject, f"canary-{random.getrandbits(32)}")})
    return f"mixed: {name}", call


def refused(random: Random) -> tuple[str, Json]:
    """A call that must be refused."""
    make = random.choices(
        (
            lambda r: spliced(r, ANOTHERS),
            foreign_patient,
            foreign_draft,
            foreign_contained_patient,
            foreign_subject_of_another_name,
            wrong_context,
            mixed,
        ),
        weights=(56, 8, 12, 6, 4, 4, 10),
    )[0]
    return make(random)
