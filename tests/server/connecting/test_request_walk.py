"""The doctor follows a call through the service: it foretells what the service answers, and tells nothing of the call."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient

from server.basis import packaged_basis
from server.cds_hooks.prefetch import TEMPLATES
from server.cds_hooks.prefetch_state import PrefetchState
from server.connecting.findings import Finding, Verdict, has_failed
from server.connecting.request_walk import _STATES, walk
from server.trust.clients import OPEN_CLIENT, Client
from tests.server.cds_hooks import wrong_patient_cases as cases
from tests.server.charts import ANTI_TIF1, HEALTHY, Json, chart, dermatomyositis, hook_call, order_call, prefetch_of
from tests.server.conftest import CONFIG

SERVER = "https://ehr.example/fhir/r4"


def walked(call: Any, client: Client = OPEN_CLIENT) -> list[Finding]:
    body = call if isinstance(call, bytes) else json.dumps(call).encode()
    return list(walk(body, client, CONFIG, packaged_basis()))


def about(findings: list[Finding], start: str) -> Finding:
    (found,) = (finding for finding in findings if finding.what.startswith(start))
    return found


def whole(**more: Any) -> Json:
    return hook_call("p1", dict.fromkeys((template.key for template in TEMPLATES), None) | dermatomyositis(), **more)


PAGINATED = {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": "x"}], "entry": []}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


@pytest.mark.requirement("R-10", "R-11", "R-12", "R-13", "R-15")
@pytest.mark.parametrize(
    ("value", "words", "verdict", "requirement"),
    [
        pytest.param(None, "null: counted as none on record", Verdict.OK, "R-12"),
        pytest.param({"resourceType": "Bundle", "total": 0}, "empty", Verdict.OK, "R-12"),
        pytest.param(PAGINATED, "the first page only: counted as incomplete", Verdict.WARNING, "R-15"),
        pytest.param({"resourceType": "Bundle", "total": 3}, "fewer results", Verdict.WARNING, "R-15"),
        pytest.param(OUTCOME, "an error: counted as failed", Verdict.WARNING, "R-13"),
        pytest.param("text", "is not FHIR", Verdict.WARNING, "R-10"),
        pytest.param({"resourceType": "Encounter"}, "holds another resource type", Verdict.WARNING, "R-10"),
    ],
)
def test_each_prefetch_key_is_judged(value: Any, words: str, verdict: Verdict, requirement: str) -> None:
    call = whole()
    call["prefetch"]["observations"] = value
    found = about(walked(call), "prefetch key observations (degrade): ")
    assert (found.verdict, found.requirement) == (verdict, requirement)
    assert found.what.removeprefix("prefetch key observations (degrade): ").startswith(words)


def test_there_are_words_for_every_state_of_a_key() -> None:
    assert set(_STATES) == set(PrefetchState)


@pytest.mark.requirement("R-11", "R-17")
def test_a_key_that_was_not_sent_is_named_and_so_is_what_stands_in_the_way_of_fetching_it() -> None:
    call = whole()
    del call["prefetch"]["procedures"]
    found = walked(call)
    assert about(found, "prefetch key procedures").requirement == "R-11"
    assert "names no fhirServer" in about(found, "callback").what


@pytest.mark.requirement("T-1", "T-2", "T-8", "T-11")
@pytest.mark.parametrize(
    ("client", "authorization", "words", "requirement"),
    [
        (Client("a"), None, "is not registered", "T-11"),
        (Client("a", fhir_servers=(SERVER,)), None, "has no fhirAuthorization", "T-1"),
        (Client("a", fhir_servers=(SERVER,)), {"access_token": "a", "patient": "p2"}, "is for another patient", "T-2"),
        (Client("a", fhir_servers=(SERVER,)), {"access_token": "a"}, "would be asked for", "T-8"),
    ],
)
def test_it_says_whether_the_ehr_could_be_called_back(
    client: Client, authorization: Json | None, words: str, requirement: str
) -> None:
    token = {"token_type": "Bearer", "expires_in": 1, "scope": "", "subject": "x"}
    more = {"fhirAuthorization": token | authorization} if authorization else {}
    found = about(walked(hook_call("p1", dermatomyositis(), fhirServer=SERVER, **more), client), "callback")
    assert words in found.what
    assert found.requirement == requirement


TOKEN = {"access_token": "a", "token_type": "Bearer", "expires_in": 300, "scope": "", "subject": "x"}


@pytest.mark.requirement("R-17", "R-18", "H-2")
@pytest.mark.parametrize("prefetch", [None, {"conditions": OUTCOME}], ids=["no prefetch", "conditions failed"])
def test_an_ehr_that_relies_on_being_called_back_fails_in_nothing(prefetch: Json | None) -> None:
    call = hook_call("p1", prefetch, fhirServer=SERVER, fhirAuthorization=TOKEN)
    told = walked(call, Client("a", fhir_servers=(SERVER,)))
    assert not has_failed(told)
    assert about(told, "prefetch key conditions").verdict is Verdict.WARNING
    assert (told[-1].verdict, told[-1].requirement) == (Verdict.WARNING, "H-2")
    assert told[-1].what.startswith("unless the EHR answers when it is asked, the answer would be 412, MYO-1202")
    assert has_failed(walked(call, Client("a")))
    assert has_failed(walked(call, Client("a", fhir_servers=(SERVER,), fhir_types_missing=frozenset({"Condition"}))))


@pytest.mark.requirement("R-17", "H-1")
def test_cards_are_foretold_for_what_the_call_brought() -> None:
    call = hook_call("p1", dermatomyositis(), fhirServer=SERVER, fhirAuthorization=TOKEN)
    assert walked(call, Client("a", fhir_servers=(SERVER,)))[-1].what.endswith(", before what the EHR would be asked for")


@pytest.mark.requirement("R-18")
def test_what_was_withheld_is_not_asked_for_again_so_that_it_fails() -> None:
    denied = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
    call = hook_call("p1", {"conditions": denied}, fhirServer=SERVER, fhirAuthorization=TOKEN)
    assert about(walked(call, Client("a", fhir_servers=(SERVER,))), "prefetch key conditions").verdict is Verdict.FAILED


@pytest.mark.requirement("C-32")
def test_it_says_which_suggestions_the_dialect_cannot_take() -> None:
    call = hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1)))
    assert about(walked(call), "dialect standard").verdict is Verdict.OK
    found = about(walked(call, Client("e", dialect="epic")), "dialect epic")
    assert (found.verdict, found.requirement) == (Verdict.WARNING, "C-32")


@pytest.mark.requirement("R-2")
def test_an_instance_that_is_no_uuid_is_reported() -> None:
    assert about(walked(whole(hookInstance="7")), "hookInstance").requirement == "R-2"


def without(*path: str) -> Callable[[Json], Any]:
    def change(call: Json) -> Json:
        target = call
        for name in path[:-1]:
            target = target[name]
        del target[path[-1]]
        return call

    return change


CALLS: dict[str, Callable[[], Any]] = {
    "whole": whole,
    "healthy": lambda: hook_call(HEALTHY, prefetch_of(chart(HEALTHY))),
    "a long story": lambda: hook_call(ANTI_TIF1, prefetch_of(chart(ANTI_TIF1))),
    "order-sign": lambda: order_call("order-sign", "p1", dermatomyositis(), {"resourceType": "Bundle"}),
    "no prefetch": lambda: hook_call("p1", None),
    "no conditions": lambda: without("prefetch", "conditions")(whole()),
    "conditions failed": lambda: hook_call("p1", {"conditions": OUTCOME}),
    "another's": lambda: cases.foreign_patient(Random(1))[1],
    "another's draft": lambda: cases.foreign_draft(Random(1))[1],
    "no hook": lambda: without("hook")(whole()),
    "hook of somebody else": lambda: whole(hook="appointment-book"),
    "no instance": lambda: without("hookInstance")(whole()),
    "no context": lambda: without("context")(whole()),
    "no patient": lambda: without("context", "patientId")(whole()),
    "a list": lambda: [],
    "a number": lambda: 7,
    "empty": lambda: b"",
    "blank": lambda: b"  \n",
    "no JSON": lambda: b'{"hook": ',
    "too deep": lambda: b"[" * 100 + b"]" * 100,
    "too long": lambda: b" " * (CONFIG.max_body_bytes + 1),
    "too many": lambda: json.dumps([{"resourceType": "X"}] * 6_000).encode(),
}


@pytest.mark.requirement("H-1", "H-2", "H-4", "R-1", "R-18", "SAF-01")
@pytest.mark.parametrize("name", CALLS)
def test_what_it_foretells_is_what_the_service_answers(client: FlaskClient, name: str) -> None:
    call = CALLS[name]()
    hook = call.get("hook", "patient-view") if isinstance(call, dict) else "patient-view"
    body = call if isinstance(call, bytes) else json.dumps(call).encode()
    answered = client.post(f"/cds-services/myositis-{hook}", data=body, content_type="application/json")
    told = walked(call)
    assert has_failed(told) == (answered.status_code != 200)
    if answered.status_code == 200:
        number = len(answered.get_json()["cards"])
        assert told[-1].what == f"the answer would be 200 with {number} card{'' if number == 1 else 's'}"
    elif answered.status_code == 404:
        assert "404" in told[-1].what
    else:
        text = answered.get_json()["issue"][0]["diagnostics"]
        assert told[-1].what == f"the answer would be {answered.status_code}, {text}"


def test_every_finding_that_is_not_all_right_says_what_to_do_and_why() -> None:
    for name, make in CALLS.items():
        for finding in walked(make()):
            assert finding.verdict is Verdict.OK or (finding.remedy and finding.requirement), name


@pytest.mark.requirement("LOG-02", "SAF-01")
def test_nothing_of_the_call_is_told_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Canaries in ids, names, record numbers, texts, values, keys and types."""
    random = Random(11)
    with caplog.at_level(logging.DEBUG):
        for number in range(150):
            make = cases.refused if number % 2 else lambda random: cases.spliced(random, cases.UNTOLD)
            name, call = make(random)
            call["prefetch"]["canary-key"] = {"resourceType": "CanaryType", "id": "canary"}
            call["hookInstance"] = random.choice((call["hookInstance"], "canary instance"))
            if number % 5 == 0:
                call["fhirServer"] = "https://canary.example/"
            told = "\n".join(str(finding) for finding in walked(call, replace(OPEN_CLIENT, name="here")))
            assert [canary for canary in cases.CANARIES if canary in told.lower()] == [], name
            assert call["hookInstance"] not in told
    assert "canary" not in caplog.text.lower()
    assert cases.US not in caplog.text


@pytest.mark.requirement("LOG-02", "ERR-01")
@pytest.mark.parametrize("place", ["hook", "hookInstance", "fhirServer", "fhirAuthorization", "context", "prefetch"])
@pytest.mark.parametrize("value", ["canary canary", 20471182, ["canary"], {"canary": "canary"}, True])
def test_a_value_of_the_wrong_kind_is_not_repeated(place: str, value: Any) -> None:
    told = "\n".join(str(finding) for finding in walked(whole() | {place: value}))
    assert [canary for canary in cases.CANARIES if canary in told.lower()] == []
