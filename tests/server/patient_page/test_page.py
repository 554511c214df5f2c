"""The page for one patient: everything that was found is on it, once and where it belongs."""

import re
from dataclasses import replace
from functools import cache

import pytest

from fhir_profiles.findings import Answer
from fhir_profiles.record import InputState
from server.patient_page.advice import advice
from server.patient_page.banner import identity
from server.patient_page.opened import Banner, Opened
from server.patient_page.options import OptionRow, comparisons
from server.patient_page.page import render
from server.patient_page.patient_summary import render_summary
from server.patient_page.scores import classification_score
from tests.for_each import for_each
from tests.patient import Patient
from tests.server.charts import slugs
from tests.server.patient_page.html_pages import ReadPage
from tests.server.patient_page.patients import opened, opened_chart, opened_patient, story_page

IMMUNOSUPPRESSANTS = (
    "methotrexate",
    "azathioprine",
    "mycophenolate",
    "ciclosporin",
    "tacrolimus",
    "rituximab",
    "cyclophosphamide",
)


def page_of(patient: Opened, **query: str) -> ReadPage:
    return ReadPage(render(patient, query, "en"))


@cache
def story(slug: str) -> ReadPage:
    """The page of a story, read once."""
    return ReadPage(story_page(slug))


@pytest.mark.parametrize("slug", slugs())
def test_every_story_has_a_page_that_is_valid_and_holds_each_recommendation_once(slug: str) -> None:
    patient, page = opened(slug), story(slug)
    assert page.problems == []
    shown = sorted(name for name in page.ids if name.startswith("statement-"))
    expected, seen = [], dict[str, int]()
    for recommendation in patient.evaluation.recommendations:
        seen[recommendation.id] = count = seen.get(recommendation.id, 0) + 1
        expected.append(f"statement-{recommendation.id}" + (f"--{count}" if count > 1 else ""))
    assert shown == sorted(expected)


@for_each("slug", slugs())
def test_what_holds_on_a_card_what_holds_besides_and_what_waits_are_three_places(slug: str) -> None:
    patient = opened(slug)
    given = advice(patient.evaluation, ())
    on_cards = [statement for card in given.cards for statement in card.statements]
    others = [statement for topic in given.others for statement in topic.statements]
    waiting = [statement for topic in given.waiting for statement in topic.statements]
    assert len(on_cards) + len(others) + len(waiting) == len(patient.evaluation.recommendations)
    assert all(statement.is_firm for statement in others)
    assert not any(statement.is_firm for statement in waiting)
    for card, shown in zip(patient.evaluation.cards, given.cards, strict=True):
        said = card["extension"]["org.myositis-cds.explanation"]["recommendations"]
        assert {statement.id for statement in shown.statements} == set(said)


@pytest.mark.parametrize("slug", ["classic-dermatomyositis", "inclusion-body-myositis", "dermatomyositis-fully-cared-for"])
def test_every_statement_of_the_knowledge_is_on_the_page_as_said_or_as_silent(slug: str) -> None:
    patient, page = opened(slug), story(slug)
    said = {r.id for r in patient.evaluation.recommendations}
    for rule in (*patient.basis.knowledge.rules, *patient.basis.knowledge.rules_off):
        assert (f"statement-{rule.id}" in page.ids) is (rule.id in said)
        assert (f"silent-{rule.id}" in page.ids) is (rule.id not in said)


@pytest.mark.parametrize("slug", ["inclusion-body-myositis", "inclusion-body-myositis-on-prednisone"])
def test_inclusion_body_myositis_is_shown_no_immunosuppression(slug: str) -> None:
    html = story_page(slug)
    options = html[html.index('id="options"') : html.index('id="disagreements"')]
    now = html[html.index('id="now"') : html.index('id="phenotype"')]
    assert "No guideline offers this patient a treatment now." in options
    for drug in IMMUNOSUPPRESSANTS:
        assert drug not in options.casefold()
        assert f"Options:</strong> {drug}" not in now


def test_options_stand_side_by_side_with_source_strength_and_what_the_chart_raises() -> None:
    html = story_page("dermatomyositis-pregnant")
    options = html[html.index('id="options"') : html.index('id="disagreements"')]
    assert "Who says so, in their strength" in options
    assert "Not suggested for this patient" in options
    assert re.search(r"Methotrexate</th>|Methotrexate<p", options)
    assert "/guidelines/drug-safety#" in options


