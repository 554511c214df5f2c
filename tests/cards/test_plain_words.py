"""Triggers in plain words, as a clinician would read them."""

from typing import Any

import pytest

from cards.condition_words import words_of
from cards.conditions import condition_keys
from cards.knowledge import knowledge
from cards.plain_words import explained, groups_in, one_line, plain_words, spoken_keys
from cards.verdicts import RuleError
from tests.for_each import for_each

KNOWN = knowledge()
RULES = {rule.id: rule for rule in KNOWN.rules}

SAID: list[tuple[dict[str, Any], str, str]] = [
    ({"phenotype": "dermatomyositis"}, "a confirmed dermatomyositis", "no confirmed dermatomyositis"),
    ({"suspected_phenotype": "polymyositis"}, "only suspected: polymyositis", "not even suspected: polymyositis"),
    (
        {"recorded_phenotype": ["inclusion-body-myositis"]},
        "inclusion body myositis on the problem list, however sure",
        "no inclusion body myositis on the problem list, however sure",
    ),
    ({"age": {"over": 50}}, "over 50", "aged 50 or under"),
    ({"age": {"at_least": 18}}, "aged 18 or over", "under 18"),
    ({"age": {"at_least": 12, "at_most": 50}}, "aged 12 to 50", "under 12 or over 50"),
    ({"age": {"exactly": 50}}, "aged exactly 50", "not aged 50"),
    ({"sex": "female"}, "female", "not female"),
    ({"severity": "severe"}, "severe disease", "disease that is not severe"),
    ({"present": "pregnancy"}, "pregnancy present", "pregnancy ruled out"),
    ({"recorded": "severe-ild"}, "acute or severe interstitial lung disease on record", ""),
    (
        {"recorded": "other-life-threatening"},
        "another life-threatening complication on record",
        "no other life-threatening complication on record",
    ),
    ({"recorded": "hepatitis-b-tested"}, "hepatitis B serology on record", "no hepatitis B serology on record"),
    ({"recorded": "immunosuppressant-in-trial"}, "immunosuppressant on trial", "no immunosuppressant on trial"),
    (
        {"antibody_positive": ["anti-jo1", "anti-mi2"]},
        "anti-Jo-1 or anti-Mi-2 positive",
        "anti-Jo-1 and anti-Mi-2 negative",
    ),
    ({"antibody_ever_positive": "anti-hmgcr"}, "anti-HMGCR positive now or before", "anti-HMGCR never positive"),
    ({"myositis_specific_antibody": True}, "a myositis-specific antibody positive", "every myositis-specific antibody negative"),
    ({"remission": False}, "disease not in remission", "disease in remission"),
    ({"disease_years": {"at_most": 4}}, "disease that began at most 4 years ago", "disease that began more than 4 years ago"),
    ({"failed": "azathioprine"}, "azathioprine has failed", "azathioprine has not failed"),
    ({"failed": ["azathioprine", "ivig"]}, "azathioprine and intravenous immunoglobulin have failed", ""),
    ({"not_tolerated": "methotrexate"}, "intolerance of methotrexate on record", "no intolerance of methotrexate on record"),
    ({"taking": "rituximab"}, "rituximab being taken", "rituximab not being taken"),
    ({"tried": "glucocorticoid"}, "glucocorticoid tried, now or before", "glucocorticoid never tried"),
    (
        {"on_record": "colonoscopy"},
        "colonoscopy on record (done or ordered)",
        "no colonoscopy on record (neither done nor ordered)",
    ),
    (
        {"earlier_course": "not-tolerated"},
        "an earlier course of the drug not tolerated",
        "no earlier course of the drug not tolerated",
    ),
    (
        {"given": ["allopurinol", "febuxostat"]},
        "allopurinol or febuxostat taken or being written",
        "allopurinol or febuxostat neither taken nor being written",
    ),
    (
        {"given_together": {"at_least": 2, "of": ["rituximab", "abatacept"]}},
        "at least 2 of rituximab and abatacept taken or being written",
        "fewer than 2 of rituximab and abatacept taken or being written",
    ),
    ({"drafted_times_a_week": {"over": 1}}, "drafted for over once a week", "drafted for at most once a week"),
    (
        {"drafted_in_words": True},
        "drafted with its frequency in words alone",
        "drafted without a frequency in words alone",
    ),
    (
        {"taken_times_a_week": {"of": "methotrexate", "over": 1}},
        "methotrexate taken over once a week",
        "methotrexate taken at most once a week",
    ),
    (
        {"drafted_prednisolone_mg": {"over": 15}},
        "drafted with over 15 mg of prednisolone a day",
        "drafted with at most 15 mg of prednisolone a day",
    ),
    ({"settled": ["titulaer-2011-a"]}, "nothing left to do for titulaer-2011-a", "something left to do for titulaer-2011-a"),
    (
        {"first_recorded": {"of": "interstitial-lung-disease", "at_most_months": 12}},
        "interstitial lung disease first recorded at most 12 months ago",
        "interstitial lung disease first recorded more than 12 months ago",
    ),
    (
        {"daily_dose": {"of": "glucocorticoid", "over": 15}},
        "glucocorticoid, over 15 mg a day",
        "glucocorticoid, at most 15 mg a day",
    ),
    (
        {"taken_weeks": {"of": "glucocorticoid", "at_least": 2}},
        "glucocorticoid being taken for at least 2 weeks",
        "glucocorticoid being taken for under 2 weeks",
    ),
]


