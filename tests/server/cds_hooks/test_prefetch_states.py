"""The state of every answer, and the law that nothing unknown is ever taken for nothing there (SAF-08)."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.show import Show
from fhir_profiles.record import InputState
from server.cds_hooks.prefetch import TEMPLATES, Fetched, Need, read_prefetch, with_fetched
from server.cds_hooks.prefetch_state import Judgement, PrefetchState, judge, worse
from server.evaluation import evaluate
from tests.server.absence import claims_of_absence, orders_of
from tests.server.charts import AS_OF, INSTANCE, PREFETCH_KEYS, Json, chart, diagnosis, prefetch_of, searchset, slugs, whole

STATES = list(PrefetchState)
EPIC = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369"


def outcome(severity: str | None = None, code: Any = "processing", number: str | None = None, system: str = EPIC) -> Json:
    issue: Json = {"code": code} | ({"severity": severity} if severity else {})
    if number:
        issue["details"] = {"coding": [{"system": system, "code": number}]}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


# --- the table of states


@pytest.mark.requirement("R-11", "R-12", "R-13", "R-14", "R-15", "OUT-10", "SAF-08")
@pytest.mark.parametrize(
    ("value", "state"),
    [
        pytest.param(None, PrefetchState.NULL, id="null"),
        pytest.param(searchset([]), PrefetchState.EMPTY, id="empty Bundle"),
        pytest.param({"resourceType": "Bundle"}, PrefetchState.EMPTY, id="bare Bundle"),
        pytest.param(diagnosis(), PrefetchState.PRESENT, id="resource"),
        pytest.param(searchset([diagnosis()]), PrefetchState.PRESENT, id="Bundle"),
        pytest.param(searchset([diagnosis()]) | {"total": 2}, PrefetchState.TRUNCATED, id="fewer than counted"),
        pytest.param(searchset([]) | {"total": 2}, PrefetchState.TRUNCATED, id="none of those counted"),
        *(
            pytest.param(searchset([diagnosis()]) | {"total": total}, state, id=f"total {total!r}")
            for total, state in [
                *((same, PrefetchState.PRESENT) for same in (1, "1", 1.0, None)),
                *((more, PrefetchState.TRUNCATED) for more in ("12", 12.0, "9" * 5000, "many", "", -1, "-1", True, [1], {})),
            ]
        ),
        pytest.param(
            {"resourceType": "Bundle", "total": 2, "entry": [{"resource": diagnosis()}, {"resource": {"resourceType": "Flag"}}]},
            PrefetchState.TRUNCATED,
            id="one of those counted, and something else",
        ),
        pytest.param(
            {"resourceType": "Bundle", "entry": [{"resource": diagnosis(), "search": {"mode": "include"}}]},
            PrefetchState.INCOMPLETE,
            id="included with nothing",
        ),
        pytest.param(searchset([diagnosis()]) | {"link": [{"relation": "next"}]}, PrefetchState.PAGINATED, id="next page"),
        pytest.param(searchset([]) | {"link": {"relation": "next"}}, PrefetchState.PAGINATED, id="next page of nothing"),
        pytest.param("text", PrefetchState.NOT_FHIR, id="text"),
        pytest.param([], PrefetchState.NOT_FHIR, id="list"),
        pytest.param({"resourceType": "Flag"}, PrefetchState.WRONG_TYPE, id="another type"),
        pytest.param(searchset([7]), PrefetchState.INCOMPLETE, id="an entry that is none"),
        pytest.param(outcome("information"), PrefetchState.EMPTY, id="information"),
        pytest.param(outcome("warning"), PrefetchState.EMPTY, id="warning"),
        pytest.param(outcome("error"), PrefetchState.FAILED, id="error"),
        pytest.param(outcome("fatal"), PrefetchState.FAILED, id="fatal"),
        pytest.param(outcome(), PrefetchState.FAILED, id="no severity"),
        pytest.param({"resourceType": "OperationOutcome"}, PrefetchState.FAILED, id="no issue"),
        *(
            pytest.param(outcome(severity, code), PrefetchState.DENIED, id=f"{severity} {code}")
            for severity in ("warning", "error")
            for code in ("forbidden", "security", "suppressed", "login", "expired")
        ),
        *(
            pytest.param(outcome("warning", code), PrefetchState.INCOMPLETE, id=f"warning {code}")
            for code in (
                *("incomplete", "timeout", "throttled", "too-costly", "transient", "exception", "no-store", "lock-error"),
                *("not-supported", "invalid", "business-rule", "too-long", "conflict", "multiple-matches", "unknown", "value"),
                *("deleted", "code-invalid", "invented", ""),
            )
        ),
        *(
            pytest.param(outcome(severity, code), PrefetchState.EMPTY, id=f"{severity} {code}")
            for severity in ("warning", "information")
            for code in ("informational", "not-found", "processing")
        ),
        pytest.param(outcome("warning", code=["processing"]), PrefetchState.INCOMPLETE, id="an issue type that is none"),
        pytest.param(outcome("warning", number="4101"), PrefetchState.EMPTY, id="Epic 4101"),
        *(
            pytest.param(outcome("warning", number=number), PrefetchState.INCOMPLETE, id=f"Epic {number}")
            for number in ("4107", "4113", "4119", "4122", "4127", "4135", "59133", "1")
        ),
        *(
            pytest.param(outcome("warning", number=number), PrefetchState.DENIED, id=f"Epic {number}")
            for number in ("4130", "4131", "4134")
        ),
        pytest.param(outcome("fatal", number="4107"), PrefetchState.FAILED, id="Epic 4107"),
        pytest.param(outcome("warning", number="4130", system="urn:oid:1.2.3"), PrefetchState.EMPTY, id="not Epic's number"),
    ],
)
def test_each_value_has_its_state(value: Any, state: PrefetchState) -> None:
    assert read_prefetch({"conditions": value}).states["conditions"] is state


@pytest.mark.requirement("R-13", "R-14")
@pytest.mark.parametrize(
    ("one", "alone", "beside_data"),
    [
        (outcome("warning"), PrefetchState.EMPTY, PrefetchState.PRESENT),
        (outcome("warning", "suppressed"), PrefetchState.DENIED, PrefetchState.INCOMPLETE),
        (outcome("warning", number="4119"), PrefetchState.INCOMPLETE, PrefetchState.INCOMPLETE),
        (outcome("error"), PrefetchState.FAILED, PrefetchState.INCOMPLETE),
    ],
)
def test_an_outcome_among_the_entries_counts_too(one: Json, alone: PrefetchState, beside_data: PrefetchState) -> None:
    entry = {"resource": one, "search": {"mode": "outcome"}}
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [entry]}
    assert judge(bundle, "Condition").state is alone
    bundle["entry"] = [entry, {"resource": diagnosis()}]
    assert judge(bundle, "Condition").state is beside_data


def test_of_two_troubles_as_bad_as_each_other_the_first_is_named() -> None:
    part_is_missing, unreadable = {"resource": outcome("warning", number="4119")}, 7
    for first, second in ((part_is_missing, unreadable), (unreadable, part_is_missing)):
        alone = judge({"resourceType": "Bundle", "entry": [first]}, "Condition").problem
        assert judge({"resourceType": "Bundle", "entry": [first, second, first]}, "Condition").problem == alone


@pytest.mark.requirement("R-11")
def test_a_key_that_was_not_sent_is_absent() -> None:
    assert set(read_prefetch({}).states.values()) == {PrefetchState.ABSENT}


@pytest.mark.requirement("SAF-08")
@pytest.mark.parametrize("state", STATES)
def test_only_a_complete_answer_supports_not_done(state: PrefetchState) -> None:
    supports = state.input in (InputState.PRESENT, InputState.CONFIRMED_EMPTY)
    assert supports == state.is_answer
    assert not (state.is_answer and (state.brings_nothing or state.is_worth_fetching))


def test_of_two_answers_the_worse_counts_in_either_order() -> None:
    for one in STATES:
        assert worse(one, one) is one
        for other in STATES:
            assert worse(one, other) is worse(other, one)
            assert worse(one, other).is_answer <= (one.is_answer or other.is_answer)


# --- what is needed


def test_each_query_says_what_is_lost_without_it() -> None:
    required = {template.key for template in TEMPLATES if template.need is Need.REQUIRED}
    assert required == {"patient", "conditions"}
    assert {template.need for template in TEMPLATES if template.key not in required} == {Need.DEGRADE}


UNTREATED = "polymyositis-untreated"


@pytest.mark.requirement("SAF-08")
@pytest.mark.parametrize(
    "key", ["medicationRequests", "medicationStatements", "medicationAdministrations", "allergyIntolerances"]
)
def test_no_first_line_rests_on_a_list_that_could_not_be_read(key: str) -> None:
    assert "First-line" in therapy_summary(whole(UNTREATED))
    assert "could not be assessed" in therapy_summary(whole(UNTREATED) | {key: outcome("error")})


def test_no_first_line_rests_on_prescriptions_that_were_never_sent() -> None:
    """The server keeps no statements and says so: that is no answer for prescriptions."""
    sent = {name: value for name, value in whole(UNTREATED).items() if name != "medicationRequests"}
    assert "medications were not supplied" in therapy_summary(sent)


@pytest.mark.parametrize("key", ["medicationStatements", "medicationAdministrations", "allergyIntolerances"])
def test_a_site_that_never_sends_the_other_lists_gets_its_first_line(key: str) -> None:
    sent = {name: value for name, value in whole(UNTREATED).items() if name != key}
    assert "First-line" in therapy_summary(sent)


def therapy_summary(prefetch: Json) -> str:
    found = [card["summary"] for card in cards(UNTREATED, prefetch) if card["source"]["topic"]["code"] == "nextLineTherapy"]
    return str(found[0])


# --- what was sent and what was fetched, as one

_EMPTY = Fetched(Judgement(PrefetchState.EMPTY), (searchset([]),))


@pytest.mark.parametrize("state", [state for state in STATES if not state.is_part])
def test_a_complete_answer_settles_whatever_was_sent(state: PrefetchState) -> None:
    sent = read_prefetch({})
    fetched = with_fetched(sent, {"procedures": Fetched(Judgement(state))})
    assert fetched.states["procedures"] is state
    settled = with_fetched(fetched, {"procedures": _EMPTY})
    assert settled.inputs["Procedure"] is InputState.CONFIRMED_EMPTY
    assert "procedures" not in settled.unanswered


_NEXT = {"link": [{"relation": "next", "url": "x"}]}


@pytest.mark.requirement("OUT-10", "R-15", "SAF-08")
@pytest.mark.parametrize("state", [PrefetchState.NULL, PrefetchState.EMPTY])
@pytest.mark.parametrize(
    ("part", "left"),
    [
        ({"total": 9}, PrefetchState.TRUNCATED),
        (_NEXT, PrefetchState.PAGINATED),
        ({"entry": [{"resource": diagnosis()}, 7]}, PrefetchState.INCOMPLETE),
    ],
)
def test_that_there_is_none_is_not_believed_after_one_has_been_shown(
    part: Json, left: PrefetchState, state: PrefetchState
) -> None:
    sent = read_prefetch({"conditions": searchset([diagnosis()]) | part})
    fetched = with_fetched(sent, {"conditions": Fetched(Judgement(state))})
    assert fetched.states["conditions"] is left
    assert fetched.inputs["Condition"] is InputState.FAILED
    assert fetched.fetch_failed == 1
    assert [issue.reference for issue in fetched.issues] == ["prefetch.conditions"] * 2
    assert "had none" in fetched.issues[-1].problem


@pytest.mark.requirement("OUT-12", "SAF-08")
@pytest.mark.parametrize("state", [state for state in STATES if not state.is_answer])
def test_a_failure_takes_nothing_away_from_what_was_sent_in_part(state: PrefetchState) -> None:
    sent = read_prefetch({"conditions": searchset([diagnosis()]) | {"total": 5}})
    fetched = with_fetched(sent, {"conditions": Fetched(Judgement(state))})
    assert fetched.states["conditions"] is PrefetchState.TRUNCATED
    assert fetched.inputs["Condition"] is InputState.FAILED
    assert fetched.parts == sent.parts


def test_what_was_fetched_whole_is_whole_though_it_had_been_sent_in_part() -> None:
    """The reader, too, must not take the page that was sent for all there is."""
    conditions = next(iter(prefetch_of(chart("polymyositis-untreated"), only=["Condition"]).values()))
    cut = {**conditions, "entry": conditions["entry"][:1], "link": [{"relation": "next", "url": "x"}]}
    rest = {name: value for name, value in whole("polymyositis-untreated").items() if name != "conditions"}
    fetched = {"conditions": Fetched(Judgement(PrefetchState.PRESENT, frozenset(("Condition",))), (conditions,))}
    together = with_fetched(read_prefetch(rest | {"conditions": cut}), fetched)
    evaluation = evaluate(together.parts, as_of=AS_OF, seed=INSTANCE, patient_id="polymyositis-untreated", inputs=together.inputs)
    assert list(evaluation.cards) == cards("polymyositis-untreated", whole("polymyositis-untreated"))


# --- the law


def cards(slug: str, prefetch: Json) -> list[Json]:
    """Every card, without the cap: one that goes would make room for another."""
    found = read_prefetch(prefetch)
    evaluation = evaluate(found.parts, as_of=AS_OF, seed=INSTANCE, patient_id=slug, inputs=found.inputs, show=Show(cap=20))
    return list(evaluation.cards)


TYPES = {template.key: template.resource_type for template in TEMPLATES}

UNKNOWN: dict[str, Any] = {
    "failed": outcome("error"),
    "withheld": outcome("warning", "suppressed"),
    "not FHIR": "text",
    "behind the glass": searchset([]) | {"entry": [{"resource": outcome("warning", number="4130")}]},
    "further pages": searchset([]) | {"link": [{"relation": "next", "url": "x"}]},
    "fewer than counted": searchset([]) | {"total": 7},
}
"""Answers that bring nothing, and after which nothing is known."""


@pytest.mark.requirement("SAF-08", "OUT-12")
@settings(max_examples=100)
@given(
    st.sampled_from(slugs()),
    st.sets(st.sampled_from([key for key in PREFETCH_KEYS.values() if key != "patient"]), min_size=1, max_size=4),
    st.sampled_from(sorted(UNKNOWN)),
)
def test_an_unknown_brings_no_claim_that_something_is_not_there_and_no_order(slug: str, keys: set[str], how: str) -> None:
    """Turning "none" into "unknown" may only take claims and orders away."""
    unknown = cards(slug, whole(slug) | dict.fromkeys(keys, UNKNOWN[how]))
    assert orders_of(unknown) <= orders_of(cards(slug, whole(slug) | dict.fromkeys(keys)))
    assert claims_of_absence(unknown, {TYPES[key] for key in keys}) == []


_SAID_PLAINLY = {"blood count values", "kidney function values", "liver test values", "pregnancy"}
"""What the cards on therapy and pregnancy look for in several kinds, and call not on record though one was not supplied."""


@pytest.mark.requirement("R-11", "SAF-08")
@settings(max_examples=100)
@given(st.sampled_from(slugs()), st.sampled_from(["observations", "procedures", "diagnosticReports", "serviceRequests"]))
def test_without_a_key_what_is_not_there_is_said_with_the_reservation_that_it_was_not_supplied(slug: str, key: str) -> None:
    less = cards(slug, {name: value for name, value in whole(slug).items() if name != key})
    for card in less:
        if set(claims_of_absence([card], [TYPES[key]])) - _SAID_PLAINLY:
            assert "not supplied" in json.dumps(card)