def test_the_card_that_the_reader_came_from_comes_first_and_is_marked() -> None:
    patient = opened("classic-dermatomyositis")
    topics = [card["source"]["topic"]["code"] for card in patient.evaluation.cards]
    last = patient.evaluation.cards[-1]["extension"]["org.myositis-cds.explanation"]["recommendations"][0]
    given = advice(patient.evaluation, (last,))
    assert given.cards[0].anchor == f"card-{topics[-1]}"
    assert [card.is_focus for card in given.cards] == [True, *[False] * (len(topics) - 1)]
    assert "You came from this card." in page_of(replace(patient, focus=(last,))).text
    assert "You came from this card." not in story("classic-dermatomyositis").text


def test_advice_that_is_given_no_more_is_said_to_be_gone() -> None:
    gone = replace(opened("dermatomyositis-fully-cared-for"), focus=("sunderkotter-2016-pft-all",))
    assert "is not given any more" in page_of(gone).text


def test_what_was_not_supplied_failed_or_was_not_permitted_is_said() -> None:
    patient = opened_patient(Patient().has("dermatomyositis").without("Procedure").failed("Observation"))
    patient = replace(patient, scopes_missing=("AllergyIntolerance",))
    text = " ".join(page_of(patient).text.split())
    assert "Procedures : not supplied" in text.replace("Procedures:", "Procedures :")
    assert "Results: asked for, and failed or incomplete" in text
    assert "Allergies and intolerances: this launch was not permitted to read them" in text


def test_a_patient_who_died_is_advised_nothing_and_supposed_nothing() -> None:
    page = page_of(opened_patient(Patient(deceased=True).has("dermatomyositis")), suppose="anti-mda5:positive")
    assert "this patient has died" in page.text
    assert "supposed" not in page.ids


def test_a_banner_stands_only_where_the_ehr_shows_none() -> None:
    patient = opened("classic-dermatomyositis")
    assert "Ines Demoford" in story("classic-dermatomyositis").text
    assert "Ines Demoford" not in page_of(replace(patient, banner=None)).text


@pytest.mark.requirement("CARD-03")
def test_what_the_ehr_opened_the_app_for_is_named() -> None:
    patient = opened("healthy")
    about = replace(patient, about=("ImagingStudy/1", "Observation/\u202e2"))
    assert "Opened for: ImagingStudy/1, Observation/2" in page_of(about).text
    assert "Opened for: ImagingStudy/1, Observation/2" in ReadPage(render_summary(about, "en")).text
    assert "Opened for" not in story("healthy").text


@pytest.mark.requirement("SM-08", "SM-09")
def test_links_and_forms_stay_under_the_launch_and_posts_carry_the_token() -> None:
    page = page_of(replace(opened("classic-dermatomyositis"), launch="launch/ä?"), suppose="fvc:low")
    addresses = [link for link in page.links if link.startswith("/smart/patient")]
    assert addresses
    assert all(address.startswith("/smart/patient/launch%2F%C3%A4%3F") for address in addresses)
    assert [(form["method"], form["action"]) for form in page.forms] == [
        ("post", "/smart/patient/launch%2F%C3%A4%3F/logout"),
        ("get", "/smart/patient/launch%2F%C3%A4%3F"),
    ]
    html = story_page("classic-dermatomyositis")
    assert '<input type="hidden" name="form_token" value="token-1">' in html


def test_nothing_on_the_page_needs_inline_style_script_or_another_host() -> None:
    for slug in ("classic-dermatomyositis", "mda5-amyopathic-rapid-ild"):
        page = story(slug)
        assert "style" not in page.tags
        assert not {name for name in page.attributes if name == "style" or name.startswith("on")}


def test_the_score_comes_with_its_items_and_never_as_a_probability() -> None:
    text = " ".join(story("classic-dermatomyositis").text.split())
    assert "Classification, not a diagnosis" in text
    assert "Heliotrope rash points: 3.1" in text
    assert "Unknown, not counted" in text
    assert (
        "%" not in text[text.index("EULAR/ACR classification criteria") : text.index("What else holds, and what does not", 2000)]
    )


