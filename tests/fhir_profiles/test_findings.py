"""Unknown is not no: Kleene's logic, and the two ways in which a finding can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.findings import Answer, Finding, Standing, all_of, any_of, standing_of_all, standing_of_any

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN

answers = st.lists(st.sampled_from(Answer), max_size=6)
standings = st.lists(st.sampled_from(Standing), max_size=6)


def finding(standing: Standing) -> Finding:
    return Finding("fever", "fever", standing)


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (YES, YES, YES, YES),
        (YES, UNKNOWN, UNKNOWN, YES),
        (YES, NO, NO, YES),
        (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
        (UNKNOWN, NO, NO, UNKNOWN),
        (NO, NO, NO, NO),
    ],
)
def test_and_and_or_follow_kleenes_table(left: Answer, right: Answer, both: Answer, either: Answer) -> None:
    assert all_of([left, right]) is all_of([right, left]) is both
    assert any_of([left, right]) is any_of([right, left]) is either


def test_all_of_nothing_holds_and_any_of_nothing_does_not() -> None:
    assert all_of([]) is YES
    assert any_of([]) is NO


@given(answers)
def test_not_all_is_the_same_as_one_that_is_not(parts: list[Answer]) -> None:
    assert all_of(parts).negated() is any_of(part.negated() for part in parts)


@given(st.sampled_from(Answer))
def test_denying_twice_says_the_same(answer: Answer) -> None:
    assert answer.negated().negated() is answer
    assert (answer.negated() is UNKNOWN) == (answer is UNKNOWN)


@given(answers, answers)
def test_how_parts_are_grouped_makes_no_difference(some: list[Answer], others: list[Answer]) -> None:
    assert all_of([all_of(some), all_of(others)]) is all_of(some + others)
    assert any_of([any_of(some), any_of(others)]) is any_of(some + others)


@given(answers, st.data())
def test_learning_an_unknown_never_turns_a_settled_answer_round(parts: list[Answer], data: st.DataObject) -> None:
    learnt = [data.draw(st.sampled_from((YES, NO))) if part is UNKNOWN else part for part in parts]
    assert all_of(parts) in (UNKNOWN, all_of(learnt))
    assert any_of(parts) in (UNKNOWN, any_of(learnt))


@pytest.mark.parametrize(
    ("standing", "strictly", "on_record"),
    [
        (Standing.PRESENT, YES, YES),
        (Standing.RULED_OUT, NO, NO),
        (Standing.NOT_RECORDED, UNKNOWN, NO),
        (Standing.NOT_SUPPLIED, UNKNOWN, NO),
        (Standing.UNCLEAR, UNKNOWN, UNKNOWN),
        (Standing.FAILED, UNKNOWN, UNKNOWN),
    ],
)
def test_only_a_chart_that_rules_it_out_says_no_strictly(standing: Standing, strictly: Answer, on_record: Answer) -> None:
    assert finding(standing).value is strictly
    assert finding(standing).recorded is on_record
    assert finding(standing).is_present is (standing is Standing.PRESENT)


@given(standings)
def test_a_combination_of_findings_reads_like_the_combination_of_their_answers(parts: list[Standing]) -> None:
    values = [finding(part).value for part in parts]
    assert finding(standing_of_any(parts)).value is any_of(values)
    assert finding(standing_of_all(parts)).value is all_of(values)


@given(standings)
def test_one_of_several_is_on_record_exactly_when_one_of_them_is(parts: list[Standing]) -> None:
    assert finding(standing_of_any(parts)).recorded is any_of(finding(part).recorded for part in parts)


def test_data_that_failed_are_not_passed_over_in_silence() -> None:
    assert standing_of_any([Standing.NOT_RECORDED, Standing.FAILED]) is Standing.FAILED
    assert standing_of_any([Standing.RULED_OUT, Standing.NOT_SUPPLIED]) is Standing.NOT_SUPPLIED
    assert standing_of_all([Standing.PRESENT, Standing.FAILED]) is Standing.FAILED
    assert standing_of_all([Standing.FAILED, Standing.NOT_RECORDED]) is Standing.NOT_RECORDED
