"""Calling back: what is asked, how each answer is read, and what is said about it."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest

from fhir_profiles.record import InputState
from server.cds_hooks.envelope import Authorization, HookCall
from server.cds_hooks.prefetch import TEMPLATES, Prefetched
from server.cds_hooks.prefetch_state import PrefetchState
from server.config import Config
from server.ehr.breaker import FAILURES_TO_OPEN, Breakers
from server.ehr.bulkhead import PLACES
from server.ehr.callback import Callback
from server.trust.clients import OPEN_CLIENT, Client
from tests.server.charts import Json, diagnosis, searchset
from tests.server.ehr.conftest import Ehr, next_page
from tests.server.logged import lines

TOKEN = "synthetic-token"
KEYS = [template.key for template in TEMPLATES]

Complete = Callable[..., Prefetched]


@pytest.fixture
def complete(ehr: Ehr, client: Client, callback: Callback) -> Complete:
    """The prefetch of a call, completed."""

    def run(prefetch: Json | None = None, client: Client = client, callback: Callback = callback, **call: Any) -> Prefetched:
        hook_call = HookCall("1", "p1", prefetch or {}, fhir_server=ehr.base, authorization=Authorization(TOKEN))
        return callback.complete(replace(hook_call, **call), client)

    return run


def outcome(severity: str, code: str, number: str | None = None) -> Json:
    details = {"coding": [{"system": "urn:oid:1.2.840.114350.1.13", "code": number}]} if number else {}
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "details": details}]}


def problem(number: int) -> Json:
    return diagnosis(identity=f"problem-{number}")


def ids(prefetched: Prefetched) -> set[str]:
    """Ids of the resources in it."""
    return {entry["resource"]["id"] for part in prefetched.parts for entry in part.get("entry", ())}


# --- what is asked


@pytest.mark.requirement("R-11", "R-17", "T-6")
def test_what_was_not_sent_is_asked_for_with_the_token_of_the_call(ehr: Ehr, complete: Complete) -> None:
    prefetched = complete()
    assert set(ehr.asked) == {template.resource_type for template in TEMPLATES}
    assert ehr.asked["Patient"] == ["/fhir/Patient/p1"]
    assert ehr.parameters("Observation") == {"patient": ["p1"], "_sort": ["-date"], "_count": ["1000"]}
    assert set(ehr.tokens) == {f"Bearer {TOKEN}"}
    assert (prefetched.fetched, prefetched.fetch_failed) == (10, 0)
    assert prefetched.unanswered == ()


@pytest.mark.requirement("R-12", "R-17")
def test_what_was_answered_is_not_asked_again(ehr: Ehr, complete: Complete) -> None:
    complete(dict.fromkeys(KEYS) | {"conditions": searchset([diagnosis()]), "observations": searchset([])})
    assert ehr.asked == {}


def test_a_kind_that_came_under_a_key_of_the_ehrs_own_is_not_asked_again(ehr: Ehr, complete: Complete) -> None:
    complete({"-problem-list": searchset([diagnosis()])})
    assert "Condition" not in ehr.asked


def test_a_type_that_the_ehr_is_known_not_to_have_is_not_asked_for_and_counts_as_not_supplied(
    ehr: Ehr, client: Client, complete: Complete
) -> None:
    prefetched = complete(client=replace(client, fhir_types_missing=frozenset({"MedicationStatement"})))
    assert "MedicationStatement" not in ehr.asked
    assert "MedicationStatement" not in prefetched.inputs
    assert prefetched.unanswered == ("medicationStatements",)


@pytest.mark.parametrize(
    ("sent", "is_asked"),
    [
        pytest.param(outcome("error", "timeout"), True, id="failed"),
        pytest.param(searchset([diagnosis()]) | {"total": 9}, True, id="truncated"),
        pytest.param("text", True, id="not FHIR"),
        pytest.param({"resourceType": "Flag", "id": "1"}, True, id="wrong type"),
        pytest.param(outcome("error", "forbidden"), False, id="denied"),
        pytest.param(outcome("warning", "incomplete"), False, id="incomplete by its own account"),
        pytest.param(outcome("warning", "processing", "4130"), False, id="behind the glass"),
    ],
)
def test_an_answer_that_failed_is_asked_for_again_but_not_one_that_was_refused(
    ehr: Ehr, complete: Complete, sent: Any, is_asked: bool
) -> None:
    ehr.says("Condition", searchset([diagnosis()]))
    prefetched = complete(dict.fromkeys(KEYS) | {"conditions": sent})
    assert list(ehr.asked) == (["Condition"] if is_asked else [])
    assert prefetched.states["conditions"].is_answer == is_asked
    assert (prefetched.inputs.get("Condition") in (None, InputState.PRESENT)) == is_asked


@pytest.mark.requirement("T-8", "OUT-01")
@pytest.mark.parametrize(
    ("change", "caller"),
    [
        pytest.param({"fhir_server": None}, None, id="no server"),
        pytest.param({"authorization": None}, None, id="no token"),
        pytest.param({"authorization": Authorization(TOKEN, "p2")}, None, id="token of another patient"),
        pytest.param({}, OPEN_CLIENT, id="open service"),
        pytest.param({}, Client("other", fhir_servers=("https://other.example/fhir",)), id="registered elsewhere"),
    ],
)
def test_without_permission_nothing_is_asked_and_nothing_is_changed(
    ehr: Ehr, complete: Complete, change: Json, caller: Client | None
) -> None:
    prefetched = complete(**change, **({"client": caller} if caller else {}))
    assert ehr.asked == {}
    assert prefetched.inputs == {}
    assert (prefetched.unanswered, prefetched.fetched) == (tuple(KEYS), 0)


@pytest.mark.requirement("T-12")
def test_a_development_server_is_asked_without_a_token(ehr: Ehr, complete: Complete) -> None:
    complete(client=Client("developer", fhir_servers=(ehr.base,), fhir_without_token=True), authorization=None)
    assert set(ehr.tokens) == {None}


@pytest.mark.requirement("IN-12")
def test_an_id_of_dots_does_not_climb_out_of_the_path(ehr: Ehr, complete: Complete) -> None:
    prefetched = complete(patient_id="..")
    assert "Patient" not in ehr.asked
    assert ehr.parameters("Condition")["patient"] == [".."]
    assert prefetched.states["patient"] is PrefetchState.FAILED


# --- how one answer is read

FAILED = InputState.FAILED


@pytest.mark.requirement("R-13", "R-14", "OUT-08", "OUT-09", "OUT-10", "OUT-11")
@pytest.mark.parametrize(
    ("answer", "state", "state_of_input"),
    [
        pytest.param((200, {}, searchset([problem(1)])), PrefetchState.PRESENT, InputState.PRESENT, id="found"),
        pytest.param((200, {}, searchset([])), PrefetchState.EMPTY, InputState.CONFIRMED_EMPTY, id="empty"),
        pytest.param(
            (200, {}, searchset([outcome("warning", "processing", "4101")]) | {"total": 0}),
            PrefetchState.EMPTY,
            InputState.CONFIRMED_EMPTY,
            id="Epic finds nothing",
        ),
        pytest.param(
            (200, {}, searchset([outcome("warning", "processing", "4119")]) | {"total": 0}),
            PrefetchState.INCOMPLETE,
            FAILED,
            id="Epic has more",
        ),
        pytest.param(
            (200, {}, searchset([outcome("warning", "processing", "4134")]) | {"total": 0}),
            PrefetchState.DENIED,
            FAILED,
            id="Epic's glass",
        ),
        pytest.param((200, {}, searchset([]) | {"total": 3}), PrefetchState.TRUNCATED, FAILED, id="three, not shown"),
        pytest.param(
            (200, {}, searchset([]) | {"link": [{"relation": "self", "url": "https://x/Condition?_count=500"}]}),
            PrefetchState.INCOMPLETE,
            FAILED,
            id="the patient was ignored",
        ),
        *(
            pytest.param(
                (200, {}, searchset([]) | {"link": [{"relation": "self", "url": url}]}), state, empty, id=f"self is {url}"
            )
            for url, state, empty in [
                ("https://[x", PrefetchState.EMPTY, InputState.CONFIRMED_EMPTY),
                ("//[x?_count=500", PrefetchState.INCOMPLETE, FAILED),
            ]
        ),
        pytest.param(
            (200, {}, searchset([]) | {"link": [{"relation": "next", "url": "//[x"}]}), PrefetchState.PAGINATED, FAILED, id="next"
        ),
        pytest.param(
            (200, {}, searchset([outcome("warning", "processing", "4107")]) | {"total": 0}),
            PrefetchState.INCOMPLETE,
            FAILED,
            id="Epic's patient was merged",
        ),
        pytest.param((401, {}, {}), PrefetchState.DENIED, FAILED, id="401"),
        pytest.param((403, {}, outcome("error", "forbidden")), PrefetchState.DENIED, FAILED, id="403"),
        pytest.param((404, {}, {}), PrefetchState.FAILED, FAILED, id="404"),
        pytest.param((404, {}, outcome("error", "not-found")), PrefetchState.FAILED, FAILED, id="404, not found"),
        pytest.param((404, {}, outcome("error", "not-supported")), PrefetchState.NOT_OFFERED, None, id="404, no such type"),
        pytest.param((410, {}, {}), PrefetchState.FAILED, FAILED, id="410"),
        pytest.param((400, {}, outcome("error", "invalid")), PrefetchState.FAILED, FAILED, id="400"),
        pytest.param((500, {}, {}), PrefetchState.FAILED, FAILED, id="500"),
        pytest.param((503, {}, {}), PrefetchState.FAILED, FAILED, id="503"),
        pytest.param((429, {"Retry-After": "60"}, {}), PrefetchState.FAILED, FAILED, id="429"),
        pytest.param((204, {}, b""), PrefetchState.FAILED, FAILED, id="204"),
        pytest.param((302, {"Location": "/"}, {}), PrefetchState.FAILED, FAILED, id="302"),
        pytest.param((200, {}, b""), PrefetchState.NOT_FHIR, FAILED, id="nothing"),
        pytest.param((200, {}, b"<html>"), PrefetchState.NOT_FHIR, FAILED, id="HTML"),
        pytest.param((200, {}, b'{"resourceType": "Bun'), PrefetchState.NOT_FHIR, FAILED, id="cut"),
        pytest.param((200, {}, b"[" * 200), PrefetchState.NOT_FHIR, FAILED, id="deep"),
        pytest.param((200, {}, []), PrefetchState.NOT_FHIR, FAILED, id="JSON"),
        pytest.param((200, {}, searchset([{"resourceType": "Flag"}])), PrefetchState.WRONG_TYPE, FAILED, id="other type"),
        pytest.param((200, {}, outcome("error", "exception")), PrefetchState.FAILED, FAILED, id="error as answer"),
        pytest.param((200, {}, b"{" + b'"a":1,' * 500_001 + b'"b":1}'), PrefetchState.FAILED, FAILED, id="too many values"),
    ],
)
def test_each_way_to_answer_has_its_state(
    ehr: Ehr, complete: Complete, answer: Any, state: PrefetchState, state_of_input: InputState | None
) -> None:
    ehr.says("Condition", answer)
    prefetched = complete(dict.fromkeys(key for key in KEYS if key != "conditions"))
    assert prefetched.states["conditions"] is state
    assert prefetched.inputs.get("Condition") is state_of_input
    assert prefetched.fetch_failed == (not state.is_answer)


@pytest.mark.parametrize("answer", [{"resourceType": "Patient", "id": "p2"}, searchset([diagnosis("p2")])])
def test_data_of_somebody_else_reach_the_reader_who_will_notice(ehr: Ehr, complete: Complete, answer: Json) -> None:
    ehr.says("Patient", answer)
    ehr.says("Condition", answer)
    assert answer in complete().parts


# --- pages


@pytest.mark.requirement("R-15", "OUT-07")
def test_pages_are_followed_with_the_same_token_and_read_as_one(ehr: Ehr, complete: Complete) -> None:
    pages = [searchset([problem(number)]) | {"total": 3} for number in range(3)]
    ehr.says("Condition", *(next_page(page, f"{ehr.base}/Condition?page={n}") for n, page in enumerate(pages[:2])), pages[2])
    prefetched = complete()
    assert ids(prefetched) == {"problem-0", "problem-1", "problem-2"}
    assert prefetched.states["conditions"] is PrefetchState.PRESENT
    assert ehr.asked["Condition"][1:] == ["/fhir/Condition?page=0", "/fhir/Condition?page=1"]
    assert set(ehr.tokens) == {f"Bearer {TOKEN}"}


@pytest.mark.requirement("R-15")
def test_pages_after_one_that_was_sent_are_fetched_and_only_those(ehr: Ehr, complete: Complete) -> None:
    sent = next_page(searchset([problem(1)]) | {"total": 2}, f"{ehr.base}/Condition?page=2")
    ehr.says("Condition", searchset([problem(2)]))
    prefetched = complete({"conditions": sent})
    assert ehr.asked["Condition"] == ["/fhir/Condition?page=2"]
    assert ids(prefetched) == {"problem-1", "problem-2"}
    assert prefetched.inputs["Condition"] is InputState.PRESENT


@pytest.mark.requirement("R-15", "OUT-07", "SAF-08")
@pytest.mark.parametrize("link", ["https://evil.example/fhir/Condition?page=2", "//[x", "https://[x", ""])
def test_after_a_page_that_leads_elsewhere_none_is_not_believed(ehr: Ehr, complete: Complete, link: str) -> None:
    prefetched = complete({"conditions": next_page(searchset([problem(1)]), link)})
    assert len(ehr.asked["Condition"]) == 1
    assert prefetched.states["conditions"] is PrefetchState.PAGINATED
    assert prefetched.inputs["Condition"] is FAILED


@pytest.mark.requirement("R-12", "SAF-08")
@pytest.mark.parametrize("key", ["observations", "diagnosticReports"])
def test_what_is_included_with_another_answer_is_not_all_there_is(ehr: Ehr, complete: Complete, key: str) -> None:
    observation = {"resourceType": "Observation", "id": "o1", "subject": {"reference": "Patient/p1"}}
    reports = searchset([{"resourceType": "DiagnosticReport", "id": "d1", "subject": {"reference": "Patient/p1"}}])
    reports["entry"].append({"resource": observation, "search": {"mode": "include"}})
    ehr.says("DiagnosticReport", reports)
    sent = {"diagnosticReports": reports} if key == "observations" else {"observations": None}
    assert complete(sent).inputs["Observation"] is FAILED
    ehr.says("Observation", searchset([observation]))
    assert complete({}).states["observations"] is PrefetchState.PRESENT


@pytest.mark.requirement("R-15", "OUT-07")
def test_after_a_page_that_leads_elsewhere_the_query_is_asked_from_the_start(ehr: Ehr, complete: Complete) -> None:
    sent = next_page(searchset([problem(1)]), "https://evil.example/fhir/Condition?page=2")
    ehr.says("Condition", searchset([problem(1), problem(2)]))
    prefetched = complete({"conditions": sent})
    assert ehr.parameters("Condition")["patient"] == ["p1"]
    assert prefetched.states["conditions"] is PrefetchState.PRESENT


def test_where_the_pages_after_one_that_was_sent_fail_that_one_is_still_read(ehr: Ehr, complete: Complete) -> None:
    sent = next_page(searchset([problem(1)]), f"{ehr.base}/Condition?page=2")
    ehr.says("Condition", (500, {}, {}))
    prefetched = complete({"conditions": sent})
    assert ids(prefetched) == {"problem-1"}
    assert prefetched.states["conditions"] is PrefetchState.PAGINATED
    assert prefetched.inputs["Condition"] is FAILED
    assert "conditions" not in prefetched.unanswered


def _endless(ehr: Ehr) -> list[Any]:
    return [next_page(searchset([problem(number)]), f"{ehr.base}/Condition?page={number}") for number in range(50)]


@pytest.mark.requirement("OUT-07")
@pytest.mark.parametrize(
    ("pages", "requests"),
    [
        pytest.param(lambda ehr: [next_page(searchset([problem(1)]), f"{ehr.base}/Condition?a")], 2, id="loop"),
        pytest.param(_endless, 10, id="endless"),
        pytest.param(lambda ehr: [next_page(searchset([problem(1)]), "http://127.0.0.2/fhir/Condition")], 1, id="elsewhere"),
        pytest.param(lambda ehr: [next_page(searchset([problem(1)]), "")], 1, id="nowhere"),
        pytest.param(lambda ehr: [_endless(ehr)[0], (403, {}, {})], 2, id="denied on the way"),
        pytest.param(lambda ehr: [_endless(ehr)[0], (200, {}, b"<html>")], 2, id="HTML on the way"),
        pytest.param(lambda ehr: [_endless(ehr)[0], outcome("error", "timeout")], 2, id="no Bundle on the way"),
        pytest.param(lambda ehr: [next_page(searchset([problem(n) for n in range(2000)]), "?x")], 1, id="very many"),
    ],
)
def test_pages_that_do_not_come_to_an_end_leave_a_part(
    ehr: Ehr, complete: Complete, pages: Callable[[Ehr], list[Any]], requests: int
) -> None:
    ehr.says("Condition", *pages(ehr))
    prefetched = complete()
    assert len(ehr.asked["Condition"]) == requests
    assert prefetched.states["conditions"] is PrefetchState.PAGINATED
    assert prefetched.inputs["Condition"] is FAILED
    assert ids(prefetched) >= {"problem-0"} or ids(prefetched) == {"problem-1"}


@pytest.mark.requirement("OUT-07", "SAF-08")
def test_empty_pages_with_more_to_come_confirm_nothing(ehr: Ehr, complete: Complete) -> None:
    ehr.says("Procedure", next_page(searchset([]), f"{ehr.base}/Procedure?page=2"), (500, {}, {}))
    assert complete().inputs["Procedure"] is FAILED


# --- trouble


@pytest.mark.requirement("OUT-08", "OUT-18")
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_once_more_after_the_time_that_it_wants(ehr: Ehr, complete: Complete, status: int) -> None:
    ehr.says("Condition", (status, {"Retry-After": "0"}, {}), searchset([problem(1)]))
    assert complete().states["conditions"] is PrefetchState.PRESENT
    assert len(ehr.asked["Condition"]) == 2


@pytest.mark.requirement("OUT-08", "OUT-18")
@pytest.mark.parametrize("wait", ["4", "Fri, 31 Dec 2100 00:00:00 GMT", "-1", "soon", ""])
def test_a_server_that_wants_more_time_than_there_is_is_given_up(ehr: Ehr, complete: Complete, wait: str) -> None:
    ehr.says("Condition", (429, {"Retry-After": wait}, {}), searchset([problem(1)]))
    assert complete().states["conditions"] is PrefetchState.FAILED
    assert len(ehr.asked["Condition"]) == 1


@pytest.mark.requirement("OUT-18")
def test_a_broken_connection_is_tried_once_more(ehr: Ehr, complete: Complete) -> None:
    ehr.says("Condition", None, searchset([problem(1)]))
    assert complete().states["conditions"] is PrefetchState.PRESENT
    ehr.says("Condition", None)
    ehr.asked.clear()
    assert complete().states["conditions"] is PrefetchState.FAILED
    assert len(ehr.asked["Condition"]) == 2


@pytest.mark.requirement("OUT-09")
def test_a_refusal_is_not_tried_again(ehr: Ehr, complete: Complete) -> None:
    ehr.says("Condition", (401, {}, {}), searchset([problem(1)]))
    assert complete().states["conditions"] is PrefetchState.DENIED
    assert len(ehr.asked["Condition"]) == 1


@pytest.mark.requirement("OUT-06")
def test_all_answers_together_are_bounded(ehr: Ehr, complete: Complete) -> None:
    for template in TEMPLATES[1:]:
        ehr.says(template.resource_type, b'{"resourceType": "Bundle"}' + b" " * (4 * 1024 * 1024))
    prefetched = complete()
    assert 0 < prefetched.fetch_failed < 9


class Clock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.requirement("OUT-14")
def test_a_server_in_trouble_is_left_alone_and_tried_again_later(ehr: Ehr, complete: Complete) -> None:
    clock = Clock()
    service = Callback(Config(fetch_seconds=3), breakers=Breakers(clock))
    for template in TEMPLATES:
        ehr.says(template.resource_type, (500, {}, {}))
    for _ in range(FAILURES_TO_OPEN):
        ehr.asked.clear()
        complete(callback=service)
        assert len(ehr.asked) == len(TEMPLATES)
    ehr.asked.clear()
    ehr.answers.clear()
    prefetched = complete(callback=service)
    assert ehr.asked == {}
    assert set(prefetched.states.values()) == {PrefetchState.FAILED}
    clock.seconds += 31
    assert complete(callback=service).fetch_failed == 0


@pytest.mark.requirement("OUT-14")
@pytest.mark.parametrize("status", [403, 400, 302])
def test_a_server_that_says_no_is_not_in_trouble(ehr: Ehr, complete: Complete, status: int) -> None:
    for template in TEMPLATES:
        ehr.says(template.resource_type, (status, {}, {}))
    for _ in range(FAILURES_TO_OPEN):
        complete()
    ehr.answers.clear()
    assert complete().fetch_failed == 0


@pytest.mark.requirement("OUT-14")
@pytest.mark.parametrize("in_trouble", [1, 5])
def test_a_server_that_answers_most_queries_is_not_in_trouble(ehr: Ehr, complete: Complete, in_trouble: int) -> None:
    for template in TEMPLATES[:in_trouble]:
        ehr.says(template.resource_type, (500, {}, {}))
    for _ in range(FAILURES_TO_OPEN):
        assert complete().fetch_failed == in_trouble
    ehr.answers.clear()
    assert complete().fetch_failed == 0


@pytest.mark.requirement("OUT-14")
def test_one_chart_that_a_server_cannot_read_closes_it_for_nobody(ehr: Ehr, complete: Complete) -> None:
    for template in TEMPLATES:
        ehr.says(template.resource_type, (500, {}, {}))
    assert complete().fetch_failed == len(TEMPLATES)
    ehr.answers.clear()
    assert complete().fetch_failed == 0


@pytest.mark.requirement("OUT-14")
def test_what_one_client_meets_with_is_not_held_against_another(ehr: Ehr, complete: Complete) -> None:
    for template in TEMPLATES:
        ehr.says(template.resource_type, (500, {}, {}))
    for _ in range(FAILURES_TO_OPEN):
        complete()
    ehr.answers.clear()
    assert complete().fetch_failed == len(TEMPLATES)
    assert complete(client=Client("practice", fhir_servers=(ehr.base,))).fetch_failed == 0


@pytest.mark.requirement("OUT-14", "OUT-15")
def test_authorities_that_we_cannot_read_are_not_the_servers_trouble(ehr: Ehr, client: Client, complete: Complete) -> None:
    misconfigured = replace(client, ca_file=Path("no-such-file.pem"))
    for _ in range(FAILURES_TO_OPEN):
        assert complete(client=misconfigured).fetch_failed == len(TEMPLATES)
    assert complete().fetch_failed == 0


@pytest.mark.requirement("OUT-14")
def test_a_client_whose_ehr_is_slow_holds_its_own_places_only(ehr: Ehr, client: Client, complete: Complete) -> None:
    slow, released = Barrier(PLACES + 1), Event()
    ehr.says("Patient", _once_all_are_there(slow, released))
    with ThreadPoolExecutor(PLACES) as waiting:
        calls = [waiting.submit(complete) for _ in range(PLACES)]
        slow.wait(10)
        ehr.answers.clear()
        turned_away = complete()
        assert set(turned_away.states.values()) == {PrefetchState.FAILED}
        assert all("(busy)" in issue.problem for issue in turned_away.issues)
        assert complete(client=Client("practice", fhir_servers=(ehr.base,))).fetch_failed == 0
        released.set()
        assert [call.result().fetch_failed for call in calls] == [0] * PLACES
    assert complete().fetch_failed == 0


def _once_all_are_there(slow: Barrier, released: Event) -> Callable[[], Json]:
    """A Patient that is not told before the test says so."""

    def answer() -> Json:
        slow.wait(10)
        released.wait(10)
        return {"resourceType": "Patient", "id": "p1"}

    return answer


# --- what is written down


@pytest.mark.requirement("OUT-17", "T-7")
def test_the_log_names_key_and_reason_and_nothing_else(ehr: Ehr, complete: Complete, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ehr.says("Procedure", (403, {}, outcome("error", "forbidden")))
    complete()
    assert lines(caplog) == ["event=query_failed client=hospital key=procedures reason=denied"]


@pytest.mark.requirement("OUT-01", "OUT-16")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fhir_server": "https://evil.example/fhir"}, "not-registered"),
        ({"authorization": Authorization(TOKEN, "p2")}, "token-of-another-patient"),
        ({"authorization": Authorization("a\nb")}, "bad-token"),
    ],
)
def test_a_callback_that_should_not_be_asked_for_is_a_matter_of_security(
    complete: Complete, caplog: pytest.LogCaptureFixture, change: Json, reason: str
) -> None:
    complete(**change)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("myositis_cds.security", "WARNING")
    assert lines([record]) == [f"event=callback_refused reason={reason} client=hospital"]