def test_every_condition_of_the_vocabulary_has_words() -> None:
    assert set(spoken_keys()) == set(condition_keys())


def test_every_condition_of_the_vocabulary_has_an_example_here() -> None:
    assert {key for node, _, _ in SAID for key in node} | {"all", "any", "not", "population"} == set(condition_keys())


@for_each(("node", "held", "denied"), SAID)
def test_a_condition_reads_as_a_clinician_says_it(node: dict[str, Any], held: str, denied: str) -> None:
    assert plain_words(node).text == held
    if denied:
        assert plain_words({"not": node}).text == denied
    assert plain_words({"not": {"not": node}}).text == held


def test_a_key_without_words_says_where_to_add_them() -> None:
    with pytest.raises(RuleError, match=r"cards/condition_words\.py"):
        plain_words({"invented": True})
    with pytest.raises(RuleError, match="invented"):
        words_of("invented", True, True, None)  # type: ignore[arg-type]


def test_the_colonoscopy_statement_reads_like_its_guideline() -> None:
    trigger = RULES["titulaer-2011-dm-colonoscopy-over-50"].trigger
    assert trigger is not None
    assert one_line(plain_words(trigger)) == (
        "“adult dermatomyositis”; and aged 50 or over; and "
        "(either over 50, or no colonoscopy on record (neither done nor ordered))"
    )
    assert explained(trigger, KNOWN.populations).endswith(
        "“adult dermatomyositis” means: "
        "a confirmed dermatomyositis or clinically amyopathic dermatomyositis; and aged 18 or over."
    )


def test_what_is_denied_as_a_whole_is_denied_in_its_parts() -> None:
    """Not (A and B) is not A or not B; a reader should not have to work that out."""
    said = plain_words({"not": {"all": [{"sex": "female"}, {"age": {"over": 50}}]}})
    assert said.is_any
    assert [part.text for part in said.parts] == ["not female", "aged 50 or under"]


def test_all_inside_all_is_one_list() -> None:
    said = plain_words({"all": [{"sex": "male"}, {"all": [{"age": {"over": 50}}, {"severity": "severe"}]}]})
    assert [part.text for part in said.parts] == ["male", "over 50", "severe disease"]


def test_a_group_inside_a_group_is_found() -> None:
    assert groups_in({"population": "treatable-adult"}, KNOWN.populations) == (
        "treatable-adult",
        "treatable-myositis",
        "any-myositis",
    )


@pytest.mark.parametrize("name", KNOWN.populations)
def test_every_group_can_be_explained(name: str) -> None:
    assert "means: " in explained({"population": name}, KNOWN.populations)


def test_every_trigger_can_be_said_without_a_trace_of_its_code() -> None:
    triggers = [rule.trigger for rule in (*KNOWN.rules, *KNOWN.safety, *KNOWN.safety_off) if rule.trigger]
    triggers += [trigger for dispute in KNOWN.disputes.values() for trigger in dispute.triggers()]
    for trigger in triggers:
        said = explained(trigger, KNOWN.populations)
        assert "_" not in said
        assert "{" not in said
        assert said.count("(") == said.count(")")