def test_sources_carry_their_thirteen_attributes_between_what_is_common_and_what_is_each() -> None:
    html = story_page("classic-dermatomyositis")
    for entry in opened("classic-dermatomyositis").basis.knowledge.source_attributes:
        assert entry["name"].split(" (")[0] in html


def test_an_input_that_nobody_supplied_stays_so_whatever_is_supposed() -> None:
    patient = opened_patient(Patient().has("dermatomyositis").without("Observation"))
    assert patient.evaluation.record.input_state("Observation") is InputState.NOT_SUPPLIED
    assert "Results: not supplied" in " ".join(page_of(patient, suppose="anti-mda5:positive").text.split())


def test_the_language_is_remembered_in_the_links() -> None:
    page = page_of(opened("classic-dermatomyositis"), language="de", suppose="fvc:low")
    own = [link for link in page.links if link.startswith("/smart/patient")]
    assert all("language=" in link for link in own)
    assert '<html lang="de">' in render(opened("classic-dermatomyositis"), {"language": "de"}, "de")


@pytest.mark.parametrize("holds", [Answer.YES, Answer.UNKNOWN])
def test_a_disagreement_is_shown_wherever_a_statement_takes_part_in_it(holds: Answer) -> None:
    for slug in ("classic-dermatomyositis", "mda5-amyopathic-rapid-ild", "inclusion-body-myositis"):
        ids = story(slug).ids
        for recommendation in opened(slug).evaluation.recommendations:
            if recommendation.holds is holds:
                assert all(f"dispute-{code}" in ids for code in recommendation.conflicts)


def test_a_chart_without_an_id_can_be_looked_at_and_nothing_supposed() -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Condition", "id": "c", "code": {"text": "dermatomyositis"}}}],
    }
    page = page_of(opened_chart(bundle), suppose="anti-mda5:positive")
    assert page.problems == []
    assert "supposed" not in page.ids


def test_a_rule_that_a_missing_datum_leaves_open_is_no_silence_about_the_option() -> None:
    rows = {row.title: row for row in rows_of("mda5-amyopathic-rapid-ild")}
    assert [raised.missing for raised in rows["Rituximab"].undecided]
    assert not rows["Rituximab"].is_unopposed
    assert rows["Ciclosporin"].is_unopposed


def test_only_what_has_a_ready_made_order_is_said_to_be_offered_as_one() -> None:
    rows = {row.title: row for row in rows_of("mda5-amyopathic-rapid-ild")}
    assert rows["Ciclosporin"].has_order
    assert not rows["JAK inhibitor"].has_order


def test_the_most_urgent_statement_of_a_card_comes_first_and_names_what_is_taken_against_it() -> None:
    (card, *_) = advice(opened("inclusion-body-myositis-on-prednisone").evaluation, ()).cards
    assert [statement.urgency_code for statement in card.statements] == sorted(
        (statement.urgency_code for statement in card.statements), key=["urgent", "soon", "routine"].index
    )
    assert card.against == ("glucocorticoid",)


def rows_of(slug: str) -> list[OptionRow]:
    evaluation = opened(slug).evaluation
    (therapy, *_) = comparisons(evaluation.recommendations, evaluation.knowledge)
    return [row for group in therapy.groups for row in group.rows]


@pytest.mark.parametrize(
    ("given", "said"), [("1991-02-17", "17 February 1991"), ("1991", "1991"), ("", "not known"), ("soon", "soon")]
)
def test_a_date_of_birth_has_its_month_in_letters(given: str, said: str) -> None:
    shown = identity(Banner("A", given, "1", "female"))
    assert shown is not None
    assert shown.born == said


def test_silence_is_no_clearance_while_baseline_tests_are_not_on_record() -> None:
    text = " ".join(ReadPage(story_page("classic-dermatomyositis")).text.split())
    assert "No caution from the data on record; not checked: " in text


def test_a_classification_that_unknown_items_decide_is_said_to_be_open() -> None:
    found = {slug: opened(slug).evaluation.assessment.classification for slug in slugs()}
    open_ones = [one for one in found.values() if one and one.score.unknown and one.score.best_class.meets_criteria]
    below = [one for one in open_ones if not one.score.minimum_class.meets_criteria]
    results = [score.result for one in below if (score := classification_score(one))]
    assert results
    assert all(result.startswith("not classifiable from these data: ") for result in results)
